/* SPDX-License-Identifier: ISC */
/* The table of commands. What a command may do is known before it runs: whether it needs a mailbox, and whether sequence numbers
 * may move before its reply (RFC 3501 7.4.1: not in FETCH, STORE and SEARCH; RFC 5256 for SORT and THREAD). */
#include <string.h>

#include "imapd/session.h"
#include "lib/str.h"

enum { SELECTED = 1, UID_TOO = 2, LOOKS = 4, KEEPS_NUMBERS = 8, MESSAGE = 16 };
static const struct command {
    const char *word;
    session_command *run;
    unsigned flags;
} commands[] = {
    {"FETCH", cmd_fetch, SELECTED | UID_TOO | KEEPS_NUMBERS},
    {"STORE", cmd_store, SELECTED | UID_TOO | KEEPS_NUMBERS},
    {"SEARCH", cmd_search, SELECTED | UID_TOO | KEEPS_NUMBERS},
    {"NOOP", cmd_noop, LOOKS},
    {"IDLE", cmd_idle, 0},
    {"SELECT", cmd_select, 0},
    {"EXAMINE", cmd_examine, 0},
    {"STATUS", cmd_status, LOOKS},
    {"LIST", cmd_list, 0},
    {"LSUB", cmd_lsub, 0},
    {"XLIST", cmd_xlist, 0},
    {"SORT", cmd_sort, SELECTED | UID_TOO | KEEPS_NUMBERS},
    {"THREAD", cmd_thread, SELECTED | UID_TOO | KEEPS_NUMBERS},
    {"COPY", cmd_copy, SELECTED | UID_TOO | LOOKS},
    {"MOVE", cmd_move, SELECTED | UID_TOO | LOOKS},
    {"EXPUNGE", cmd_expunge, SELECTED | UID_TOO | LOOKS},
    {"APPEND", cmd_append, LOOKS | MESSAGE},
    {"CHECK", cmd_check, SELECTED | LOOKS},
    {"CLOSE", cmd_close, SELECTED},
    {"UNSELECT", cmd_unselect, SELECTED},
    {"CREATE", cmd_create, LOOKS},
    {"DELETE", cmd_delete, LOOKS},
    {"RENAME", cmd_rename, LOOKS},
    {"SUBSCRIBE", cmd_subscribe, LOOKS},
    {"UNSUBSCRIBE", cmd_unsubscribe, LOOKS},
    {"CAPABILITY", cmd_capability, 0},
    {"ID", cmd_id, 0},
    {"ENABLE", cmd_enable, 0},
    {"NAMESPACE", cmd_namespace, 0},
    {"LOGOUT", cmd_logout, 0},
};

static const struct command *find(struct slice word)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (slice_is(word, commands[i].word)) {
            return &commands[i];
        }
    }
    return NULL;
}

/* FETCH, STORE and SEARCH by number must not move numbers; their UID forms may (RFC 3501 7.4.1), but not a UID SEARCH with
 * sequence numbers in it (RFC 7162 3.2.10.2, RFC 9051 7.5.1). */
static const struct reply *run(struct session *session, const struct command *command, struct parser *parser)
{
    if (command->flags & SELECTED && !session->is_selected) {
        return &reply_not_selected;
    }
    /* Told only afterwards: the numbers of this command are those that the client knows. */
    if (command->flags & SELECTED && !session_sync(session, FOLDER_JOURNAL)) {
        return NULL;
    }
    const struct reply *reply = command->run(session, parser);
    if (reply == NULL || session->is_over || !session->is_selected) {
        return reply;
    }
    bool keeps_numbers = command->flags & KEEPS_NUMBERS && (!session->is_uid || session->names_numbers);
    bool looks = command->flags & LOOKS && reply->kind != REPLY_BAD;
    bool is_known = command->flags & (LOOKS | SELECTED);
    if (is_known && !session_look(session, looks ? FOLDER_LOOK : FOLDER_JOURNAL, !keeps_numbers)) {
        return NULL;
    }
    return reply;
}

const struct reply *dispatch(struct session *session)
{
    stralloc *text = &session->input.command;
    struct parser parser = {text->s, text->s + text->len};
    struct slice word;
    if (text->len == 0) {
        return NULL; /* iOS sends empty lines between commands */
    }
    bool has_tag = parse_reply_tag(&parser, &session->tag);
    session->is_uid = session->names_numbers = session->has_modseq_code = session->replies_modseq = false;
    session->code.len = 0;
    if (!has_tag || !parse_space(&parser) || !parse_atom(&parser, &word)) {
        return &reply_no_tag;
    }
    bool is_uid = slice_is(word, "UID");
    if (is_uid && (!parse_space(&parser) || !parse_atom(&parser, &word))) {
        return &reply_unknown;
    }
    const struct command *command = find(word);
    if (command == NULL || (is_uid && !(command->flags & UID_TOO))) {
        return &reply_unknown;
    }
    session->is_uid = is_uid;
    session->command_word = command->word;
    return run(session, command, &parser);
}
