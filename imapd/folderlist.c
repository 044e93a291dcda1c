/* SPDX-License-Identifier: ISC */
/* Folders are the directories .A.B of the root Maildir. Levels without a folder of their own and subscribed names stand in the
 * list as well, without FOLDERS_EXISTS. */
#include "imapd/folderlist.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/mailboxes.h"
#include "lib/str.h"

const char *folderlist_name(const struct folderlist *list, uint32_t i)
{
    return list->names.s + list->item[i].name_at;
}

static uint32_t add(struct folderlist *list, const char *name, size_t n, uint32_t flags)
{
    if (list->n == list->room) {
        list->room = list->room == 0 ? 64 : 2 * list->room;
        list->item = memory_grow(list->item, list->room, sizeof *list->item);
    }
    list->item[list->n] = (struct folderlist_item){.name_at = (uint32_t)list->names.len, .flags = flags};
    str_cat(&list->names, name, n);
    str_cat(&list->names, "", 1);
    return list->n++;
}

static bool is_name_of_folder(const char *name)
{
    return name[0] == '.' && name[1] != '\0' && name[1] != '.' && strstr(name, "..") == NULL && name[strlen(name) - 1] != '.';
}

/* No link: it could not be opened. What cannot be looked at counts: RENAME shall not leave it behind. */
static bool is_directory(int root, const char *path)
{
    struct stat stat;
    if (fstatat(root, path, &stat, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno != ENOENT && errno != ENOTDIR;
    }
    return S_ISDIR(stat.st_mode);
}

/* Others keep their folders here, too: without cur/ it is none of mail. */
static bool is_folder(int root, const struct dirent *entry)
{
    char cur[NAME_MAX + sizeof "/cur"];
    (void)snprintf(cur, sizeof cur, "%s/cur", entry->d_name);
    return is_name_of_folder(entry->d_name) &&
           (entry->d_type == DT_DIR || (entry->d_type == DT_UNKNOWN && is_directory(root, entry->d_name))) &&
           is_directory(root, cur);
}

static int read_folders(struct folderlist *list, int root)
{
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folders = fd < 0 ? NULL : fdopendir(fd);
    if (folders == NULL) {
        return -1;
    }
    stralloc name = STRALLOC_ZERO;
    (void)add(list, ".", 1, FOLDERS_EXISTS);
    for (struct dirent *entry; errno = 0, (entry = readdir(folders)) != NULL;) {
        if (is_folder(root, entry)) {
            name.len = 0;
            mailboxes_folder_of_directory(entry->d_name, &name);
            (void)add(list, name.s, name.len, FOLDERS_EXISTS);
        }
    }
    int error = errno;
    stralloc_free(&name);
    (void)closedir(folders);
    errno = error;
    return error == 0 ? 0 : -1;
}

static int compare_names(const void *a, const void *b, void *names)
{
    const struct folderlist_item *x = a;
    const struct folderlist_item *y = b;
    return strcmp((const char *)names + x->name_at, (const char *)names + y->name_at);
}

/* By name; one item a name, with the flags of all. */
static void sort_and_join(struct folderlist *list)
{
    qsort_r(list->item, list->n, sizeof *list->item, compare_names, list->names.s);
    uint32_t kept = 0;
    for (uint32_t i = 1; i < list->n; i++) {
        if (strcmp(folderlist_name(list, i), folderlist_name(list, kept)) == 0) {
            list->item[kept].flags |= list->item[i].flags;
        } else {
            list->item[++kept] = list->item[i];
        }
    }
    list->n = list->n > 0 ? kept + 1 : 0;
}

static void add_subscribed(void *ctx, const char *folder)
{
    (void)add(ctx, folder, strlen(folder), FOLDERS_SUBSCRIBED);
}

/* Every level above: of folders that exist as parents, of subscribed ones as parents of such. */
static void add_parents(struct folderlist *list)
{
    uint32_t n = list->n;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t flags = (list->item[i].flags & FOLDERS_EXISTS ? FOLDERS_HAS_CHILDREN : 0U) |
                         (list->item[i].flags & FOLDERS_SUBSCRIBED ? FOLDERS_CHILD_SUBSCRIBED : 0U);
        size_t len = strlen(folderlist_name(list, i));
        while (len > 1) {
            /* names may move while it grows */
            const char *name = folderlist_name(list, i);
            for (len--; len > 0 && name[len] != '.'; len--) {
            }
            if (len > 0) {
                stralloc parent = STRALLOC_ZERO;
                str_copy(&parent, name, len);
                (void)add(list, parent.s, parent.len, flags);
                stralloc_free(&parent);
            }
        }
    }
}

static struct folderlist_item *find(struct folderlist *list, const char *name)
{
    for (uint32_t i = 0; i < list->n; i++) {
        if (strcmp(folderlist_name(list, i), name) == 0) {
            return &list->item[i];
        }
    }
    return NULL;
}

struct marking {
    struct folderlist *list;
    bool is_said[SPECIAL_COUNT];
};

static void mark_special(void *ctx, const char *folder, enum special special)
{
    struct marking *marking = ctx;
    struct folderlist_item *item = find(marking->list, folder);
    if (item != NULL && item->flags & FOLDERS_EXISTS) {
        item->special = special;
        marking->is_said[special] = true;
    }
}

/* Where nobody said which mailbox has a use, a name that clients are known to give it has. */
static void mark_known(struct marking *marking)
{
    static const struct {
        const char *folder;
        enum special special;
    } known[] = {{".Sent", SPECIAL_SENT},           {".Sent Messages", SPECIAL_SENT}, {".Sent Items", SPECIAL_SENT},
                 {".Drafts", SPECIAL_DRAFTS},       {".Trash", SPECIAL_TRASH},        {".Deleted Messages", SPECIAL_TRASH},
                 {".Deleted Items", SPECIAL_TRASH}, {".Junk", SPECIAL_JUNK},          {".Spam", SPECIAL_JUNK},
                 {".Junk E-mail", SPECIAL_JUNK},    {".Archive", SPECIAL_ARCHIVE},    {".Archives", SPECIAL_ARCHIVE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct folderlist_item *item = marking->is_said[known[i].special] ? NULL : find(marking->list, known[i].folder);
        if (item != NULL && item->flags & FOLDERS_EXISTS && item->special == SPECIAL_NONE) {
            item->special = known[i].special;
            marking->is_said[known[i].special] = true;
        }
    }
}

int folderlist_read(struct folderlist *list, int root)
{
    *list = (struct folderlist){.names = STRALLOC_ZERO};
    struct marking marking = {.list = list};
    if (read_folders(list, root) < 0 || subscriptions_each(root, add_subscribed, list) < 0) {
        folderlist_free(list);
        return -1;
    }
    sort_and_join(list);
    add_parents(list);
    sort_and_join(list);
    if (special_each(root, mark_special, &marking) < 0) {
        folderlist_free(list);
        return -1;
    }
    mark_known(&marking);
    return 0;
}

void folderlist_free(struct folderlist *list)
{
    stralloc_free(&list->names);
    free(list->item);
    *list = (struct folderlist){.names = STRALLOC_ZERO};
}
