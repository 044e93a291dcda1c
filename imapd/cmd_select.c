/* SPDX-License-Identifier: ISC */
/* SELECT EXAMINE CLOSE UNSELECT EXPUNGE (RFC 3501, 3691, 4315, 7162). */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imapd/mailboxes.h"
#include "imapd/qresync.h"
#include "imapd/session.h"
#include "lib/log.h"
#include "lib/str.h"

static void leave(struct session *session)
{
    if (session->is_selected) {
        folder_close(&session->folder);
        session->is_selected = false;
    }
    set_clear(&session->saved); /* also of one that was deleted meanwhile */
}

static void put_state(struct session *session)
{
    struct folder *folder = &session->folder;
    session_put_names(session);
    if (folder_end(folder) == 0) {
        session_put(session, "* 0 EXISTS\r\n* 0 RECENT\r\n");
    }
    session_tell(session, true); /* EXISTS, RECENT */
    uint32_t unseen = folder_first_unseen(folder);
    if (unseen < folder_end(folder)) {
        session_putf(session, "* OK [UNSEEN %u] first unseen\r\n", folder_seq(folder, unseen));
    }
    session_putf(session,
                 "* OK [UIDVALIDITY %u] UIDs hold\r\n* OK [UIDNEXT %u] next UID\r\n* OK [HIGHESTMODSEQ %llu] highest\r\n",
                 folder->head.uidvalidity, folder->uidnext, (unsigned long long)folder->modseq);
    session->told_modseq = folder->modseq;
}

static const char bye[] = "* BYE [SERVERBUG] the index of this mailbox was damaged; log in again, it is made anew\r\n";

void session_damaged(void)
{
    (void)!write(1, bye, sizeof bye - 1);
    exit(111);
}

/* A mapped file ends before its mapping does. This is no interrupted libc call but an access of ours: the log may be written. */
static void on_cut_file(int signal_number)
{
    (void)signal_number;
    log_event("alert", "what=%s", "stafet.index or stafet.cache was cut short while it was in use");
    (void)!write(1, bye, sizeof bye - 1);
    _exit(111);
}

void session_catch_cut_files(void)
{
    const struct sigaction action = {.sa_handler = on_cut_file};
    (void)sigaction(SIGBUS, &action, NULL);
}

static const struct reply *enter(struct session *session, const char *name, enum folder_mode mode)
{
    struct folder *folder = &session->folder;
    if (folder_open(folder, session->root, name, mode) < 0) {
        return reply_of_errno(errno);
    }
    folder->on_damage = session_damaged;
    folder->work = session->work;
    if (folder_sync(folder, FOLDER_LOOK) < 0) {
        const struct reply *reply = reply_of_errno(errno);
        folder_close(folder);
        return reply;
    }
    session->is_selected = true;
    session->told_exists = session->told_recent = 0;
    str_copys(&session->selected, name);
    (void)str_text(&session->selected);
    return NULL;
}

static const struct reply *open_mailbox(struct session *session, struct parser *parser, enum folder_mode mode)
{
    struct slice name;
    struct qresync_request request = {0};
    if (!parse_space(parser) || !parse_astring(parser, &name)) {
        return &reply_syntax;
    }
    const struct reply *trouble = qresync_parse(session, parser, &request);
    if (trouble == NULL && !parse_end(parser)) {
        trouble = &reply_syntax;
    }
    stralloc folder = STRALLOC_ZERO;
    if (trouble == NULL) {
        bool was_selected = session->is_selected;
        leave(session);
        if (was_selected) {
            session_put(session, "* OK [CLOSED] the mailbox before is closed\r\n");
        }
        trouble = mailboxes_folder(session->settings, name, &folder) ? enter(session, folder.s, mode) : &reply_no_folder;
    }
    if (trouble == NULL) {
        session->condstore = session->condstore || request.is_condstore || request.is_there;
        put_state(session);
        qresync_answer(session, &request);
        session->sent_modseq = 0;
    }
    stralloc_free(&folder);
    qresync_free(&request);
    return trouble != NULL ? trouble : mode == FOLDER_WRITE ? &reply_selected : &reply_examined;
}

const struct reply *cmd_select(struct session *session, struct parser *parser)
{
    return open_mailbox(session, parser, FOLDER_WRITE);
}

const struct reply *cmd_examine(struct session *session, struct parser *parser)
{
    return open_mailbox(session, parser, FOLDER_READ);
}

/* Expunges what is \Deleted, of `only` (UIDs) or of all. */
static const struct reply *expunge(struct session *session, const struct targets *only)
{
    struct folder *folder = &session->folder;
    struct folder_list which = {0};
    struct targets all = {0};
    struct folder_span span = {0, folder->told_end};
    if (only == NULL) {
        all = (struct targets){.span = &span, .n = 1};
        only = &all;
    }
    for (uint32_t k = 0; k < only->n && folder->n_deleted > 0; k++) {
        for (uint32_t i = only->span[k].from; i < only->span[k].to; i++) {
            const struct record *record = folder_record(folder, i);
            if (record->flags & MAILBOX_TRASHED && !(record->state & RECORD_IS_GONE)) {
                folder_list_add(&which, record->uid);
            }
        }
    }
    uint64_t freed;
    uint32_t n;
    int result = folder_expunge(folder, &which, &freed, &n);
    int error = errno;
    session_free_quota(session, freed, n);
    folder_list_free(&which);
    return result < 0 ? reply_of_errno(error) : NULL;
}

const struct reply *cmd_close(struct session *session, struct parser *parser)
{
    if (!parse_end(parser)) {
        return &reply_syntax;
    }
    const struct reply *trouble = session->folder.mode == FOLDER_WRITE ? expunge(session, NULL) : NULL;
    leave(session);
    return trouble != NULL ? trouble : &reply_done;
}

const struct reply *cmd_unselect(struct session *session, struct parser *parser)
{
    if (!parse_end(parser)) {
        return &reply_syntax;
    }
    leave(session);
    return &reply_done;
}

const struct reply *cmd_expunge(struct session *session, struct parser *parser)
{
    struct set set = {0};
    struct targets targets = {0};
    const struct reply *trouble = NULL;
    bool is_good = !session->is_uid || (parse_space(parser) && parse_set(parser, &set));
    if (!is_good || !parse_end(parser)) {
        trouble = &reply_syntax;
    } else if (session->folder.mode != FOLDER_WRITE) {
        trouble = &reply_read_only;
    } else if (session->is_uid) {
        trouble = session_targets(session, &set, true, &targets);
    }
    if (trouble == NULL) {
        trouble = expunge(session, session->is_uid ? &targets : NULL);
    }
    targets_free(&targets);
    set_clear(&set);
    if (trouble != NULL) {
        return trouble;
    }
    session->replies_modseq = session->condstore; /* RFC 7162 3.2.7 */
    return &reply_done;
}
