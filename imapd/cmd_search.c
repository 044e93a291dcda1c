/* SPDX-License-Identifier: ISC */
/* SEARCH and its answers (RFC 3501 6.4.4, 4731, 5182, 7162). */
#include "imapd/search.h"
#include "lib/str.h"

bool search_parse_return(struct parser *parser, struct search_return *out)
{
    if (!parse_word(parser, "RETURN")) {
        return true;
    }
    out->is_there = true;
    if (!parse_space(parser) || !parse_char(parser, '(')) {
        return false;
    }
    for (bool is_first = true; !parse_char(parser, ')'); is_first = false) {
        if (!is_first && !parse_space(parser)) {
            return false;
        }
        if (parse_word(parser, "MIN")) {
            out->min = true;
        } else if (parse_word(parser, "MAX")) {
            out->max = true;
        } else if (parse_word(parser, "COUNT")) {
            out->count = true;
        } else if (parse_word(parser, "ALL")) {
            out->all = true;
        } else if (parse_word(parser, "SAVE")) {
            out->save = true;
        } else {
            return false;
        }
    }
    if (!out->min && !out->max && !out->count && !out->save) {
        out->all = true;
    }
    return parse_space(parser);
}

static uint32_t number_of(struct session *session, uint32_t index)
{
    return session->is_uid ? folder_record(&session->folder, index)->uid : folder_seq(&session->folder, index);
}

/* MIN or MAX alone: the answer is about those messages, not about all that were found. */
static bool is_of_ends(const struct search_return *wanted)
{
    return (wanted->min || wanted->max) && !wanted->all && !wanted->count;
}

/* RFC 5182 2.4: with MIN or MAX alone only those are saved. */
static void save(struct session *session, const struct search_return *wanted, const struct folder_list *found)
{
    set_clear(&session->saved);
    bool is_part = is_of_ends(wanted);
    for (uint32_t i = 0; i < found->n; i++) {
        bool is_saved = !is_part || (wanted->min && i == 0) || (wanted->max && i + 1 == found->n);
        uint32_t uid = folder_record(&session->folder, found->item[i])->uid;
        struct set_range *last = session->saved.n > 0 ? &session->saved.range[session->saved.n - 1] : NULL;
        if (is_saved && last != NULL && last->last + 1 == uid) {
            last->last = uid;
        } else if (is_saved) {
            set_add(&session->saved, uid, uid);
        }
    }
}

void search_answer_extended(struct session *session, const struct search_return *wanted, const struct folder_list *found,
                            uint64_t modseq)
{
    if (wanted->save) {
        save(session, wanted, found);
    }
    if (wanted->save && !wanted->min && !wanted->max && !wanted->count && !wanted->all) {
        return;
    }
    session_put(session, "* ESEARCH (TAG \"");
    str_cat(&session->out, session->tag.s, session->tag.len);
    session_put(session, session->is_uid ? "\") UID" : "\")");
    if (wanted->min && found->n > 0) {
        session_putf(session, " MIN %u", number_of(session, found->item[0]));
    }
    if (wanted->max && found->n > 0) {
        session_putf(session, " MAX %u", number_of(session, found->item[found->n - 1]));
    }
    if (wanted->count) {
        session_putf(session, " COUNT %u", found->n);
    }
    if (wanted->all && found->n > 0) {
        struct folder_list numbers = {0};
        for (uint32_t i = 0; i < found->n; i++) {
            folder_list_add(&numbers, number_of(session, found->item[i]));
        }
        session_put(session, " ALL ");
        put_uids(&session->out, &numbers);
        folder_list_free(&numbers);
    }
    if (modseq > 0) {
        session_putf(session, " MODSEQ %llu", (unsigned long long)modseq);
    }
    session_put(session, "\r\n");
}

static void answer_plain(struct session *session, const struct folder_list *found, uint64_t modseq)
{
    session_put(session, "* SEARCH");
    for (uint32_t i = 0; i < found->n; i++) {
        str_catc(&session->out, ' ');
        str_catn(&session->out, number_of(session, found->item[i]));
        session_room(session);
    }
    if (modseq > 0) {
        session_putf(session, " (MODSEQ %llu)", (unsigned long long)modseq);
    }
    session_put(session, "\r\n");
}

uint64_t search_highest_modseq(struct session *session, const struct folder_list *found)
{
    uint64_t highest = 0;
    for (uint32_t i = 0; i < found->n; i++) {
        uint64_t modseq = folder_record(&session->folder, found->item[i])->modseq;
        highest = modseq > highest ? modseq : highest;
    }
    return highest;
}

/* RFC 7162 3.1.10 */
static uint64_t modseq_of_ends(struct session *session, const struct search_return *wanted, const struct folder_list *found)
{
    uint64_t first = folder_record(&session->folder, found->item[0])->modseq;
    uint64_t last = folder_record(&session->folder, found->item[found->n - 1])->modseq;
    return !wanted->max ? first : !wanted->min || last > first ? last : first;
}

static const struct reply *run(struct session *session, struct search *search, const struct search_return *wanted)
{
    const struct reply *trouble = search_check_charset(session, search);
    if (trouble != NULL) {
        if (wanted->save) {
            set_clear(&session->saved); /* RFC 5182 2.1 */
        }
        return trouble;
    }
    struct folder_list found = {0};
    if (search->has_modseq) {
        modseq_enable(session);
    }
    search_run(session, search, &found);
    if (search->trouble != NULL) {
        folder_list_free(&found);
        return search->trouble;
    }
    uint64_t modseq = search->has_modseq ? search_highest_modseq(session, &found) : 0;
    if (wanted->is_there) {
        modseq = modseq > 0 && is_of_ends(wanted) ? modseq_of_ends(session, wanted, &found) : modseq;
        search_answer_extended(session, wanted, &found, modseq);
    } else {
        answer_plain(session, &found, modseq);
    }
    folder_list_free(&found);
    return &reply_done;
}

const struct reply *cmd_search(struct session *session, struct parser *parser)
{
    struct search search = {0};
    struct search_return wanted = {0};
    const struct reply *reply = &reply_syntax;
    if (parse_space(parser) && search_parse_return(parser, &wanted) && search_parse(session, parser, &search)) {
        reply = run(session, &search, &wanted);
    }
    search_free(&search);
    return reply;
}
