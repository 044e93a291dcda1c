/* SPDX-License-Identifier: ISC */
/* Quotas as vpopmail and Courier keep them (Maildir++): the string of vpasswd field 7, and the file maildirsize.
 *
 *   quota_parse(text, strlen(text), &quota);                       once, from vpasswd or a call's quota= field
 *   quota_load(maildir, &quota, size, now, &usage);                before a delivery (size: what is to come; 0: just look)
 *   quota_is_exceeded(&quota, &usage, size, 1)                     → refuse
 *   quota_append(maildir, size, 1);   quota_append(maildir, -freed, -n);          after a delivery, after an expunge
 *   quota_load(maildir, &quota, 0, now, &usage); overquota_set(fd, quota_is_full(&quota, &usage));
 *
 * `maildir` is an open descriptor of the root Maildir (O_DIRECTORY), never of a folder in it. */
#ifndef QUOTA_H
#define QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

enum {
    QUOTA_FILE_MAX = 5120,    /* maildirsize of this size or more is counted anew */
    QUOTA_FILE_SECONDS = 900, /* over quota by a file older than this: counted anew before anything is refused */
    QUOTA_FILE_STALE =
        43200, /* a file that nobody touched for so long is counted anew: a quota that was lifted for a while leaves wrong sums */
    QUOTA_WARN_PERCENT = 90
};
struct quota {
    uint64_t bytes, count; /* 0: no limit */
};
struct quota_usage {
    int64_t bytes, count;
};

/* NOQUOTA and "" (no limit), 10485760, 10485760S, 1000C, 10485760S,1000C, 1000C,10MBS, 10M, 10MB, 10240KB, 1mbs,1000C. K, M, G
 * and T count by 1024; the trailing B and S are optional and of any case; the C of a count is a capital. False: anything else,
 * and numbers beyond 2^62. */
bool quota_parse(const char *text, size_t n, struct quota *out);
/* The normal form: NS, NC, NS,NC, or NOQUOTA. */
void quota_format(stralloc *out, const struct quota *quota);
bool quota_is_limited(const struct quota *quota);

/* Would `bytes` and `count` more be too much? (0, 0: is it too much now?) */
bool quota_is_exceeded(const struct quota *quota, const struct quota_usage *usage, uint64_t bytes, uint64_t count);
/* The rule of .full/USER: no message more, or less room than a twentieth of the quota (at most 16 KiB). */
bool quota_is_full(const struct quota *quota, const struct quota_usage *usage);
/* Used share in percent, the larger of both limits; 0 without limits, at most 1000. */
unsigned quota_percent(const struct quota *quota, const struct quota_usage *usage);

/* Usage by maildirsize; counted anew (and the file rewritten) when it is missing, damaged, for another quota, too long, or when
 * `coming` bytes more would be too much by a file of several lines or of more than QUOTA_FILE_SECONDS. 0; -1 errno (EAGAIN: the
 * Maildir changed while it was counted). */
int quota_load(int maildir, const struct quota *quota, uint64_t coming, uint64_t now_seconds, struct quota_usage *out);
/* Appends one line `bytes count`. Without the file nothing is done (the next quota_load counts). 0; -1 errno. */
int quota_append(int maildir, int64_t bytes, int64_t count);
/* Counts cur/ and new/ of the Maildir and of its folders but .Trash, without messages flagged T; sizes from ,S= or stat. Replaces
 * maildirsize. 0; -1 errno. */
int quota_recalculate(int maildir, const struct quota *quota, struct quota_usage *out);
/* The text of maildirsize: first line and sum. For tests and quota_load. */
struct quota_file {
    struct quota quota;
    struct quota_usage usage;
    unsigned lines; /* behind the first */
};
/* False: damaged. */
bool quota_file_parse(const char *bytes, size_t n, struct quota_file *out);

#endif
