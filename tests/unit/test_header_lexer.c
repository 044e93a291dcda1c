/* SPDX-License-Identifier: ISC */
/* lib/header_lexer: each reader on words as RFC 5322 and RFC 2045 show them, and on what mailers and attackers make of them. */
#include "lib/header_lexer.h"
#include "lib/str.h"
#include "tests/tap.h"

#include <stdlib.h>

typedef enum lexed reader(struct lexer *lexer, stralloc *out);

static enum lexed space(struct lexer *lexer, stralloc *out)
{
    (void)out;
    return lexer_skip_space(lexer);
}

/* `read|rest|comment` and what was said: -, . or +. From memory of exactly these bytes. */
static const char *lex(reader *read, const char *bytes, size_t n)
{
    static stralloc text;
    static stralloc comment;
    stralloc out = STRALLOC_ZERO;
    struct lexer lexer;
    char *exact = memory_get(n + 1, 1);
    memcpy(exact + 1, bytes, n); /* what stands behind is not ours */
    comment.len = 0;
    lexer_start(&lexer, exact + 1, n, &comment);
    enum lexed result = read(&lexer, &out);
    text.len = 0;
    str_cat_printable(&text, out.s, out.len);
    str_catc(&text, '|');
    str_cat_printable(&text, lexer.p, (size_t)(lexer.end - lexer.p));
    str_catc(&text, '|');
    str_cat_printable(&text, comment.s, comment.len);
    str_catc(&text, result == LEXED_BAD ? '-' : result == LEXED_END ? '.' : '+');
    bool is_honest = (result != LEXED_END || lexer.p == lexer.end) && (result != LEXED_MORE || lexer.p < lexer.end);
    if (!is_honest) {
        str_cats(&text, " and that is not so");
    }
    stralloc_free(&out);
    free(exact);
    return str_text(&text);
}

struct row {
    const char *bytes, *want, *name;
};

static void rows(reader *read, const struct row *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        is(lex(read, row[i].bytes, strlen(row[i].bytes)), row[i].want, row[i].name);
    }
}
#define ROWS(read, table) rows(read, table, sizeof(table) / sizeof *(table))

static void spaces(void)
{
    static const struct row table[] = {
        {"", "||.", "nothing"},
        {" \t\r\n x", "|x|+", "blanks_and_line_ends"},
        {"(his account)x", "|x|his account+", "a_comment"},
        {"(a (b) c) x", "|x|a (b) c+", "one_in_another"},
        {"(a\\)b\\\\c\\() x", "|x|a)b\\c(+", "backslashes_go"},
        {"(a) (b)x", "|x|b+", "the_last_one_holds"},
        {"()x", "|x|+", "an_empty_one"},
        {"(a", "||-", "one_without_its_end"},
        {"(a) (b", "||-", "behind_a_good_one"},
        {"((a)", "||-", "one_end_for_two"},
        {"(a\\", "||-", "cut_behind_a_backslash"},
        {"(a\\)", "||-", "an_end_that_is_escaped"},
        {")x", "|)x|+", "an_end_alone_is_no_comment"},
        {"\vx", "|\\x0bx|+", "other_controls_are_no_space"},
    };
    ROWS(space, table);
    is(lex(space, " \0(", 3), "|\\x00(|+", "nor_is_nul");
    is(lex(space, "(a\0b)", 5), "||a\\x00b.", "which_a_comment_may_hold");
}

static void atoms(void)
{
    static const struct row table[] = {
        {"Muhammed.", "Muhammed|.|+", "up_to_a_dot"},
        {"a!#$%&'*+-/=?^_`{|}~9Z", "a!#$%&'*+-/=?^_`{|}~9Z||.", "every_other_sign"},
        {"a(b) c", "a|c|b+", "a_comment_ends_it"},
        {"a \r\n b", "a|b|+", "space_behind_it_goes"},
        {"gr\xc3\xbc\xc3\x9f \"x\"", "gr\\xc3\\xbc\\xc3\\x9f|\"x\"|+", "bytes_of_8_bits_are_letters"},
        {"", "||-", "nothing_is_none"},
        {" a", "| a|-", "nor_is_a_blank"},
        {"\"a\"", "|\"a\"|-", "nor_a_quote"},
        {"a(", "a||-", "an_open_comment_behind_it"},
        {"a\x7f", "a|\\x7f|+", "del_ends_it"},
    };
    static const char none[] = "()<>[]:;@\\,.\" \t\r\n";
    unsigned wrong = 0;
    ROWS(lexer_atom, table);
    for (unsigned c = 0; c < 256; c++) {
        const char byte = (char)c;
        stralloc out = STRALLOC_ZERO;
        struct lexer lexer;
        lexer_start(&lexer, &byte, 1, NULL);
        bool want = c >= 0x80 || (c > 0x20 && c < 0x7f && strchr(none, (int)c) == NULL);
        wrong += (lexer_atom(&lexer, &out) == LEXED_END) != want;
        stralloc_free(&out);
    }
    is_number(wrong, 0, "atext_is_that_of_rfc_5322_and_8_bits");
}

static void dot_atoms(void)
{
    static const struct row table[] = {
        {"example.com", "example.com||.", "a_domain"},
        {"pete(his account)@silly.test", "pete|@silly.test|his account+", "up_to_the_at"},
        {"Test . Node(a) .b , c", "Test.Node.b|, c|a+", "space_around_dots_goes"},
        {"a..b", "a..b||.", "dots_may_be_two"},
        {"a.", "a.||.", "or_the_last"},
        {"a. @", "a.|@|+", "with_more_behind"},
        {".a", "|.a|-", "but_not_the_first"},
        {"", "||-", "nothing"},
        {"a.(", "a.||-", "an_open_comment"},
        {"a b", "a|b|+", "two_words"},
    };
    ROWS(lexer_dot_atom, table);
}

static void tokens(void)
{
    static const struct row table[] = {
        {"text/plain", "text|/plain|+", "a_type"},
        {"us-ascii (Plain text)", "us-ascii||Plain text.", "a_charset"},
        {"x.y'z{|}", "x.y'z{|}||.", "dots_and_braces"},
        {"a=b", "a|=b|+", "not_what_rfc_2045_takes_out"},
        {"a?b", "a|?b|+", "nor_the_question_mark"},
        {"", "||.", "it_may_be_empty"},
        {"=", "|=|+", "with_more_behind"},
        {"a (b", "a||-", "an_open_comment"},
    };
    static const char specials[] = "()<>@,;:\\\"/[]?= \t\r\n";
    unsigned wrong = 0;
    ROWS(lexer_token, table);
    for (unsigned c = 0; c < 0x80; c++) {
        const char byte = (char)c;
        stralloc out = STRALLOC_ZERO;
        struct lexer lexer;
        lexer_start(&lexer, &byte, 1, NULL);
        (void)lexer_token(&lexer, &out);
        wrong += (out.len == 1) != (c > 0x20 && c < 0x7f && strchr(specials, (int)c) == NULL);
        stralloc_free(&out);
    }
    is_number(wrong, 0, "tspecials_are_those_of_rfc_2045");
}

static void quoted_strings(void)
{
    static const struct row table[] = {
        {"\"Joe Q. Public\" <j@b>", "Joe Q. Public|<j@b>|+", "words_and_dots"},
        {"\"Giant; \\\"Big\\\" Box\"", "Giant; \"Big\" Box||.", "quotes_inside"},
        {"\"a\\\\\"b", "a\\|b|+", "a_backslash_at_its_end"},
        {"\"\"", "||.", "an_empty_one"},
        {"\"a(b)\"(c)", "a(b)||c.", "no_comment_is_inside"},
        {"\"a", "||-", "one_without_its_end"},
        {"\"a\\", "a||-", "cut_behind_a_backslash"},
        {"\"a\\\"", "a||-", "an_end_that_is_escaped"},
        {"\"", "||-", "a_quote_alone"},
        {"\"a\r\n b\"", "a\\x0d\\x0a b||.", "line_ends_stay"},
        {"\"a\"(", "a||-", "an_open_comment_behind_it"},
    };
    ROWS(lexer_quoted, table);
    is(lex(lexer_quoted, "\"a\0b\"", 5), "a\\x00b||.", "and_nul_does");
}

static void phrases(void)
{
    static const struct row table[] = {
        {"John Doe <j@b>", "John Doe|<j@b>|+", "words"},
        {"\"Joe Q.\"  Public:", "Joe Q. Public|:|+", "a_quoted_one_and_a_plain_one"},
        {"Joe Q. Public <", "Joe Q. Public|<|+", "dots_without_quotes"},
        {"Pete(A nice \\) chap) <", "Pete|<|A nice ) chap+", "comments_between"},
        {"a\"b\"c", "a b c||.", "one_blank_between_two"},
        {"A Group", "A Group||.", "to_the_end"},
        {"", "||.", "nothing"},
        {".a", "|.a|-", "a_dot_cannot_begin_it"},
        {"a .b", "a .b||.", "but_a_second_word"},
        {"a \"b", "a ||-", "an_open_quote"},
        {"<a>", "|<a>|+", "none_before_an_address"},
        {"a,", "a|,|+", "up_to_a_comma"},
    };
    ROWS(lexer_phrase, table);
}

static void domains(void)
{
    static const struct row table[] = {
        {"@example.com>", "example.com|>|+", "a_name"},
        {"@ (x) example . com", "example.com||x.", "with_space"},
        {"@[192.0.2.1] x", "[192.0.2.1]|x|+", "a_literal"},
        {"@[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]||.", "of_rfc_5321"},
        {"@[a\\]b]", "[a\\]b]||.", "its_backslashes_stay"},
        {"@[]", "[]||.", "an_empty_one"},
        {"@", "||-", "nothing"},
        {"@ ", "||-", "space"},
        {"@(", "||-", "an_open_comment"},
        {"@[a", "||-", "a_literal_without_its_end"},
        {"@[a\\", "||-", "cut_behind_a_backslash"},
        {"@>", "|>|-", "no_name"},
        {"@.a", "|.a|-", "a_dot_first"},
    };
    ROWS(lexer_domain, table);
}

/* Nested without end, in memory of its own: no recursion. */
static void depth(void)
{
    stralloc deep = STRALLOC_ZERO;
    struct lexer lexer;
    for (unsigned i = 0; i < 300000; i++) {
        str_catc(&deep, '(');
    }
    lexer_start(&lexer, deep.s, deep.len, NULL);
    ok(lexer_skip_space(&lexer) == LEXED_BAD, "300,000_comments_that_do_not_end");
    for (unsigned i = 0; i < 300000; i++) {
        str_catc(&deep, ')');
    }
    lexer_start(&lexer, deep.s, deep.len, NULL);
    ok(lexer_skip_space(&lexer) == LEXED_END, "and_that_end");
    stralloc_free(&deep);
}

int main(void)
{
    spaces();
    atoms();
    dot_atoms();
    tokens();
    quoted_strings();
    phrases();
    domains();
    depth();
    return done();
}
