/* SPDX-License-Identifier: ISC */
/* imapd/parse: each word of the grammar, each malformed form, and that what is refused leaves the parser where it stood. */
#include <stdlib.h>

#include "imapd/parse.h"
#include "lib/str.h"
#include "tests/tap.h"

typedef bool slice_parser(struct parser *parser, struct slice *out);

static bool take_number(struct parser *parser, struct slice *out)
{
    static char text[24];
    uint32_t number;
    bool is_good = parse_number(parser, &number);
    *out = (struct slice){text, (size_t)(is_good ? snprintf(text, sizeof text, "%u", number) : 0)};
    return is_good;
}

static bool take_nonzero(struct parser *parser, struct slice *out)
{
    static char text[24];
    uint32_t number;
    bool is_good = parse_nonzero(parser, &number);
    *out = (struct slice){text, (size_t)(is_good ? snprintf(text, sizeof text, "%u", number) : 0)};
    return is_good;
}

static bool take_number64(struct parser *parser, struct slice *out)
{
    static char text[24];
    uint64_t number;
    bool is_good = parse_number64(parser, &number);
    *out = (struct slice){text, (size_t)(is_good ? snprintf(text, sizeof text, "%llu", (unsigned long long)number) : 0)};
    return is_good;
}

/* `[what was taken] what is left`, or `no`. In a copy of exactly that size, so that a sanitizer sees a byte too far. */
static void describe(slice_parser *parse, const char *bytes, size_t n, stralloc *out)
{
    char *exact = malloc(n + 1);
    char *start = exact + 1;
    struct slice slice = {"untouched", 9};
    memcpy(start, bytes, n);
    struct parser parser = {start, start + n};
    out->len = 0;
    if (parse(&parser, &slice)) {
        str_catc(out, '[');
        if (slice.bytes == NULL) {
            str_cats(out, "NIL");
        }
        str_cat_printable(out, slice.bytes, slice.len);
        str_cats(out, "] ");
        str_cat_printable(out, parser.at, (size_t)(parser.end - parser.at));
    } else {
        str_cats(out, parser.at == start && parser.end == start + n && memcmp(start, bytes, n) == 0 ? "no" : "no, but it moved");
    }
    (void)str_text(out);
    free(exact);
}

struct row {
    const char *bytes;
    size_t len;
    const char *want;
};
#define ROW(bytes, want)                                                                                                         \
    {                                                                                                                            \
        (bytes), sizeof(bytes) - 1, (want)                                                                                       \
    }
#define TABLE(parse, rows) takes((parse), (rows), sizeof(rows) / sizeof *(rows), #parse)

static void takes(slice_parser *parse, const struct row *rows, size_t n, const char *name)
{
    stralloc got = STRALLOC_ZERO;
    stralloc label = STRALLOC_ZERO;
    for (size_t i = 0; i < n; i++) {
        describe(parse, rows[i].bytes, rows[i].len, &got);
        label.len = 0;
        str_cats(&label, name);
        str_catc(&label, ' ');
        str_cat_printable(&label, rows[i].bytes, rows[i].len);
        is(got.s, rows[i].want, str_text(&label));
    }
    stralloc_free(&got);
    stralloc_free(&label);
}

static const struct row tags[] = {ROW("a1 NOOP", "[a1]  NOOP"),
                                  ROW("A.1-_~!#$&',/:;<=>?@[]^`|}x", "[A.1-_~!#$&',/:;<=>?@[]^`|}x] "),
                                  ROW("+", "no"),
                                  ROW("a+b x", "no"),
                                  ROW("", "no"),
                                  ROW(" a", "no"),
                                  ROW("(", "no"),
                                  ROW("a(", "[a] ("),
                                  ROW("a\"", "[a] \""),
                                  ROW("\x80", "no"),
                                  ROW("a\x7f", "[a] \\x7f"),
                                  ROW("a\tb", "[a] \\x09b"),
                                  ROW("\0", "no"),
                                  ROW("*", "no"),
                                  ROW("a%", "[a] %"),
                                  ROW("a]", "[a]] "),
                                  ROW("\\a", "no")};

static const struct row atoms[] = {ROW("FLAGS)", "[FLAGS] )"),
                                   ROW("a+b", "[a+b] "),
                                   ROW("BODY[TEXT]", "[BODY[TEXT] ]"),
                                   ROW("]", "no"),
                                   ROW("a*", "[a] *"),
                                   ROW("a%", "[a] %"),
                                   ROW("a{3}", "[a] {3}"),
                                   ROW("\"a\"", "no"),
                                   ROW("a\\b", "[a] \\b"),
                                   ROW("", "no"),
                                   ROW("(a)", "no"),
                                   ROW("a\r\n", "[a] \\x0d\\x0a"),
                                   ROW("\xc3\xa9", "no"),
                                   ROW("a b", "[a]  b")};

static const struct row strings[] = {ROW("\"\"x", "[] x"),
                                     ROW("\"a b\" c", "[a b]  c"),
                                     ROW("\"a\\\"b\\\\c\"", "[a\"b\\c] "),
                                     ROW("\"\\\\\"", "[\\] "),
                                     ROW("\"\xc3\xa9\"", "[\\xc3\\xa9] "),
                                     ROW("\"a", "no"),
                                     ROW("\"", "no"),
                                     ROW("\"a\\\"", "no"),
                                     ROW("\"a\\", "no"),
                                     ROW("\"a\\b\"", "no"),
                                     ROW("\"a\r\"", "no"),
                                     ROW("\"a\n\"", "no"),
                                     ROW("\"a\0\"", "no"),
                                     ROW("{3}\r\nabcd", "[abc] d"),
                                     ROW("{3+}\r\nabc", "[abc] "),
                                     ROW("{3}\nabc", "[abc] "),
                                     ROW("{0}\r\nx", "[] x"),
                                     ROW("{0}\r\n", "[] "),
                                     ROW("{5}\r\na\r\n\"{x", "[a\\x0d\\x0a\"{] x"),
                                     ROW("{4}\r\nabc", "no"),
                                     ROW("{3}abc", "no"),
                                     ROW("{3}", "no"),
                                     ROW("{3}\r", "no"),
                                     ROW("{}\r\n", "no"),
                                     ROW("{+}\r\n", "no"),
                                     ROW("{-1}\r\nabc", "no"),
                                     ROW("{3 }\r\nabc", "no"),
                                     ROW("{3-}\r\nabc", "no"),
                                     ROW("{3++}\r\nabc", "no"),
                                     ROW("{3} \r\nabc", "no"),
                                     ROW("{3}{3}\r\nabc", "no"),
                                     ROW("{5} {3}\r\nabc", "no"),
                                     ROW("~{3}\r\nabc", "no"),
                                     ROW("{3}\r\na\0c", "no"),
                                     ROW("{4294967296}\r\nabc", "no"),
                                     ROW("{18446744073709551619}\r\nabc", "no"),
                                     ROW("{", "no"),
                                     ROW("{\n", "no"),
                                     ROW("\n", "no"),
                                     ROW("abc", "no"),
                                     ROW("", "no")};

static const struct row astrings[] = {ROW("INBOX x", "[INBOX]  x"),
                                      ROW("a]b", "[a]b] "),
                                      ROW("\"a b\"", "[a b] "),
                                      ROW("{2}\r\nab", "[ab] "),
                                      ROW("a%", "[a] %"),
                                      ROW("*", "no"),
                                      ROW("a\"", "[a] \""),
                                      ROW("NIL", "[NIL] "),
                                      ROW("", "no"),
                                      ROW("()", "no"),
                                      ROW("\xff", "no"),
                                      ROW("a+", "[a+] "),
                                      ROW("&AOk-", "[&AOk-] "),
                                      ROW("\"a\\q\"", "no"),
                                      ROW("{9}\r\nab", "no")};

static const struct row nstrings[] = {ROW("NIL", "[NIL] "), ROW("nil)", "[NIL] )"), ROW("\"NIL\"", "[NIL] "),
                                      ROW("NILX", "no"),    ROW("\"\"", "[] "),     ROW("x", "no"),
                                      ROW("", "no"),        ROW("NIL]", "[NIL] ]"), ROW("{1}\r\nN", "[N] ")};

static const struct row patterns[] = {
    ROW("*", "[*] "),       ROW("%/a*]", "[%/a*]] "), ROW("\"\" x", "[]  x"), ROW("\"a b*\"", "[a b*] "),
    ROW("(", "no"),         ROW("a(", "[a] ("),       ROW("", "no"),          ROW("\\", "no"),
    ROW("{1}\r\n%", "[%] ")};

static const struct row flags[] = {ROW("\\Seen)", "[\\Seen] )"),
                                   ROW("$Junk x", "[$Junk]  x"),
                                   ROW("\\", "no"),
                                   ROW("\\ Seen", "no"),
                                   ROW("\\\\Seen", "no"),
                                   ROW("\\*", "no"),
                                   ROW("*", "no"),
                                   ROW("", "no"),
                                   ROW("a]", "[a] ]"),
                                   ROW("\"a\"", "no")};

static const struct row numbers[] = {ROW("0", "[0] "),
                                     ROW("007x", "[7] x"),
                                     ROW("4294967295", "[4294967295] "),
                                     ROW("4294967296", "no"),
                                     ROW("99999999999999999999999", "no"),
                                     ROW("-1", "no"),
                                     ROW("+1", "no"),
                                     ROW("", "no"),
                                     ROW("x", "no"),
                                     ROW("1.5", "[1] .5")};

static const struct row nonzeros[] = {ROW("1", "[1] "), ROW("0", "no"),    ROW("01", "no"), ROW("4294967295 ", "[4294967295]  "),
                                      ROW("", "no"),    ROW("-1", "no"),   ROW(" 1", "no"), ROW("4294967296", "no"),
                                      ROW("*", "no"),   ROW("10", "[10] ")};

static const struct row big_numbers[] = {ROW("0", "[0] "),
                                         ROW("9223372036854775807", "[9223372036854775807] "),
                                         ROW("9223372036854775808", "no"),
                                         ROW("18446744073709551616", "no"),
                                         ROW("a", "no"),
                                         ROW("", "no")};

static void takes_words(void)
{
    static const struct {
        const char *text;
        const char *word;
        bool is_it;
    } rows[] = {{"UID FETCH", "UID", true}, {"uid", "UID", true},   {"UIDS", "UID", false}, {"UI", "UID", false},
                {"UID]", "UID", true},      {"UID+", "UID", false}, {"(UID", "UID", false}, {"", "UID", false},
                {"UID\"", "UID", true},     {" UID", "UID", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[32];
        size_t n = strlen(rows[i].text);
        memcpy(text, rows[i].text, n);
        struct parser parser = {text, text + n};
        bool is_it = parse_word(&parser, rows[i].word);
        ok(is_it == rows[i].is_it && parser.at == text + (is_it ? strlen(rows[i].word) : 0), rows[i].text);
    }
}

static void takes_single_characters(void)
{
    char text[] = "( ";
    struct parser parser = {text, text + 2};
    ok(!parse_space(&parser) && !parse_char(&parser, ')') && !parse_end(&parser) && parser.at == text,
       "no_space_at_a_parenthesis");
    ok(parse_char(&parser, '(') && parse_space(&parser) && parse_end(&parser), "a_parenthesis_a_space_the_end");
    ok(!parse_space(&parser) && !parse_char(&parser, ' ') && parse_end(&parser), "nothing_behind_the_end");
}

/* `LEN + ~` of what a line's end announces. */
static void announces(const char *line, const char *want)
{
    char got[64];
    struct literal literal = {99, true, true};
    int found = parse_line_literal(line, strlen(line), &literal);
    (void)snprintf(got, sizeof got,
                   found == 1   ? "%llu%s%s"
                   : found == 0 ? "none"
                                : "bad",
                   (unsigned long long)literal.len, literal.is_plus ? "+" : "", literal.is_binary ? "~" : "");
    is(got, want, line);
}

static void announcements(void)
{
    announces("a LOGIN {5}", "5");
    announces("a LOGIN {5+}", "5+");
    announces("a LOGIN ~{5}", "5~");
    announces("a LOGIN ~{5+}", "5+~");
    announces("{0}", "0");
    announces("{0+}", "0+");
    announces("{00000000007}", "7");
    announces("{4294967295}", "4294967295");
    announces("{4294967296}", "bad");
    announces("{99999999999999999999999}", "bad");
    announces("a {}", "bad");
    announces("a {+}", "bad");
    announces("a {5}x", "none");
    announces("a {5} ", "none");
    announces("a {5-}", "none");
    announces("a {x}", "none");
    announces("a {++}", "none");
    announces("a 5}", "none");
    announces("5+}", "none");
    announces("}", "none");
    announces("+}", "none");
    announces("", "none");
    announces("123", "none");
}

static void is_a_message(const char *command, bool want)
{
    size_t n = strlen(command);
    char *exact = malloc(n);
    memcpy(exact, command, n);
    ok(parse_announces_message(exact, n) == want, command);
    ok(memcmp(exact, command, n) == 0, "is_only_looked_at");
    free(exact);
}

static void messages_of_append(void)
{
    is_a_message("a APPEND INBOX {5}", true);
    is_a_message("a append \"a b\" (\\Seen) {5+}", true);
    is_a_message("a APPEND \"a \\\"b\" {5}", true);
    is_a_message("a APPEND {5}\r\nINBOX {5}", true);
    is_a_message("a APPEND {5}", false);
    is_a_message("a APPEND \"a {5}", false);
    is_a_message("a APPEND \"a\"{5}", false);
    is_a_message("a APPEND \"a\\", false);
    is_a_message("a APPEND \"", false);
    is_a_message("a APPEND", false);
    is_a_message("a APPENDX INBOX {5}", false);
    is_a_message("a LOGIN joe {5}", false);
    is_a_message("a+ APPEND INBOX {5}", false);
    is_a_message("", false);
}

static void takes_id(const char *text, bool want)
{
    char bytes[1024];
    size_t n = strlen(text);
    memcpy(bytes, text, n);
    struct parser parser = {bytes, bytes + n};
    ok(parse_id(&parser) == want, text);
}

static void ids(void)
{
    stralloc many = STRALLOC_ZERO;
    takes_id(" NIL", true);
    takes_id(" ()", true);
    takes_id(" (\"a\" \"b\")", true);
    takes_id(" (\"a\" NIL \"c\" {1}\r\nd)", true);
    takes_id("", false);
    takes_id("NIL", false);
    takes_id(" NIL ", false);
    takes_id(" (\"a\")", false);
    takes_id(" (\"a\" \"b\"", false);
    takes_id(" (\"a\"  \"b\")", false);
    takes_id(" (\"a\" \"b\"\"c\" \"d\")", false);
    takes_id(" (NIL \"b\")", false);
    takes_id(" (a b)", false);
    takes_id(" (\"a\" \"b\") x", false);
    for (unsigned i = 0; i < 31; i++) {
        str_cats(&many, i == 0 ? " (" : " ");
        str_cats(&many, "\"k\" NIL");
        if (i == 29 || i == 30) {
            size_t len = many.len;
            str_catc(&many, ')');
            takes_id(str_text(&many), i == 29); /* thirty are right, one more is too many */
            many.len = len;
        }
    }
    stralloc_free(&many);
}

/* Every string of a small alphabet: slices stay inside, and what is refused moves nothing. */
static void any_bytes_do_no_harm(void)
{
    static const char alphabet[] = {'a', '"', '\\', '{', '}', '1', '3', '+', '\r', '\n', '\0', ' ', '(', '~', '\x80'};
    static slice_parser *const parsers[] = {parse_tag,     parse_atom, parse_string, parse_astring,
                                            parse_nstring, parse_flag, take_number,  parse_list_mailbox};
    enum { LETTERS = sizeof alphabet, DEEP = 5 };
    unsigned wrong = 0;
    for (unsigned code = 0; code < LETTERS * LETTERS * LETTERS * LETTERS * LETTERS; code++) {
        char bytes[DEEP];
        unsigned rest = code;
        for (unsigned i = 0; i < DEEP; i++, rest /= LETTERS) {
            bytes[i] = alphabet[rest % LETTERS];
        }
        for (size_t k = 0; k < sizeof parsers / sizeof *parsers; k++) {
            char copy[DEEP];
            struct slice slice = {copy, 0};
            memcpy(copy, bytes, DEEP);
            struct parser parser = {copy, copy + DEEP};
            bool is_good = parsers[k](&parser, &slice);
            bool stands = parser.at == copy && memcmp(copy, bytes, DEEP) == 0;
            bool is_inside = parser.at > copy && parser.at <= copy + DEEP && slice.len <= DEEP;
            wrong += is_good ? !is_inside : !stands;
        }
    }
    is_number(wrong, 0, "any_bytes_do_no_harm");
}

int main(void)
{
    TABLE(parse_tag, tags);
    TABLE(parse_atom, atoms);
    TABLE(parse_string, strings);
    TABLE(parse_astring, astrings);
    TABLE(parse_nstring, nstrings);
    TABLE(parse_list_mailbox, patterns);
    TABLE(parse_flag, flags);
    TABLE(take_number, numbers);
    TABLE(take_nonzero, nonzeros);
    TABLE(take_number64, big_numbers);
    takes_words();
    takes_single_characters();
    announcements();
    messages_of_append();
    ids();
    any_bytes_do_no_harm();
    return done();
}
