/* SPDX-License-Identifier: ISC */
/* The operators' side of ctl. Trusts send; addresses and reasons in its answers are strangers' bytes and are escaped on the way
 * to a terminal. */
#include "queue/operator.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/die.h"
#include "lib/home.h"
#include "lib/str.h"
#include "lib/why.h"

enum { ANSWER_SECONDS = 120 };

static void take_option(int letter, struct operator_options *out)
{
    switch (letter) {
    case 'H':
        out->home = optarg;
        break;
    case 'j':
        out->is_json = true;
        break;
    case 'l':
        out->is_long = true;
        break;
    case 'd':
        out->is_dry = true;
        break;
    case 'f':
        out->from = optarg;
        break;
    case 't':
        out->to = optarg;
        break;
    case 's':
        out->site = optarg;
        break;
    default:
        out->why = optarg;
        break;
    }
}

void operator_options_read(int argc, char **argv, const char *allowed, const char *usage, struct operator_options *out)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},      {"long", no_argument, NULL, 'l'},
                                            {"dry-run", no_argument, NULL, 'd'},   {"from", required_argument, NULL, 'f'},
                                            {"to", required_argument, NULL, 't'},  {"site", required_argument, NULL, 's'},
                                            {"why", required_argument, NULL, 'w'}, {0}};
    int letter;
    *out = (struct operator_options){.home = NULL};
    opterr = 0;
    while ((letter = getopt_long(argc, argv, "H:", options, NULL)) != -1) {
        if (strchr(allowed, letter) == NULL) {
            die_permanent("usage: %s", usage);
        }
        take_option(letter, out);
    }
    out->words = argv + optind;
    if (out->why != NULL && why_from_word(out->why) == WHY_UNKNOWN) {
        die_permanent("--why %s is none of the words of stafet-call(5)", out->why);
    }
    home_enter(out->home);
}

void operator_call(struct operator* operator)
{
    (void)!call_open(&operator->call, "sockets/ctl", ANSWER_SECONDS);
}

bool operator_ask(struct operator* operator, const char * what, const char *id, const struct operator_options *filter)
{
    struct verdict *verdict = &operator->verdict;
    stralloc *question = &operator->call.channel.outbox;
    size_t start = frame_begin(question, 'Q');
    field_put(question, "op", "ctl");
    field_put(question, "do", what);
    field_put(question, "id", id);
    field_put(question, "from", filter->from);
    field_put(question, "to", filter->to);
    field_put(question, "site", filter->site);
    field_put(question, "why", filter->why);
    frame_end(question, start);
    channel_set_deadline(&operator->call.channel, ANSWER_SECONDS);
    call_finish_each(&operator->call, verdict, operator->each, operator->ctx);
    errno = 0;
    if (verdict->letter == 'Z') {
        die_temporary("%s", verdict->text);
    }
    if (verdict->letter != 'K' && (id == NULL || strstr(verdict->text, "no message") == NULL)) {
        die_permanent("%s", verdict->text);
    }
    return verdict->letter == 'K';
}

/* ---- output ---- */

/* Length of the UTF-8 character at p; 0: none. */
static size_t character(const char *p)
{
    for (size_t n = 1; n <= 4 && p[n - 1] != '\0'; n++) {
        if (address_is_utf8(p, n)) {
            return n;
        }
    }
    return 0;
}

void operator_put_string(stralloc *out, const char *text)
{
    str_catc(out, '"');
    while (*text != '\0') {
        size_t n = character(text);
        if (n == 0) {
            str_cats(out, "\\ufffd");
            n = 1;
        } else if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            str_catf(out, "\\u%04x", (unsigned)*text);
        } else {
            str_cats(out, *text == '"' || *text == '\\' ? "\\" : "");
            str_cat(out, text, n);
        }
        text += n;
    }
    str_catc(out, '"');
}

void operator_put_member(stralloc *out, const char *key, const char *value, bool is_number)
{
    bool is_digits = *value != '\0' && value[strspn(value, "0123456789")] == '\0';
    operator_put_string(out, key);
    str_catc(out, ':');
    if (is_number && is_digits) {
        str_cats(out, value);
    } else {
        operator_put_string(out, value);
    }
}

const char *operator_words(const char *text)
{
    size_t n = strspn(text, "0123456789.");
    return n > 0 && text[n] == ' ' ? text + n + 1 : text;
}

void operator_flush(stralloc *out)
{
    for (size_t at = 0; at < out->len;) {
        ssize_t n = write(1, out->s + at, out->len - at);
        if (n < 0 && errno != EINTR) {
            die_temporary("cannot write the report");
        }
        at += n > 0 ? (size_t)n : 0;
    }
    out->len = 0;
}
