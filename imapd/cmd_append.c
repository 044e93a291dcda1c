/* SPDX-License-Identifier: ISC */
/* APPEND (RFC 3501 6.3.11, 4315). The message goes from the wire into a file of tmp/, CRLF as LF as deliveries are stored; it is
 * durable and has its UID before OK. What is refused is refused before it is asked for, or swallowed where it comes anyway. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "imapd/flags.h"
#include "imapd/mailboxes.h"
#include "imapd/session.h"
#include "lib/clock.h"
#include "lib/crlf.h"
#include "lib/str.h"

enum { BUFFER = 65536 };

struct request {
    stralloc folder;
    struct flag_names flags;
    bool has_flags, has_date;
    int64_t date;
    bool is_bad_date;
};

/* SP mailbox [SP flags] [SP date-time] SP literal */
static bool parse_request(struct session *session, struct parser *parser, struct request *out, bool *has_name_out)
{
    struct slice name;
    if (!parse_space(parser) || !parse_astring(parser, &name) || !parse_space(parser)) {
        return false;
    }
    *has_name_out = mailboxes_folder(session->settings, name, &out->folder);
    out->has_flags = parser->at < parser->end && *parser->at == '(';
    if (out->has_flags && (!flags_parse(parser, false, &out->flags) || !parse_space(parser))) {
        return false;
    }
    out->has_date = parser->at < parser->end && *parser->at == '"';
    if (out->has_date && !parse_date_time(parser, &out->date)) {
        out->is_bad_date = true;
        return false;
    }
    if (out->has_date && !parse_space(parser)) {
        return false;
    }
    /* What is left is the literal's announcement, which input has read; a brace that announces nothing is none. */
    return session->input.has_message && parser->at < parser->end && *parser->at == '{' &&
           memchr(parser->at, '\n', (size_t)(parser->end - parser->at)) == NULL;
}

/* CRLF to LF. A CR at the end of one part waits for the next. */
struct lines {
    bool has_cr;
    struct crlf wire; /* counts the stored form */
};

static size_t to_stored(struct lines *lines, const char *in, size_t n, char *out)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (lines->has_cr && in[i] != '\n') {
            out[to++] = '\r';
        }
        lines->has_cr = in[i] == '\r';
        if (!lines->has_cr) {
            out[to++] = in[i];
        }
    }
    return to;
}

static int write_part(int fd, struct lines *lines, const char *bytes, size_t n)
{
    char out[WIRE_IN + 1];
    size_t len = to_stored(lines, bytes, n, out);
    crlf_count(&lines->wire, out, len);
    return write_whole(fd, out, len);
}

/* The message into fd. 0; 1 the client is gone; -1 errno: the rest was swallowed. */
static int receive(struct session *session, uint64_t left, int fd, struct lines *lines)
{
    int error = 0;
    while (left > 0) {
        const char *bytes;
        size_t len;
        if (wire_peek(&session->wire, &bytes, &len) != WIRE_LINE) {
            return 1;
        }
        size_t part = len < left ? len : (size_t)left;
        if (error == 0 && write_part(fd, lines, bytes, part) < 0) {
            error = errno;
        }
        wire_skip(&session->wire, part);
        left -= part;
    }
    if (error == 0 && lines->has_cr && write_part(fd, lines, "", 0) < 0) {
        error = errno;
    }
    if (error == 0 && lines->has_cr) {
        lines->has_cr = false;
        crlf_count(&lines->wire, "\r", 1);
        error = write_whole(fd, "\r", 1) < 0 ? errno : 0;
    }
    errno = error;
    return error == 0 ? 0 : -1;
}

/* A refusal before the message: where it comes without asking it has to go by first. */
static const struct reply *refuse(struct session *session, const struct reply *reply)
{
    session->is_over = input_drop_message(&session->input) != INPUT_COMMAND;
    return session->is_over ? NULL : reply;
}

struct commit {
    struct session *session;
    struct folder_append *append;
    const struct lines *lines;
    const struct request *request;
    const struct reply *reply;
};

static const struct reply *commit(struct session *session, struct folder_append *append, const struct lines *lines,
                                  const struct request *request)
{
    struct append_meta meta = {.bytes = lines->wire.bytes, .wire_bytes = crlf_wire_bytes(&lines->wire)};
    int64_t date = request->has_date ? request->date : (int64_t)(clock_wall_us() / 1000000);
    uint32_t uid;
    meta.date = date < 0 ? 0 : date >= RECORD_UNSEEN ? RECORD_UNSEEN - 1 : (uint32_t)date;
    const struct reply *trouble = flags_numbers(append->folder, &request->flags, true, &meta.flags, &meta.keywords);
    if (trouble != NULL) {
        return trouble;
    }
    const char *host = session->settings->me != NULL ? session->settings->me : "";
    if (folder_append_done(append, &meta) < 0 || folder_append_commit(append, host, &uid) < 0) {
        return reply_of_errno(errno);
    }
    str_catf(&session->code, "APPENDUID %u %u", append->folder->head.uidvalidity, uid);
    session_take_quota(session, meta.bytes, 1);
    return &reply_done;
}

static int commit_step(void *ctx)
{
    struct commit *it = ctx;
    it->reply = commit(it->session, it->append, it->lines, it->request);
    return 0;
}

/* The index of the folder may turn out to be damaged here. */
static const struct reply *commit_guarded(struct commit it)
{
    return folder_guarded(it.append->folder, commit_step, &it) < 0 ? reply_of_errno(errno) : it.reply;
}

static const struct reply *take_message(struct session *session, struct folder *folder, const struct request *request)
{
    struct folder_append append;
    struct lines lines = {0};
    crlf_start(&lines.wire);
    folder_append_begin(&append, folder);
    if (folder_append_file(&append) < 0) {
        return refuse(session, reply_of_errno(errno));
    }
    if (!session->input.message.is_plus) {
        session_put(session, "+ go on\r\n");
        session_flush(session);
    }
    session->input.has_message = false;
    int received = receive(session, session->input.message.len, append.fd, &lines);
    int error = errno;
    const struct reply *reply = NULL;
    session->input.command.len = 0;
    if (received == 1) {
        session->is_over = true;
    } else {
        enum input_result rest = input_read_rest(&session->input);
        session->is_over = rest == INPUT_END || rest == INPUT_TIMEOUT || rest == INPUT_GONE;
        bool is_whole = rest == INPUT_COMMAND && session->input.command.len == 0;
        reply = !is_whole      ? &reply_lost_append
                : received < 0 ? reply_of_errno(error)
                               : commit_guarded((struct commit){session, &append, &lines, request, NULL});
    }
    folder_append_abort(&append);
    return session->is_over ? NULL : reply;
}

static const struct reply *run(struct session *session, const struct request *request)
{
    struct folder folder;
    uint64_t len = session->input.message.len;
    if (!mailboxes_exists(session->root, request->folder.s)) {
        return refuse(session, &reply_try_create);
    }
    if (session->settings->databytes > 0 && len > session->settings->databytes) {
        return refuse(session, &reply_too_big);
    }
    if (!session_has_room(session, len, 1)) {
        return refuse(session, &reply_over_quota);
    }
    if (folder_open(&folder, session->root, request->folder.s, FOLDER_WRITE) < 0) {
        return refuse(session, reply_of_errno(errno));
    }
    const struct reply *reply = take_message(session, &folder, request);
    folder_tidy_late(&folder);
    folder_close(&folder);
    return reply;
}

const struct reply *cmd_append(struct session *session, struct parser *parser)
{
    struct request request = {0};
    bool has_name = false;
    const struct reply *reply;
    if (!parse_request(session, parser, &request, &has_name)) {
        reply = refuse(session, request.is_bad_date ? &reply_bad_date : &reply_syntax);
    } else if (!has_name) {
        reply = refuse(session, &reply_bad_name);
    } else {
        reply = run(session, &request);
    }
    stralloc_free(&request.folder);
    return reply;
}
