/* SPDX-License-Identifier: ISC */
/* The operators' socket (stafet-call(5), ctl): looking at the queue, and acting on it. Answers are made as fast as they are read,
 * a few messages a pass, so a long list holds nobody up. */
#ifndef SEND_CTL_H
#define SEND_CTL_H

#include <poll.h>
#include "queue/send.h"
#include "queue/send_reply.h"

/* Before the sandbox: looks whether descriptor 0 listens, and up the group stafetop. */
void ctl_init(struct scheduler *scheduler);
/* The listening socket first, then the connections. */
unsigned ctl_poll(const struct scheduler *scheduler, struct pollfd *list, int *which);
/* which = NOTHING: a connection waits to be accepted. */
void ctl_ready(struct scheduler *scheduler, int which);
void ctl_expire(struct scheduler *scheduler);

/* send_ctl_view.c, send_ctl_act.c: begin after the question was read; step makes more of the answer, the final verdict last. */
void ctl_view_begin(struct scheduler *scheduler, struct ctl *ctl);
void ctl_view_step(struct scheduler *scheduler, struct ctl *ctl);
void ctl_act_step(struct scheduler *scheduler, struct ctl *ctl);
/* The operator is gone: what was taken off the list and not yet acted on goes back. */
void ctl_act_give_back(struct scheduler *scheduler, struct ctl *ctl);
/* Loads ctl->shown with an item and tells whether it fits the filter; the caller closes shown.fd when it is >= 0. */
bool ctl_item_fits(struct scheduler *scheduler, struct ctl *ctl, struct ctl_item *item);
/* Takes down all messages that fit the filter by what memory knows. */
void ctl_collect(struct scheduler *scheduler, struct ctl *ctl);
void ctl_close_shown(struct ctl *ctl);
void ctl_put_reply(struct ctl *ctl, const struct send_reply *reply);
void ctl_put_count(struct ctl *ctl);
/* The domain's sum, or the one that the text gives as 8 hex digits. */
uint32_t ctl_site_sum(const char *text);

#endif
