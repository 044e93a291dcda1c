/* SPDX-License-Identifier: ISC */
/* The question to authd and the words for its answers. The password's copies are wiped. */
#include <string.h>

#include "imapd/login.h"
#include "lib/clock.h"
#include "lib/handoff.h"
#include "lib/log.h"
#include "lib/mime_decode.h"
#include "lib/str.h"
#include "lib/why.h"

static const struct reply *reply_of_verdict(const struct verdict *verdict)
{
    switch (why_from_word(fields_get(&verdict->fields, "why"))) {
    case WHY_bad_password:
        return &reply_bad_password;
    case WHY_disabled:
        return &reply_disabled;
    case WHY_no_service:
        return &reply_no_service;
    case WHY_too_often:
        return &reply_too_often;
    case WHY_need_tls:
        return &reply_need_tls;
    case WHY_in_use:
        return &reply_too_many;
    default:
        return verdict->letter == 'Z' ? &reply_later : &reply_refused;
    }
}

static void wipe(stralloc *text)
{
    explicit_bzero(text->s, text->a);
    text->len = 0;
}

/* Longer than a call can carry (stafet-call(5): 4096 bytes a value), so nobody's. */
static const struct reply *refuse_long(struct login *login)
{
    login->logins++;
    log_event("refused", "sid=%s ip=%s what=%s", login->sid, login->ip, "a user or password of over 4096 bytes");
    wipe(&login->password);
    return &reply_bad_password;
}

const struct reply *login_ask(struct login *login)
{
    if (login->user.len > FIELD_VALUE_MAX || login->password.len > FIELD_VALUE_MAX) {
        return refuse_long(login);
    }
    struct wire *wire = &login->wire;
    struct call call;
    struct verdict verdict;
    const struct handoff handoff = {
        .service = "imap",
        .sid = login->sid,
        .ip = login->ip,
        .local_ip = login->peer->local_ip,
        .local_port = login->peer->local_port,
        .tag = str_text(&login->tag),
        .user = str_text(&login->user),
        .password = str_text(&login->password),
        .connection = wire->in,
        .early = wire->in_buf + wire->start,
        .early_len = wire->end - wire->start,
    };
    wire_flush(wire); /* from K on the session may write */
    handoff_ask(&handoff, &call, &verdict);
    const struct reply *reply = NULL;
    if (verdict.letter == 'K') {
        log_event("handed-over", "sid=%s ip=%s user=%s ms=%llu", login->sid, login->ip, str_text(&login->user),
                  (unsigned long long)(clock_monotonic_ms() - login->start_ms));
        login->is_over = true;
        login->how = NULL;
    } else {
        reply = reply_of_verdict(&verdict);
        login->logins++;
        log_event("refused", "sid=%s ip=%s user=%s told=%s", login->sid, login->ip, str_text(&login->user), verdict.text);
    }
    call_close(&call);
    wipe(&login->password);
    return reply;
}

const struct reply *login_take_plain(struct login *login, const char *base64, size_t n)
{
    static struct mime_decoder decoder;
    stralloc bytes = STRALLOC_ZERO;
    mime_decoder_start(&decoder, MIME_BASE64);
    mime_decoder_add(&decoder, base64, n, &bytes);
    mime_decoder_end(&decoder, &bytes);
    const char *end = bytes.s + bytes.len;
    const char *first = bytes.len == 0 ? NULL : memchr(bytes.s, '\0', bytes.len);
    const char *second = first == NULL ? NULL : memchr(first + 1, '\0', (size_t)(end - first - 1));
    bool is_good = second != NULL && second > first + 1 && memchr(second + 1, '\0', (size_t)(end - second - 1)) == NULL;
    if (is_good && first > bytes.s) {
        /* To act for somebody else is nobody's right here. */
        is_good = str_equal_nocase(bytes.s, (size_t)(first - bytes.s), first + 1, (size_t)(second - first - 1));
    }
    if (is_good) {
        str_copy(&login->user, first + 1, (size_t)(second - first - 1));
        str_copy(&login->password, second + 1, (size_t)(end - second - 1));
    }
    wipe(&bytes);
    stralloc_free(&bytes);
    return is_good ? NULL : &reply_bad_plain;
}
