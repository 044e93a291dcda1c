/* SPDX-License-Identifier: ISC */
/* Jobs and their lines: which recipient is next at rcpt and at local. */
#ifndef SEND_JOB_H
#define SEND_JOB_H

#include "queue/send.h"

void job_init(struct scheduler *scheduler);
/* A new job of a message, in no line; NOTHING: all are in use. */
int job_new(struct scheduler *scheduler, int message, uint32_t n, const char *address);
void job_free(struct scheduler *scheduler, int job);
void job_queue_put(struct scheduler *scheduler, struct job_queue *queue, int job);
/* Back to the front of its line: it could not be started after all. */
void job_queue_put_back(struct scheduler *scheduler, struct job_queue *queue, int job);
/* The next one; new mail goes first, every fourth is an old one, and without `may_be_old` none is. NOTHING: nobody waits. */
int job_queue_take(struct scheduler *scheduler, struct job_queue *queue, bool may_be_old);
/* The next one of the same message and line, where it stands right at the front; NOTHING: another's turn. */
int job_queue_take_same(struct scheduler *scheduler, struct job_queue *queue, int message);
/* The first one that has waited since `before_ms` or longer; NOTHING: none. */
int job_queue_take_stale(struct scheduler *scheduler, struct job_queue *queue, uint64_t before_ms);

#endif
