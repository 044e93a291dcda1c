/* SPDX-License-Identifier: ISC */
/* Special uses (RFC 6154): the names that clients give such mailboxes, and stafet-special where a client said otherwise. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "imapd/folderlist.h"
#include "imapd/textfile.h"
#include "lib/str.h"

#define NAME "stafet-special"

static const char *const names[SPECIAL_COUNT] = {"", "\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"};

const char *special_name(enum special special)
{
    return names[special];
}

enum special special_of(struct slice name)
{
    for (unsigned i = 1; i < SPECIAL_COUNT; i++) {
        if (slice_is(name, names[i])) {
            return (enum special)i;
        }
    }
    return SPECIAL_NONE;
}

/* `FOLDER \Use` */
static bool next(const char **at, const char *end, stralloc *folder, enum special *special)
{
    while (*at < end) {
        const char *lf = memchr(*at, '\n', (size_t)(end - *at));
        const char *stop = lf == NULL ? end : lf;
        const char *use = stop;
        while (use > *at && use[-1] != ' ') {
            use--;
        }
        struct slice name = {*at, use > *at ? (size_t)(use - 1 - *at) : 0};
        *special = special_of((struct slice){use, (size_t)(stop - use)});
        *at = stop + 1;
        if (*special != SPECIAL_NONE && name.len > 0 && name.bytes[0] == '.') {
            str_copy(folder, name.bytes, name.len);
            (void)str_text(folder);
            return true;
        }
    }
    return false;
}

int special_each(int root, void (*each)(void *ctx, const char *folder, enum special special), void *ctx)
{
    stralloc text = STRALLOC_ZERO;
    stralloc folder = STRALLOC_ZERO;
    enum special special;
    int found = textfile_read(root, NAME, &text);
    const char *at = text.s;
    const char *end = at + text.len;
    while (found == 1 && next(&at, end, &folder, &special)) {
        each(ctx, folder.s, special);
    }
    stralloc_free(&text);
    stralloc_free(&folder);
    return found < 0 ? -1 : 0;
}

static void put_line(stralloc *out, const char *folder, enum special special)
{
    str_cats(out, folder);
    str_catc(out, ' ');
    str_cats(out, names[special]);
    str_catc(out, '\n');
}

static int set_locked(int root, const char *folder, enum special special, const char *to)
{
    stralloc text = STRALLOC_ZERO;
    stralloc name = STRALLOC_ZERO;
    stralloc out = STRALLOC_ZERO;
    enum special each;
    bool is_changed = special != SPECIAL_NONE;
    bool is_taken = false;
    int result = textfile_read(root, NAME, &text) < 0 ? -1 : 0;
    const char *at = text.s;
    const char *end = at + text.len;
    while (result == 0 && next(&at, end, &name, &each)) {
        bool is_this = strcmp(name.s, folder) == 0;
        is_changed = is_changed || is_this;
        is_taken = is_taken || (!is_this && each == special);
        if (!is_this) {
            put_line(&out, name.s, each);
        } else if (to != NULL) {
            put_line(&out, to, each);
        }
    }
    if (special != SPECIAL_NONE) {
        put_line(&out, folder, special);
    }
    if (is_taken && special != SPECIAL_NONE) {
        errno = EEXIST;
        result = -1;
    } else if (result == 0 && is_changed) {
        result = dotlock_replace(root, NAME, &out);
    }
    int error = errno;
    stralloc_free(&text);
    stralloc_free(&name);
    stralloc_free(&out);
    errno = error;
    return result;
}

int special_set(int root, const char *folder, enum special special, const char *to)
{
    int lock = dotlock_enter(root); /* nobody changes it between our look and our word */
    int result = lock < 0 ? -1 : set_locked(root, folder, special, to);
    int error = errno;
    if (lock >= 0) {
        close(lock);
    }
    errno = error;
    return result;
}
