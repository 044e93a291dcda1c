/* SPDX-License-Identifier: ISC */
/* A name from a client never becomes a path by itself: it is checked level by level, and every level stands behind a dot. */
#include "imapd/mailboxes.h"

#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>

#include "imapd/utf7.h"
#include "lib/str.h"

char mailboxes_separator(const struct settings *settings)
{
    return settings->separator != NULL && settings->separator[0] == '.' ? '.' : '/';
}

static bool is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == ',';
}

/* RFC 3501 5.1.3: printable US-ASCII, and &…- with modified base64 inside. */
static bool is_utf7(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.bytes[i];
        if (c < 0x20 || c > 0x7e) {
            return false;
        }
        if (c != '&') {
            continue;
        }
        size_t start = ++i;
        while (i < name.len && is_base64(name.bytes[i])) {
            i++;
        }
        size_t n = i - start;
        /* Whole 16-bit units: 3 characters hold one, 6 two, 8 three. */
        if (i == name.len || name.bytes[i] != '-' || (n > 0 && n % 8 != 0 && n % 8 != 3 && n % 8 != 6)) {
            return false;
        }
    }
    return true;
}

static bool append_level(struct slice level, stralloc *out)
{
    if (level.len == 0 || memchr(level.bytes, '.', level.len) != NULL || memchr(level.bytes, '/', level.len) != NULL) {
        return false;
    }
    str_catc(out, '.');
    str_cat(out, level.bytes, level.len);
    return true;
}

static bool append_levels(struct slice name, char separator, stralloc *out)
{
    const char *at = name.bytes;
    const char *end = at + name.len;
    for (;;) {
        const char *stop = memchr(at, separator, (size_t)(end - at));
        if (!append_level((struct slice){at, (size_t)((stop == NULL ? end : stop) - at)}, out)) {
            return false;
        }
        if (stop == NULL) {
            return out->len <= FOLDER_NAME_MAX;
        }
        at = stop + 1;
    }
}

bool mailboxes_folder(const struct settings *settings, struct slice name, stralloc *folder_out)
{
    char separator = mailboxes_separator(settings);
    size_t prefix = strlen(settings->prefix);
    folder_out->len = 0;
    if (name.len > 1 && name.bytes[name.len - 1] == separator) {
        name.len--;
    }
    if (slice_is(name, "INBOX")) {
        str_cats(folder_out, ".");
        (void)str_text(folder_out);
        return true;
    }
    if (!is_utf7(name)) {
        return false;
    }
    if (prefix > 0) {
        if (name.len <= prefix || !str_equal_nocase(name.bytes, prefix, settings->prefix, prefix)) {
            return false;
        }
        name = (struct slice){name.bytes + prefix, name.len - prefix};
    }
    bool is_good = append_levels(name, separator, folder_out);
    (void)str_text(folder_out);
    return is_good;
}

void mailboxes_name_append(const struct settings *settings, const char *folder, stralloc *out)
{
    char separator = mailboxes_separator(settings);
    if (strcmp(folder, ".") == 0) {
        str_cats(out, "INBOX");
        return;
    }
    str_cats(out, settings->prefix);
    for (const char *at = folder + 1; *at != '\0'; at++) {
        str_catc(out, *at == '.' ? separator : *at);
    }
}

void mailboxes_put_astring(stralloc *out, const char *bytes, size_t n)
{
    bool is_atom = n > 0;
    bool is_quotable = true;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        is_atom = is_atom && c > 0x20 && c < 0x7f && strchr("(){%*\"\\", c) == NULL;
        is_quotable = is_quotable && c >= 0x20 && c < 0x7f;
    }
    if (is_atom && !str_equal_nocase(bytes, n, "NIL", 3)) {
        str_cat(out, bytes, n);
        return;
    }
    if (!is_quotable) {
        str_catf(out, "{%zu}\r\n", n);
        str_cat(out, bytes, n);
        return;
    }
    str_catc(out, '"');
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\') {
            str_catc(out, '\\');
        }
        str_catc(out, bytes[i]);
    }
    str_catc(out, '"');
}

void mailboxes_folder_of_directory(const char *directory, stralloc *folder_out)
{
    size_t n = strlen(directory);
    if (is_utf7((struct slice){directory, n}) || !utf7_from_utf8(directory, n, folder_out)) {
        str_cat(folder_out, directory, n);
    }
}

static bool is_maildir(int root, const char *directory)
{
    struct stat stat;
    stralloc path = STRALLOC_ZERO;
    str_cats(&path, directory);
    str_cats(&path, "/cur");
    bool is_there = fstatat(root, str_text(&path), &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(stat.st_mode);
    stralloc_free(&path);
    return is_there;
}

void mailboxes_directory(int root, const char *folder, stralloc *directory_out)
{
    directory_out->len = 0;
    if (strchr(folder, '&') == NULL || is_maildir(root, folder) || !utf7_to_utf8(folder, strlen(folder), directory_out) ||
        !is_maildir(root, str_text(directory_out))) {
        directory_out->len = 0;
        str_cats(directory_out, folder);
    }
    (void)str_text(directory_out);
}

bool mailboxes_exists(int root, const char *folder)
{
    stralloc directory = STRALLOC_ZERO;
    mailboxes_directory(root, folder, &directory);
    bool is_there = is_maildir(root, directory.s);
    stralloc_free(&directory);
    return is_there;
}
