/* SPDX-License-Identifier: ISC */
/* lib/mime_params and mime_type: RFC 2045's and RFC 2231's own examples, then what mailers write instead. */
#include "lib/mime_type.h"
#include "lib/str.h"
#include "tests/tap.h"

#include <stdlib.h>

static struct mime_type type;
static struct mime_params params;
static stralloc text;

static const char *show(const struct mime_params *list)
{
    for (size_t i = 0; i < list->n; i++) {
        struct mime_slice name = mime_param_name(list, i);
        struct mime_slice value = mime_param_value(list, i);
        str_cats(&text, text.len > 0 ? "; " : "");
        str_cat_printable(&text, name.bytes, name.n);
        str_catc(&text, '=');
        str_cat_printable(&text, value.bytes, value.n);
    }
    return str_text(&text);
}

/* `NAME=VALUE; …`, from memory of exactly these bytes. */
static const char *read_params(const char *bytes, size_t n)
{
    struct lexer lexer;
    char *exact = memory_get(n + 1, 1);
    memcpy(exact + 1, bytes, n);
    lexer_start(&lexer, exact + 1, n, NULL);
    mime_params_read(&params, &lexer);
    free(exact);
    text.len = 0;
    return show(&params);
}

struct row {
    const char *bytes, *want, *name;
};

static const struct row param_rows[] = {
    {"charset=us-ascii", "charset=us-ascii", "one"},
    {"; charset=us-ascii (Plain text)", "charset=us-ascii", "behind_a_semicolon_before_a_comment"},
    {"charset=\"us-ascii\"", "charset=us-ascii", "quoted_is_the_same"},
    {"a=b; c=\"d;e=f\" ;g=h", "a=b; c=d;e=f; g=h", "a_semicolon_in_quotes_parts_nothing"},
    {"a=b;a=c", "a=b; a=c", "one_name_twice_is_two"},
    {"boundary=\"gc0pJq0M:08jU534c0p\"", "boundary=gc0pJq0M:08jU534c0p", "RFC 2046's boundary"},
    /* RFC 2231 */
    {"URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"",
     "URL=ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar", "RFC 2231 3: pieces"},
    {"title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
     "RFC 2231 4: a charset and a language"},
    {"title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
     "title*=us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn't it!", "RFC 2231 4.1: both"},
    {"b=2; a*1=y; a*0=x; c=3", "b=2; c=3; a=xy", "pieces_in_any_order_behind_the_plain_ones"},
    {"a*0=x; A*1=y", "A*1=y; a*0=x", "pieces_of_two_spellings_stay_as_they_came"},
    {"a*0=x; a*2=z", "a*0=x; a*2=z", "a_gap_leaves_them_as_they_came"},
    {"a*1=y; a*2=z", "a*1=y; a*2=z", "so_does_a_missing_first"},
    {"a*0=x; a*0=y; a*1=z", "a*0=x; a*0=y; a*1=z", "and_one_that_is_there_twice"},
    {"a*0*=u''%41; a*2*=%42", "a*0*=u''%41; a*2*=%42", "with_their_stars"},
    {"a*0=x%y; a*1*=%41", "a*=''x%25y%41", "a_percent_of_a_plain_piece_is_escaped"},
    {"a*=x; a=y", "a=y; a*=x", "both_forms_of_one_name"},
    {"a*00=x; a*01=y", "a=xy", "zeros_before_a_number"},
    {"a*0*x=1; a*x=2; a**=3", "a*0*x=1; a*x=2; a**=3", "stars_that_mean_nothing"},
    {"a*99999=x; a*999999=y", "a*999999=y; a*99999=x", "more_digits_than_a_number_has"},
    {"*=x; *0=y", "*0*=x; *0=y", "no_name_before_the_star"},
    /* others */
    {"name==?utf-8?b?YQ==?=", "name==?utf-8?b?YQ==?=", "an_encoded_word_where_a_value_should_be"},
    {"name==?utf-8?q?a_b?= ;c=d", "name==?utf-8?q?a_b?=; c=d", "which_ends_at_a_blank"},
    {"name=a b; c=d", "name=a; c=d", "two_words_without_quotes"},
    {"name=a/b.txt; c=d", "name=a; c=d", "a_value_that_is_no_token"},
    {"a; b=c", "b=c", "a_name_alone"},
    {"=a; b=c", "b=c", "no_name"},
    {"a=; b=c", "a=; b=c", "no_value"},
    {"a=", "a=", "at_the_end_too"},
    {"a", "", "a_name_at_the_end"},
    {";;a=b;;", "a=b", "semicolons"},
    {"a=\"b; c=d", "", "a_quote_without_its_end_takes_the_rest"},
    {"a=(x)b(y);(z)c=d", "a=b; c=d", "comments_anywhere"},
    {"a(x)=b", "a=b", "even_there"},
    {"a=b (; c=d", "", "one_without_its_end_takes_its_value_along"},
    {"a=b, c=d", "a=b", "a_comma_parts_nothing"},
    {"\xff=\xfe", "\\xff=\\xfe", "bytes_of_8_bits"},
    {"", "", "nothing"},
};

static void parameters(void)
{
    struct mime_slice value;
    for (size_t i = 0; i < sizeof param_rows / sizeof *param_rows; i++) {
        is(read_params(param_rows[i].bytes, strlen(param_rows[i].bytes)), param_rows[i].want, param_rows[i].name);
    }
    is(read_params("a=\"b\0c\"; d\0=e", 14), "a=b\\x00c", "nul_is_a_byte_of_a_quoted_value_and_of_no_token");
    (void)read_params("Name=a; name=b; x*0=c", 21);
    ok(mime_params_find(&params, "NAME", &value) && value.n == 1 && value.bytes[0] == 'a', "the_first_is_found_in_any_case");
    ok(mime_params_find(&params, "x", &value) && value.n == 1 && value.bytes[0] == 'c', "one_of_one_piece_too");
    ok(!mime_params_find(&params, "nam", &value) && value.bytes[0] == 'c', "another_is_not");
}

static void many(void)
{
    stralloc list = STRALLOC_ZERO;
    for (unsigned i = 0; i < 2000; i++) {
        str_catf(&list, "a%u=%u;", i, i);
    }
    (void)read_params(list.s, list.len);
    is_number((long long)params.n, MIME_PARAMS_MAX, "so_many_and_no_more");
    list.len = 0;
    for (unsigned i = 0; i < 1000; i++) {
        str_catf(&list, "a*%u*=%%%02x;", 999 - i, (999 - i) % 256);
    }
    (void)read_params(list.s, list.len);
    ok(params.n == 1 && mime_param_value(&params, 0).n == 3000 && memcmp(mime_param_value(&params, 0).bytes, "%00%01%02", 9) == 0,
       "a_thousand_pieces_become_one");
    stralloc_free(&list);
}

static const char *read_type(const char *bytes, size_t n)
{
    char *exact = memory_get(n + 1, 1);
    memcpy(exact + 1, bytes, n);
    mime_type_read(&type, (struct mime_slice){exact + 1, n});
    text.len = 0;
    str_cat_printable(&text, type.type.bytes, type.type.n);
    str_catc(&text, '/');
    str_cat_printable(&text, type.subtype.bytes, type.subtype.n);
    str_cats(&text, type.is_broken ? " broken" : "");
    mime_type_read_params(&type);
    free(exact);
    return show(&type.params);
}

static const struct row type_rows[] = {
    {"text/plain; charset=us-ascii (Plain text)", "text/plain; charset=us-ascii", "RFC 2045's own example"},
    {"Text/HTML", "Text/HTML", "as_it_is_written"},
    {" (a) multipart (b) / (c) mixed (d) ; boundary=x", "multipart/mixed; boundary=x", "comments_between"},
    {"multipart/mixed;\n boundary=\"a\r\n\tb\"", "multipart/mixed; boundary=a\\x09b", "folded"},
    {"text/plain charset=x", "text/plain; charset=x", "a_parameter_without_its_semicolon"},
    {"text/plain, x; charset=y", "text/plain; charset=y", "what_is_no_parameter_is_passed_over"},
    {"text/x.y+z-1", "text/x.y+z-1", "signs_of_a_token"},
    {"application/vnd.a/b; c=d", "application/vnd.a; c=d", "two_slashes"},
    {"text", "text/plain broken", "text_alone"},
    {"MESSAGE; a=b", "text/plain broken; a=b", "message_alone"},
    {"multipart", "text/plain broken", "multipart_alone"},
    {"image; name=x", "application/octet-stream broken; name=x", "another_alone"},
    {"text/", "text/plain broken", "a_slash_at_the_end"},
    {"text/; charset=x", "text/plain broken; charset=x", "no_subtype"},
    {"image/ (x)", "application/octet-stream broken", "a_comment_instead"},
    {"/plain", "text/plain broken", "no_type"},
    {"", "text/plain broken", "nothing"},
    {" ", "text/plain broken", "a_blank"},
    {"(", "text/plain broken", "an_open_comment"},
    {"text (/plain", "text/plain broken", "between"},
    {"text/plain (; a=b", "text/plain", "behind_it_spoils_nothing"},
    {"\"text/plain\"", "text/plain broken", "quotes"},
    {"text plain", "text/plain broken", "a_blank_for_a_slash"},
};

static void types(void)
{
    for (size_t i = 0; i < sizeof type_rows / sizeof *type_rows; i++) {
        is(read_type(type_rows[i].bytes, strlen(type_rows[i].bytes)), type_rows[i].want, type_rows[i].name);
    }
    (void)read_type("Text/HTML", 9);
    ok(mime_type_is(&type, "text", "html") && mime_type_is(&type, NULL, "HTML") && mime_type_is(&type, "TEXT", NULL) &&
           mime_type_is(&type, NULL, NULL),
       "a_type_is_asked_for_in_any_case");
    ok(!mime_type_is(&type, "text", "plain") && !mime_type_is(&type, "tex", NULL) && !mime_type_is(&type, NULL, "html5"),
       "another_is_another");
}

int main(void)
{
    parameters();
    many();
    types();
    return done();
}
