/* SPDX-License-Identifier: ISC */
/* qmail-send's log lines, as analysers read them, gathered and written once a pass of the loop. */
#ifndef SEND_LOG_H
#define SEND_LOG_H

#include <stdint.h>
#include <skalibs/stralloc.h>

struct send_log {
    stralloc out;
    unsigned local, local_limit, remote_limit;
    unsigned told_local, told_limit;
};
struct send_log_message {
    uint32_t number;
    uint64_t bytes;
    const char *sender, *uid, *id;
    uint32_t recipients, tries;
};
/* "new msg", "info msg", and "extra msg" with the id. */
void send_log_message(struct send_log *log, const struct send_log_message *message);
void send_log_again(struct send_log *log, const struct send_log_message *message); /* extra msg only: another try */
void send_log_starting(struct send_log *log, uint32_t delivery, uint32_t number, const char *channel, const char *address);
void send_log_delivery(struct send_log *log, uint32_t delivery, char letter, const char *text);
void send_log_bounce(struct send_log *log, uint32_t number, long pid);
void send_log_triple(struct send_log *log, uint32_t number);
void send_log_end(struct send_log *log, uint32_t number);
void send_log_exiting(struct send_log *log);
/* A status line where it changed, then everything to fd 2. */
void send_log_flush(struct send_log *log);

#endif
