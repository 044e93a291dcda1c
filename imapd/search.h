/* SPDX-License-Identifier: ISC */
/* Search programs (RFC 3501 6.4.4), for SEARCH, SORT and THREAD: keys in postfix order, judged with three values, cheapest keys
 * first, so that a message is opened only when nothing cheaper decides. */
#ifndef IMAPD_SEARCH_H
#define IMAPD_SEARCH_H

#include "imapd/session.h"

enum search_kind {
    SEARCH_AND,
    SEARCH_OR,
    SEARCH_NOT, /* of what stands before */
    SEARCH_ALL,
    SEARCH_FLAGS,
    SEARCH_NO_FLAGS,
    SEARCH_KEYWORD,
    SEARCH_NO_KEYWORD,
    SEARCH_RECENT,
    SEARCH_NEW,
    SEARCH_OLD,
    SEARCH_BEFORE,
    SEARCH_ON,
    SEARCH_SINCE,
    SEARCH_LARGER,
    SEARCH_SMALLER,
    SEARCH_SEQS,
    SEARCH_UIDS,
    SEARCH_MODSEQ,
    /* by the summary */
    SEARCH_SENT_BEFORE,
    SEARCH_SENT_ON,
    SEARCH_SENT_SINCE,
    SEARCH_FROM,
    SEARCH_TO,
    SEARCH_CC,
    SEARCH_BCC,
    SEARCH_SUBJECT,
    /* by the file */
    SEARCH_HEADER,
    SEARCH_BODY,
    SEARCH_TEXT
};
struct search_key {
    enum search_kind kind;
    uint8_t flags;
    int keyword;            /* number; -1: this folder has no such keyword */
    int64_t number;         /* a day, a size, a modseq */
    struct targets targets; /* SEQS, UIDS */
    stralloc text;          /* folded UTF-8 */
    struct slice field;     /* HEADER's */
};
enum { SEARCH_KEYS_MAX = 1000 };
struct search {
    struct search_key *key;
    unsigned n, room;
    uint8_t *known, *stack;      /* for judging: n bytes each, made by search_run */
    bool has_modseq;             /* a MODSEQ key: answers carry the highest */
    uint64_t end_ms;             /* of its processor time; 0: it may take any */
    const struct reply *trouble; /* of the run: it took too long */
    struct slice charset;        /* of the texts; empty: UTF-8 */
};
/* [CHARSET c SP] keys, to the end of the command. */
bool search_parse(struct session *session, struct parser *parser, struct search *out);
/* Keys alone; SORT and THREAD have their charset before. */
bool search_parse_keys(struct session *session, struct parser *parser, struct search *out);
/* NULL, or why not: BADCHARSET. */
const struct reply *search_check_charset(struct session *session, const struct search *search);
void search_free(struct search *search);

/* search_text.c */
/* Is `needle` (folded) in the text of the message: its header's fields and (only_body false) all, or its text parts? -1: it
 * cannot be read: no match. */
bool search_in_message(struct session *session, uint32_t index, const struct search_key *key);
/* Folded `needle` in folded bytes. */
bool search_has(const char *bytes, size_t n, const stralloc *needle);

/* All matches: indexes, ascending. Where it takes more processor time than control/imapsearchtime lets it, trouble is set. */
void search_run(struct session *session, struct search *search, struct folder_list *out);

/* For (MODSEQ n) of SEARCH and SORT; 0: none found. */
uint64_t search_highest_modseq(struct session *session, const struct folder_list *found);

/* RETURN (…) of RFC 4731, 5182. */
struct search_return {
    bool is_there, min, max, count, all, save;
};
bool search_parse_return(struct parser *parser, struct search_return *out);
/* `* ESEARCH (TAG "t") UID …` and $; numbers: what the client counts in (UIDs or sequence numbers), in the order found. */
void search_answer_extended(struct session *session, const struct search_return *wanted, const struct folder_list *indexes,
                            uint64_t modseq);

#endif
