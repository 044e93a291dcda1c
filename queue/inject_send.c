/* SPDX-License-Identifier: ISC */
/* The caller's side of `queue`. What the queue says is what the person reads. */
#include "queue/inject_send.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/call.h"
#include "lib/clock.h"
#include "lib/str.h"
#include "lib/why.h"

enum { QUEUE_SECONDS = 600, CHUNK = 60000, BUSY_MS = 60000, BUSY_STEP_MS = 200 };

static bool is_8bit(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)bytes[i] >= 0x80) {
            return true;
        }
    }
    return false;
}

/* Longer ones do not fit the call. */
static void check_length(const struct inject_letter *letter, const char *address)
{
    if (strlen(address) > ADDRESS_MAX + 4) { /* -@[] */
        inject_fail(letter->name, &inject_long_address, address);
    }
}

static void put_envelope(struct call *call, const struct inject_letter *letter)
{
    stralloc *out = &call->channel.outbox;
    const stralloc *to = letter->recipients;
    bool is_utf8 = is_8bit(letter->sender, strlen(letter->sender)) || is_8bit(to->s, to->len);
    size_t start = frame_begin(out, 'Q');
    field_put(out, "op", "queue");
    field_put(out, "from", letter->sender);
    field_put(out, "utf8", is_utf8 ? "1" : "0");
    field_put(out, "ret", letter->ret);
    field_put(out, "envid", letter->envid);
    field_put_number(out, "size", letter->header->len + letter->body->size);
    frame_end(out, start);
    for (size_t at = 0; at < to->len; at += strlen(to->s + at) + 1) {
        start = frame_begin(out, 'R');
        field_put(out, "to", to->s + at);
        field_put(out, "notify", letter->notify);
        frame_end(out, start);
        if (out->len > CHUNK) {
            (void)!call_flush(call); /* its trouble comes back as the verdict */
        }
    }
}

static void put_bytes(struct call *call, const char *bytes, size_t n)
{
    while (n > 0) {
        size_t len = n < CHUNK ? n : CHUNK;
        frame_put(&call->channel.outbox, 'M', bytes, len);
        (void)!call_flush(call);
        bytes += len;
        n -= len;
    }
}

/* Gives the body piece by piece to `take`, which returns -1 to stop. */
static void each_piece(const struct inject_letter *letter, int (*take)(void *ctx, const char *bytes, size_t n), void *ctx)
{
    static char piece[CHUNK];
    for (uint64_t at = 0; at < letter->body->size;) {
        ssize_t n = spill_read(letter->body, at, piece, sizeof piece);
        if (n <= 0) {
            inject_fail(letter->name, &inject_unread, n < 0 ? strerror(errno) : "it became shorter");
        }
        if (take(ctx, piece, (size_t)n) < 0) {
            return;
        }
        at += (uint64_t)n;
    }
}

static int put_piece(void *ctx, const char *bytes, size_t n)
{
    put_bytes(ctx, bytes, n);
    return 0;
}

static const struct inject_reply *reply_of(const struct verdict *verdict)
{
    enum why why = why_from_word(fields_get(&verdict->fields, "why"));
    if (verdict->letter == 'D') {
        return &inject_refused;
    }
    return why == WHY_service ? &inject_service : why == WHY_disk || why == WHY_io ? &inject_disk : &inject_deferred;
}

/* One call. False: the queue has no place for us right now. */
static bool ask(const struct inject_letter *letter)
{
    struct call call;
    struct verdict verdict;
    (void)!call_open(&call, "sockets/inject", QUEUE_SECONDS);
    put_envelope(&call, letter);
    put_bytes(&call, letter->header->s, letter->header->len);
    each_piece(letter, put_piece, &call);
    frame_put(&call.channel.outbox, 'E', "", 0);
    call_finish(&call, &verdict);
    bool is_busy = verdict.letter == 'Z' && why_from_word(fields_get(&verdict.fields, "why")) == WHY_too_often;
    if (verdict.letter != 'K' && (!is_busy || clock_monotonic_ms() > letter->patience_ms)) {
        inject_fail(letter->name, reply_of(&verdict), verdict.text);
    }
    call_close(&call);
    return !is_busy;
}

void inject_send(const struct inject_letter *letter)
{
    struct inject_letter patient = *letter;
    patient.patience_ms = clock_monotonic_ms() + BUSY_MS;
    check_length(letter, letter->sender);
    for (size_t at = 0; at < letter->recipients->len; at += strlen(letter->recipients->s + at) + 1) {
        check_length(letter, letter->recipients->s + at);
    }
    while (!ask(&patient)) {
        poll(NULL, 0, BUSY_STEP_MS);
    }
}

static int write_piece(void *ctx, const char *bytes, size_t n)
{
    const struct inject_letter *letter = ctx;
    while (n > 0) {
        ssize_t done = write(1, bytes, n);
        if (done < 0 && errno != EINTR) {
            inject_fail(letter->name, &inject_unwritten, strerror(errno));
        }
        size_t written = done > 0 ? (size_t)done : 0;
        bytes += written;
        n -= written;
    }
    return 0;
}

void inject_print(const struct inject_letter *letter)
{
    struct inject_letter copy = *letter;
    (void)write_piece(&copy, letter->header->s, letter->header->len);
    each_piece(letter, write_piece, &copy);
}
