/* SPDX-License-Identifier: ISC */
/* The command lines of sendmail and qmail-inject. */
#ifndef INJECT_OPTIONS_H
#define INJECT_OPTIONS_H

#include <stdbool.h>
#include "queue/inject_reply.h"

enum inject_recipients {
    INJECT_EITHER, /* -A: the arguments, and if there are none the header */
    INJECT_ARGUMENTS,
    INJECT_HEADER,
    INJECT_BOTH
};
struct inject_options {
    enum inject_name name;
    enum inject_recipients from;
    bool is_printed;       /* -n: to descriptor 1, not into the queue */
    const char *sender;    /* -f; NULL: not given */
    const char *full_name; /* -F */
    const char *notify;    /* -N in RFC 3461's words */
    const char *ret, *envid;
    char **recipients; /* NULL-ended */
};
/* Fails (inject_fail) on what is not offered; ends with 0 where nothing is to be done (newaliases). */
void inject_options_read(int argc, char **argv, enum inject_name name, struct inject_options *out);

#endif
