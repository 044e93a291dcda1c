/* SPDX-License-Identifier: ISC */
/* A message of the queue in the lines of qmail-qread, or as one JSON object. Pure: verdicts of ctl in, text out. */
#ifndef QREAD_PRINT_H
#define QREAD_PRINT_H

#include "queue/operator.h"

struct qread_print {
    bool is_json, is_long;
    uint64_t now;        /* seconds */
    stralloc recipients; /* of the message that is being told */
};
/* A recipient (a P verdict of do=show). */
void qread_print_recipient(struct qread_print *print, const struct verdict *verdict);
/* The message (the final verdict), and the recipients seen since the last. */
void qread_print_message(struct qread_print *print, const struct verdict *verdict, stralloc *out);

#endif
