/* SPDX-License-Identifier: ISC */
/* sendmail's options are an interface of forty years: what callers give and we do not need is taken and passed over, what would
 * change the result is refused. A single dot never ends a message (-i), as under qmail. */
#include "queue/inject_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { ENVID_MAX = 100 };
static const char sendmail_letters[] = "+A:B:b:C:d::Ee:F:f:Gh:IiJL:mN:nO:o:p:q::R:r:stUvV:X:x";

static void refuse_option(enum inject_name name, const struct inject_reply *reply, int letter)
{
    char text[3] = {'-', (char)letter, 0};
    inject_fail(name, reply, text);
}

/* -N never | success,failure,delay in any case: RFC 3461's words. */
static const char *read_notify(const char *value)
{
    static char words[64];
    size_t n = strlen(value);
    if (n >= sizeof words) {
        return NULL;
    }
    for (size_t i = 0; i <= n; i++) {
        words[i] = value[i] >= 'a' && value[i] <= 'z' ? (char)(value[i] - 'a' + 'A') : value[i];
    }
    if (strcmp(words, "NEVER") == 0) {
        return words;
    }
    for (const char *p = words; p != NULL;) {
        size_t len = strcspn(p, ",");
        bool is_known = (len == 7 && (memcmp(p, "SUCCESS", 7) == 0 || memcmp(p, "FAILURE", 7) == 0)) ||
                        (len == 5 && memcmp(p, "DELAY", 5) == 0);
        if (!is_known) {
            return NULL;
        }
        p = p[len] == '\0' ? NULL : p + len + 1;
    }
    return words;
}

static void read_dsn(int letter, const char *value, struct inject_options *out)
{
    if (letter == 'N') {
        out->notify = read_notify(value);
    } else if (letter == 'R') {
        out->ret = strcasecmp(value, "full") == 0 ? "FULL" : strcasecmp(value, "hdrs") == 0 ? "HDRS" : NULL;
    } else {
        out->envid = strlen(value) <= ENVID_MAX ? value : NULL;
    }
    bool is_good = letter == 'N' ? out->notify != NULL : letter == 'R' ? out->ret != NULL : out->envid != NULL;
    if (!is_good) {
        refuse_option(out->name, &inject_bad_value, letter);
    }
}

/* -b: what to be. */
static void read_mode(const char *value, enum inject_name name)
{
    if (strcmp(value, "m") == 0) {
        return;
    }
    if (strcmp(value, "i") == 0) { /* newaliases: aliases are .qmail files, which need no rebuilding */
        exit(0);
    }
    char text[40];
    (void)snprintf(text, sizeof text, "-b%.30s", value);
    inject_fail(name, *value == 's' ? &inject_no_smtp : *value == 'p' ? &inject_show_queue : &inject_no_daemon, text);
}

static void take_sendmail_option(int letter, const char *value, struct inject_options *out)
{
    switch (letter) {
    case 't':
        out->from = INJECT_BOTH;
        break;
    case 'f':
    case 'r':
        out->sender = value;
        break;
    case 'F':
        out->full_name = value;
        break;
    case 'N':
    case 'R':
    case 'V':
        read_dsn(letter, value, out);
        break;
    case 'b':
        read_mode(value, out->name);
        break;
    case 'I':
        exit(0);
    case 'q':
        inject_fail(out->name, &inject_run_queue, NULL);
    case '?':
        refuse_option(out->name, &inject_bad_option, optopt);
        break;
    default:
        break; /* A B C d E e G h i J L m n O o p s U v X x: nothing here depends on them */
    }
}

static void take_inject_option(int letter, const char *value, struct inject_options *out)
{
    switch (letter) {
    case 'a':
        out->from = INJECT_ARGUMENTS;
        break;
    case 'A':
        out->from = INJECT_EITHER;
        break;
    case 'h':
        out->from = INJECT_HEADER;
        break;
    case 'H':
        out->from = INJECT_BOTH;
        break;
    case 'n':
    case 'N':
        out->is_printed = letter == 'n';
        break;
    case 'f':
        out->sender = value;
        break;
    default:
        refuse_option(out->name, &inject_bad_option, optopt);
        break;
    }
}

void inject_options_read(int argc, char **argv, enum inject_name name, struct inject_options *out)
{
    bool is_sendmail = name == INJECT_SENDMAIL;
    int letter;
    *out = (struct inject_options){.name = name, .from = is_sendmail ? INJECT_ARGUMENTS : INJECT_EITHER};
    opterr = 0;
    while ((letter = getopt(argc, argv, is_sendmail ? sendmail_letters : "+aAhHnNf:")) != -1) {
        if (is_sendmail) {
            take_sendmail_option(letter, optarg, out);
        } else {
            take_inject_option(letter, optarg, out);
        }
    }
    out->recipients = argv + optind;
}
