/* SPDX-License-Identifier: ISC */
/* Address lists, one element a call. A phrase is tried first, for a group or a name before a `<`; then the same bytes as a bare
 * address. An element that ends neither in a comma nor at the end ends the list. */
#include "mime_address.h"
#include "str.h"

void mime_addresses_start(struct mime_addresses *list, const char *bytes, size_t n)
{
    lexer_start(&list->lexer, bytes, n, &list->comment);
    (void)str_room(&list->text, 1); /* so that an empty phrase is a slice too */
    list->state = lexer_skip_space(&list->lexer) == LEXED_MORE ? MIME_AT_ADDRESS : MIME_AT_END;
}

static bool is_at(const struct mime_addresses *list, char c)
{
    return list->lexer.p != list->lexer.end && *list->lexer.p == c;
}

static void set(struct mime_addresses *list, struct mime_span *span, size_t at)
{
    *span = (struct mime_span){.at = at, .n = list->text.len - at, .is_there = true};
}

static void set_words(struct mime_addresses *list, struct mime_span *span, const char *words)
{
    size_t at = list->text.len;
    str_cats(&list->text, words);
    set(list, span, at);
}

/* Atoms and dots in any order. */
static enum lexed read_dotted(struct lexer *lexer, stralloc *text)
{
    enum lexed result = LEXED_BAD;
    do {
        while (*lexer->p == '.') {
            str_catc(text, '.');
            result = LEXED_MORE;
            if (++lexer->p == lexer->end) {
                return LEXED_END;
            }
        }
        if (*lexer->p == '@') {
            return result;
        }
        result = lexer_atom(lexer, text);
    } while (result == LEXED_MORE && *lexer->p == '.');
    return result;
}

static enum lexed read_local_part(struct mime_addresses *list)
{
    size_t at = list->text.len;
    enum lexed result = is_at(list, '"') ? lexer_quoted(&list->lexer, &list->text) : read_dotted(&list->lexer, &list->text);
    if (result != LEXED_BAD) {
        set(list, &list->mailbox, at);
    }
    return result;
}

/* At the `@`. */
static enum lexed read_domain(struct mime_addresses *list)
{
    size_t at = list->text.len;
    enum lexed result = lexer_domain(&list->lexer, &list->text);
    if (result != LEXED_BAD) {
        set(list, &list->domain, at);
    }
    return result;
}

/* "@" domain *("," "@" domain); true: and a `:` follows. */
static bool read_route(struct mime_addresses *list)
{
    size_t at = list->text.len;
    while (is_at(list, '@')) {
        str_cats(&list->text, list->text.len > at ? ",@" : "@");
        if (lexer_domain(&list->lexer, &list->text) != LEXED_MORE) {
            return false;
        }
        while (lexer_skip_space(&list->lexer) == LEXED_MORE && is_at(list, ',')) {
            list->lexer.p++;
        }
    }
    set(list, &list->route, at);
    return is_at(list, ':');
}

/* "<" [route ":"] local-part ["@" domain] ">". False: broken. */
static bool read_angle(struct mime_addresses *list)
{
    list->lexer.p++;
    if (lexer_skip_space(&list->lexer) != LEXED_MORE) {
        return false;
    }
    if (is_at(list, '@')) {
        if (read_route(list)) {
            list->lexer.p++;
        } else {
            set_words(list, &list->route, "INVALID_ROUTE");
        }
        if (lexer_skip_space(&list->lexer) != LEXED_MORE) {
            return false;
        }
    }
    if (!is_at(list, '>')) {
        if (read_local_part(list) != LEXED_MORE || (is_at(list, '@') && read_domain(list) != LEXED_MORE)) {
            return false;
        }
    }
    if (!is_at(list, '>')) {
        return false;
    }
    list->lexer.p++;
    return lexer_skip_space(&list->lexer) != LEXED_BAD;
}

/* A bare word without @: alone it is a mailbox; with more words behind it, or in quotes, it is a name without an address. */
static void read_words(struct mime_addresses *list, size_t at, bool is_quoted)
{
    str_catc(&list->text, ' ');
    size_t words = list->text.len;
    (void)lexer_phrase(&list->lexer, &list->text);
    if (list->text.len > words) {
        list->mailbox.is_there = false;
        set(list, &list->name, at);
    } else if (is_quoted && list->mailbox.is_there) {
        list->name = list->mailbox;
        list->mailbox.is_there = false;
    }
}

/* local-part ["@" domain] [comment] */
static void read_bare(struct mime_addresses *list)
{
    list->comment.len = 0;
    bool is_quoted = is_at(list, '"');
    bool has_domain = false;
    size_t at = list->text.len;
    enum lexed result = read_local_part(list);
    if (result != LEXED_END && is_at(list, '@')) {
        (void)read_domain(list);
        has_domain = true;
    }
    if (list->comment.len > 0) {
        size_t name = list->text.len;
        str_cat(&list->text, list->comment.s, list->comment.len);
        set(list, &list->name, name);
    } else if (!has_domain) {
        read_words(list, at, is_quoted);
    }
}

static void read_mailbox(struct mime_addresses *list)
{
    const char *start = list->lexer.p;
    size_t at = list->text.len;
    if (lexer_phrase(&list->lexer, &list->text) == LEXED_MORE && is_at(list, '<')) {
        if (list->text.len > at) {
            set(list, &list->name, at);
        }
        if (!read_angle(list)) {
            set_words(list, &list->domain, "SYNTAX_ERROR");
        }
        return;
    }
    list->lexer.p = start;
    list->text.len = at;
    read_bare(list);
}

/* Behind an element: a comma and another one, or the end. */
static void go_on(struct mime_addresses *list)
{
    list->state = MIME_AT_END;
    if (is_at(list, ',')) {
        list->lexer.p++;
        enum lexed result = lexer_skip_space(&list->lexer);
        if (result != LEXED_END) {
            list->state = result == LEXED_MORE ? MIME_AT_ADDRESS : MIME_AT_GARBAGE;
        }
    }
}

static void go_on_in_group(struct mime_addresses *list)
{
    list->state = MIME_AT_GROUP_END;
    if (is_at(list, ',')) {
        list->lexer.p++;
        if (lexer_skip_space(&list->lexer) == LEXED_MORE) {
            list->state = MIME_AT_MEMBER;
        }
    }
}

/* phrase ":"; true: it was one. */
static bool begin_group(struct mime_addresses *list)
{
    const char *start = list->lexer.p;
    if (lexer_phrase(&list->lexer, &list->text) != LEXED_MORE || !is_at(list, ':')) {
        list->lexer.p = start;
        list->text.len = 0;
        return false;
    }
    set(list, &list->mailbox, 0);
    list->lexer.p++;
    list->state = lexer_skip_space(&list->lexer) == LEXED_MORE && !is_at(list, ';') ? MIME_AT_MEMBER : MIME_AT_GROUP_END;
    return true;
}

static void end_group(struct mime_addresses *list)
{
    if (is_at(list, ';')) {
        list->lexer.p++;
        (void)lexer_skip_space(&list->lexer);
    }
    go_on(list);
}

static struct mime_slice slice(const struct mime_addresses *list, const struct mime_span *span)
{
    return (struct mime_slice){span->is_there ? list->text.s + span->at : NULL, span->is_there ? span->n : 0};
}

static void give(struct mime_addresses *list, enum mime_address_kind kind, struct mime_address *out)
{
    if (kind == MIME_ADDRESS && !list->mailbox.is_there) {
        set_words(list, &list->mailbox, "MISSING_MAILBOX");
    }
    if (kind == MIME_ADDRESS && (!list->domain.is_there || list->domain.n == 0)) {
        set_words(list, &list->domain, "MISSING_DOMAIN");
    }
    *out = (struct mime_address){.kind = kind,
                                 .name = slice(list, &list->name),
                                 .route = slice(list, &list->route),
                                 .mailbox = slice(list, &list->mailbox),
                                 .domain = slice(list, &list->domain)};
}

bool mime_addresses_next(struct mime_addresses *list, struct mime_address *out)
{
    list->text.len = 0;
    list->name.is_there = list->route.is_there = list->mailbox.is_there = list->domain.is_there = false;
    enum mime_address_kind kind = MIME_ADDRESS;
    switch (list->state) {
    case MIME_AT_ADDRESS:
        if (begin_group(list)) {
            kind = MIME_GROUP;
        } else {
            read_mailbox(list);
            go_on(list);
        }
        break;
    case MIME_AT_MEMBER:
        read_mailbox(list);
        go_on_in_group(list);
        break;
    case MIME_AT_GROUP_END:
        kind = MIME_GROUP_END;
        end_group(list);
        break;
    case MIME_AT_GARBAGE:
        list->state = MIME_AT_END;
        break;
    case MIME_AT_END:
        return false;
    }
    give(list, kind, out);
    return true;
}
