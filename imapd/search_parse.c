/* SPDX-License-Identifier: ISC */
/* Keys to postfix order, with a stack of what is still open: no recursion, whatever is nested. */
#include <stdlib.h>
#include <string.h>

#include "imapd/flags.h"
#include "imapd/search.h"
#include "lib/casefold.h"
#include "lib/str.h"

enum { OPEN_MAX = 200 };
enum open_kind { OPEN_GROUP, OPEN_NOT, OPEN_OR };
struct open_group {
    enum open_kind kind;
    unsigned n; /* operands so far */
};

static struct search_key *add(struct search *search, enum search_kind kind)
{
    if (search->n == SEARCH_KEYS_MAX) {
        return NULL;
    }
    if (search->n == search->room) {
        search->room = search->room == 0 ? 16 : 2 * search->room;
        search->key = memory_grow(search->key, search->room, sizeof *search->key);
    }
    search->key[search->n] = (struct search_key){.kind = kind, .text = STRALLOC_ZERO};
    return &search->key[search->n++];
}

static struct charset *charset_of(struct session *session, const struct search *search)
{
    return charsets_find(&session->work->words.charsets, search->charset.bytes, search->charset.len);
}

static bool take_text(struct session *session, struct parser *parser, const struct search *search, struct search_key *key)
{
    struct slice text;
    struct charset_stream stream;
    stralloc utf8 = STRALLOC_ZERO;
    if (!parse_space(parser) || !parse_astring(parser, &text)) {
        return false;
    }
    charset_start(&stream, charset_of(session, search));
    charset_add(&stream, text.bytes, text.len, &utf8);
    charset_end(&stream, &utf8);
    casefold_append(&key->text, utf8.s, utf8.len);
    stralloc_free(&utf8);
    return true;
}

static bool take_header(struct session *session, struct parser *parser, const struct search *search, struct search_key *key)
{
    return parse_space(parser) && parse_astring(parser, &key->field) && take_text(session, parser, search, key);
}

static bool take_set(struct session *session, struct parser *parser, struct search_key *key, bool is_uid)
{
    struct set set = {0};
    bool is_good = parse_set(parser, &set);
    if (is_good) {
        (void)session_targets_there(session, &set, is_uid, &key->targets);
        session->names_numbers = session->names_numbers || (!is_uid && !set.is_saved);
    }
    set_clear(&set);
    return is_good;
}

/* "/flags/name" SP (all, shared or priv) SP: a message has one number for all of its flags, so only the form counts. */
static bool parse_entry(struct parser *parser)
{
    static const char flags[] = "/flags/";
    struct slice name;
    size_t n = sizeof flags - 1;
    return parse_string(parser, &name) && name.len > n && str_equal_nocase(name.bytes, n, flags, n) && parse_space(parser) &&
           (parse_word(parser, "all") || parse_word(parser, "shared") || parse_word(parser, "priv")) && parse_space(parser);
}

/* MODSEQ [entry-name SP entry-type SP] n (RFC 7162 3.1.5) */
static bool take_modseq(struct parser *parser, struct search *search, struct search_key *key)
{
    uint64_t number;
    if (!parse_space(parser) || (parser->at < parser->end && *parser->at == '"' && !parse_entry(parser)) ||
        !parse_number64(parser, &number)) {
        return false;
    }
    key->number = (int64_t)number;
    search->has_modseq = true;
    return true;
}

enum argument { ARG_NONE, ARG_TEXT, ARG_HEADER, ARG_DATE, ARG_NUMBER, ARG_KEYWORD, ARG_MODSEQ, ARG_UID };
static const struct {
    const char *word;
    enum search_kind kind;
    enum argument argument;
    uint8_t flags;
} words[] = {
    {"ALL", SEARCH_ALL, ARG_NONE, 0},
    {"ANSWERED", SEARCH_FLAGS, ARG_NONE, MAILBOX_REPLIED},
    {"DELETED", SEARCH_FLAGS, ARG_NONE, MAILBOX_TRASHED},
    {"DRAFT", SEARCH_FLAGS, ARG_NONE, MAILBOX_DRAFT},
    {"FLAGGED", SEARCH_FLAGS, ARG_NONE, MAILBOX_FLAGGED},
    {"SEEN", SEARCH_FLAGS, ARG_NONE, MAILBOX_SEEN},
    {"UNANSWERED", SEARCH_NO_FLAGS, ARG_NONE, MAILBOX_REPLIED},
    {"UNDELETED", SEARCH_NO_FLAGS, ARG_NONE, MAILBOX_TRASHED},
    {"UNDRAFT", SEARCH_NO_FLAGS, ARG_NONE, MAILBOX_DRAFT},
    {"UNFLAGGED", SEARCH_NO_FLAGS, ARG_NONE, MAILBOX_FLAGGED},
    {"UNSEEN", SEARCH_NO_FLAGS, ARG_NONE, MAILBOX_SEEN},
    {"RECENT", SEARCH_RECENT, ARG_NONE, 0},
    {"NEW", SEARCH_NEW, ARG_NONE, 0},
    {"OLD", SEARCH_OLD, ARG_NONE, 0},
    {"KEYWORD", SEARCH_KEYWORD, ARG_KEYWORD, 0},
    {"UNKEYWORD", SEARCH_NO_KEYWORD, ARG_KEYWORD, 0},
    {"BEFORE", SEARCH_BEFORE, ARG_DATE, 0},
    {"ON", SEARCH_ON, ARG_DATE, 0},
    {"SINCE", SEARCH_SINCE, ARG_DATE, 0},
    {"SENTBEFORE", SEARCH_SENT_BEFORE, ARG_DATE, 0},
    {"SENTON", SEARCH_SENT_ON, ARG_DATE, 0},
    {"SENTSINCE", SEARCH_SENT_SINCE, ARG_DATE, 0},
    {"LARGER", SEARCH_LARGER, ARG_NUMBER, 0},
    {"SMALLER", SEARCH_SMALLER, ARG_NUMBER, 0},
    {"FROM", SEARCH_FROM, ARG_TEXT, 0},
    {"TO", SEARCH_TO, ARG_TEXT, 0},
    {"CC", SEARCH_CC, ARG_TEXT, 0},
    {"BCC", SEARCH_BCC, ARG_TEXT, 0},
    {"SUBJECT", SEARCH_SUBJECT, ARG_TEXT, 0},
    {"BODY", SEARCH_BODY, ARG_TEXT, 0},
    {"TEXT", SEARCH_TEXT, ARG_TEXT, 0},
    {"HEADER", SEARCH_HEADER, ARG_HEADER, 0},
    {"MODSEQ", SEARCH_MODSEQ, ARG_MODSEQ, 0},
    {"UID", SEARCH_UIDS, ARG_UID, 0},
};

static bool take_keyword(struct session *session, struct parser *parser, struct search_key *key)
{
    struct slice name;
    if (!parse_space(parser) || !parse_atom(parser, &name)) {
        return false;
    }
    key->keyword = keywords_find(&session->folder.keywords, name.bytes, name.len);
    return true;
}

static bool take_argument(struct session *session, struct parser *parser, struct search *search, struct search_key *key,
                          enum argument argument)
{
    uint32_t number;
    switch (argument) {
    case ARG_NONE:
        return true;
    case ARG_TEXT:
        return take_text(session, parser, search, key);
    case ARG_HEADER:
        return take_header(session, parser, search, key);
    case ARG_DATE:
        return parse_space(parser) && parse_date(parser, &key->number);
    case ARG_NUMBER:
        if (!parse_space(parser) || !parse_number(parser, &number)) {
            return false;
        }
        key->number = number;
        return true;
    case ARG_KEYWORD:
        return take_keyword(session, parser, key);
    case ARG_MODSEQ:
        return take_modseq(parser, search, key);
    case ARG_UID:
        break;
    }
    return parse_space(parser) && take_set(session, parser, key, true);
}

/* Columns have one blank between words. */
static bool is_collapsed(const stralloc *text)
{
    for (size_t i = 0; i < text->len; i++) {
        if (text->s[i] == '\t' || (i > 0 && text->s[i] == ' ' && text->s[i - 1] == ' ')) {
            return false;
        }
    }
    return true;
}

/* HEADER From is FROM, which is cheaper, where that can tell. An empty text: FROM is HEADER From, whether there is such a field;
 * every body has it.
 */
static void choose_kind(struct search_key *key)
{
    static const struct {
        const char *field;
        enum search_kind kind;
    } columns[] = {{"From", SEARCH_FROM}, {"To", SEARCH_TO}, {"Cc", SEARCH_CC}, {"Bcc", SEARCH_BCC}, {"Subject", SEARCH_SUBJECT}};
    bool is_empty = key->text.len == 0;
    if (is_empty && (key->kind == SEARCH_BODY || key->kind == SEARCH_TEXT)) {
        key->kind = SEARCH_ALL;
    }
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        if (!is_empty && key->kind == SEARCH_HEADER && is_collapsed(&key->text) && slice_is(key->field, columns[i].field)) {
            key->kind = columns[i].kind;
        } else if (is_empty && key->kind == columns[i].kind) {
            key->kind = SEARCH_HEADER;
            key->field = (struct slice){columns[i].field, strlen(columns[i].field)};
        }
    }
}

/* A key with its argument; a bare set counts messages. */
static bool parse_leaf(struct session *session, struct parser *parser, struct search *search)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!parse_word(parser, words[i].word)) {
            continue;
        }
        struct search_key *key = add(search, words[i].kind);
        if (key == NULL || (key->flags = words[i].flags, !take_argument(session, parser, search, key, words[i].argument))) {
            return false;
        }
        choose_kind(key);
        return true;
    }
    struct search_key *key = add(search, SEARCH_SEQS);
    return key != NULL && take_set(session, parser, key, false);
}

struct stack {
    struct open_group group[OPEN_MAX];
    unsigned n;
};

static bool push(struct stack *stack, enum open_kind kind)
{
    if (stack->n == OPEN_MAX) {
        return false;
    }
    stack->group[stack->n++] = (struct open_group){.kind = kind};
    return true;
}

/* An operand is whole: what waited for it may be whole, too. */
static bool close_operand(struct stack *stack, struct search *search)
{
    for (;;) {
        struct open_group *top = &stack->group[stack->n - 1];
        top->n++;
        if (top->kind == OPEN_GROUP) {
            return top->n == 1 || add(search, SEARCH_AND) != NULL;
        }
        if (top->kind == OPEN_OR && top->n < 2) {
            return true;
        }
        if (add(search, top->kind == OPEN_OR ? SEARCH_OR : SEARCH_NOT) == NULL) {
            return false;
        }
        stack->n--;
    }
}

/* `(`, NOT and OR open something: 1. Another key: 0, and it was taken. -1: neither. */
static int parse_opening(struct session *session, struct parser *parser, struct search *search, struct stack *stack)
{
    bool is_group = parse_char(parser, '(');
    if (is_group) {
        return push(stack, OPEN_GROUP) ? 1 : -1;
    }
    bool is_not = parse_word(parser, "NOT");
    if (is_not || parse_word(parser, "OR")) {
        return push(stack, is_not ? OPEN_NOT : OPEN_OR) && parse_space(parser) ? 1 : -1;
    }
    return parse_leaf(session, parser, search) && close_operand(stack, search) ? 0 : -1;
}

/* What `)` closes is an operand itself. */
static bool parse_closings(struct parser *parser, struct search *search, struct stack *stack)
{
    while (parse_char(parser, ')')) {
        const struct open_group *top = &stack->group[stack->n - 1];
        if (stack->n == 1 || top->kind != OPEN_GROUP) {
            return false;
        }
        stack->n--;
        if (!close_operand(stack, search)) {
            return false;
        }
    }
    return true;
}

bool search_parse_keys(struct session *session, struct parser *parser, struct search *search)
{
    struct stack stack = {.n = 0};
    (void)push(&stack, OPEN_GROUP);
    for (;;) {
        int opened = parse_opening(session, parser, search, &stack);
        if (opened > 0) {
            continue;
        }
        if (opened < 0 || !parse_closings(parser, search, &stack)) {
            return false;
        }
        if (parse_end(parser)) {
            return stack.n == 1;
        }
        if (!parse_space(parser)) {
            return false;
        }
    }
}

bool search_parse(struct session *session, struct parser *parser, struct search *out)
{
    if (parse_word(parser, "CHARSET") &&
        (!parse_space(parser) || !parse_astring(parser, &out->charset) || !parse_space(parser))) {
        return false;
    }
    return search_parse_keys(session, parser, out);
}

const struct reply *search_check_charset(struct session *session, const struct search *search)
{
    return charset_of(session, search)->is_known ? NULL : &reply_bad_charset;
}

void search_free(struct search *search)
{
    for (unsigned i = 0; i < search->n; i++) {
        stralloc_free(&search->key[i].text);
        targets_free(&search->key[i].targets);
    }
    free(search->key);
    free(search->known);
    free(search->stack);
    search->key = NULL;
    search->n = 0;
}
