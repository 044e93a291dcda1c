/* SPDX-License-Identifier: ISC */
/* One record of vpasswd(5), and the look-up of a mailbox in DOMAIN/vpasswd.cdb. Reading only: userdb_write.h writes.
 *
 *   struct userdb_record record;
 *   switch (userdb_lookup(AT_FDCWD, "domains/example.test", "joe", 3, &record)) { case USERDB_FOUND: … } */
#ifndef USERDB_H
#define USERDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

/* What is written: a name of 64 bytes, a line of 511. What is read: as much as the arrays hold. */
enum { USERDB_NAME_MAX = 64, USERDB_GECOS_MAX = 64, USERDB_LINE_MAX = 511 };
/* The flag word (field 4, vmoduser's letters). Bits without a name are kept. */
enum {
    USERDB_NO_PASSWORD_CHANGE = 0x01,
    USERDB_NO_POP = 0x02,
    USERDB_NO_WEBMAIL = 0x04, /* IMAP and POP from 127.0.0.1 and ::1 */
    USERDB_NO_IMAP = 0x08,
    USERDB_BOUNCE_MAIL = 0x10, /* mail for this mailbox is refused */
    USERDB_NO_RELAY = 0x20,    /* no POP-before-SMTP */
    USERDB_NO_DIALUP = 0x40,
    USERDB_USER0 = 0x80,
    USERDB_USER1 = 0x100,
    USERDB_USER2 = 0x200,
    USERDB_USER3 = 0x400,
    USERDB_NO_SMTP = 0x800, /* no SMTP AUTH */
    USERDB_QA_ADMIN = 0x1000,
    USERDB_OVERRIDE = 0x2000, /* the domain's limits do not apply */
    USERDB_NO_SPAMASSASSIN = 0x4000,
    USERDB_DELETE_SPAM = 0x8000,
    USERDB_SA_ADMIN = 0x10000,
    USERDB_SA_EXPERT = 0x20000,
    USERDB_NO_MAILDROP = 0x40000
};
/* A value: no pointers, may be copied. Every text is NUL-terminated and holds neither ':' (clear may), NUL nor LF. */
struct userdb_record {
    char name[128];
    char password[256]; /* crypt(3), perhaps behind {SCHEME}; "": no login */
    int64_t uid;        /* not a Unix uid: 1 POP, 2 APOP */
    uint32_t flags;
    char gecos[256];
    char dir[512];  /* as stored: absolute, the folder that holds Maildir */
    char quota[64]; /* "NOQUOTA", "26214400S,1000C", …: not normalised */
    char clear[256];
    bool has_clear; /* the line had the eighth field, also an empty one */
};

/* Pure. A whole line without its LF; false: not such a line (fields missing, too long, a number that is none, NUL). */
bool userdb_parse_line(const char *line, size_t n, struct userdb_record *out);
/* The cdb's form: the name is the key, `value` the line behind its first ':'. */
bool userdb_parse_value(const char *name, size_t name_len, const char *value, size_t n, struct userdb_record *out);
/* Appends the line with its LF. */
void userdb_append_line(stralloc *out, const struct userdb_record *record);

enum userdb_result {
    USERDB_FOUND,
    USERDB_NONE,    /* no such mailbox */
    USERDB_NO_CDB,  /* no vpasswd.cdb there: why=no-cdb */
    USERDB_UNSAFE,  /* another owner than we, a second link, a symlink, writable by others: why=io; an `alert` line is logged */
    USERDB_DAMAGED, /* not a cdb, or the record is no vpasswd line: why=io; an `alert` line is logged */
    USERDB_ERROR    /* errno: why=io; logged */
};
/* Opens FOLDER/vpasswd.cdb below dir_at O_NOFOLLOW, checks owner (our euid), links and mode (CONTRACTS section 1), finds `name`
 * without regard to ASCII case, closes. A vpasswd that is newer than its cdb is logged (`warning`), the cdb holds. */
enum userdb_result userdb_lookup(int dir_at, const char *folder, const char *name, size_t n, struct userdb_record *out)
    __attribute__((warn_unused_result));
/* `dir` as the programs use it: without the prefix of the home folder's absolute name `home` (may be NULL or "") when it lies
 * there; a pointer into dir. */
const char *userdb_relative_dir(const char *dir, const char *home);
/* "FOLDER/NAME"; false: does not fit. */
bool userdb_path(const char *folder, const char *name, char *out, size_t size);
/* Opens vpasswd, vpasswd.cdb or their kin under the same rules. fd; -1 errno (EPERM: unsafe, logged). */
int userdb_open_safe(int dir_at, const char *name, int flags);
/* Every byte allowed in a mailbox name (vpopmail's set without slash, lower case), 1-64 of them, not beginning with a dot, not
 * "vpasswd". */
bool userdb_name_is_good(const char *name, size_t n);

#endif
