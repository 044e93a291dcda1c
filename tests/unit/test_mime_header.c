/* SPDX-License-Identifier: ISC */
/* lib/mime_header: header blocks cut into fields, values unfolded and collapsed, names known and unknown. */
#include "lib/mime_header.h"
#include "lib/str.h"
#include "tests/tap.h"

#include <stdlib.h>

static stralloc text;

/* `NAME=VALUE` of each field, ~ before a folded value, ! for none; then what is left of the block. From memory of exactly these
 * bytes. */
static const char *fields(const char *bytes, size_t n)
{
    char *exact = memory_get(n + 1, 1);
    memcpy(exact + 1, bytes, n);
    const char *start = exact + 1;
    const char *at = start;
    const char *before = at;
    struct mime_field field;
    text.len = 0;
    while (mime_field_next(&at, start + n, &field)) {
        bool is_next = field.start == before && field.end == at && at > before;
        before = at;
        str_cat_printable(&text, field.start, field.name_len);
        str_cats(&text, field.value == NULL ? "!" : field.is_folded ? "=~" : "=");
        if (field.value != NULL) {
            str_cat_printable(&text, field.value, field.value_len);
        }
        str_cats(&text, is_next ? "; " : "is not the next; ");
    }
    str_catc(&text, '[');
    str_cat_printable(&text, at, (size_t)(start + n - at));
    str_catc(&text, ']');
    free(exact);
    return str_text(&text);
}

static void blocks(void)
{
    static const struct {
        const char *bytes, *want, *name;
    } table[] = {
        {"From: a\r\nTo:b\n\nbody", "From=a; To=b; [\\x0abody]", "up_to_the_empty_line"},
        {"A: b\r\n\r\nbody", "A=b; [\\x0d\\x0abody]", "with_either_end"},
        {"", "[]", "nothing"},
        {"\nbody", "[\\x0abody]", "a_body_alone"},
        {"A: b", "A=b; []", "a_last_line_without_its_end"},
        {"A: b\r", "A=b; []", "or_with_half_of_it"},
        {"A: b\n c\n\td\nE: f\n", "A=~b\\x0a c\\x0a\\x09d; E=f; []", "folded_lines"},
        {"A:\n b\n", "A=~\\x0a b; []", "one_whose_first_is_empty"},
        {"A: b\n \n", "A=~b\\x0a; []", "one_of_blanks_alone_is_no_empty_line"},
        {"A : b\nC\t:d\n", "A=b; C=d; []", "blanks_before_the_colon"},
        {"A:  \tb \t\r\n", "A=b; []", "and_around_the_value"},
        {"A:\nB: \n", "A=; B=; []", "empty_values"},
        {":x\n", "=x; []", "an_empty_name"},
        {"no colon\n more\nA: b\n", "no colon!; A=b; []", "a_line_without_a_colon"},
        {"no colon\n a: b\n", "no colon!; []", "whose_second_line_has_one"},
        {"From joe Mon\nA: b\n", "From joe Mon!; A=b; []", "an_mbox_line"},
        {"From joe 10:00\n", "From joe 10=00; []", "one_with_a_time"},
        {" a: b\n", " a=b; []", "a_block_that_begins_with_a_blank"},
        {"A: b: c\n", "A=b: c; []", "a_colon_in_the_value"},
        {"A: b\rC: d\n", "A=b\\x0dC: d; []", "a_bare_cr_ends_no_line"},
        {"A: b\r\r\nC: d\n", "A=b; C=d; []", "two_crs_at_an_end"},
        {"\rA: b\n", "\\x0dA=b; []", "a_cr_is_no_empty_line"},
        {"\r", "\\x0d!; []", "even_alone"},
        {"\xc3\xa4: \xff\n", "\\xc3\\xa4=\\xff; []", "bytes_of_8_bits"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        is(fields(table[i].bytes, strlen(table[i].bytes)), table[i].want, table[i].name);
    }
    is(fields("A\0: b\0\n", 7), "A\\x00=b\\x00; []", "nul_is_a_byte_as_others");
}

static const struct {
    const char *value, *unfolded, *collapsed, *name;
} values[] = {
    {"a b", "a b", "a b", "one_line"},
    {"  a\t b ", "a\t b", "a b", "blanks_at_both_ends"},
    {"a\n b\r\n\tc", "a b\tc", "a b c", "line_ends_go_and_their_blanks_stay"},
    {"\n a", "a", "a", "an_empty_first_line"},
    {"\r\n \r\n\ta\n \n", "a", "a", "lines_of_blanks_around"},
    {"a\n \n b", "a  b", "a b", "and_between"},
    {"a\rb", "a\rb", "a b", "a_bare_cr_is_white_space"},
    {"", "", "", "nothing"},
    {" \t\n ", "", "", "only_white_space"},
};

static void unfolding(void)
{
    stralloc work = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        size_t n = strlen(values[i].value);
        str_copys(&text, "x ");
        mime_unfold(&text, values[i].value, n);
        ok(memcmp(text.s, "x ", 2) == 0 && strcmp(str_text(&text) + 2, values[i].unfolded) == 0, values[i].name);
        str_copys(&text, "x ");
        mime_collapse(&text, values[i].value, n);
        ok(memcmp(text.s, "x ", 2) == 0 && strcmp(str_text(&text) + 2, values[i].collapsed) == 0, "its_words");
        struct mime_slice slice = mime_unfolded((struct mime_slice){values[i].value, n}, &work);
        bool is_folded = strchr(values[i].value, '\n') != NULL;
        const char *want = is_folded ? values[i].unfolded : values[i].value;
        ok(slice.n == strlen(want) && memcmp(slice.bytes, want, slice.n) == 0, "as_a_slice");
        ok((slice.bytes == values[i].value) == !is_folded, "which_is_the_value_where_nothing_is_folded");
    }
    stralloc_free(&work);
}

/* Each name that is known, and its neighbours that are not. */
static void names(void)
{
    static const struct {
        const char *text;
        enum mime_name name;
    } known[] = {{"Date", MIME_DATE},
                 {"Subject", MIME_SUBJECT},
                 {"From", MIME_FROM},
                 {"Sender", MIME_SENDER},
                 {"Reply-To", MIME_REPLY_TO},
                 {"To", MIME_TO},
                 {"Cc", MIME_CC},
                 {"Bcc", MIME_BCC},
                 {"In-Reply-To", MIME_IN_REPLY_TO},
                 {"Message-ID", MIME_MESSAGE_ID},
                 {"References", MIME_REFERENCES},
                 {"MIME-Version", MIME_MIME_VERSION},
                 {"Content-Type", MIME_CONTENT_TYPE},
                 {"Content-Transfer-Encoding", MIME_CONTENT_ENCODING},
                 {"Content-ID", MIME_CONTENT_ID},
                 {"Content-Description", MIME_CONTENT_DESCRIPTION},
                 {"Content-Disposition", MIME_CONTENT_DISPOSITION},
                 {"Content-Language", MIME_CONTENT_LANGUAGE},
                 {"Content-Location", MIME_CONTENT_LOCATION},
                 {"Content-MD5", MIME_CONTENT_MD5},
                 {"List-Id", MIME_LISTED},
                 {"X-Priority", MIME_LISTED},
                 {"x-k9mail-identity", MIME_LISTED},
                 {"X-Universally-Unique-Identifier", MIME_LISTED}};
    unsigned wrong = 0;
    unsigned near = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char name[40];
        size_t n = strlen(known[i].text);
        memcpy(name, known[i].text, n);
        wrong += mime_name_of(name, n) != known[i].name;
        str_lower(name, n);
        wrong += mime_name_of(name, n) != known[i].name;
        for (size_t k = 0; k < n; k++) {
            name[k] = (char)(name[k] >= 'a' && name[k] <= 'z' ? name[k] - 32 : name[k]);
        }
        wrong += mime_name_of(name, n) != known[i].name;
        bool is_list = strncmp(name, "LIST-", 5) == 0;
        for (size_t k = 0; k < n && !is_list; k++) {
            char right = name[k];
            for (unsigned c = 0; c < 256; c++) {
                name[k] = (char)c;
                bool is_same = name[k] == right || (right >= 'A' && right <= 'Z' && name[k] == right + 32);
                near += mime_name_of(name, n) == known[i].name && !is_same && known[i].name != MIME_LISTED;
            }
            name[k] = right;
        }
        wrong += mime_name_of(name, n - 1) == known[i].name && !is_list;
    }
    is_number(wrong, 0, "names_in_any_case");
    is_number(near, 0, "and_no_others");
    ok(mime_name_of("", 0) == MIME_OTHER && mime_name_of("List-", 5) == MIME_OTHER, "none_at_all");
    ok(mime_name_of("x-k\x19mail-identity", 17) == MIME_OTHER, "a_control_is_no_digit");
    ok(mime_name_of("an-unlisted-name-that-is-longer-than-all", 40) == MIME_OTHER, "a_long_one");
}

static bool is_value(struct mime_slice slice, const char *want)
{
    return want == NULL ? slice.bytes == NULL
                        : slice.bytes != NULL && slice.n == strlen(want) && memcmp(slice.bytes, want, slice.n) == 0;
}

static void known_fields(void)
{
    static const char block[] = "Subject: one\nX: y\nsubject:\n two\nSUBJECT : three\nFrom\nDate:\n\nTo: body\n";
    struct mime_fields found;
    mime_fields_read(block, sizeof block - 1, &found);
    ok(found.count[MIME_SUBJECT] == 3 && is_value(found.first[MIME_SUBJECT], "one") &&
           is_value(found.last[MIME_SUBJECT], "three"),
       "the_first_and_the_last_of_three");
    ok(found.is_folded[MIME_SUBJECT], "one_of_them_is_folded");
    ok(found.count[MIME_DATE] == 1 && is_value(found.last[MIME_DATE], "") && !found.is_folded[MIME_DATE],
       "an_empty_one_is_there");
    ok(found.count[MIME_FROM] == 0 && is_value(found.first[MIME_FROM], NULL), "one_without_a_colon_is_not");
    ok(found.count[MIME_TO] == 0, "nor_is_one_of_the_body");
    mime_fields_read("", 0, &found);
    is_number(found.count[MIME_SUBJECT], 0, "nothing_is_left_of_before");
}

int main(void)
{
    blocks();
    unfolding();
    names();
    known_fields();
    return done();
}
