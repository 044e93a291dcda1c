/* SPDX-License-Identifier: ISC */
/* The way of a message into the spool, and the moment from which on it is ours. A failure anywhere before that leaves no name
 * behind; a failed sync is answered Z and never tried again on that file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/str.h"
#include "queue/intake_received.h"
#include "queue/intake_session.h"

static uid_t caller_uid(const struct intake_session *session)
{
    return session->peer->is_unix ? session->peer->uid : getuid();
}

static const struct intake_reply *reply_number(struct intake_session *session, const struct intake_reply *reply, uint64_t number)
{
    (void)snprintf(session->detail_text, sizeof session->detail_text, "%llu", (unsigned long long)number);
    session->detail = session->detail_text;
    return reply;
}

static const struct intake_reply *reply_errno(struct intake_session *session)
{
    session->detail = strerror(errno);
    return intake_reply_errno(errno);
}

static const struct intake_reply *reply_order(struct intake_session *session, char type)
{
    session->detail_text[0] = type;
    session->detail_text[1] = 0;
    session->detail = session->detail_text;
    return &intake_bad_order;
}

/* send must always find room for its marks, notes and Maildirs: what is left for them is not ours to fill. */
static const struct intake_reply *check_reserve(struct intake_session *session, uint64_t size)
{
    enum { BYTES_PER_INODE = 16384 };
    struct statfs fs;
    uint64_t reserve = session->house->settings.reserve;
    if (fstatfs(session->house->places.tmp, &fs) < 0) {
        return reply_errno(session);
    }
    uint64_t available = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
    bool is_low = available < reserve || available - reserve < size;
    bool is_low_in_inodes = fs.f_files > 0 && (uint64_t)fs.f_ffree < reserve / BYTES_PER_INODE + 1;
    return is_low || is_low_in_inodes ? &intake_disk_low : NULL;
}

static bool is_bounce(const struct intake_session *session)
{
    return strcmp(session->question.proto, "bounce") == 0;
}

/* A bounce about many recipients may be larger than any message; refused, nobody would hear of them. */
static const struct intake_reply *check_size(struct intake_session *session, uint64_t size)
{
    uint64_t databytes = session->house->settings.databytes;
    return databytes > 0 && size > databytes && !is_bounce(session) ? reply_number(session, &intake_too_big, databytes) : NULL;
}

static void append_envelope(struct intake_session *session)
{
    const struct intake_question *q = &session->question;
    char uid[24];
    (void)snprintf(uid, sizeof uid, "%lu", (unsigned long)caller_uid(session));
    struct spoolfile_envelope envelope = {.sender = q->from,
                                          .uid = uid,
                                          .envid = q->envid,
                                          .ret = q->ret,
                                          .helo = q->helo,
                                          .ip = q->ip,
                                          .login = q->auth,
                                          .tls = q->tls};
    spoolfile_envelope_append(&session->file.envelope, &envelope);
}

static const struct intake_reply *take_question(struct intake_session *session, const struct frame *frame)
{
    session->question = (struct intake_question){0};
    session->bytes = 0;
    intake_file_init(&session->file, &session->house->places);
    intake_scan_init(&session->scan);
    str_copy(&session->asked, frame->payload, frame->len);
    const struct intake_reply *reply = intake_question_read(session->asked.s, session->asked.len, session->house->is_inject,
                                                            &session->question, &session->detail);
    if (reply == NULL) {
        reply = check_size(session, session->question.size);
    }
    if (reply == NULL) {
        reply = check_reserve(session, session->question.size);
    }
    if (reply == NULL) {
        append_envelope(session);
        session->stage = INTAKE_RECIPIENTS;
    }
    return reply;
}

static const struct intake_reply *take_recipient(struct intake_session *session, const struct frame *frame)
{
    struct spoolfile_recipient recipient;
    const struct intake_reply *reply =
        intake_recipient_read(frame->payload, frame->len, session->question.is_utf8, &recipient, &session->detail);
    if (reply != NULL) {
        return reply;
    }
    if (session->file.header.n >= session->house->settings.max_recipients) {
        return reply_number(session, &intake_many_recipients, session->house->settings.max_recipients);
    }
    session->file.header.n++;
    spoolfile_recipient_append(&session->file.envelope, &recipient);
    return intake_file_spill(&session->file) < 0 ? reply_errno(session) : NULL;
}

static const struct intake_reply *put_bytes(struct intake_session *session, const char *bytes, size_t n)
{
    intake_scan_feed(&session->scan, bytes, n);
    if (session->scan.hops > INTAKE_HOPS_MAX) {
        return reply_number(session, &intake_loop, session->scan.hops - 1);
    }
    return intake_file_message(&session->file, bytes, n) < 0 ? reply_errno(session) : NULL;
}

/* The file, and our Received: as its first lines. */
static const struct intake_reply *begin_message(struct intake_session *session)
{
    const struct intake_question *q = &session->question;
    if (session->file.header.n == 0) {
        return &intake_no_recipient;
    }
    if (intake_file_create(&session->file) < 0) {
        return reply_errno(session);
    }
    struct intake_origin origin = {.proto = q->proto,
                                   .ip = q->ip,
                                   .rdns = q->rdns,
                                   .helo = q->helo,
                                   .auth = q->auth,
                                   .uid = caller_uid(session),
                                   .pid = session->pid};
    stralloc received = STRALLOC_ZERO;
    intake_received_append(&received, &origin, session->house->settings.me, session->file.id,
                           session->file.header.accepted_us / 1000000);
    const struct intake_reply *reply = put_bytes(session, received.s, received.len);
    stralloc_free(&received);
    session->stage = INTAKE_MESSAGE;
    return reply;
}

static const struct intake_reply *take_message(struct intake_session *session, const struct frame *frame)
{
    const struct intake_reply *reply = session->stage == INTAKE_RECIPIENTS ? begin_message(session) : NULL;
    if (reply == NULL) {
        session->bytes += frame->len;
        reply = check_size(session, session->bytes);
    }
    return reply != NULL ? reply : put_bytes(session, frame->payload, frame->len);
}

static void answer(struct intake_session *session)
{
    if (channel_flush(&session->channel) < 0) {
        log_event("answer-lost", "id=%s sid=%s error=%s", session->file.id, session->question.sid, strerror(errno));
    }
}

/* Tells send. Nobody reading, or a full pipe, is no trouble: send looks into new/ when it starts and once a minute. */
static void wake_send(struct intake_session *session)
{
    char record[SPOOLFILE_TRIGGER];
    spoolfile_trigger_record(session->file.id, record);
    for (int tries = 0; tries < 2; tries++) {
        if (!session->has_trigger) {
            session->trigger = open("spool/trigger", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
            session->has_trigger = session->trigger >= 0;
        }
        if (!session->has_trigger || write(session->trigger, record, sizeof record) >= 0 || errno != EPIPE) {
            return;
        }
        (void)close(session->trigger); /* its reader has gone; perhaps there is a new one */
        session->has_trigger = false;
    }
}

static void log_injected(const struct intake_session *session)
{
    if (session->house->is_inject) {
        log_event("injected", "id=%s uid=%lu from=%s recipients=%lu bytes=%llu", session->file.id,
                  (unsigned long)caller_uid(session), session->question.from, (unsigned long)session->file.header.n,
                  (unsigned long long)session->bytes);
    }
}

static uint32_t flags_of(const struct intake_session *session)
{
    return (session->scan.has_8bit ? (uint32_t)SPOOLFILE_8BIT : 0) | (session->question.is_utf8 ? (uint32_t)SPOOLFILE_UTF8 : 0) |
           (is_bounce(session) ? (uint32_t)SPOOLFILE_BOUNCE : 0);
}

static const struct intake_reply *take_end(struct intake_session *session)
{
    const struct intake_reply *reply = session->stage == INTAKE_RECIPIENTS ? begin_message(session) : NULL;
    if (reply != NULL) {
        return reply;
    }
    session->file.header.lines = session->scan.lines;
    session->file.header.flags = flags_of(session);
    if (intake_file_finish(&session->file) < 0 || intake_file_publish(&session->file) < 0) {
        return reply_errno(session);
    }
    /* From here on the mail is ours. */
    intake_reply_put_accepted(&session->channel.outbox, session->file.id, session->bytes);
    answer(session);
    wake_send(session);
    log_injected(session);
    intake_file_close(&session->file);
    session->stage = INTAKE_IDLE;
    return NULL;
}

/* NULL: go on. */
static const struct intake_reply *take_frame(struct intake_session *session, const struct frame *frame)
{
    bool is_open = session->stage == INTAKE_RECIPIENTS || session->stage == INTAKE_MESSAGE;
    if (frame->type == 'Q' && !is_open) {
        return take_question(session, frame);
    }
    if (session->stage == INTAKE_DRAIN && strchr("RME", frame->type) != NULL) {
        session->stage = frame->type == 'E' ? INTAKE_IDLE : INTAKE_DRAIN;
        return NULL;
    }
    if (frame->type == 'R' && session->stage == INTAKE_RECIPIENTS) {
        return take_recipient(session, frame);
    }
    if (frame->type == 'M' && is_open) {
        return take_message(session, frame);
    }
    if (frame->type == 'E' && is_open && frame->len == 0) {
        return take_end(session);
    }
    return reply_order(session, frame->type);
}

static void refuse(struct intake_session *session, const struct intake_reply *reply)
{
    const struct intake_question *q = &session->question;
    intake_file_close(&session->file);
    intake_reply_put(&session->channel.outbox, reply, session->detail);
    answer(session);
    log_event(reply->letter == 'Z' ? "deferred" : "refused",
              "id=%s sid=%s uid=%lu from=%s recipients=%lu bytes=%llu why=%s detail=%s", session->file.id, q->sid,
              (unsigned long)caller_uid(session), q->from, (unsigned long)session->file.header.n,
              (unsigned long long)session->bytes, why_word(reply->why), session->detail);
}

/* True while the connection may go on. */
static bool serve_frame(struct intake_session *session, const struct frame *frame)
{
    session->detail = NULL;
    if (session->stage == INTAKE_IDLE && channel_answers_probe(&session->channel, frame)) {
        answer(session);
        return true;
    }
    const struct intake_reply *reply = take_frame(session, frame);
    if (reply == NULL) {
        return true;
    }
    refuse(session, reply);
    session->stage = frame->type == 'E' ? INTAKE_IDLE : INTAKE_DRAIN;
    return reply->why != WHY_bad_request;
}

static void leave(struct intake_session *session, enum channel_result result)
{
    if (result == CHANNEL_BAD) {
        session->detail = NULL;
        refuse(session, &intake_bad_frames);
    }
    if (result == CHANNEL_TIMEOUT || result == CHANNEL_ERROR) {
        log_event("gave-up", "sid=%s reason=%s id=%s", session->question.sid,
                  result == CHANNEL_TIMEOUT ? "timeout" : strerror(errno), session->file.id);
    }
    intake_file_close(&session->file);
}

void intake_session_run(struct intake_session *session, const struct intake_house *house, const struct serve_peer *peer)
{
    struct frame frame;
    enum channel_result result;
    session->house = house;
    session->peer = peer;
    session->pid = getpid();
    session->question = (struct intake_question){0};
    session->stage = INTAKE_IDLE;
    intake_file_init(&session->file, &house->places);
    channel_init(&session->channel, 0, 1);
    do {
        channel_set_deadline(&session->channel, (unsigned)house->settings.timeout);
        result = channel_read(&session->channel, &frame);
    } while (result == CHANNEL_FRAME && serve_frame(session, &frame));
    if (result != CHANNEL_FRAME) {
        leave(session, result);
    }
    intake_file_close(&session->file);
    channel_close(&session->channel);
}
