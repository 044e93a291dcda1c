/* SPDX-License-Identifier: ISC */
/* The one module that writes vpasswd and vpasswd.cdb. Run it as the user the passwords belong to (stafeta).
 *
 * A change: fcntl lock on .vpasswd.lock, the whole text read, changed, sorted by name, `.vpasswd.new` written, synced, renamed;
 * then the cdb in the same way. The text is the source: a change that finds nothing to do there (EXISTS, NONE) still makes the
 * cdb anew, so a tool that died between the two is called again and all is well. Lines that are not understood are kept as they
 * are (a hand edit is a person's), and named in a warning.
 *
 * What holds here holds for every tool: `postmaster` is made with the domain, and can be neither deleted nor locked
 * (BOUNCE_MAIL), nor lose QA_ADMIN. */
#ifndef USERDB_WRITE_H
#define USERDB_WRITE_H

#include "auth/userdb.h"

enum userdb_write {
    USERDB_WRITE_DONE,
    USERDB_WRITE_EXISTS,     /* such a mailbox, or for create: vpasswd, is there already */
    USERDB_WRITE_NONE,       /* no such mailbox */
    USERDB_WRITE_POSTMASTER, /* would delete or lock postmaster, or take its QA_ADMIN */
    USERDB_WRITE_TOO_LONG,   /* the line would have over 511 bytes, or a field does not fit */
    USERDB_WRITE_BAD,        /* a field holds ':' or a control byte, or the name is none */
    USERDB_WRITE_BUSY,       /* the lock is held by another program for 30 s */
    USERDB_WRITE_UNSAFE,     /* vpasswd or its lock is not ours alone (logged) */
    USERDB_WRITE_ERROR       /* errno */
};
/* vpasswd and its cdb of a new domain with their first record. It must be postmaster's; QA_ADMIN is added. */
enum userdb_write userdb_create(int dir_at, const char *folder, const struct userdb_record *postmaster)
    __attribute__((warn_unused_result));
enum userdb_write userdb_add(int dir_at, const char *folder, const struct userdb_record *record)
    __attribute__((warn_unused_result));
/* `change` gets the record of `name` and may alter all but its name. */
enum userdb_write userdb_change(int dir_at, const char *folder, const char *name,
                                void (*change)(struct userdb_record *, const void *ctx), const void *ctx)
    __attribute__((warn_unused_result));
enum userdb_write userdb_delete(int dir_at, const char *folder, const char *name) __attribute__((warn_unused_result));
/* Every record of the text, in its order. 0; -1 errno. Lines that are not understood are left out. */
int userdb_each(int dir_at, const char *folder, void (*each)(const struct userdb_record *, void *ctx), void *ctx)
    __attribute__((warn_unused_result));

#endif
