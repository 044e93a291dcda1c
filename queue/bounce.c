/* SPDX-License-Identifier: ISC */
/* From a message file to a notice in the queue. Trusts send for the open file, and no byte in it. Promise: BOUNCE_SENT only
 * behind the queue's K; a notice whose address the queue refuses goes to the postmaster instead. */
#include "queue/bounce.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/call.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"
#include "lib/why.h"
#include "queue/bounce_copy.h"
#include "queue/bounce_text.h"

enum { QUEUE_SECONDS = 300, CHUNK = 60000 };
#define TRIPLE "#@[]"

struct bounce {
    struct bounce_file file;
    struct bounce_text text;
    struct bounce_copy_range copy;
    uint32_t n; /* recipients that are told of */
    stralloc to;
    struct call call;
    stralloc piece; /* what is written next into the notice */
};

/* ---- what will be told ---- */

static int count_recipients(struct bounce *bounce)
{
    struct bounce_walk walk;
    struct bounce_recipient recipient;
    int got;
    bounce_walk_start(&walk, &bounce->file);
    while ((got = bounce_walk_next(&walk, &recipient)) == 1) {
        if (bounce->n++ == 0) {
            bounce->text.first = recipient.n;
        }
        bounce->text.has_8bit_notice = bounce->text.has_8bit_notice || bounce_text_is_8bit(&recipient);
    }
    bounce_walk_free(&walk);
    return got;
}

/* A VERP sender `list-owner-@host-@[]` hears as `list-owner-@host`. */
static void set_single(struct bounce *bounce)
{
    const char *sender = bounce->file.envelope.sender;
    size_t n = strlen(sender);
    bounce->text.is_double = false;
    str_copy(&bounce->to, sender, n > 4 && strcmp(sender + n - 4, "-@[]") == 0 ? n - 4 : n);
    bounce->text.to = str_text(&bounce->to);
}

static void set_double(struct bounce *bounce)
{
    const struct bounce_settings *settings = bounce->text.settings;
    const char *to = settings->doublebounceto, *host = settings->doublebouncehost;
    bounce->text.is_double = true;
    str_copys(&bounce->to, to != NULL && *to != '\0' ? to : "postmaster");
    str_catc(&bounce->to, '@');
    str_cats(&bounce->to, host != NULL && *host != '\0' ? host : settings->me);
    bounce->text.to = str_text(&bounce->to);
}

/* ---- the call ---- */

static bool is_8bit_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80) {
            return true;
        }
    }
    return false;
}

static void put_envelope(struct bounce *bounce)
{
    stralloc *out = &bounce->call.channel.outbox;
    bool is_8bit = bounce->text.has_8bit_notice || (bounce->file.header.flags & SPOOLFILE_8BIT) != 0;
    size_t start = frame_begin(out, 'Q');
    field_put(out, "op", "queue");
    field_put(out, "sid", bounce->text.id);
    field_put(out, "proto", "bounce");
    field_put(out, "from", bounce->text.is_double ? TRIPLE : "");
    field_put(out, "body", is_8bit ? "8BITMIME" : "7BIT");
    field_put(out, "utf8", is_8bit_text(bounce->text.to) ? "1" : "0");
    frame_end(out, start);
    start = frame_begin(out, 'R');
    field_put(out, "to", bounce->text.to);
    frame_end(out, start);
}

/* Sends the piece when it is worth a frame. A queue that has gone says so in call_finish. */
static void put_piece(struct bounce *bounce, bool is_last)
{
    stralloc *piece = &bounce->piece;
    size_t at = 0;
    while (piece->len - at >= CHUNK || (is_last && at < piece->len)) {
        size_t n = piece->len - at < CHUNK ? piece->len - at : CHUNK;
        frame_put(&bounce->call.channel.outbox, 'M', piece->s + at, n);
        (void)!call_flush(&bounce->call);
        at += n;
    }
    memmove(piece->s, piece->s + at, piece->len - at);
    piece->len -= at;
}

typedef void put_recipient(stralloc *out, const struct bounce_text *text, const struct bounce_recipient *recipient);

static int put_recipients(struct bounce *bounce, put_recipient *put)
{
    struct bounce_walk walk;
    struct bounce_recipient recipient;
    int got;
    bounce_walk_start(&walk, &bounce->file);
    while ((got = bounce_walk_next(&walk, &recipient)) == 1) {
        put(&bounce->piece, &bounce->text, &recipient);
        put_piece(bounce, false);
    }
    bounce_walk_free(&walk);
    return got;
}

static int put_copy(struct bounce *bounce)
{
    for (uint64_t at = 0; at < bounce->copy.len;) {
        uint64_t left = bounce->copy.len - at;
        size_t wanted = left < CHUNK ? (size_t)left : CHUNK;
        ssize_t n = pread(bounce->file.fd, str_room(&bounce->piece, wanted), wanted, (off_t)(spoolfile_message_at() + at));
        if (n <= 0) {
            errno = n == 0 ? EPROTO : errno;
            return -1;
        }
        bounce->piece.len += (size_t)n;
        at += (uint64_t)n;
        put_piece(bounce, false);
    }
    return 0;
}

static int put_notice(struct bounce *bounce)
{
    stralloc *piece = &bounce->piece;
    bounce_text_head(piece, &bounce->text);
    if (put_recipients(bounce, bounce_text_paragraph) < 0) {
        return -1;
    }
    bounce_text_report(piece, &bounce->text);
    if (put_recipients(bounce, bounce_text_status) < 0) {
        return -1;
    }
    bounce_text_copy(piece, &bounce->text);
    if (put_copy(bounce) < 0) {
        return -1;
    }
    bounce_text_end(piece, &bounce->text);
    put_piece(bounce, true);
    frame_put(&bounce->call.channel.outbox, 'E', "", 0);
    return 0;
}

static enum bounce_result fail(const struct bounce *bounce, const char *reason)
{
    log_event("bounce-deferred", "id=%s to=%s reason=%s", bounce->text.id, bounce->text.to, reason);
    return BOUNCE_LATER;
}

/* One try. *is_refused_out: the queue does not take the address. */
static enum bounce_result call_queue(struct bounce *bounce, bool *is_refused_out)
{
    struct verdict verdict;
    enum bounce_result result = BOUNCE_LATER;
    bounce->piece.len = 0;
    (void)!call_open(&bounce->call, "sockets/queue", QUEUE_SECONDS);
    put_envelope(bounce);
    if (put_notice(bounce) < 0) {
        result = fail(bounce, strerror(errno));
    } else {
        call_finish(&bounce->call, &verdict);
        if (verdict.letter == 'K') {
            log_event("bounced", "id=%s as=%s to=%s kind=%s recipients=%lu", bounce->text.id,
                      fields_get_or(&verdict.fields, "id", ""), bounce->text.to, bounce->text.is_double ? "double" : "single",
                      (unsigned long)bounce->n);
            result = BOUNCE_SENT;
        } else {
            enum why why = why_from_word(fields_get(&verdict.fields, "why"));
            *is_refused_out = verdict.letter == 'D' && why == WHY_bad_address;
            result = fail(bounce, verdict.text);
        }
    }
    call_close(&bounce->call);
    return result;
}

static enum bounce_result send_notice(struct bounce *bounce)
{
    bool is_refused = false;
    enum bounce_result result = call_queue(bounce, &is_refused);
    if (is_refused && !bounce->text.is_double) {
        set_double(bounce);
        result = call_queue(bounce, &is_refused);
    }
    return result;
}

static enum bounce_result send_failures(struct bounce *bounce)
{
    if (*bounce->file.envelope.sender == '\0') {
        set_double(bounce);
    } else {
        set_single(bounce);
    }
    if (count_recipients(bounce) < 0 || bounce_copy_find(&bounce->copy, &bounce->file, &bounce->text) < 0) {
        return fail(bounce, strerror(errno));
    }
    if (bounce->n == 0) {
        log_event("bounce-unwanted", "id=%s to=%s", bounce->text.id, bounce->text.to);
        return BOUNCE_SENT;
    }
    return send_notice(bounce);
}

enum bounce_result bounce_send(int fd, const char *id, const struct bounce_settings *settings)
{
    struct bounce bounce = {.text = {.id = id, .settings = settings, .to = "", .now = clock_wall_us() / 1000000}};
    enum bounce_result result;
    bounce.text.file = &bounce.file;
    if (bounce_file_open(&bounce.file, fd) < 0) {
        result = fail(&bounce, strerror(errno));
    } else if (strcmp(bounce.file.envelope.sender, TRIPLE) == 0) {
        log_event("triple-bounce", "id=%s discarded=1", id);
        result = BOUNCE_DROPPED;
    } else {
        result = send_failures(&bounce);
    }
    bounce_file_free(&bounce.file);
    bounce_copy_free(&bounce.copy);
    stralloc_free(&bounce.to);
    stralloc_free(&bounce.piece);
    return result;
}
