/* SPDX-License-Identifier: ISC */
/* What the v* tools do: each operation puts its three halves (control files, passwords, folders) in the order in which a crash
 * between two of them does no harm. On failure `why` gets a sentence, and what was begun is undone. */
#ifndef ADMIN_H
#define ADMIN_H

#include <stdbool.h>
#include <sys/types.h>
#include <skalibs/stralloc.h>
#include "auth/assign.h"
#include "auth/names.h"
#include "auth/tool.h"
#include "auth/userdb.h"

struct admin_domain {
    char name[NAMES_DOMAIN_MAX + 1];
    const char *parent; /* the folder that holds domains/: NULL: home */
    bool has_owner;     /* uid and gid were given */
    uid_t uid;
    gid_t gid;
    const char *quota;    /* postmaster's; NULL: the default */
    const char *catchall; /* NULL: bounce-no-mailbox */
    const char *hash;
};
/* Folder, vpasswd with postmaster, users/assign, control lists: mail is taken at the end. */
enum va admin_add_domain(const struct tool *tool, const struct admin_domain *domain, stralloc *why);
/* The domain, its alias domains and all mail. An alias domain: only its lines. Can be repeated after a crash. */
enum va admin_delete_domain(const struct tool *tool, const char *name, const struct assign_entry *entry, stralloc *why);

struct admin_user {
    const struct names_email *email;
    const struct assign_entry *entry;
    const char *gecos;
    const char *quota; /* NULL: the default */
    const char *hash;  /* "": no login */
};
/* Folder and Maildir, then the record. */
enum va admin_add_user(const struct tool *tool, const struct admin_user *user, stralloc *why);
/* The record (no login, no mail from then on), then folder and .full byte. */
enum va admin_delete_user(const struct tool *tool, const struct names_email *email, const struct assign_entry *entry,
                          stralloc *why);
enum va admin_set_password(const struct tool *tool, const struct admin_user *user, stralloc *why);
/* 1 found, 0 no such mailbox; dies when the passwords cannot be read. */
int admin_find_user(const struct tool *tool, const struct names_email *email, const struct assign_entry *entry,
                    struct userdb_record *out);
/* Every record of the domain, as lines of vpasswd. Dies when they cannot be read. */
void admin_list_users(const struct tool *tool, const struct assign_entry *entry, stralloc *out);
/* A quota string in its normal form; false: not understood. */
bool admin_normal_quota(const char *text, stralloc *out);

/* The domain's folder: relative to home where it lies there. */
const char *admin_folder(const struct tool *tool, const struct assign_entry *entry);
/* What a vpasswd change ended with, in vpopmail's numbers; `why` gets a sentence. */
enum va admin_explain_write(int result, stralloc *why);

#endif
