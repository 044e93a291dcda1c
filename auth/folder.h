/* SPDX-License-Identifier: ISC */
/* The folders of a domain and of its mailboxes, and its .qmail files: the half of an administration tool that runs as the
 * domain's own user (vmail), never as root. Paths are relative to the home folder, or absolute. On failure `why` gets a sentence.
 */
#ifndef FOLDER_H
#define FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <skalibs/stralloc.h>
#include "auth/va.h"

/* Folders of the domain: `path` (its parent is made if it can be), .full/, .qmail-default with `line`. is_shared: more than one
 * user id works there (02770, 02750; else 0700). A folder of that name is refused. */
enum va folder_create_domain(const char *path, const char *line, bool is_shared, stralloc *why);
/* The whole tree. One that is not there is fine. */
enum va folder_remove_tree(const char *path, stralloc *why);
/* path/USER and its Maildir, 0700. A folder that is there already is taken only when it holds no mail and nothing else. */
enum va folder_create_user(const char *path, const char *user, stralloc *why);
/* The mailbox's folder `dir` (it must lie below `path`) and .full/USER. */
enum va folder_remove_user(const char *path, const char *user, const char *dir, stralloc *why);
/* Does .qmail-default send to this mailbox: its address, or its folder's absolute or relative name? */
bool folder_is_catchall(const char *path, const char *address, const char *dir, const char *relative_dir);

/* .qmail-ALIAS: a dot in the name is stored as ':'. */
enum va folder_add_alias(const char *path, const char *alias, const char *line, stralloc *why);
enum va folder_remove_alias(const char *path, const char *alias, stralloc *why);
/* Each line that is no comment, files by name; alias NULL: all but .qmail-default. False: the folder cannot be read. */
bool folder_each_alias(const char *path, const char *alias, void (*each)(const char *alias, const char *line, void *ctx),
                       void *ctx);

#endif
