/* SPDX-License-Identifier: ISC */
/* Bytes of messages. The size is counted from the bytes that are sent, never taken from a name, so a literal is always right; a
 * size that the index had wrong is mended on the way. A message in memory for its reply: up to WHOLE_MAX, larger ones go in
 * pieces. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/fetch.h"
#include "imapd/mailboxes.h"
#include "lib/crlf.h"
#include "lib/str.h"

enum { WHOLE_MAX = 1 << 20, KEEP_MAX = 1 << 17, FIELDS_MAX = 4 << 20, PIECE = 65536 };

static void put_label(struct session *session, const struct fetch_item *item)
{
    static const char *const texts[] = {"", "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME"};
    if (item->label != NULL) {
        session_put(session, item->label);
        return;
    }
    session_put(session, "BODY[");
    for (unsigned i = 0; i < item->n_path; i++) {
        session_putf(session, i > 0 ? ".%u" : "%u", item->path[i]);
    }
    session_put(session, item->n_path > 0 && item->text != TEXT_WHOLE ? "." : "");
    session_put(session, texts[item->text]);
    if (item->text == TEXT_FIELDS || item->text == TEXT_FIELDS_NOT) {
        for (unsigned i = 0; i < item->n_fields; i++) {
            session_put(session, i == 0 ? " (" : " ");
            mailboxes_put_astring(&session->out, item->field[i].bytes, item->field[i].len);
        }
        session_put(session, ")");
    }
    session_put(session, "]");
    if (item->is_partial) {
        session_putf(session, "<%u>", item->start);
    }
}

/* The part of n wire bytes that a partial asks for. */
static void cut(const struct fetch_item *item, uint64_t n, uint64_t *from, uint64_t *len)
{
    *from = 0;
    *len = n;
    if (item->is_partial) {
        *from = item->start < n ? item->start : n;
        *len = n - *from < item->len ? n - *from : item->len;
    }
}

static void put_literal(struct session *session, const struct fetch_item *item, const char *bytes, size_t n)
{
    uint64_t from;
    uint64_t len;
    cut(item, n, &from, &len);
    put_label(session, item);
    session_putf(session, " {%llu}\r\n", (unsigned long long)len);
    str_cat(&session->out, bytes + from, (size_t)len);
    session_room(session);
}

static void put_nil(struct session *session, const struct fetch_item *item)
{
    put_label(session, item);
    session_put(session, " NIL");
}

static int read_at(int fd, uint64_t at, char *to, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(fd, to + done, n - done, (off_t)(at + done));
        if (got <= 0) {
            errno = got == 0 ? EIO : errno; /* a message never shrinks */
            return -1;
        }
        done += (size_t)got;
    }
    return 0;
}

/* Stored bytes in memory: counted, then encoded where they are sent from. */
static void put_stored(struct session *session, const struct fetch_item *item, char *bytes, size_t n)
{
    struct crlf count;
    char last = '\n';
    crlf_start(&count);
    crlf_count(&count, bytes, n);
    size_t wire = (size_t)crlf_wire_bytes(&count);
    crlf_hide_nul(bytes, n);
    put_label(session, item);
    uint64_t from;
    uint64_t len;
    cut(item, wire, &from, &len);
    session_putf(session, " {%llu}\r\n", (unsigned long long)len);
    char *room = str_room(&session->out, 2 * n + 1);
    size_t encoded = crlf_encode(&last, bytes, n, room);
    if (from > 0) {
        memmove(room, room + from, (size_t)len);
    }
    session->out.len += encoded < len ? encoded : (size_t)len;
    session_room(session);
}

/* A large one: counted in one pass, sent in a second; only the asked part is written. */
struct large {
    int fd;
    uint64_t at, len;
};

static int count_large(const struct large *large, uint64_t *wire_out)
{
    char piece[PIECE];
    struct crlf count;
    crlf_start(&count);
    for (uint64_t done = 0; done < large->len;) {
        size_t n = large->len - done < PIECE ? (size_t)(large->len - done) : PIECE;
        if (read_at(large->fd, large->at + done, piece, n) < 0) {
            return -1;
        }
        crlf_count(&count, piece, n);
        done += n;
    }
    *wire_out = crlf_wire_bytes(&count);
    return 0;
}

/* From here on the client waits for `len` bytes: what cannot be read ends the connection. */
static int send_large(struct session *session, const struct large *large, uint64_t from, uint64_t len)
{
    char piece[PIECE];
    char wire[2 * PIECE];
    char last = '\n';
    uint64_t passed = 0;
    for (uint64_t done = 0; done < large->len && passed < from + len;) {
        size_t n = large->len - done < PIECE ? (size_t)(large->len - done) : PIECE;
        if (read_at(large->fd, large->at + done, piece, n) < 0) {
            session->wire.is_broken = true;
            return -1;
        }
        crlf_hide_nul(piece, n);
        size_t encoded = crlf_encode(&last, piece, n, wire);
        uint64_t skip = passed < from ? from - passed : 0;
        if (skip < encoded) {
            uint64_t room = from + len - passed - skip;
            size_t part = encoded - (size_t)skip < room ? encoded - (size_t)skip : (size_t)room;
            str_cat(&session->out, wire + skip, part);
            session_room(session);
        }
        passed += encoded;
        done += n;
    }
    return 0;
}

static int put_large(struct session *session, const struct fetch_item *item, const struct large *large)
{
    uint64_t wire;
    uint64_t from;
    uint64_t len;
    if (count_large(large, &wire) < 0) {
        return -1;
    }
    cut(item, wire, &from, &len);
    put_label(session, item);
    session_putf(session, " {%llu}\r\n", (unsigned long long)len);
    return send_large(session, large, from, len);
}

static int put_place(struct session *session, int fd, const struct fetch_item *item, const struct fetch_place *place)
{
    bool is_fields = item->text == TEXT_FIELDS || item->text == TEXT_FIELDS_NOT;
    if (place->len > WHOLE_MAX && !is_fields) {
        return put_large(session, item, &(struct large){fd, place->at, place->len});
    }
    static stralloc bytes;
    size_t n = place->len < FIELDS_MAX ? (size_t)place->len : FIELDS_MAX;
    char *room = (bytes.len = 0, str_room(&bytes, n + 1));
    if (read_at(fd, place->at, room, n) < 0) {
        return -1;
    }
    if (is_fields) {
        stralloc fields = STRALLOC_ZERO;
        fetch_put_fields(&fields, item, room, n);
        put_literal(session, item, fields.s, fields.len);
        stralloc_free(&fields);
    } else {
        put_stored(session, item, room, n);
    }
    if (bytes.a > KEEP_MAX) {
        stralloc_free(&bytes);
    }
    return 0;
}

/* Where the header ends: behind its first empty line; without one all is header. Fed in pieces. */
struct header_end {
    bool at_start, has_cr, is_found;
    uint64_t at; /* bytes looked at, or the end */
};

static void find_header_end(struct header_end *find, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n' && find->at_start) {
            find->is_found = true;
            find->at += i + 1;
            return;
        }
        bool is_first_cr = bytes[i] == '\r' && find->at_start && !find->has_cr;
        find->at_start = bytes[i] == '\n' || is_first_cr;
        find->has_cr = is_first_cr;
    }
    find->at += n;
}

/* BODY[], and by it HEADER and TEXT, which need no table of parts. */
static int find_top(int fd, uint64_t size, const struct fetch_item *item, struct fetch_place *out)
{
    char piece[8192];
    struct header_end find = {.at_start = true};
    *out = (struct fetch_place){.len = size, .is_there = true};
    if (item->text == TEXT_WHOLE) {
        return 0;
    }
    while (!find.is_found && find.at < size) {
        size_t n = size - find.at < sizeof piece ? (size_t)(size - find.at) : sizeof piece;
        if (read_at(fd, find.at, piece, n) < 0) {
            return -1;
        }
        find_header_end(&find, piece, n);
    }
    bool is_text = item->text == TEXT_TEXT;
    out->at = is_text ? find.at : 0;
    out->len = is_text ? size - find.at : find.at;
    return 0;
}

static int put_from_file(struct session *session, uint32_t index, const struct fetch_item *item)
{
    struct fetch_place place;
    if (item->n_path > 0) {
        int found = fetch_find_part(session, index, item, &place);
        if (found != 0) {
            return found;
        }
        if (!place.is_there) {
            put_nil(session, item);
            return 0;
        }
    }
    uint64_t size = 0;
    int fd = folder_open_message(&session->folder, index, &size);
    if (fd < 0) {
        return errno == ENOENT ? 1 : -1;
    }
    int result = item->n_path > 0 ? 0 : find_top(fd, size, item, &place);
    if (result == 0) {
        result = put_place(session, fd, item, &place);
    }
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

int fetch_put_section(struct session *session, uint32_t index, const struct fetch_item *item)
{
    if (item->text == TEXT_FIELDS && item->n_path == 0) {
        static stralloc fields;
        fields.len = 0;
        if (fetch_cached_fields(session, index, item, &fields)) {
            put_literal(session, item, fields.s, fields.len);
            return 0;
        }
    }
    return put_from_file(session, index, item);
}
