/* SPDX-License-Identifier: ISC */
/* STORE (RFC 3501 6.4.6) with UNCHANGEDSINCE (RFC 7162 3.1.3). */
#include <errno.h>
#include <string.h>

#include "imapd/flags.h"
#include "imapd/session.h"
#include "lib/str.h"

struct request {
    struct set set;
    struct folder_store store;
    bool is_silent;
    struct flag_names names;
};

/* [+-]FLAGS[.SILENT] */
static bool parse_item(struct parser *parser, struct request *out)
{
    out->store.how = parse_char(parser, '+') ? STORE_ADD : parse_char(parser, '-') ? STORE_REMOVE : STORE_REPLACE;
    out->is_silent = parse_word(parser, "FLAGS.SILENT");
    return out->is_silent || parse_word(parser, "FLAGS");
}

static bool parse_since(struct parser *parser, struct request *out)
{
    if (!parse_char(parser, '(')) {
        return true;
    }
    out->store.has_unchangedsince = true;
    return parse_word(parser, "UNCHANGEDSINCE") && parse_space(parser) && parse_number64(parser, &out->store.unchangedsince) &&
           parse_char(parser, ')') && parse_space(parser);
}

static bool parse_request(struct parser *parser, struct request *out)
{
    return parse_space(parser) && parse_set(parser, &out->set) && parse_space(parser) && parse_since(parser, out) &&
           parse_item(parser, out) && parse_space(parser) && flags_parse(parser, true, &out->names) && parse_end(parser);
}

static void put_modseq(struct session *session, uint32_t index)
{
    const struct record *record = folder_record(&session->folder, index);
    session_putf(session, "* %u FETCH (UID %u MODSEQ (%llu))\r\n", folder_seq(&session->folder, index), record->uid,
                 (unsigned long long)record->modseq);
    modseq_sent(session, record->modseq);
    session_room(session);
}

/* The untagged FETCH of each message that was meant; with .SILENT only what CONDSTORE wants told: numbers, and how those are now
 * that failed, so that nobody has to ask (RFC 7162 3.1.3). False: one of them is gone meanwhile. */
static bool answer(struct session *session, const struct request *request, const struct folder_list *uids,
                   const struct folder_list *failed)
{
    struct folder *folder = &session->folder;
    uint32_t at = 0;
    bool is_whole = true;
    session_tell_names(session);
    for (uint32_t i = 0; i < uids->n && (!request->is_silent || session->condstore); i++) {
        while (at < failed->n && failed->item[at] < uids->item[i]) {
            at++;
        }
        uint32_t index = folder_index_of_uid(folder, uids->item[i]);
        bool is_failed = at < failed->n && failed->item[at] == uids->item[i];
        if (index == FOLDER_NONE) {
            is_whole = false;
            continue;
        }
        if (!request->is_silent || is_failed) {
            session_put_flags(session, index);
        } else {
            put_modseq(session, index);
        }
    }
    return is_whole;
}

/* [MODIFIED set]: UIDs behind UID STORE, else numbers. */
static void put_modified(struct session *session, struct folder_list *failed)
{
    if (failed->n == 0) {
        return;
    }
    if (!session->is_uid) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < failed->n; i++) {
            uint32_t index = folder_index_of_uid(&session->folder, failed->item[i]);
            if (index != FOLDER_NONE) {
                failed->item[kept++] = folder_seq(&session->folder, index);
            }
        }
        failed->n = kept;
    }
    str_cats(&session->code, "MODIFIED ");
    put_uids(&session->code, failed);
}

static const struct reply *store(struct session *session, struct request *request)
{
    struct targets targets;
    struct folder_list uids = {0};
    struct folder_list failed = {0};
    const struct reply *trouble = session_targets(session, &request->set, session->is_uid, &targets);
    if (trouble != NULL) {
        return trouble;
    }
    if (request->store.has_unchangedsince) {
        modseq_enable(session);
    }
    targets_uids(session, &targets, &uids);
    bool is_whole = !targets.has_expunged;
    targets_free(&targets);
    trouble = flags_numbers(&session->folder, &request->names, request->store.how != STORE_REMOVE, &request->store.flags,
                            &request->store.keywords);
    if (trouble == NULL && folder_store(&session->folder, &uids, &request->store, &failed) < 0) {
        trouble = reply_of_errno(errno);
    }
    if (trouble == NULL) {
        is_whole = answer(session, request, &uids, &failed) && is_whole;
        put_modified(session, &failed);
        trouble = failed.n > 0 ? &reply_modified : &reply_done;
        if (!is_whole && !session->is_uid && !request->is_silent) {
            trouble = &reply_expunge_issued; /* RFC 2180 4.2; with MODIFIED: RFC 7162 3.1.3 */
        }
    }
    folder_list_free(&uids);
    folder_list_free(&failed);
    return trouble;
}

const struct reply *cmd_store(struct session *session, struct parser *parser)
{
    struct request request = {0};
    const struct reply *reply = &reply_syntax;
    if (parse_request(parser, &request)) {
        reply = session->folder.mode != FOLDER_WRITE ? &reply_read_only : store(session, &request);
    }
    set_clear(&request.set);
    return reply;
}
