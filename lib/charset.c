/* SPDX-License-Identifier: ISC */
/* Charsets of mail. Names come from messages: only letters, digits and -_.:+() reach iconv_open. */
#include "charset.h"
#include "str.h"

#include <errno.h>
#include <link.h>
#include <string.h>

static const char *const aliases[][2] = {
    {"iso-8859-1", "WINDOWS-1252"},
    {"latin1", "WINDOWS-1252"},
    {"iso8859-1", "WINDOWS-1252"},
    {"iso_8859-1", "WINDOWS-1252"},
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"shift_jis", "CP932"},
    {"shift-jis", "CP932"},
    {"x-sjis", "CP932"},
    {"ks_c_5601-1987", "CP949"},
    {"iso-2022-jp", "ISO-2022-JP-2"},
    {"big5", "BIG5-HKSCS"},
    {"unicode-1-1-utf-7", "UTF-7"},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"iso-8859-6-i", "ISO-8859-6"},
};
static const char *const kept[] = {"utf-8", "utf8", "us-ascii", "ascii", "ansi_x3.4-1968", "unicode-1-1-utf-8", ""};

static bool is_in(const char *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Lower case, without language; "?" where no charset can have such a name. */
static void copy_name(char out[CHARSET_NAME_MAX + 1], const char *name, size_t n)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.:+()";
    const char *star = n > 0 ? memchr(name, '*', n) : NULL;
    n = star != NULL ? (size_t)(star - name) : n;
    if (n == 0 || n > CHARSET_NAME_MAX) {
        memcpy(out, n == 0 ? "" : "?", n == 0 ? 1 : 2);
        return;
    }
    memcpy(out, name, n);
    out[n] = '\0';
    str_lower(out, n);
    if (strspn(out, allowed) != n) {
        memcpy(out, "?", 2);
    }
}

static iconv_t open_converter(const char *name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcmp(aliases[i][0], name) == 0) {
            iconv_t converter = iconv_open("UTF-8", aliases[i][1]);
            return converter != (iconv_t)-1 ? converter : iconv_open("UTF-8", name);
        }
    }
    return iconv_open("UTF-8", name);
}

/* What has no meaning is passed over by so many bytes: half a surrogate pair is a whole unit, and the next one begins behind it.
 */
static unsigned unit_of(const char *name)
{
    static const struct {
        const char *prefix;
        unsigned unit;
    } wide[] = {{"utf-16", 2}, {"utf16", 2}, {"ucs-2", 2}, {"ucs2", 2}, {"iso-10646-ucs-2", 2},
                {"utf-32", 4}, {"utf32", 4}, {"ucs-4", 4}, {"ucs4", 4}, {"iso-10646-ucs-4", 4}};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        if (strncmp(name, wide[i].prefix, strlen(wide[i].prefix)) == 0) {
            return wide[i].unit;
        }
    }
    return 1;
}

static void open_charset(struct charset *charset)
{
    charset->is_converted = false;
    charset->is_known = is_in(kept, sizeof kept / sizeof *kept, charset->name);
    if (charset->is_known || charset->name[0] == '?') {
        return;
    }
    charset->converter = open_converter(charset->name);
    charset->is_known = charset->is_converted = charset->converter != (iconv_t)-1;
    charset->unit = unit_of(charset->name);
}

struct charset *charsets_find(struct charsets *charsets, const char *name, size_t n)
{
    char wanted[CHARSET_NAME_MAX + 1];
    copy_name(wanted, name, n);
    for (unsigned i = 0; i < charsets->n; i++) {
        if (strcmp(charsets->list[i].name, wanted) == 0) {
            return &charsets->list[i];
        }
    }
    struct charset *charset = &charsets->list[charsets->oldest];
    if (charsets->n < CHARSETS_MAX) {
        charset = &charsets->list[charsets->n++];
    } else {
        charsets->oldest = (charsets->oldest + 1) % CHARSETS_MAX;
        if (charset->is_converted) {
            iconv_close(charset->converter);
        }
    }
    memcpy(charset->name, wanted, sizeof wanted);
    open_charset(charset);
    return charset;
}

/* iconv's file for PROBE. */
#define PROBE      "windows-1252"
#define PROBE_FILE "/CP1252.so"

static int find_folder(struct dl_phdr_info *object, size_t size, void *folder_out)
{
    const char *name = object->dlpi_name;
    size_t n = name != NULL ? strlen(name) : 0, end = sizeof PROBE_FILE - 1;
    (void)size;
    if (n <= end || memcmp(name + n - end, PROBE_FILE, end) != 0) {
        return 0;
    }
    str_copy(folder_out, name, n - end);
    return 1;
}

void charsets_prepare(struct charsets *charsets, stralloc *folder_out)
{
    folder_out->len = 0;
    (void)charsets_find(charsets, PROBE, sizeof PROBE - 1);
    (void)dl_iterate_phdr(find_folder, folder_out);
}

void charset_start(struct charset_stream *stream, struct charset *charset)
{
    stream->charset = charset;
    stream->pending_len = 0;
    if (charset->is_converted) {
        (void)iconv(charset->converter, NULL, NULL, NULL, NULL);
    }
}

static void add_replacement(stralloc *out)
{
    str_cat(out, "\xef\xbf\xbd", 3);
}

/* Converts as much as is whole; returns the bytes left, the start of a character. */
static size_t convert(struct charset *charset, char *bytes, size_t n, stralloc *out)
{
    while (n > 0) {
        size_t room = 2 * n + 16;
        size_t left = room;
        char *to = str_room(out, room);
        size_t result = iconv(charset->converter, &bytes, &n, &to, &left);
        out->len += room - left;
        if (result != (size_t)-1) {
            break;
        }
        if (errno == EINVAL) {
            return n;
        }
        if (errno != E2BIG) {
            size_t skipped = n < charset->unit ? n : charset->unit;
            add_replacement(out);
            bytes += skipped;
            n -= skipped;
        }
    }
    return 0;
}

/* Byte by byte until the character that waits is whole. Returns bytes taken. */
static size_t finish_pending(struct charset_stream *stream, const char *bytes, size_t n, stralloc *out)
{
    size_t used = 0;
    while (stream->pending_len > 0 && used < n) {
        stream->pending[stream->pending_len++] = bytes[used++];
        size_t left = convert(stream->charset, stream->pending, stream->pending_len, out);
        memmove(stream->pending, stream->pending + stream->pending_len - left, left);
        stream->pending_len = left;
        if (left == CHARSET_PENDING_MAX) {
            add_replacement(out);
            stream->pending_len = 0;
        }
    }
    return used;
}

void charset_add(struct charset_stream *stream, const char *bytes, size_t n, stralloc *out)
{
    if (!stream->charset->is_converted) {
        str_cat(out, bytes, n);
        return;
    }
    size_t used = finish_pending(stream, bytes, n, out);
    char *rest = (char *)(uintptr_t)(bytes + used); /* iconv's type has no const; it writes nothing there */
    size_t left = convert(stream->charset, rest, n - used, out);
    while (left > CHARSET_PENDING_MAX - 1) {
        add_replacement(out);
        left--;
    }
    memcpy(stream->pending + stream->pending_len, bytes + n - left, left);
    stream->pending_len += left;
}

void charset_end(struct charset_stream *stream, stralloc *out)
{
    if (stream->pending_len > 0) {
        add_replacement(out);
        stream->pending_len = 0;
    }
}
