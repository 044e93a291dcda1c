/* SPDX-License-Identifier: ISC */
/* Every verdict that a delivery can end in, with its words for the people who read bounces and logs (stafet-local(8),
 * DIAGNOSTICS). */
#ifndef REPLY_H
#define REPLY_H

#include <stdbool.h>
#include <skalibs/stralloc.h>
#include "lib/why.h"

struct reply {
    char letter; /* K Z D */
    enum why why;
    const char *status;      /* enhanced status code */
    const char *words;       /* what happened; the words that qmail and vpopmail used, where they had any */
    const char *explanation; /* who can do what; "" none */
};

extern const struct reply reply_delivered, reply_discarded, reply_already;
extern const struct reply reply_no_mailbox, reply_locked, reply_over_quota, reply_looping;
extern const struct reply reply_no_folder, reply_link, reply_disk_full, reply_write_error, reply_read_error, reply_changing;
extern const struct reply reply_home_writable, reply_home_sticky, reply_home_missing, reply_home_outside, reply_no_home;
extern const struct reply reply_file_writable, reply_file_foreign, reply_file_unreadable, reply_file_blank, reply_file_long,
    reply_file_nul;
extern const struct reply reply_forward_only_program, reply_forward_only_file, reply_bad_address, reply_bad_path;
extern const struct reply reply_bad_vdelivermail, reply_nested_vdelivermail;
extern const struct reply reply_program_refused, reply_program_failed, reply_program_signal, reply_program_deadline,
    reply_program_start;
extern const struct reply reply_mbox_busy, reply_queue_refused, reply_queue_deferred, reply_lookup_deferred;

/* The end of one recipient's delivery. */
struct outcome {
    char letter;
    enum why why;
    stralloc text;  /* begins with the status code; one line of printable bytes */
    stralloc where; /* what was written, or which file and line decided; "" nothing to say */
    bool is_stop;   /* a program ended with 99: what stands behind it is not for this message */
};
void outcome_clear(struct outcome *out);
/* text: STATUS WORDS EXPLANATION. */
void outcome_set(struct outcome *out, const struct reply *reply);
/* text: STATUS WORDS: DETAIL EXPLANATION; the detail is escaped and cut at 1000 bytes. */
void outcome_set_detail(struct outcome *out, const struct reply *reply, const char *detail, size_t n);
/* The owner's own words instead of ours (.no-user.msg, .over-quota.msg, a program's output): STATUS TEXT (#STATUS) where the text
 * names no code. */
void outcome_set_own_words(struct outcome *out, const struct reply *reply, const char *words, size_t n);
/* by strerror */
void outcome_set_errno(struct outcome *out, const struct reply *reply, int error);
/* Success of a .qmail file: "2.1.5 did F+W+P". */
void outcome_set_counts(struct outcome *out, unsigned files, unsigned forwards, unsigned programs);

#endif
