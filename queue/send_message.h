/* SPDX-License-Identifier: ISC */
/* One message file that is being tried: reading it by window, writing its marks and notes. */
#ifndef SEND_MESSAGE_H
#define SEND_MESSAGE_H

#include "queue/send.h"

enum message_open {
    MESSAGE_GOOD,
    MESSAGE_BUSY,    /* a worker of an earlier send still holds it */
    MESSAGE_GONE,    /* no such file */
    MESSAGE_TORN,    /* to bad/ID.torn */
    MESSAGE_DAMAGED, /* to bad/ID.crc */
    MESSAGE_ERROR    /* errno: later */
};
/* Opens cur/ID (message->id). is_new: nobody can hold it; else an exclusive lock is probed first. All sums are checked
 * unless is_checked. Fills header, sender, counts of marks; uid_out: who injected it (a slice of window, until its next use). */
enum message_open message_open(struct scheduler *scheduler, struct message *message, bool is_new, bool is_checked,
                               const char **uid_out);
/* The same of message->fd, wherever its file lies, without any lock: to look at it. */
enum message_open message_load(struct scheduler *scheduler, struct message *message, bool is_checked, const char **uid_out);
void message_close(struct scheduler *scheduler, struct message *message);
/* A descriptor of its own for one call, with a shared lock; -1 errno. */
int message_descriptor(const struct scheduler *scheduler, const struct message *message);
/* Gives `each` the next recipients, until it has said true (taken) `most` times. Sets is_read at the end of the envelope,
 * is_damaged where it breaks its grammar; a disk that fails ends this try only. */
void message_read_recipients(struct scheduler *scheduler, struct message *message, unsigned most,
                             bool (*each)(void *ctx, uint32_t n, char mark, const char *address), void *ctx);
/* Makes write_fd usable. 0; -1 errno. */
int message_open_for_writing(struct scheduler *scheduler, struct message *message);
/* Overwrites the mark of recipient n. 0; -1: it could not be written (logged). */
int message_mark(struct scheduler *scheduler, struct message *message, uint32_t n, char mark);
/* Every D becomes B: they are reported. 0, -1. */
int message_mark_reported(struct scheduler *scheduler, struct message *message);
/* Appends a note; one that says what the recipient's last one says already, or that has no room, is skipped. */
void message_note(struct scheduler *scheduler, struct message *message, const struct spoolfile_note *note);
/* fdatasync of what was marked. */
void message_sync(struct scheduler *scheduler, struct message *message);

#endif
