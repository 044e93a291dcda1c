/* SPDX-License-Identifier: ISC */
/* THREAD (RFC 5256). */
#include "imapd/search.h"
#include "imapd/thread.h"
#include "lib/str.h"

struct numbering {
    struct session *session;
    const struct sort_messages *messages;
};

static uint32_t number(void *ctx, uint32_t message)
{
    const struct numbering *numbering = ctx;
    uint32_t index = numbering->messages->message[message].index;
    struct folder *folder = &numbering->session->folder;
    return numbering->session->is_uid ? folder_record(folder, index)->uid : folder_seq(folder, index);
}

static const struct reply *run(struct session *session, struct search *search, bool is_by_subject)
{
    const struct reply *trouble = search_check_charset(session, search);
    struct folder_list found = {0};
    struct sort_messages messages;
    struct thread_forest forest;
    if (trouble != NULL) {
        return trouble;
    }
    if (search->has_modseq) {
        modseq_enable(session);
    }
    search_run(session, search, &found);
    if (search->trouble != NULL) {
        folder_list_free(&found);
        return search->trouble;
    }
    sort_read(session, &found, KEYS_THREAD, &messages);
    if (is_by_subject) {
        thread_by_subject(&messages, &forest);
    } else {
        thread_references(&messages, &forest);
    }
    struct numbering numbering = {session, &messages};
    session_put(session, messages.n > 0 ? "* THREAD " : "* THREAD");
    thread_put(&forest, &session->out, number, &numbering);
    session_put(session, "\r\n");
    thread_free(&forest);
    sort_free(&messages);
    folder_list_free(&found);
    return &reply_done;
}

const struct reply *cmd_thread(struct session *session, struct parser *parser)
{
    struct search search = {0};
    const struct reply *reply = &reply_syntax;
    if (!parse_space(parser)) {
        return reply;
    }
    bool is_by_subject = parse_word(parser, "ORDEREDSUBJECT");
    if ((is_by_subject || parse_word(parser, "REFERENCES")) && parse_space(parser) && parse_astring(parser, &search.charset) &&
        parse_space(parser) && search_parse_keys(session, parser, &search)) {
        reply = run(session, &search, is_by_subject);
    }
    search_free(&search);
    return reply;
}
