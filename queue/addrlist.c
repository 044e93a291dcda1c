/* SPDX-License-Identifier: ISC */
/* Two machines: tokens (RFC 5322 3.2: atoms, quoted strings, literals, specials; blanks and comments between them fall away), and
 * the states of one address. No recursion: comments are counted. */
#include <string.h>

#include "queue/addrlist.h"
#include "queue/addrlist_token.h"

/* How far the tokens since the last separator make an address. */
enum spec {
    SPEC_NONE,
    SPEC_LOCAL,  /* joe */
    SPEC_DOT,    /* joe. */
    SPEC_AT,     /* joe@ */
    SPEC_DOMAIN, /* joe@example */
    SPEC_DOMAIN_DOT,
    SPEC_LITERAL,  /* joe@[192.0.2.1] */
    SPEC_WORDS,    /* no address: Joe Smith */
    SPEC_NO_DOMAIN /* no address: joe@@, @example */
};

/* What the next token makes of it. */
static enum spec spec_step(enum spec spec, char kind)
{
    enum { ATOM, QUOTED, LITERAL, DOT, AT, KINDS };
    static const unsigned char steps[][KINDS] = {
        [SPEC_NONE] = {SPEC_LOCAL, SPEC_LOCAL, SPEC_WORDS, SPEC_DOT, SPEC_NO_DOMAIN},
        [SPEC_LOCAL] = {SPEC_WORDS, SPEC_WORDS, SPEC_WORDS, SPEC_DOT, SPEC_AT},
        [SPEC_DOT] = {SPEC_LOCAL, SPEC_LOCAL, SPEC_WORDS, SPEC_DOT, SPEC_AT},
        [SPEC_AT] = {SPEC_DOMAIN, SPEC_NO_DOMAIN, SPEC_LITERAL, SPEC_NO_DOMAIN, SPEC_NO_DOMAIN},
        [SPEC_DOMAIN] = {SPEC_WORDS, SPEC_WORDS, SPEC_WORDS, SPEC_DOMAIN_DOT, SPEC_NO_DOMAIN},
        [SPEC_DOMAIN_DOT] = {SPEC_DOMAIN, SPEC_WORDS, SPEC_WORDS, SPEC_DOMAIN_DOT, SPEC_NO_DOMAIN},
        [SPEC_LITERAL] = {SPEC_WORDS, SPEC_WORDS, SPEC_WORDS, SPEC_WORDS, SPEC_NO_DOMAIN},
        [SPEC_WORDS] = {SPEC_WORDS, SPEC_WORDS, SPEC_WORDS, SPEC_WORDS, SPEC_WORDS},
        [SPEC_NO_DOMAIN] = {SPEC_NO_DOMAIN, SPEC_NO_DOMAIN, SPEC_NO_DOMAIN, SPEC_NO_DOMAIN, SPEC_NO_DOMAIN},
    };
    size_t column = kind == TOKEN_ATOM      ? ATOM
                    : kind == TOKEN_QUOTED  ? QUOTED
                    : kind == TOKEN_LITERAL ? LITERAL
                    : kind == '.'           ? DOT
                                            : AT;
    return (enum spec)steps[spec][column];
}

struct reading {
    enum spec spec;
    struct addrlist_mailbox mailbox;
};

static void reading_add(struct reading *reading, const struct addrlist_token *token)
{
    struct addrlist_mailbox *mailbox = &reading->mailbox;
    if (reading->spec == SPEC_NONE) {
        mailbox->begin = token->begin;
    }
    if (reading->spec == SPEC_AT) {
        mailbox->domain = token->begin;
    }
    mailbox->end = token->end;
    reading->spec = spec_step(reading->spec, token->kind);
    if (reading->spec < SPEC_DOMAIN) {
        mailbox->domain = mailbox->end;
    }
}

static int fail(struct addrlist *list, enum addrlist_fault fault, size_t at)
{
    list->fault = fault;
    list->at = at;
    return -1;
}

/* 1 when it is an address. */
static int reading_end(struct addrlist *list, const struct reading *reading, struct addrlist_mailbox *out)
{
    if (reading->spec == SPEC_WORDS) {
        return fail(list, ADDRLIST_WORDS, reading->mailbox.begin);
    }
    if (reading->spec == SPEC_NO_DOMAIN || reading->spec == SPEC_AT) {
        return fail(list, ADDRLIST_DOMAIN, reading->mailbox.begin);
    }
    *out = reading->mailbox;
    return 1;
}

/* The next token; false: a fault, or its kind is none that may stand in an address or in words. */
static int next(struct addrlist *list, struct addrlist_token *token)
{
    enum addrlist_fault fault = addrlist_token_next(list->bytes, list->n, &list->at, token);
    return fault == ADDRLIST_GOOD ? 0 : fail(list, fault, token->begin);
}

static bool is_spec_token(char kind)
{
    return kind == TOKEN_ATOM || kind == TOKEN_QUOTED || kind == TOKEN_LITERAL || kind == '.' || kind == '@';
}

/* Behind `<`: a route (@a,@b:) is skipped; up to `>`. */
static int read_angle(struct addrlist *list, size_t open, struct addrlist_mailbox *out)
{
    struct reading reading = {.mailbox = {open + 1, open + 1, open + 1}};
    struct addrlist_token token;
    bool may_route = true;
    for (;;) {
        if (next(list, &token) < 0) {
            return -1;
        }
        if (token.kind == '>') {
            return reading_end(list, &reading, out);
        }
        bool is_route = may_route && reading.spec == SPEC_NO_DOMAIN && (token.kind == ':' || token.kind == ',');
        if (is_route) {
            may_route = token.kind == ',';
            reading = (struct reading){.mailbox = {token.end, token.end, token.end}};
        } else if (is_spec_token(token.kind)) {
            reading_add(&reading, &token);
        } else {
            return fail(list, token.kind == TOKEN_END ? ADDRLIST_ANGLE : ADDRLIST_BYTE, token.begin);
        }
    }
}

/* Behind an address in <>, or a group's end: a separator has to follow. */
static int expect_separator(struct addrlist *list)
{
    struct addrlist_token token;
    size_t before = list->at;
    if (next(list, &token) < 0) {
        return -1;
    }
    if (token.kind == ';' && list->is_in_group) {
        list->at = before;
        return 0;
    }
    bool is_end = token.kind == TOKEN_END && !list->is_in_group;
    if (is_end || token.kind == ',') {
        return 0;
    }
    return fail(list,
                token.kind == TOKEN_END     ? ADDRLIST_GROUP
                : is_spec_token(token.kind) ? ADDRLIST_WORDS
                                            : ADDRLIST_BYTE,
                token.begin);
}

/* A token that ends what was read so far: , ; : or the end. 1: *out is an address; 0: nothing yet; -1; 2: the list's end. */
static int take_separator(struct addrlist *list, const struct addrlist_token *token, struct reading *reading,
                          struct addrlist_mailbox *out)
{
    enum { END = 2 };
    bool is_empty = reading->spec == SPEC_NONE;
    switch (token->kind) {
    case ':':
        if (is_empty || list->is_in_group) {
            return fail(list, ADDRLIST_BYTE, token->begin);
        }
        list->is_in_group = true;
        *reading = (struct reading){.spec = SPEC_NONE};
        return 0;
    case ';':
        if (!list->is_in_group) {
            return fail(list, ADDRLIST_BYTE, token->begin);
        }
        list->is_in_group = false;
        if (expect_separator(list) < 0) {
            return -1;
        }
        break;
    case ',':
        break;
    case TOKEN_END:
        if (list->is_in_group) {
            return fail(list, ADDRLIST_GROUP, token->begin);
        }
        return is_empty ? END : reading_end(list, reading, out);
    default:
        return fail(list, ADDRLIST_BYTE, token->begin);
    }
    return is_empty ? 0 : reading_end(list, reading, out);
}

void addrlist_start(struct addrlist *list, const char *bytes, size_t n)
{
    *list = (struct addrlist){.bytes = bytes, .n = n};
}

int addrlist_next(struct addrlist *list, struct addrlist_mailbox *out)
{
    struct reading reading = {.spec = SPEC_NONE};
    if (list->fault != ADDRLIST_GOOD) {
        return -1;
    }
    for (;;) {
        struct addrlist_token token;
        if (next(list, &token) < 0) {
            return -1;
        }
        if (is_spec_token(token.kind)) {
            reading_add(&reading, &token);
            continue;
        }
        if (token.kind == '<') {
            return read_angle(list, token.begin, out) < 0 || expect_separator(list) < 0 ? -1 : 1;
        }
        int got = take_separator(list, &token, &reading, out);
        if (got != 0) {
            return got == 2 ? 0 : got;
        }
    }
}
