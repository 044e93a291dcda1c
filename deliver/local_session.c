/* SPDX-License-Identifier: ISC */
/* Frames in, deliveries, verdicts out. A call is read whole before anything is delivered; each recipient's verdict leaves before
 * the next one is begun, so that send can mark it. When send dies in between, the recipient at hand is finished and the rest is
 * left alone. */
#include "deliver/local_session.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/msgid.h"
#include "lib/str.h"

static const char *const question_keys[] = {"op", "sid", "id", "from", "moff", "mlen", "body", "utf8", "last", NULL};
static const char *const recipient_keys[] = {"n", "orig", "kind", "home", "quota", "user", "local", "dash", "ext", "flags", NULL};

struct session {
    struct delivery_settings *settings;
    struct channel channel;
    struct runner *runner;
    struct message message;
    int kept_fd; /* of the message before; -1: none */
    struct outcome outcome;
    stralloc question;   /* payload of Q */
    stralloc recipients; /* payloads of R, one behind the other */
    size_t ends[LOCAL_RECIPIENTS_MAX];
    unsigned n_recipients;
    unsigned deliveries;
    bool is_last;
    bool is_ending; /* after this call */
    stralloc prefix;
};

static const char not_readable[] = "4.3.0 the message cannot be read now; it stays in the queue";

static void refuse_call(struct session *session, const char *text)
{
    bool is_ours = text == not_readable; /* our trouble, not the caller's */
    size_t start = verdict_begin(&session->channel.outbox, is_ours ? 'Z' : 'D', text);
    field_put(&session->channel.outbox, "why", why_word(is_ours ? WHY_io : WHY_bad_request));
    frame_end(&session->channel.outbox, start);
    log_event(is_ours ? "deferred" : "bad-request", "service=local what=%s", text);
    session->is_ending = true;
}

/* Fields of Q into session->message; NULL, or what is wrong. */
static const char *read_question(struct session *session, int fd)
{
    struct message *message = &session->message;
    struct fields fields;
    uint64_t offset;
    uint64_t length;
    uint64_t last = 0;
    if (!fields_parse(session->question.s, session->question.len, &fields) || !fields_are_known(&fields, question_keys)) {
        return "5.5.4 unknown or broken fields in the question";
    }
    message->id = fields_get_or(&fields, "id", "");
    message->sender = fields_get(&fields, "from");
    message->body = fields_get(&fields, "body");
    message->utf8 = fields_get(&fields, "utf8");
    if (strcmp(fields_get_or(&fields, "op", ""), "deliver") != 0 || message->sender == NULL ||
        !msgid_is_valid(message->id, strlen(message->id))) {
        return "5.5.4 the question needs op=deliver, id= and from=";
    }
    if (!fields_get_number(&fields, "moff", INT64_MAX, &offset) || !fields_get_number(&fields, "mlen", INT64_MAX, &length)) {
        return "5.5.4 the question needs moff= and mlen=";
    }
    if (fields_get(&fields, "last") != NULL && !fields_get_number(&fields, "last", 1, &last)) {
        return "5.5.4 last= is 0 or 1";
    }
    session->is_last = last == 1;
    if (fd >= 0 && message_open(message, fd, offset, length) == 0) {
        return NULL;
    }
    return fd < 0 || errno == EINVAL ? "5.5.4 the descriptor does not hold such a message" : not_readable;
}

static bool read_recipient(struct delivery *delivery, const struct fields *fields)
{
    delivery->orig = fields_get_or(fields, "orig", "");
    delivery->kind = fields_get_or(fields, "kind", "");
    delivery->home = fields_get_or(fields, "home", "");
    delivery->quota = fields_get(fields, "quota");
    delivery->user = fields_get_or(fields, "user", "");
    delivery->local = fields_get_or(fields, "local", "");
    delivery->dash = fields_get_or(fields, "dash", "");
    delivery->ext = fields_get_or(fields, "ext", "");
    static const char *const kinds[] = {"mailbox", "alias", "catchall", "list"};
    bool is_known = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        is_known |= strcmp(delivery->kind, kinds[i]) == 0;
    }
    if (fields_get(fields, "flags") != NULL && !fields_get_number(fields, "flags", UINT32_MAX, &delivery->flags)) {
        return false;
    }
    return is_known && delivery->orig[0] != '\0' && delivery->home[0] != '\0' &&
           fields_get_number(fields, "n", UINT32_MAX, &delivery->n);
}

static void put_verdict(struct session *session, uint64_t n)
{
    const struct outcome *outcome = &session->outcome;
    stralloc *out = &session->channel.outbox;
    size_t start = verdict_begin_numbered(out, n, outcome->letter, outcome->text.s);
    field_put(out, "where", outcome->where.len > 0 ? outcome->where.s : NULL);
    field_put(out, "why", outcome->why != WHY_NONE ? why_word(outcome->why) : NULL);
    frame_end(out, start);
}

static void log_delivery(const struct session *session, const struct delivery *delivery)
{
    const struct outcome *outcome = &session->outcome;
    const char *where = outcome->where.len > 0 ? outcome->where.s : "";
    unsigned long long n = delivery->n;
    if (outcome->letter == 'K') {
        log_event("delivered", "id=%s n=%llu to=%s where=%s bytes=%llu", session->message.id, n, delivery->orig, where,
                  (unsigned long long)session->message.length);
    } else {
        log_event(outcome->letter == 'D' ? "refused" : "deferred", "id=%s n=%llu to=%s where=%s why=%s text=%s",
                  session->message.id, n, delivery->orig, where, why_word(outcome->why), outcome->text.s);
    }
}

/* One R frame. False: it is none. */
static bool deliver(struct session *session, const char *payload, size_t n, bool is_final)
{
    struct fields fields;
    struct delivery delivery = {.settings = session->settings,
                                .message = &session->message,
                                .runner = session->runner,
                                .outcome = &session->outcome,
                                .is_last = session->is_last && is_final,
                                .prefix = session->prefix};
    if (!fields_parse(payload, n, &fields) || !fields_are_known(&fields, recipient_keys) || !read_recipient(&delivery, &fields)) {
        return false;
    }
    delivery_run(&delivery);
    session->prefix = delivery.prefix;
    session->deliveries++;
    put_verdict(session, delivery.n);
    log_delivery(session, &delivery);
    return true;
}

static void deliver_all(struct session *session)
{
    for (unsigned i = 0; i < session->n_recipients; i++) {
        size_t start = i == 0 ? 0 : session->ends[i - 1];
        bool is_final = i + 1 == session->n_recipients;
        if (!deliver(session, session->recipients.s + start, session->ends[i] - start, is_final)) {
            refuse_call(session, "5.5.4 a recipient needs n=, orig=, kind= and home=, and nothing unknown");
            return;
        }
        if (!is_final && channel_flush(&session->channel) < 0) {
            session->is_ending = true; /* nobody listens any more */
            return;
        }
    }
    size_t start = verdict_begin(&session->channel.outbox, 'K', "2.0.0 done");
    frame_end(&session->channel.outbox, start);
}

/* The frames behind Q; true when E came. Otherwise the call is over, with or without a verdict. */
static bool read_recipients(struct session *session)
{
    struct frame frame;
    session->n_recipients = 0;
    session->recipients.len = 0;
    while (channel_read(&session->channel, &frame) == CHANNEL_FRAME) {
        if (frame.type == 'E') {
            return true;
        }
        if (frame.type != 'R' || session->n_recipients == LOCAL_RECIPIENTS_MAX) {
            refuse_call(session,
                        frame.type != 'R' ? "5.5.1 a frame that has no place here" : "5.5.3 too many recipients in one call");
            return false;
        }
        str_cat(&session->recipients, frame.payload, frame.len);
        session->ends[session->n_recipients++] = session->recipients.len;
    }
    session->is_ending = true;
    return false;
}

static void serve_call(struct session *session, const struct frame *frame)
{
    channel_set_deadline(&session->channel, LOCAL_CALL_SECONDS);
    if (channel_answers_probe(&session->channel, frame)) {
        return;
    }
    if (frame->type != 'Q') {
        refuse_call(session, "5.5.1 a call begins with Q");
        return;
    }
    str_copy(&session->question, frame->payload, frame->len);
    int fd = channel_take_fd(&session->channel);
    const char *trouble = read_question(session, fd);
    if (trouble != NULL || session->channel.n_fds > 0) {
        refuse_call(session, trouble != NULL ? trouble : "5.5.4 more than one descriptor");
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    if (read_recipients(session)) {
        session->channel.deadline_ms = 0; /* a delivery takes its time; each part has its own limit */
        deliver_all(session);
    }
}

static void let_go(struct session *session)
{
    if (session->kept_fd >= 0) {
        close(session->kept_fd);
        session->kept_fd = -1;
    }
}

/* Who closes a removed file last waits while the file system frees it, and send, which removes it as soon as it has our answer,
 * has more to do: the descriptor of a message that is through (last=1, K) is kept until the next one is, or a second. */
static void end_message(struct session *session)
{
    let_go(session);
    if (session->is_last && session->outcome.letter == 'K') {
        session->kept_fd = session->message.fd;
        session->message.fd = -1;
    }
    message_close(&session->message);
}

/* The first frame of the next call. False: there is none, the worker ends. */
static bool wait_for_call(struct session *session, struct frame *frame_out)
{
    channel_set_deadline(&session->channel, LOCAL_KEPT_SECONDS);
    enum channel_result result = channel_read(&session->channel, frame_out);
    if (result == CHANNEL_TIMEOUT) {
        let_go(session);
        channel_set_deadline(&session->channel, LOCAL_IDLE_SECONDS - LOCAL_KEPT_SECONDS);
        result = channel_read(&session->channel, frame_out);
    }
    return result == CHANNEL_FRAME;
}

void local_session_run(struct delivery_settings *settings, struct runner *runner, void (*refresh)(void))
{
    static struct session session;
    struct frame frame;
    session.settings = settings;
    session.runner = runner;
    session.message.fd = session.message.memfd = session.kept_fd = -1;
    channel_init(&session.channel, 0, 1);
    while (!session.is_ending && session.deliveries < LOCAL_DELIVERIES_MAX) {
        if (!wait_for_call(&session, &frame)) {
            break;
        }
        refresh();
        serve_call(&session, &frame);
        channel_set_deadline(&session.channel, LOCAL_CALL_SECONDS);
        session.is_ending |= channel_flush(&session.channel) < 0 || runner->pid == 0;
        end_message(&session);
    }
}
