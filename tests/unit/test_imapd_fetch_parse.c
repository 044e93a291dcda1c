/* SPDX-License-Identifier: ISC */
/* imapd/fetch_parse and flags: what FETCH asks for, flag lists of STORE and APPEND, and each malformed form. */
#include <stdlib.h>

#include "imapd/fetch.h"
#include "imapd/flags.h"
#include "lib/str.h"
#include "tests/tap.h"

static stralloc text;

static void describe_section(const struct fetch_item *item)
{
    static const char *const texts[] = {"", "HEADER", "FIELDS", "NOT", "TEXT", "MIME"};
    str_cats(&text, item->label != NULL ? item->label : "BODY");
    str_cats(&text, item->is_peek ? ".PEEK[" : "[");
    for (unsigned i = 0; i < item->n_path; i++) {
        str_catf(&text, "%u.", item->path[i]);
    }
    str_cats(&text, texts[item->text]);
    for (unsigned i = 0; i < item->n_fields; i++) {
        str_catc(&text, ' ');
        str_cat_printable(&text, item->field[i].bytes, item->field[i].len);
    }
    str_catc(&text, ']');
    if (item->is_partial) {
        str_catf(&text, "<%u.%u>", item->start, item->len);
    }
}

/* `FLAGS UID … since=n vanished seen`, or `no`. */
static const char *describe(const char *bytes, size_t n)
{
    static const char *const kinds[] = {"UID", "FLAGS", "SIZE", "DATE", "MODSEQ", "ENVELOPE", "BODY", "STRUCTURE"};
    struct fetch fetch = {0};
    char *exact = malloc(n + 1);
    memcpy(exact + 1, bytes, n);
    struct parser parser = {exact + 1, exact + 1 + n};
    text.len = 0;
    if (!fetch_parse(&parser, &fetch)) {
        str_cats(&text, "no");
    } else {
        for (unsigned i = 0; i < fetch.n; i++) {
            str_cats(&text, i > 0 ? " " : "");
            if (fetch.item[i].kind == FETCH_SECTION) {
                describe_section(&fetch.item[i]);
            } else {
                str_cats(&text, kinds[fetch.item[i].kind]);
            }
        }
        str_catf(&text, fetch.has_since ? " since=%llu" : "", (unsigned long long)fetch.since);
        str_cats(&text, fetch.has_vanished ? " vanished" : "");
        str_cats(&text, fetch.sets_seen ? " seen" : "");
    }
    fetch_free(&fetch);
    free(exact);
    return str_text(&text);
}

static void asks(const char *items, const char *want)
{
    char command[400];
    int n = snprintf(command, sizeof command, " 1:* %s", items);
    is(describe(command, (size_t)n), want, items);
}

static void items(void)
{
    asks("FLAGS", "FLAGS");
    asks("flags", "FLAGS");
    asks("(UID)", "UID");
    asks("(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE MODSEQ)",
         "UID FLAGS DATE SIZE ENVELOPE BODY STRUCTURE MODSEQ");
    asks("ALL", "FLAGS DATE SIZE ENVELOPE");
    asks("FAST", "FLAGS DATE SIZE");
    asks("full", "FLAGS DATE SIZE ENVELOPE BODY");
    asks("RFC822", "RFC822[] seen");
    asks("RFC822.HEADER", "RFC822.HEADER.PEEK[HEADER]");
    asks("RFC822.TEXT", "RFC822.TEXT[TEXT] seen");
    asks("RFC822.PEEK", "RFC822.PEEK[]");
    asks("RFC822.TEXT.PEEK", "RFC822.TEXT.PEEK[TEXT]");
    static const char *const none[] = {"",
                                       "()",
                                       "(",
                                       "(FLAGS",
                                       "FLAGS)",
                                       "(FLAGS )",
                                       "( FLAGS)",
                                       "X",
                                       "(FLAGS X)",
                                       "(ALL)",
                                       "(FLAGS ALL)",
                                       "ALL FLAGS",
                                       "FLAGS UID",
                                       "FLAGSX",
                                       "UID(",
                                       "RFC822.FOO",
                                       "RFC822.SIZES",
                                       "(FLAGS)(UID)",
                                       "(FLAGS UID))",
                                       "BODY.PEEK",
                                       "BODYX"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        asks(none[i], "no");
    }
    static const char *const no_sets[] = {"", " ", " 1", " 1 ", "1 FLAGS", " 0 FLAGS", " 1  FLAGS", " x FLAGS", " 1:FLAGS"};
    for (size_t i = 0; i < sizeof no_sets / sizeof *no_sets; i++) {
        is(describe(no_sets[i], strlen(no_sets[i])), "no", no_sets[i]);
    }
}

static void sections(void)
{
    asks("BODY[]", "BODY[] seen");
    asks("BODY.PEEK[]", "BODY.PEEK[]");
    asks("body.peek[header]", "BODY.PEEK[HEADER]");
    asks("BODY[TEXT]", "BODY[TEXT] seen");
    asks("BODY.PEEK[1]", "BODY.PEEK[1.]");
    asks("BODY.PEEK[1.2.3]", "BODY.PEEK[1.2.3.]");
    asks("BODY.PEEK[1.MIME]", "BODY.PEEK[1.MIME]");
    asks("BODY.PEEK[2.1.HEADER]", "BODY.PEEK[2.1.HEADER]");
    asks("BODY.PEEK[4294967295.TEXT]", "BODY.PEEK[4294967295.TEXT]");
    asks("BODY.PEEK[HEADER.FIELDS (From To)]", "BODY.PEEK[FIELDS From To]");
    asks("BODY.PEEK[HEADER.FIELDS.NOT (From)]", "BODY.PEEK[NOT From]");
    asks("BODY.PEEK[1.HEADER.FIELDS (\"a b\" {2}\r\nxy)]", "BODY.PEEK[1.FIELDS a b xy]");
    asks("BODY.PEEK[]<0.1>", "BODY.PEEK[]<0.1>");
    asks("BODY.PEEK[1]<4294967295.4294967295>", "BODY.PEEK[1.]<4294967295.4294967295>");
    asks("(BODY[] BODY.PEEK[]<5.6> UID)", "BODY[] BODY.PEEK[]<5.6> UID seen");
    static const char *const none[] = {"BODY[",
                                       "BODY[ ]",
                                       "BODY[0]",
                                       "BODY[01]",
                                       "BODY[1.]",
                                       "BODY[.1]",
                                       "BODY[1..2]",
                                       "BODY[1,2]",
                                       "BODY[4294967296]",
                                       "BODY[MIME]",
                                       "BODY[HEADER.]",
                                       "BODY[HEADER",
                                       "BODY[HEADERS]",
                                       "BODY[TEXT.1]",
                                       "BODY[1 TEXT]",
                                       "BODY[HEADER.FIELDS]",
                                       "BODY[HEADER.FIELDS ]",
                                       "BODY[HEADER.FIELDS ()]",
                                       "BODY[HEADER.FIELDS (From]",
                                       "BODY[HEADER.FIELDS (From )]",
                                       "BODY[HEADER.FIELDS From]",
                                       "BODY[HEADER.FIELDS(From)]",
                                       "BODY[HEADER.FIELDS (\"From)]",
                                       "BODY[]<",
                                       "BODY[]<0>",
                                       "BODY[]<0.>",
                                       "BODY[]<0.0>",
                                       "BODY[]<.5>",
                                       "BODY[]<-1.5>",
                                       "BODY[]<0.5",
                                       "BODY[]<0.4294967296>",
                                       "BODY[]<4294967296.5>",
                                       "BODY[] <0.5>",
                                       "BODY[]x"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        asks(none[i], "no");
    }
}

static void modifiers(void)
{
    asks("FLAGS (CHANGEDSINCE 5)", "FLAGS since=5");
    asks("(FLAGS) (CHANGEDSINCE 9223372036854775807 VANISHED)", "FLAGS since=9223372036854775807 vanished");
    asks("FLAGS (VANISHED CHANGEDSINCE 5)", "FLAGS since=5 vanished");
    static const char *const none[] = {"FLAGS (CHANGEDSINCE 9223372036854775808)",
                                       "FLAGS (CHANGEDSINCE)",
                                       "FLAGS (CHANGEDSINCE x)",
                                       "FLAGS (CHANGEDSINCE 5 CHANGEDSINCE 6)",
                                       "FLAGS ()",
                                       "FLAGS (",
                                       "FLAGS (CHANGEDSINCE 5",
                                       "FLAGS (CHANGEDSINCE 5) ",
                                       "FLAGS CHANGEDSINCE 5",
                                       "FLAGS  (CHANGEDSINCE 5)",
                                       "FLAGS (X)"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        asks(none[i], "no");
    }
}

/* As many as there is room for, and one more. */
static void limits(void)
{
    static const struct {
        const char *head, *each, *end, *name;
        unsigned most;
    } rows[] = {{" 1 (UID", " UID", ")", "items", FETCH_ITEMS_MAX},
                {" 1 BODY[1", ".1", "]", "parts_of_parts", FETCH_PATH_MAX},
                {" 1 BODY[HEADER.FIELDS (a", " a", ")]", "fields", FETCH_FIELDS_MAX}};
    stralloc command = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (unsigned more = 0; more < 2; more++) {
            command.len = 0;
            str_cats(&command, rows[i].head);
            for (unsigned k = 1; k < rows[i].most + more; k++) {
                str_cats(&command, rows[i].each);
            }
            str_cats(&command, rows[i].end);
            ok((strcmp(describe(command.s, command.len), "no") == 0) == (more == 1), rows[i].name);
        }
    }
    stralloc_free(&command);
}

/* `10 $Junk a| REST`: flags in hex, keywords, what is left. */
static void flags(const char *list, bool may_be_bare, const char *want)
{
    struct flag_names names;
    size_t n = strlen(list);
    char *exact = malloc(n + 1);
    memcpy(exact + 1, list, n);
    struct parser parser = {exact + 1, exact + 1 + n};
    text.len = 0;
    if (flags_parse(&parser, may_be_bare, &names)) {
        str_catf(&text, "%x", names.flags);
        for (unsigned i = 0; i < names.n; i++) {
            str_catc(&text, ' ');
            str_cat_printable(&text, names.keyword[i].bytes, names.keyword[i].len);
        }
        str_catc(&text, '|');
        str_cat_printable(&text, parser.at, (size_t)(parser.end - parser.at));
    } else {
        str_cats(&text, "no");
    }
    is(str_text(&text), want, list);
    free(exact);
}

static void flag_lists(void)
{
    flags("(\\Seen)", false, "10|");
    flags("(\\Seen \\answered \\FLAGGED \\Deleted \\Draft) x", false, "3b| x");
    flags("()", false, "0|");
    flags("($Junk a \\Seen b)", false, "10 $Junk a b|");
    flags("\\Seen", true, "10|");
    flags("\\Seen $Junk", true, "10 $Junk|");
    flags("a b) x", true, "0 a b|) x");
    flags("\\Seen", false, "no");
    flags("", true, "no");
    flags("(", false, "no");
    flags("(\\Seen", false, "no");
    flags("(\\Seen )", false, "no");
    flags("( \\Seen)", false, "no");
    flags("(\\Seen  a)", false, "no");
    flags("(\\Recent)", false, "no");
    flags("(\\Foo)", false, "no");
    flags("(\\)", false, "no");
    flags("(\\*)", false, "no");
    flags("(\"a\")", false, "no");
    flags("(a]b)", false, "no");
    stralloc many = STRALLOC_ZERO;
    for (unsigned n = FLAG_NAMES_MAX; n <= FLAG_NAMES_MAX + 1; n++) {
        struct flag_names names;
        many.len = 0;
        for (unsigned i = 0; i < n; i++) {
            str_cats(&many, i == 0 ? "(k" : " k");
        }
        str_catc(&many, ')');
        struct parser parser = {many.s, many.s + many.len};
        ok(flags_parse(&parser, false, &names) == (n == FLAG_NAMES_MAX), "a_list_has_128_keywords_at_most");
    }
    for (size_t n = KEYWORD_LEN_MAX; n <= KEYWORD_LEN_MAX + 1; n++) {
        struct flag_names names;
        many.len = 0;
        str_catc(&many, '(');
        memset(str_room(&many, n), 'k', n);
        many.len += n;
        str_catc(&many, ')');
        struct parser parser = {many.s, many.s + many.len};
        ok(flags_parse(&parser, false, &names) == (n == KEYWORD_LEN_MAX), "a_keyword_has_200_bytes_at_most");
    }
    stralloc_free(&many);
}

int main(void)
{
    items();
    sections();
    modifiers();
    limits();
    flag_lists();
    return done();
}
