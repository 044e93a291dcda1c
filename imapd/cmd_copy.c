/* SPDX-License-Identifier: ISC */
/* COPY and MOVE (RFC 3501 6.4.7, 4315, 6851). */
#include <errno.h>

#include "imapd/mailboxes.h"
#include "imapd/session.h"
#include "lib/str.h"

struct request {
    struct set set;
    stralloc folder;
};

/* COPYUID uidvalidity sources targets */
static void append_copyuid(stralloc *out, uint32_t uidvalidity, const struct folder_list *sources, const struct folder_list *uids)
{
    str_catf(out, "COPYUID %u ", uidvalidity);
    put_uids(out, sources);
    str_catc(out, ' ');
    put_uids(out, uids);
}

/* What copies of them will count. */
static uint64_t sum_bytes(struct session *session, const struct folder_list *which)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < which->n && quota_is_limited(&session->quota); i++) {
        uint32_t index = folder_index_of_uid(&session->folder, which->item[i]);
        sum += index == FOLDER_NONE ? 0 : folder_stored_bytes(&session->folder, index);
    }
    return sum;
}

struct transfer {
    struct folder_list which, sources, uids;
    uint32_t uidvalidity;
};

static int run(struct session *session, const char *name, struct transfer *transfer, bool is_move)
{
    struct folder to;
    if (folder_open(&to, session->root, name, FOLDER_WRITE) < 0) {
        return -1;
    }
    transfer->uidvalidity = to.head.uidvalidity;
    struct folder *from = &session->folder;
    int result = is_move ? folder_move(from, &transfer->which, &to, &transfer->sources, &transfer->uids)
                         : folder_copy(from, &transfer->which, &to, &transfer->sources, &transfer->uids);
    int error = errno;
    folder_tidy_late(&to);
    folder_close(&to);
    errno = error;
    return result;
}

static const struct reply *answer(struct session *session, struct transfer *transfer, bool is_move)
{
    if (transfer->sources.n == 0) {
        return &reply_done; /* all of them are gone: OK (RFC 3501 6.4.8) */
    }
    if (!is_move) {
        append_copyuid(&session->code, transfer->uidvalidity, &transfer->sources, &transfer->uids);
        return &reply_done;
    }
    /* RFC 6851 4.3: before the expunges, which dispatch tells. */
    session_put(session, "* OK [");
    append_copyuid(&session->out, transfer->uidvalidity, &transfer->sources, &transfer->uids);
    session_put(session, "] moved\r\n");
    session->replies_modseq = true; /* RFC 6851 4.4 */
    return &reply_done;
}

static const struct reply *transfer_set(struct session *session, const struct request *request, bool is_move)
{
    struct targets targets;
    struct transfer transfer = {0};
    const char *name = request->folder.s;
    if (!mailboxes_exists(session->root, name)) {
        return &reply_try_create;
    }
    const struct reply *reply = session_targets(session, &request->set, session->is_uid, &targets);
    if (reply == NULL && targets.has_expunged) {
        reply = &reply_not_copied; /* all or none (RFC 2180 4.4.1) */
        targets_free(&targets);
    }
    if (reply != NULL) {
        return reply;
    }
    targets_uids(session, &targets, &transfer.which);
    targets_free(&targets);
    uint64_t bytes = is_move ? 0 : sum_bytes(session, &transfer.which);
    if (!is_move && transfer.which.n > 0 && !session_has_room(session, bytes, transfer.which.n)) {
        reply = &reply_over_quota;
    } else if (run(session, name, &transfer, is_move) < 0) {
        reply = errno == ENOENT ? &reply_try_create : reply_of_errno(errno);
        session->code.len = 0;
    } else {
        reply = answer(session, &transfer, is_move);
    }
    if (!is_move && transfer.uids.n > 0) {
        bool are_all = transfer.uids.n == transfer.which.n;
        session_take_quota(session, are_all ? bytes : sum_bytes(session, &transfer.sources), transfer.uids.n);
    }
    folder_list_free(&transfer.which);
    folder_list_free(&transfer.sources);
    folder_list_free(&transfer.uids);
    return reply;
}

static const struct reply *parse_and_run(struct session *session, struct parser *parser, bool is_move)
{
    struct request request = {0};
    struct slice name;
    const struct reply *reply = &reply_syntax;
    if (parse_space(parser) && parse_set(parser, &request.set) && parse_space(parser) && parse_astring(parser, &name) &&
        parse_end(parser)) {
        if (is_move && session->folder.mode != FOLDER_WRITE) {
            reply = &reply_read_only;
        } else if (!mailboxes_folder(session->settings, name, &request.folder)) {
            reply = &reply_bad_name;
        } else {
            reply = transfer_set(session, &request, is_move);
        }
    }
    set_clear(&request.set);
    stralloc_free(&request.folder);
    return reply;
}

const struct reply *cmd_copy(struct session *session, struct parser *parser)
{
    return parse_and_run(session, parser, false);
}

const struct reply *cmd_move(struct session *session, struct parser *parser)
{
    return parse_and_run(session, parser, true);
}
