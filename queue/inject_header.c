/* SPDX-License-Identifier: ISC */
/* A message that holds any Resent- field is sent anew: then only those fields name recipients and only those are added. */
#include "queue/inject_header.h"

#include <string.h>

#include "lib/date.h"
#include "lib/str.h"

enum {
    RECIPIENTS = 1, /* names recipients */
    ADDRESSES = 2,  /* its addresses are finished */
    DROPPED = 4,
    RESENT = 8,
    IS_TO = 16, /* what was seen need not be added */
    IS_FROM = 32,
    IS_DATE = 64,
    IS_ID = 128,
    IS_RETURN_PATH = 256
};
static const struct field_rule {
    const char *name;
    unsigned flags;
} field_rules[] = {
    {"to", RECIPIENTS | ADDRESSES | IS_TO},
    {"cc", RECIPIENTS | ADDRESSES | IS_TO},
    {"bcc", RECIPIENTS | DROPPED},
    {"apparently-to", RECIPIENTS | ADDRESSES},
    {"from", ADDRESSES | IS_FROM},
    {"sender", ADDRESSES},
    {"reply-to", ADDRESSES},
    {"date", IS_DATE},
    {"message-id", IS_ID},
    {"resent-to", RECIPIENTS | ADDRESSES | IS_TO | RESENT},
    {"resent-cc", RECIPIENTS | ADDRESSES | IS_TO | RESENT},
    {"resent-bcc", RECIPIENTS | DROPPED | RESENT},
    {"resent-from", ADDRESSES | IS_FROM | RESENT},
    {"resent-sender", ADDRESSES | RESENT},
    {"resent-reply-to", ADDRESSES | RESENT},
    {"resent-date", IS_DATE | RESENT},
    {"resent-message-id", IS_ID | RESENT},
    {"return-path", DROPPED | IS_RETURN_PATH},
    {"content-length", DROPPED},
    {"return-receipt-to", ADDRESSES},
    {"errors-to", ADDRESSES},
    {"mail-reply-to", ADDRESSES},
    {"mail-followup-to", ADDRESSES},
};

/* ---- lines ---- */

/* Length of the field name at the start; 0: none. *colon_out: where its colon is. */
static size_t name_len(const char *line, size_t n, size_t *colon_out)
{
    size_t len = 0;
    while (len < n && line[len] > 0x20 && line[len] < 0x7f && line[len] != ':') {
        len++;
    }
    size_t colon = len;
    while (colon < n && (line[colon] == ' ' || line[colon] == '\t')) {
        colon++;
    }
    *colon_out = colon;
    return colon < n && line[colon] == ':' ? len : 0;
}

enum inject_header_line inject_header_judge(const char *line, size_t n, bool is_first)
{
    size_t colon;
    if (n == 0 || line[0] == '\n') {
        return INJECT_LINE_BLANK;
    }
    if (line[0] == ' ' || line[0] == '\t') {
        return is_first ? INJECT_LINE_BODY : INJECT_LINE_FIELD;
    }
    if (name_len(line, n, &colon) > 0) {
        return INJECT_LINE_FIELD;
    }
    bool is_mbox = is_first && n > 5 && memcmp(line, "From ", 5) == 0;
    return is_mbox ? INJECT_LINE_MBOX : INJECT_LINE_BODY;
}

struct field {
    const char *begin, *value; /* value: behind the colon, with the LF at its end */
    size_t len, value_len;
    unsigned flags;
};

static unsigned flags_of(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof field_rules / sizeof field_rules[0]; i++) {
        if (str_equal_nocase(name, n, field_rules[i].name, strlen(field_rules[i].name))) {
            return field_rules[i].flags;
        }
    }
    return 0;
}

/* The field at *at, with its further lines. */
static bool next_field(const char *header, size_t n, size_t *at, struct field *out)
{
    size_t begin = *at, end = begin, colon;
    if (begin >= n) {
        return false;
    }
    do {
        const char *line = memchr(header + end, '\n', n - end);
        end = line == NULL ? n : (size_t)(line - header) + 1;
    } while (end < n && (header[end] == ' ' || header[end] == '\t'));
    size_t len = name_len(header + begin, end - begin, &colon);
    *out = (struct field){.begin = header + begin, .len = end - begin, .flags = flags_of(header + begin, len)};
    size_t head = len > 0 ? colon + 1 : out->len; /* a line without a name is no field and has no value */
    out->value = out->begin + head;
    out->value_len = out->len - head;
    *at = end;
    return true;
}

/* ---- recipients ---- */

const char *inject_header_fault(enum addrlist_fault fault)
{
    switch (fault) {
    case ADDRLIST_GOOD:
        break;
    case ADDRLIST_BYTE:
        return "a byte stands where none like it may; addresses are separated by commas";
    case ADDRLIST_COMMENT:
        return "a ( has no )";
    case ADDRLIST_QUOTE:
        return "a quote is not closed";
    case ADDRLIST_LITERAL:
        return "a [ has no ]";
    case ADDRLIST_ANGLE:
        return "a < has no >";
    case ADDRLIST_GROUP:
        return "a group has no ; at its end";
    case ADDRLIST_WORDS:
        return "words that are no address; write Name <address>, and a comma between two";
    case ADDRLIST_DOMAIN:
        return "a name is missing before or behind an @";
    }
    return "";
}

static bool take_recipients(const struct field *field, const struct addrlist_hosts *hosts, struct inject_header_result *out)
{
    struct addrlist list;
    struct addrlist_mailbox mailbox;
    addrlist_start(&list, field->value, field->value_len);
    while (addrlist_next(&list, &mailbox) == 1) {
        if (mailbox.begin < mailbox.end) {
            addrlist_append(&out->recipients, field->value, &mailbox, hosts);
            str_catc(&out->recipients, '\0');
        }
    }
    if (list.fault == ADDRLIST_GOOD) {
        return true;
    }
    str_cats(&out->bad_line, inject_header_fault(list.fault));
    str_cats(&out->bad_line, ": ");
    const char *end = memchr(field->begin, '\n', field->len);
    str_cat(&out->bad_line, field->begin, end == NULL ? field->len : (size_t)(end - field->begin));
    str_text(&out->bad_line);
    return false;
}

/* ---- writing ---- */

/* What was seen: the bits of the plain fields, and of the Resent- fields where `resent`. */
static unsigned look(const char *header, size_t n, bool is_resent)
{
    struct field field;
    unsigned seen = 0;
    for (size_t at = 0; next_field(header, n, &at, &field);) {
        seen |= ((field.flags & RESENT) != 0) == is_resent ? field.flags : 0;
    }
    return seen;
}

/* The fields that are taken away so that our own stand there. */
static unsigned replaced(const struct inject_identity *identity)
{
    return (identity->drops_from ? (unsigned)IS_FROM : 0) | (identity->drops_message_id ? (unsigned)IS_ID : 0);
}

static void add_missing(stralloc *out, const struct inject_header_rules *rules, unsigned seen, const char *prefix)
{
    stralloc from = STRALLOC_ZERO;
    if ((seen & IS_DATE) == 0) {
        str_catf(out, "%sDate: ", prefix);
        date_append(out, rules->now);
        str_catc(out, '\n');
    }
    if ((seen & IS_ID) == 0) {
        str_catf(out, "%sMessage-ID: <%s@%s>\n", prefix, rules->id, rules->id_host);
    }
    if ((seen & IS_FROM) == 0) {
        str_catf(&from, "%sFrom", prefix);
        inject_identity_from(out, str_text(&from), rules->identity, rules->hosts);
    }
    if ((seen & IS_TO) == 0) {
        str_catf(out, "%sCc: recipient list not shown: ;\n", prefix);
    }
    stralloc_free(&from);
}

static void write_field(stralloc *out, const struct field *field, const struct addrlist_hosts *hosts)
{
    bool is_list = (field->flags & ADDRESSES) != 0;
    str_cat(out, field->begin, field->len - field->value_len);
    if (!is_list || !addrlist_append_list(out, field->value, field->value_len, hosts)) {
        str_cat(out, field->value, field->value_len);
    }
}

bool inject_header_write(const char *header, size_t n, const struct inject_header_rules *rules, struct inject_header_result *out)
{
    struct field field;
    unsigned resent = look(header, n, true);
    bool is_resent = resent != 0;
    unsigned away = replaced(rules->identity);
    unsigned seen = is_resent ? resent : look(header, n, false);
    add_missing(&out->header, rules, seen & ~away, is_resent ? "Resent-" : "");
    for (size_t at = 0; next_field(header, n, &at, &field);) {
        bool is_current = ((field.flags & RESENT) != 0) == is_resent;
        if (rules->wants_recipients && is_current && (field.flags & RECIPIENTS) != 0 &&
            !take_recipients(&field, rules->hosts, out)) {
            return false;
        }
        if ((field.flags & IS_RETURN_PATH) != 0) {
            out->has_return_path = true;
            str_copy(&out->return_path, field.value, field.value_len);
        }
        bool is_dropped = (field.flags & DROPPED) != 0 || (is_current && (field.flags & away) != 0);
        if (!is_dropped) {
            write_field(&out->header, &field, rules->hosts);
        }
    }
    return true;
}
