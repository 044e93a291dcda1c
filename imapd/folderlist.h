/* SPDX-License-Identifier: ISC */
/* All folders of a user, with what LIST tells of them: read anew for each command, one getdents of the Maildir and one look for
 * cur/ a folder. */
#ifndef IMAPD_FOLDERLIST_H
#define IMAPD_FOLDERLIST_H

#include "imapd/parse.h"
#include "imapd/settings.h"
#include <skalibs/stralloc.h>

enum {
    FOLDERS_EXISTS = 1,
    FOLDERS_HAS_CHILDREN = 2,
    FOLDERS_SUBSCRIBED = 4,
    FOLDERS_CHILD_SUBSCRIBED = 8 /* some folder below is subscribed */
};
enum special { SPECIAL_NONE, SPECIAL_ARCHIVE, SPECIAL_DRAFTS, SPECIAL_JUNK, SPECIAL_SENT, SPECIAL_TRASH, SPECIAL_COUNT };
const char *special_name(enum special special); /* "\\Sent" … */
enum special special_of(struct slice name);     /* SPECIAL_NONE: not known */

struct folderlist_item {
    uint32_t name_at; /* folder name ("." or ".A.B") in names */
    uint32_t flags;
    enum special special;
};
struct folderlist {
    stralloc names;
    struct folderlist_item
        *item; /* INBOX first, then by name; missing levels above others and subscribed names stand in it too */
    uint32_t n, room;
};
/* 0; -1 errno. */
int folderlist_read(struct folderlist *list, int root);
const char *folderlist_name(const struct folderlist *list, uint32_t i);
void folderlist_free(struct folderlist *list);

/* subscriptions: Dovecot's file (both versions), else Courier's. each(ctx, folder). */
int subscriptions_each(int root, void (*each)(void *ctx, const char *folder), void *ctx);
/* Adds or takes away one; the file is written in the form it has. 0; -1 errno. */
int subscriptions_set(int root, const char *folder, bool is_subscribed);

/* stafet-special: lines `FOLDER \Use`; what stands there goes before the names that are known for a use. */
int special_each(int root, void (*each)(void *ctx, const char *folder, enum special special), void *ctx);
/* SPECIAL_NONE takes the folder's use away. to: the folder's new name (RENAME), else NULL. 0; -1 errno (EEXIST: another has it).
 */
int special_set(int root, const char *folder, enum special special, const char *to);

#endif
