/* SPDX-License-Identifier: ISC */
/* Where a delivery may write, by name. What the names lead to is Landlock's matter. */
#include "deliver/place.h"

#include <string.h>

#include "deliver/delivery.h"
#include "lib/str.h"

/* Appends the components of a path; false at `..` or NUL. */
static bool append_components(stralloc *out, const char *path, size_t n)
{
    if (memchr(path, '\0', n) != NULL) {
        return false;
    }
    for (size_t at = 0; at < n;) {
        const char *slash = memchr(path + at, '/', n - at);
        size_t len = slash == NULL ? n - at : (size_t)(slash - path) - at;
        if (len == 2 && memcmp(path + at, "..", 2) == 0) {
            return false;
        }
        if (len > 0 && !(len == 1 && path[at] == '.')) {
            if (out->len > 0 && out->s[out->len - 1] != '/') {
                str_catc(out, '/');
            }
            str_cat(out, path + at, len);
        }
        at += len + 1;
    }
    return true;
}

/* Takes `HOME_FOLDER/` off an absolute name. */
static size_t home_prefix(const struct delivery_settings *settings, const char *path, size_t n)
{
    size_t len = strlen(settings->home_folder);
    return len > 0 && n > len && memcmp(path, settings->home_folder, len) == 0 && path[len] == '/' ? len + 1 : 0;
}

static bool begins_with(const stralloc *s, const char *folder)
{
    size_t n = strlen(folder);
    return s->len > n && memcmp(s->s, folder, n) == 0;
}

static bool is_allowed(const struct delivery_settings *settings, const stralloc *path)
{
    if (settings->is_anywhere) {
        return path->len > 0;
    }
    bool is_alias = path->len == 5 && memcmp(path->s, "alias", 5) == 0;
    return is_alias || begins_with(path, "domains/") || begins_with(path, "alias/") ||
           begins_with(path, VPOPMAIL_HOME "/domains/");
}

bool place_resolve(const struct delivery_settings *settings, const char *folder, const char *path, size_t n, stralloc *out)
{
    size_t skip = home_prefix(settings, path, n);
    bool is_absolute = n > 0 && path[0] == '/' && skip == 0;
    out->len = 0;
    if (is_absolute) {
        str_catc(out, '/');
    } else if (skip == 0 && folder != NULL) {
        str_cats(out, folder);
    }
    bool is_good = append_components(out, path + skip, n - skip);
    str_text(out);
    return is_good && is_allowed(settings, out);
}
