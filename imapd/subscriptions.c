/* SPDX-License-Identifier: ISC */
/* Dovecot's subscriptions file: version 1, a name a line with '.' between levels; version 2, `V TAB 2`, an empty line, then names
 * with TABs between levels. Where there is none, Courier's courierimapsubscribed is read (INBOX.A.B), and left as it is. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "imapd/folderlist.h"
#include "imapd/mailboxes.h"
#include "imapd/textfile.h"
#include "lib/str.h"

#define NAME    "subscriptions"
#define COURIER "courierimapsubscribed"

struct subscribed {
    stralloc text;
    bool is_version_2;
    const char *at, *end;
    bool is_courier;
};

static int read_file(struct subscribed *file, int root)
{
    static const char head[] = "V\t2\n\n";
    *file = (struct subscribed){.text = STRALLOC_ZERO};
    int found = textfile_read(root, NAME, &file->text);
    if (found == 0) {
        found = textfile_read(root, COURIER, &file->text);
        file->is_courier = found == 1;
    }
    file->at = file->text.s;
    file->end = file->at + file->text.len;
    if (file->text.len >= sizeof head - 1 && memcmp(file->at, head, sizeof head - 1) == 0) {
        file->is_version_2 = true;
        file->at += sizeof head - 1;
    }
    return found < 0 ? -1 : 0;
}

static void take_utf8(stralloc *folder)
{
    stralloc name = STRALLOC_ZERO;
    mailboxes_folder_of_directory(folder->s, &name);
    str_copy(folder, name.s, name.len);
    (void)str_text(folder);
    stralloc_free(&name);
}

static bool next_line(struct subscribed *file, struct slice *out)
{
    if (file->at >= file->end) {
        return false;
    }
    const char *lf = memchr(file->at, '\n', (size_t)(file->end - file->at));
    const char *stop = lf == NULL ? file->end : lf;
    *out = (struct slice){file->at, (size_t)(stop - file->at)};
    file->at = stop + 1;
    return true;
}

/* False: the line names no folder of a Maildir++. */
static bool folder_of_line(const struct subscribed *file, struct slice line, stralloc *folder)
{
    folder->len = 0;
    if (file->is_courier && line.len > 6 && memcmp(line.bytes, "INBOX.", 6) == 0) {
        line = (struct slice){line.bytes + 6, line.len - 6};
    }
    if (slice_is(line, "INBOX")) {
        str_cats(folder, ".");
    } else if (line.len > 0 && line.len <= FOLDER_NAME_MAX && memchr(line.bytes, '/', line.len) == NULL &&
               memchr(line.bytes, '\0', line.len) == NULL) {
        str_catc(folder, '.');
        for (size_t i = 0; i < line.len; i++) {
            str_catc(folder, line.bytes[i] == '\t' && file->is_version_2 ? '.' : line.bytes[i]);
        }
    } else {
        return false;
    }
    (void)str_text(folder);
    if (file->is_courier) {
        take_utf8(folder);
    }
    return folder->len <= FOLDER_NAME_MAX + 1; /* with its dot; modified UTF-7 is longer */
}

int subscriptions_each(int root, void (*each)(void *ctx, const char *folder), void *ctx)
{
    struct subscribed file;
    struct slice line;
    stralloc folder = STRALLOC_ZERO;
    int result = read_file(&file, root);
    while (result == 0 && next_line(&file, &line)) {
        if (folder_of_line(&file, line, &folder)) {
            each(ctx, folder.s);
        }
    }
    stralloc_free(&folder);
    stralloc_free(&file.text);
    return result;
}

static void put_line(stralloc *out, const char *folder, bool is_version_2)
{
    if (strcmp(folder, ".") == 0) {
        str_cats(out, "INBOX\n");
        return;
    }
    for (const char *at = folder + 1; *at != '\0'; at++) {
        str_catc(out, *at == '.' && is_version_2 ? '\t' : *at);
    }
    str_catc(out, '\n');
}

/* The file as it shall be: other lines stay byte for byte, also those that are not understood here. Was it there? */
static bool change(struct subscribed *file, const char *folder, bool is_subscribed, stralloc *text)
{
    struct slice line;
    stralloc name = STRALLOC_ZERO;
    bool was_there = false;
    str_cat(text, file->text.s, (size_t)(file->at - file->text.s));
    while (next_line(file, &line)) {
        bool is_folder = folder_of_line(file, line, &name);
        bool is_this = is_folder && strcmp(name.s, folder) == 0;
        was_there = was_there || is_this;
        if (is_this && !is_subscribed) {
            continue;
        }
        if (!file->is_courier) {
            str_cat(text, line.bytes, line.len);
            str_catc(text, '\n');
        } else if (is_folder) {
            put_line(text, name.s, false);
        }
    }
    if (is_subscribed && !was_there) {
        put_line(text, folder, file->is_version_2);
    }
    stralloc_free(&name);
    return was_there;
}

int subscriptions_set(int root, const char *folder, bool is_subscribed)
{
    struct subscribed file = {.text = STRALLOC_ZERO};
    stralloc text = STRALLOC_ZERO;
    int lock = dotlock_enter(root); /* nobody changes it between our look and our word */
    int result = lock < 0 ? -1 : read_file(&file, root);
    if (result == 0) {
        bool was_there = change(&file, folder, is_subscribed, &text);
        if (was_there != is_subscribed || file.is_courier) {
            result = dotlock_replace(root, NAME, &text);
        }
    }
    int error = errno;
    if (lock >= 0) {
        close(lock);
    }
    errno = error;
    stralloc_free(&text);
    stralloc_free(&file.text);
    return result;
}
