/* SPDX-License-Identifier: ISC */
/* Receives a client. Trusts authd for what it says, not for its form. Promise: before our K reached the front no byte goes to the
 * client, and of each login either the front or a session speaks, never both. */
#include "lib/takeover.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/str.h"
#include "lib/wire.h"

enum { CALLER_SECONDS = 5, EARLY_MAX = WIRE_IN }; /* more would find no room in the session */

/* True when all fields of a session are there. */
static bool read_question(struct takeover *takeover, uint64_t *early_out)
{
    static const char *const known[] = {"op", "sid", "service", "user", "home",  "flags", "quota",
                                        "ip", "lip", "tls",     "tag",  "early", NULL};
    struct fields *fields = &takeover->fields;
    *early_out = 0;
    if (!fields_parse(takeover->question.s, takeover->question.len, fields) || !fields_are_known(fields, known)) {
        return false;
    }
    for (const char *const *key = (const char *const[]){"sid", "user", "home", "ip", NULL}; *key != NULL; key++) {
        if (fields_get(fields, *key) == NULL) {
            return false;
        }
    }
    return strcmp(fields_get_or(fields, "op", ""), "session") == 0 &&
           strcmp(fields_get_or(fields, "service", ""), takeover->service) == 0 && fields_get(fields, "home")[0] != '\0' &&
           (fields_get(fields, "early") == NULL || fields_get_number(fields, "early", EARLY_MAX, early_out));
}

static bool read_early(struct takeover *takeover, uint64_t early)
{
    struct frame frame;
    while (takeover->early.len < early) {
        if (channel_read(&takeover->call, &frame) != CHANNEL_FRAME || frame.type != 'M' ||
            frame.len > early - takeover->early.len) {
            return false;
        }
        str_cat(&takeover->early, frame.payload, frame.len);
    }
    return true;
}

enum heard { HEARD_GOOD, HEARD_BAD, HEARD_PROBE };

static enum heard read_all(struct takeover *takeover)
{
    struct frame frame;
    uint64_t early;
    if (channel_read(&takeover->call, &frame) != CHANNEL_FRAME || frame.type != 'Q') {
        return HEARD_BAD;
    }
    if (channel_answers_probe(&takeover->call, &frame)) {
        return HEARD_PROBE;
    }
    str_copy(&takeover->question, frame.payload, frame.len);
    return read_question(takeover, &early) && read_early(takeover, early) ? HEARD_GOOD : HEARD_BAD;
}

bool takeover_receive(struct takeover *takeover, const char *service)
{
    *takeover = (struct takeover){.service = service, .client = -1, .front = -1};
    channel_init(&takeover->call, 0, 1);
    takeover->call.is_brief = true;
    channel_set_deadline(&takeover->call, CALLER_SECONDS);
    enum heard heard = read_all(takeover);
    if (heard == HEARD_PROBE) {
        (void)!channel_flush(&takeover->call); /* who asked has gone: nobody else to tell */
        return false;
    }
    bool is_good = heard == HEARD_GOOD && takeover->call.n_fds == 2;
    if (is_good || takeover->call.n_fds == 2) {
        takeover->client = channel_take_fd(&takeover->call);
        takeover->front = channel_take_fd(&takeover->call);
    }
    if (!is_good) {
        log_event("refused", "why=%s what=%s", why_word(WHY_bad_request), "no whole op=session call with two descriptors");
        takeover_refuse(takeover, "5.5.4 not a call that a session of this service understands", WHY_bad_request);
    }
    return is_good;
}

/* On the front's call; without one on the caller's own. */
static bool answer(struct takeover *takeover, char letter, const char *text, enum why why)
{
    struct channel channel;
    bool has_front = takeover->front >= 0;
    channel_init(&channel, has_front ? takeover->front : 0, has_front ? takeover->front : 1);
    channel_set_deadline(&channel, CALLER_SECONDS);
    size_t start = verdict_begin(&channel.outbox, letter, text);
    if (why != WHY_NONE) {
        field_put(&channel.outbox, "why", why_word(why));
    } else {
        field_put(&channel.outbox, "user", fields_get(&takeover->fields, "user"));
    }
    frame_end(&channel.outbox, start);
    bool is_sent = channel_flush(&channel) == 0;
    if (has_front) {
        channel_close(&channel);
        takeover->front = -1;
    }
    return is_sent;
}

bool takeover_welcome(struct takeover *takeover)
{
    return answer(takeover, 'K', "2.7.0 session started", WHY_NONE);
}

void takeover_refuse(struct takeover *takeover, const char *text, enum why why)
{
    (void)answer(takeover, why == WHY_bad_request ? 'D' : 'Z', text, why);
}

void takeover_take_client(struct takeover *takeover)
{
    dup2(takeover->client, 0);
    dup2(takeover->client, 1);
    close(takeover->client);
    takeover->client = 0;
}
