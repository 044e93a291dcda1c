/* SPDX-License-Identifier: ISC */
/* SORT (RFC 5256). */
#include "imapd/search.h"
#include "imapd/sortkeys.h"
#include "lib/str.h"

/* (REVERSE DATE SUBJECT …) */
static bool parse_criteria(struct parser *parser, struct sort_criterion *criteria, unsigned *n_out)
{
    static const char *const words[] = {"ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO"};
    unsigned n = 0;
    if (!parse_char(parser, '(')) {
        return false;
    }
    do {
        bool is_reverse = parse_word(parser, "REVERSE");
        bool is_known = false;
        if (n == SORT_KEYS_MAX || (is_reverse && !parse_space(parser))) {
            return false;
        }
        for (unsigned i = 0; i < sizeof words / sizeof *words && !is_known; i++) {
            is_known = parse_word(parser, words[i]);
            criteria[n] = (struct sort_criterion){(enum sort_by)i, is_reverse};
        }
        n += is_known;
        if (!is_known) {
            return false;
        }
    } while (parse_space(parser));
    *n_out = n;
    return parse_char(parser, ')');
}

/* Files need not be looked at for what nothing is sorted by. */
static unsigned wanted_keys(const struct sort_criterion *criteria, unsigned n)
{
    unsigned wants = KEYS_TEXTS;
    for (unsigned i = 0; i < n; i++) {
        wants |= criteria[i].by == SORT_ARRIVAL || criteria[i].by == SORT_SIZE ? KEYS_FACTS : 0;
    }
    return wants;
}

static const struct reply *run(struct session *session, struct search *search, const struct sort_criterion *criteria, unsigned n)
{
    const struct reply *trouble = search_check_charset(session, search);
    struct folder_list found = {0};
    struct sort_messages messages;
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
    sort_read(session, &found, wanted_keys(criteria, n), &messages);
    sort_run(&messages, criteria, n);
    session_put(session, "* SORT");
    for (uint32_t i = 0; i < messages.n; i++) {
        uint32_t index = messages.message[i].index;
        str_catc(&session->out, ' ');
        str_catn(&session->out,
                 session->is_uid ? folder_record(&session->folder, index)->uid : folder_seq(&session->folder, index));
        session_room(session);
    }
    if (search->has_modseq && found.n > 0) { /* RFC 7162 7: sort-data */
        session_putf(session, " (MODSEQ %llu)", (unsigned long long)search_highest_modseq(session, &found));
    }
    session_put(session, "\r\n");
    sort_free(&messages);
    folder_list_free(&found);
    return &reply_done;
}

const struct reply *cmd_sort(struct session *session, struct parser *parser)
{
    struct sort_criterion criteria[SORT_KEYS_MAX + 1];
    unsigned n;
    struct search search = {0};
    const struct reply *reply = &reply_syntax;
    if (parse_space(parser) && parse_criteria(parser, criteria, &n) && parse_space(parser) &&
        parse_astring(parser, &search.charset) && parse_space(parser) && search_parse_keys(session, parser, &search)) {
        reply = run(session, &search, criteria, n);
    }
    search_free(&search);
    return reply;
}
