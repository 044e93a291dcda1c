/* SPDX-License-Identifier: ISC */
/* Putting one message into a Maildir (CONTRACTS section 3, step 6): names, folders, tmp/ to new/. Reading Maildirs is
 * lib/mailbox.h's.
 *
 *   int maildir = maildir_open(AT_FDCWD, "domains/x/joe/Maildir", true);
 *   maildir_base_append(&base, id, n, host);
 *   maildir_start(&message, maildir, text of base);   write(message.fd, …) …
 *   maildir_publish(&message, &sizes, is_ordered);   (or maildir_abandon)
 */
#ifndef MAILDIR_H
#define MAILDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

enum { MAILDIR_NAME_MAX = 160, MAILDIR_HOST_MAX = 10 };

/* `SECONDS.M<6 digits of µs>Q<random>R<n>.HOST` from a message id (msgid.h); HOST: first label of `me`, at most 10 bytes of
 * [A-Za-z0-9_-]. The same at every try. */
void maildir_base_append(stralloc *out, const char *id, uint64_t n, const char *me);

/* Creates `path` (its parent must exist) with cur, new and tmp, 0700, where missing. 0; -1 errno (ENOTDIR, ELOOP: something else
 * has the name). */
int maildir_create(int dir_at, const char *path);
/* Opens a Maildir's folder; with may_create, one that is missing (or lacks new or tmp) is made. Its last component may not be a
 * symbolic link (ELOOP). Descriptor; -1 errno. */
int maildir_open(int dir_at, const char *path, bool may_create);

struct maildir_message {
    int fd;         /* the file in tmp/, open for writing */
    int tmp, fresh; /* descriptors of tmp/ and new/ */
    char base[MAILDIR_NAME_MAX];
    char tmp_name[MAILDIR_NAME_MAX];
};
struct maildir_sizes {
    uint64_t bytes;      /* ,S= */
    uint64_t wire_bytes; /* ,W=: every LF without CR before it counted twice */
};
enum maildir_result {
    MAILDIR_DELIVERED,
    MAILDIR_ALREADY, /* the equal name with equal size was there: an earlier try did it */
    MAILDIR_FAILED   /* errno; nothing is left */
};
/* Creates tmp/BASE.P<pid> (0600, O_EXCL, O_NOFOLLOW). 0; -1 errno. */
int maildir_start(struct maildir_message *message, int maildir, const char *base);
/* fsync, rename to new/BASE,S=,W= without replacing, and, unless is_ordered (CONTRACTS 3.6), fsync of new/. Closes all of
 * `message`. A name that is taken by another size is logged as an alert, and R<n> becomes R<n>A1, A2 … */
enum maildir_result maildir_publish(struct maildir_message *message, const struct maildir_sizes *sizes, bool is_ordered,
                                    stralloc *name_out);
/* Unlinks the tmp file and closes all. errno is kept. */
void maildir_abandon(struct maildir_message *message);

#endif
