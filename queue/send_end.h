/* SPDX-License-Identifier: ISC */
/* How recipients, and then their message, leave a try. */
#ifndef SEND_END_H
#define SEND_END_H

#include "queue/send.h"
#include "queue/send_reply.h"

/* After anything that may have changed a message: more recipients are read, or it ends. */
void end_continue(struct scheduler *scheduler, int message);
/* Frees its place; the file is left as it is. */
void end_forget(struct scheduler *scheduler, int message);
/* Logs that a delivery of the job begins; channel is local or remote. */
void end_starting(struct scheduler *scheduler, int job, const char *channel);
/* The end of a job: mark, note, log, and what follows for its message. text begins with the status code. */
void end_job(struct scheduler *scheduler, int job, char letter, const char *text, enum why why);
void end_job_reply(struct scheduler *scheduler, int job, const struct send_reply *reply);
/* What became of a message's bounce: its marks are written, or it is tried again later. */
void end_reported(struct scheduler *scheduler, int message, bool is_sent);
/* Syncs marks that are older than a second. */
void end_sync_marks(struct scheduler *scheduler);

#endif
