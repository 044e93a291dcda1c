/* SPDX-License-Identifier: ISC */
/* What qread, qstat and qctl share: their options, their questions to send through sockets/ctl, and how words come out. */
#ifndef OPERATOR_H
#define OPERATOR_H

#include "lib/call.h"

struct operator_options {
    const char *home;
    bool is_json, is_long, is_dry;
    const char *from, *to, *site, *why; /* the filter; NULL: any */
    char **words;                       /* what is left, NULL-ended */
};
/* `allowed`: letters of H, j (--json), l (--long), d (--dry-run), f t s w (--from, --to, --site, --why). Others, and -h: the
 * usage, death (100). Then enters the home folder. */
void operator_options_read(int argc, char **argv, const char *allowed, const char *usage, struct operator_options *out);

struct operator
{
    struct call call;
    struct verdict verdict;                                                  /* the final one, until the next question */
    void (*each)(void *ctx, uint64_t number, const struct verdict *verdict); /* for P verdicts; NULL: not wanted */
    void *ctx;
};
void operator_call(struct operator* operator);
/* One question; `id` may be NULL. Death (111) when send does not answer, (100) when it refuses the operator or the question.
 * False: it knows no message by that id. */
bool operator_ask(struct operator* operator, const char * what, const char *id, const struct operator_options *filter);

/* Appends a JSON string; what is not UTF-8 becomes U+FFFD (RFC 8259). */
void operator_put_string(stralloc *out, const char *text);
/* Appends `"key":value`; `is_number`: as it is, where it is one. */
void operator_put_member(stralloc *out, const char *key, const char *value, bool is_number);
/* The text behind its status code. */
const char *operator_words(const char *text);
/* Writes to descriptor 1 and empties; death where that fails. */
void operator_flush(stralloc *out);

#endif
