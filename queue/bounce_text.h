/* SPDX-License-Identifier: ISC */
/* The words and the form of a bounce: pure, appended piece by piece in this order.
 *   bounce_text_head    header, the notice's greeting            text/plain (QSBMF)
 *   bounce_text_paragraph   a recipient                              "
 *   bounce_text_report  "--- Below this line", the message's fields  message/delivery-status (RFC 3464)
 *   bounce_text_status  a recipient                              "
 *   bounce_text_copy    Return-Path:, then the caller appends    message/rfc822 (RFC 6522)
 *   bounce_text_end
 * Foreign bytes come out as printable ASCII or valid UTF-8, never as a control byte; a note never as a blank line. */
#ifndef BOUNCE_TEXT_H
#define BOUNCE_TEXT_H

#include <stdbool.h>
#include "queue/bounce.h"
#include "queue/bounce_file.h"

enum { BOUNCE_BOUNDARY_SIZE = 64 };
enum bounce_copy {
    BOUNCE_COPY_WHOLE,
    BOUNCE_COPY_ASKED, /* the header, as RET=HDRS asks */
    BOUNCE_COPY_LARGE, /* the header: the message is too large */
    BOUNCE_COPY_HUGE   /* the beginning of the header */
};
struct bounce_text {
    const char *id;
    const struct bounce_settings *settings;
    const struct bounce_file *file;
    const char *to;         /* where the bounce goes */
    const char *message_id; /* of the original with its <>; "": none */
    uint64_t now;           /* seconds since 1970 */
    bool is_double;
    bool has_8bit_notice; /* a paragraph holds UTF-8 */
    enum bounce_copy copy;
    uint32_t first; /* number of the first recipient: makes the Message-ID */
    char boundary[BOUNCE_BOUNDARY_SIZE];
};
void bounce_text_head(stralloc *out, const struct bounce_text *text);
void bounce_text_paragraph(stralloc *out, const struct bounce_text *text, const struct bounce_recipient *recipient);
void bounce_text_report(stralloc *out, const struct bounce_text *text);
void bounce_text_status(stralloc *out, const struct bounce_text *text, const struct bounce_recipient *recipient);
void bounce_text_copy(stralloc *out, const struct bounce_text *text);
void bounce_text_end(stralloc *out, const struct bounce_text *text);
/* True when the recipient's paragraph needs 8 bits. */
bool bounce_text_is_8bit(const struct bounce_recipient *recipient);

#endif
