/* SPDX-License-Identifier: ISC */
/* The words that send itself says to people: in notes, bounces and the log. */
#ifndef SEND_REPLY_H
#define SEND_REPLY_H

#include "lib/why.h"

struct send_reply {
    char letter; /* K Z D */
    enum why why;
    const char *text; /* begins with the enhanced status code */
};
extern const struct send_reply send_no_route, send_rcpt_down, send_local_down, send_rcpt_late, send_local_late, send_rcpt_strange,
    send_local_strange, send_rcpt_closed, send_local_closed, send_unreadable, send_given_up;
/* To operators. */
extern const struct send_reply send_not_allowed, send_not_a_question, send_not_a_command, send_no_message, send_say_which;
/* Behind the cause's own words when a message is given up. */
extern const char send_too_long[];

#endif
