/* SPDX-License-Identifier: ISC */
/* Nothing that this lets through holds NUL, CR, LF or another control byte, so no record of the spool file, no header line and no
 * SMTP command made of it later can be split. */
#include <string.h>

#include "lib/frame.h"
#include "queue/intake_envelope.h"

enum value_form { FORM_TEXT, FORM_WORD, FORM_FLAG, FORM_BODY, FORM_RET, FORM_NUMBER, FORM_ADDRESS };
struct rule {
    const char *key;
    enum value_form form;
    size_t max;
    bool is_required;
};
static const struct rule question_rules[] = {
    {"op", FORM_WORD, 16, true},        {"sid", FORM_TEXT, 64, false},   {"proto", FORM_WORD, 16, false},
    {"from", FORM_ADDRESS, 4096, true}, {"helo", FORM_TEXT, 512, false}, {"ip", FORM_TEXT, 64, false},
    {"rdns", FORM_TEXT, 512, false},    {"auth", FORM_TEXT, 512, false}, {"tls", FORM_TEXT, 512, false},
    {"relay", FORM_FLAG, 1, false},     {"body", FORM_BODY, 8, false},   {"utf8", FORM_FLAG, 1, false},
    {"size", FORM_NUMBER, 20, false},   {"ret", FORM_RET, 4, false},     {"envid", FORM_TEXT, 100, false},
};
static const struct rule recipient_rules[] = {
    {"to", FORM_ADDRESS, 4096, true}, {"notify", FORM_TEXT, 64, false}, {"orcpt", FORM_TEXT, 500, false}};
enum {
    N_QUESTION = sizeof question_rules / sizeof question_rules[0],
    N_RECIPIENT = sizeof recipient_rules / sizeof recipient_rules[0]
};

static bool has_control(const char *value)
{
    for (; *value != 0; value++) {
        if ((unsigned char)*value < 0x20 || *value == 0x7f) {
            return true;
        }
    }
    return false;
}

static bool is_word(const char *value)
{
    return *value != 0 && value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] == 0;
}

static bool value_fits(const struct rule *rule, const struct fields *fields, const char *value)
{
    uint64_t number;
    if (strlen(value) > rule->max) {
        return false;
    }
    switch (rule->form) {
    case FORM_TEXT:
        return !has_control(value);
    case FORM_WORD:
        return is_word(value);
    case FORM_FLAG:
        return strcmp(value, "0") == 0 || strcmp(value, "1") == 0;
    case FORM_BODY:
        return strcmp(value, "7BIT") == 0 || strcmp(value, "8BITMIME") == 0;
    case FORM_RET:
        return strcmp(value, "FULL") == 0 || strcmp(value, "HDRS") == 0;
    case FORM_NUMBER:
        return fields_get_number(fields, rule->key, INT64_MAX, &number);
    case FORM_ADDRESS:
        return true; /* address_check judges it */
    }
    return false;
}

/* NULL: every field is one of the rules and fits, and what must be there is. Else the name of the first that does not. */
static const char *first_misfit(const struct fields *fields, const struct rule *rules, size_t n_rules)
{
    const char *known[N_QUESTION + 1] = {0};
    for (size_t i = 0; i < n_rules; i++) {
        const char *value = fields_get(fields, rules[i].key);
        if (value == NULL ? rules[i].is_required : !value_fits(&rules[i], fields, value)) {
            return rules[i].key;
        }
        known[i] = rules[i].key;
    }
    return fields_are_known(fields, known) ? NULL : "of another name";
}

static bool ends_with(const char *bytes, size_t n, const char *end)
{
    size_t end_len = strlen(end);
    return n > end_len && memcmp(bytes + n - end_len, end, end_len) == 0;
}

enum address_fault intake_check_sender(const char *sender, size_t n, bool is_utf8)
{
    if (n == 0 || (n == 4 && memcmp(sender, "#@[]", 4) == 0)) {
        return ADDRESS_GOOD;
    }
    size_t list_end = ends_with(sender, n, "-@[]") ? 4 : 0;
    return address_check(sender, n - list_end, is_utf8);
}

static bool is_flag_set(const struct fields *fields, const char *key)
{
    return strcmp(fields_get_or(fields, key, "0"), "1") == 0;
}

/* The fields that say where the message comes from: believed only of the house's own programs. NULL: good; else the field that is
 * missing. */
static const char *read_origin(const struct fields *fields, bool is_inject, struct intake_question *out)
{
    if (is_inject) {
        out->sid = "";
        out->proto = "local";
        return NULL;
    }
    out->sid = fields_get(fields, "sid");
    out->proto = fields_get(fields, "proto");
    out->helo = fields_get(fields, "helo");
    out->ip = fields_get(fields, "ip");
    out->rdns = fields_get(fields, "rdns");
    out->auth = fields_get(fields, "auth");
    out->tls = fields_get(fields, "tls");
    return out->sid == NULL ? "sid" : out->proto == NULL ? "proto" : NULL;
}

const struct intake_reply *intake_question_read(const char *payload, size_t n, bool is_inject, struct intake_question *out,
                                                const char **detail_out)
{
    struct fields fields;
    struct intake_question question = {0};
    if (!fields_parse(payload, n, &fields)) {
        *detail_out = "list";
        return &intake_bad_field;
    }
    const char *misfit = first_misfit(&fields, question_rules, N_QUESTION);
    misfit = misfit != NULL                                    ? misfit
             : strcmp(fields_get(&fields, "op"), "queue") != 0 ? "op"
                                                               : read_origin(&fields, is_inject, &question);
    if (misfit != NULL) {
        *detail_out = misfit;
        return &intake_bad_field;
    }
    question.from = fields_get(&fields, "from");
    question.ret = fields_get(&fields, "ret");
    question.envid = fields_get(&fields, "envid");
    question.is_utf8 = is_flag_set(&fields, "utf8");
    (void)fields_get_number(&fields, "size", INT64_MAX, &question.size);
    enum address_fault fault = intake_check_sender(question.from, strlen(question.from), question.is_utf8);
    if (fault != ADDRESS_GOOD) {
        *detail_out = question.from;
        return intake_reply_sender(fault);
    }
    *out = question;
    return NULL;
}

const struct intake_reply *intake_recipient_read(const char *payload, size_t n, bool is_utf8, struct spoolfile_recipient *out,
                                                 const char **detail_out)
{
    struct fields fields;
    if (!fields_parse(payload, n, &fields)) {
        *detail_out = "list";
        return &intake_bad_field;
    }
    const char *misfit = first_misfit(&fields, recipient_rules, N_RECIPIENT);
    if (misfit != NULL) {
        *detail_out = misfit;
        return &intake_bad_field;
    }
    const char *to = fields_get(&fields, "to");
    enum address_fault fault = address_check(to, strlen(to), is_utf8);
    if (fault != ADDRESS_GOOD) {
        *detail_out = to;
        return intake_reply_recipient(fault);
    }
    *out = (struct spoolfile_recipient){
        .address = to, .notify = fields_get(&fields, "notify"), .orcpt = fields_get(&fields, "orcpt")};
    return NULL;
}
