/* SPDX-License-Identifier: ISC */
/* The items of FETCH. */
#include <stdlib.h>
#include <string.h>

#include "imapd/fetch.h"
#include "lib/str.h"

static struct fetch_item *add(struct fetch *fetch, enum fetch_kind kind)
{
    if (fetch->item == NULL) {
        fetch->item = memory_get(FETCH_ITEMS_MAX, sizeof *fetch->item);
    }
    if (fetch->n == FETCH_ITEMS_MAX) {
        return NULL;
    }
    struct fetch_item *item = &fetch->item[fetch->n++];
    item->kind = kind;
    return item;
}

static bool add_macro(struct parser *parser, struct fetch *out)
{
    bool is_all = parse_word(parser, "ALL");
    bool is_full = !is_all && parse_word(parser, "FULL");
    if (!is_all && !is_full && !parse_word(parser, "FAST")) {
        return false;
    }
    add(out, FETCH_FLAGS);
    add(out, FETCH_DATE);
    add(out, FETCH_SIZE);
    if (is_all || is_full) {
        add(out, FETCH_ENVELOPE);
    }
    if (is_full) {
        add(out, FETCH_BODY);
    }
    return true;
}

static bool parse_fields(struct parser *parser, struct fetch_item *item)
{
    if (!parse_space(parser) || !parse_char(parser, '(')) {
        return false;
    }
    do {
        if (item->n_fields == FETCH_FIELDS_MAX || !parse_astring(parser, &item->field[item->n_fields])) {
            return false;
        }
        item->n_fields++;
    } while (parse_space(parser));
    return parse_char(parser, ')');
}

static bool parse_text(struct parser *parser, struct fetch_item *item)
{
    if (parse_word(parser, "HEADER.FIELDS.NOT")) {
        item->text = TEXT_FIELDS_NOT;
        return parse_fields(parser, item);
    }
    if (parse_word(parser, "HEADER.FIELDS")) {
        item->text = TEXT_FIELDS;
        return parse_fields(parser, item);
    }
    if (parse_word(parser, "HEADER")) {
        item->text = TEXT_HEADER;
        return true;
    }
    if (parse_word(parser, "TEXT")) {
        item->text = TEXT_TEXT;
        return true;
    }
    item->text = TEXT_MIME;
    return item->n_path > 0 && parse_word(parser, "MIME");
}

/* [1.2.HEADER] behind its bracket; to the closing one. */
static bool parse_section(struct parser *parser, struct fetch_item *item)
{
    item->text = TEXT_WHOLE;
    while (!parse_char(parser, ']')) {
        if (parser->at < parser->end && *parser->at >= '1' && *parser->at <= '9') {
            if (item->n_path == FETCH_PATH_MAX || !parse_nonzero(parser, &item->path[item->n_path])) {
                return false;
            }
            item->n_path++;
            if (!parse_char(parser, '.')) {
                return parse_char(parser, ']');
            }
            if (parser->at < parser->end && *parser->at == ']') {
                return false;
            }
        } else {
            return parse_text(parser, item) && parse_char(parser, ']');
        }
    }
    return true;
}

static bool parse_partial(struct parser *parser, struct fetch_item *item)
{
    if (!parse_char(parser, '<')) {
        return true;
    }
    item->is_partial = true;
    return parse_number(parser, &item->start) && parse_char(parser, '.') && parse_nonzero(parser, &item->len) &&
           parse_char(parser, '>');
}

static bool add_section(struct parser *parser, struct fetch *out, bool is_peek)
{
    struct fetch_item *item = add(out, FETCH_SECTION);
    if (item == NULL) {
        return false;
    }
    item->is_peek = is_peek;
    out->sets_seen = out->sets_seen || !is_peek;
    return parse_section(parser, item) && parse_partial(parser, item);
}

/* RFC822 and its kin; .PEEK forms are what old clients send. */
static bool add_rfc822(struct parser *parser, struct fetch *out)
{
    static const struct {
        const char *word, *label;
        enum fetch_text text;
        bool is_peek;
    } words[] = {{"RFC822", "RFC822", TEXT_WHOLE, false},
                 {"RFC822.HEADER", "RFC822.HEADER", TEXT_HEADER, true},
                 {"RFC822.TEXT", "RFC822.TEXT", TEXT_TEXT, false},
                 {"RFC822.PEEK", "RFC822", TEXT_WHOLE, true},
                 {"RFC822.TEXT.PEEK", "RFC822.TEXT", TEXT_TEXT, true}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (parse_word(parser, words[i].word)) {
            struct fetch_item *item = add(out, FETCH_SECTION);
            if (item == NULL) {
                return false;
            }
            item->label = words[i].label;
            item->text = words[i].text;
            item->is_peek = words[i].is_peek;
            out->sets_seen = out->sets_seen || !words[i].is_peek;
            return true;
        }
    }
    return false;
}

/* BODY and BODY.PEEK up to a bracket: '[' is an atom character, so the words are cut by hand. */
static bool starts_with(const struct parser *parser, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(parser->end - parser->at) >= n && str_equal_nocase(parser->at, n, word, n);
}

static bool parse_item(struct parser *parser, struct fetch *out)
{
    static const struct {
        const char *word;
        enum fetch_kind kind;
    } words[] = {
        {"FLAGS", FETCH_FLAGS},   {"UID", FETCH_UID},           {"RFC822.SIZE", FETCH_SIZE},        {"INTERNALDATE", FETCH_DATE},
        {"MODSEQ", FETCH_MODSEQ}, {"ENVELOPE", FETCH_ENVELOPE}, {"BODYSTRUCTURE", FETCH_STRUCTURE}, {"BODY", FETCH_BODY}};
    if (starts_with(parser, "BODY[")) {
        parser->at += 5;
        return add_section(parser, out, false);
    }
    if (starts_with(parser, "BODY.PEEK[")) {
        parser->at += 10;
        return add_section(parser, out, true);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (parse_word(parser, words[i].word)) {
            return add(out, words[i].kind) != NULL;
        }
    }
    return add_rfc822(parser, out);
}

/* SP (CHANGEDSINCE n [VANISHED]) */
static bool parse_modifiers(struct parser *parser, struct fetch *out)
{
    if (parse_end(parser)) {
        return true;
    }
    if (!parse_space(parser) || !parse_char(parser, '(')) {
        return false;
    }
    do {
        if (parse_word(parser, "VANISHED")) {
            out->has_vanished = true;
        } else if (!out->has_since && parse_word(parser, "CHANGEDSINCE") && parse_space(parser) &&
                   parse_number64(parser, &out->since)) {
            out->has_since = true;
        } else {
            return false;
        }
    } while (parse_space(parser));
    return parse_char(parser, ')') && parse_end(parser);
}

bool fetch_parse(struct parser *parser, struct fetch *out)
{
    if (!parse_space(parser) || !parse_set(parser, &out->set) || !parse_space(parser)) {
        return false;
    }
    if (!add_macro(parser, out)) {
        bool is_list = parse_char(parser, '(');
        do {
            if (!parse_item(parser, out)) {
                return false;
            }
        } while (is_list && parse_space(parser));
        if (is_list && !parse_char(parser, ')')) {
            return false;
        }
    }
    return parse_modifiers(parser, out);
}

void fetch_free(struct fetch *fetch)
{
    set_clear(&fetch->set);
    free(fetch->item);
    fetch->item = NULL;
}
