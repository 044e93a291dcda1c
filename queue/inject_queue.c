/* SPDX-License-Identifier: ISC */
/* The interface that every program for qmail knows. A message without recipients is taken and gone, as there. */
#include "queue/inject_queue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/str.h"
#include "queue/inject_home.h"
#include "queue/inject_input.h"
#include "queue/inject_send.h"

enum { ENVELOPE_MAX = 64 << 20 };

static void append_address(stralloc *out, const char *bytes, size_t n, const char *host)
{
    str_cat(out, bytes, n);
    if (n > 0 && memchr(bytes, '@', n) == NULL) {
        str_catc(out, '@');
        str_cats(out, host);
    }
    str_catc(out, '\0');
}

enum inject_envelope inject_queue_parse(const char *bytes, size_t n, const char *host, stralloc *sender, stralloc *recipients)
{
    size_t at = 0;
    while (at < n) {
        bool is_first = at == 0;
        if (bytes[at] == '\0' && !is_first) {
            return INJECT_ENVELOPE_WHOLE;
        }
        if (bytes[at] != (is_first ? 'F' : 'T')) {
            return INJECT_ENVELOPE_BAD;
        }
        const char *end = memchr(bytes + at, '\0', n - at);
        if (end == NULL) {
            return INJECT_ENVELOPE_CUT;
        }
        append_address(is_first ? sender : recipients, bytes + at + 1, (size_t)(end - bytes) - at - 1, host);
        at = (size_t)(end - bytes) + 1;
    }
    return INJECT_ENVELOPE_CUT;
}

static void read_envelope(stralloc *out)
{
    enum { STEP = 8192 };
    ssize_t n;
    do {
        n = read(1, str_room(out, STEP), STEP);
        out->len += n > 0 ? (size_t)n : 0;
        if (out->len > ENVELOPE_MAX) {
            inject_fail(INJECT_QMAIL_QUEUE, &inject_bad_envelope, NULL);
        }
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n < 0) {
        inject_fail(INJECT_QMAIL_QUEUE, &inject_unread, strerror(errno));
    }
}

void inject_queue_run(void)
{
    static const stralloc no_header = STRALLOC_ZERO;
    struct spill message;
    stralloc envelope = STRALLOC_ZERO, sender = STRALLOC_ZERO, recipients = STRALLOC_ZERO;
    struct inject_home home;
    inject_home_enter(INJECT_QMAIL_QUEUE, &home);
    inject_input_read_raw(&message, INJECT_QMAIL_QUEUE);
    read_envelope(&envelope);
    switch (inject_queue_parse(envelope.s, envelope.len, home.no_at_host, &sender, &recipients)) {
    case INJECT_ENVELOPE_WHOLE:
        break;
    case INJECT_ENVELOPE_CUT:
        inject_fail(INJECT_QMAIL_QUEUE, &inject_cut_envelope, NULL);
    case INJECT_ENVELOPE_BAD:
        inject_fail(INJECT_QMAIL_QUEUE, &inject_bad_envelope, NULL);
    }
    if (recipients.len > 0) {
        struct inject_letter letter = {
            .name = INJECT_QMAIL_QUEUE, .sender = sender.s, .recipients = &recipients, .header = &no_header, .body = &message};
        inject_send(&letter);
    }
    spill_free(&message);
    stralloc_free(&envelope);
    stralloc_free(&sender);
    stralloc_free(&recipients);
}
