/* SPDX-License-Identifier: ISC */
/* names: what may become a folder, a key, a line. */
#include "auth/names.h"

#include "tests/tap.h"

static const struct {
    const char *text;
    enum va code;
    const char *name;
} domains[] =
    {
        {"Example.ORG", VA_SUCCESS, "a_domain_is_good"},
        {"a.bc", VA_SUCCESS, "a_short_one_too"},
        {"xn--bcher-kva.example", VA_SUCCESS, "an_international_one_in_its_ascii_form"},
        {"3com.com", VA_SUCCESS, "a_digit_may_come_first"},
        {"ab", VA_INVALID_DOMAIN_NAME, "two_bytes_are_too_short"},
        {"localhost", VA_INVALID_DOMAIN_NAME, "a_dot_is_needed"},
        {"..", VA_INVALID_DOMAIN_NAME, "dots_are_no_domain"},
        {"a..b.org", VA_INVALID_DOMAIN_NAME, "no_empty_label"},
        {".example.org", VA_INVALID_DOMAIN_NAME, "no_dot_first"},
        {"example.org.", VA_INVALID_DOMAIN_NAME, "no_dot_last"},
        {"-a.example.org", VA_INVALID_DOMAIN_NAME, "no_hyphen_first"},
        {"a-.example.org", VA_INVALID_DOMAIN_NAME, "no_hyphen_last"},
        {"example.o", VA_INVALID_DOMAIN_NAME, "a_last_label_of_one_letter"},
        {"192.0.2.7", VA_INVALID_DOMAIN_NAME, "an_address_is_no_domain"},
        {"../../etc.org", VA_INVALID_DOMAIN_NAME, "a_path_is_no_domain"},
        {"exa mple.org", VA_INVALID_DOMAIN_NAME, "nor_is_a_blank_in_it"},
        {"exa:mple.org", VA_INVALID_DOMAIN_NAME, "nor_a_colon"},
        {"exa\nmple.org", VA_INVALID_DOMAIN_NAME, "nor_a_line_end"},
        {"b\xc3\xbc"
         "cher.example",
         VA_INVALID_DOMAIN_NAME, "nor_8_bit"},
        {"exa_mple.org", VA_INVALID_DOMAIN_NAME, "nor_an_underscore"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org", VA_INVALID_DOMAIN_NAME, "a_label_of_64_bytes"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaa.aaaa", VA_SUCCESS,
         "96_bytes_are_the_most"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaa.aaaa",
         VA_DOMAIN_NAME_TOO_LONG, "97_are_too_many"},
},
  users[] =
      {
          {"Joe.B-x", VA_SUCCESS, "a_user_is_good"},
          {"a", VA_SUCCESS, "of_one_letter_too"},
          {"'!#$&*+=?^_`{|}~", VA_SUCCESS, "of_odd_characters_too"},
          {"", VA_ILLEGAL_USERNAME, "nobody_is_nobody"},
          {"..", VA_ILLEGAL_USERNAME, "dots_are_nobody"},
          {".full", VA_ILLEGAL_USERNAME, "a_dot_first"},
          {"a/b", VA_ILLEGAL_USERNAME, "a_slash"},
          {"../x", VA_ILLEGAL_USERNAME, "a_path"},
          {"a:b", VA_ILLEGAL_USERNAME, "a_colon"},
          {"a b", VA_ILLEGAL_USERNAME, "a_blank"},
          {"a\tb", VA_ILLEGAL_USERNAME, "a_tab"},
          {"a\nb", VA_ILLEGAL_USERNAME, "a_line_end"},
          {"a%b", VA_ILLEGAL_USERNAME, "a_percent_sign"},
          {"j\xc3\xb6", VA_ILLEGAL_USERNAME, "an_8_bit_letter"},
          {"vpasswd", VA_ILLEGAL_USERNAME, "vpasswd_is_taken"},
          {"VPASSWD.cdb", VA_ILLEGAL_USERNAME, "so_is_its_cdb"},
          {"vpasswds", VA_SUCCESS, "its_neighbour_is_free"},
          {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", VA_SUCCESS, "64_bytes_are_the_most_of_a_name"},
          {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", VA_USER_NAME_TOO_LONG, "65_are_too_many"},
},
  comments[] =
      {
          {"Joe Bl\xc3\xb6gs, room 7", VA_SUCCESS, "a_comment_is_good"},
          {"", VA_SUCCESS, "no_comment_too"},
          {"a:b", VA_BAD_CHAR, "a_comment_has_no_colon"},
          {"a\nroot::0:0", VA_BAD_CHAR, "nor_a_second_line"},
          {"a\rb", VA_BAD_CHAR, "nor_a_carriage_return"},
          {"a\x7f", VA_BAD_CHAR, "nor_delete"},
          {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", VA_GECOS_TOO_LONG, "nor_65_bytes"},
},
  lines[] = {
      {"&joe@example.org", VA_SUCCESS, "a_forward_is_a_line"},
      {"| prog\targument", VA_SUCCESS, "a_tab_is_allowed"},
      {"", VA_BAD_CHAR, "an_empty_line_is_none"},
      {"a\nb", VA_BAD_CHAR, "two_lines_are_none"},
};

static void checks_words(void)
{
    char out[NAMES_DOMAIN_MAX + 1];
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        struct names_fault fault = names_check_domain(domains[i].text, out);
        ok(fault.code == domains[i].code && (fault.code == VA_SUCCESS) == (fault.why == NULL), domains[i].name);
    }
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        struct names_fault fault = names_check_user(users[i].text, out);
        ok(fault.code == users[i].code && (fault.code == VA_SUCCESS) == (fault.why == NULL), users[i].name);
    }
    for (size_t i = 0; i < sizeof comments / sizeof comments[0]; i++) {
        ok(names_check_gecos(comments[i].text).code == comments[i].code, comments[i].name);
    }
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ok(names_check_line(lines[i].text).code == lines[i].code, lines[i].name);
    }
    char longer[501];
    memset(longer, 'a', 500);
    longer[500] = '\0';
    ok(names_check_line(longer).code == VA_ALIAS_LINE_TOO_LONG, "500_bytes_are_too_long_a_line");
    longer[499] = '\0';
    ok(names_check_line(longer).code == VA_SUCCESS, "499_are_not");
}

static bool splits(const char *text, const char *user, const char *domain)
{
    struct names_email email;
    return names_check_email(text, &email).code == VA_SUCCESS && strcmp(email.user, user) == 0 &&
           strcmp(email.domain, domain) == 0;
}

static void splits_addresses(void)
{
    struct names_email email;
    ok(splits("Joe@Example.org", "joe", "example.org"), "user_at_domain");
    ok(splits("joe%example.org", "joe", "example.org"), "user_percent_domain");
    ok(splits("joe/example.org", "joe", "example.org"), "user_slash_domain");
    ok(splits("joe", "joe", ""), "a_user_alone_has_no_domain");
    ok(names_check_email("a/b@example.org", &email).code == VA_ILLEGAL_USERNAME, "the_at_sign_is_looked_for_first");
    ok(names_check_email("a@b@example.org", &email).code == VA_INVALID_DOMAIN_NAME, "one_at_sign_is_enough");
    ok(names_check_email("joe@", &email).code == VA_INVALID_DOMAIN_NAME, "nothing_behind_it_is_no_domain");
    ok(names_check_email("@example.org", &email).code == VA_ILLEGAL_USERNAME, "nothing_before_it_is_nobody");
    ok(names_is_shell_safe("/var/stafet.1/a_b+c=d,e:f@g-h") && !names_is_shell_safe("a b") && !names_is_shell_safe("a'b") &&
           !names_is_shell_safe("$x") && !names_is_shell_safe("a\nb"),
       "shell_safe_is_plain");
    ok(va_exit_code(VA_USER_DOES_NOT_EXIST) == 246 && va_from_exit_code(246) == VA_USER_DOES_NOT_EXIST &&
           va_exit_code(VA_SUCCESS) == 0 && va_from_exit_code(0) == VA_SUCCESS,
       "numbers_travel_by_exit_code");
    is(va_words(VA_DOMAIN_DOES_NOT_EXIST), "Domain does not exist", "words_are_vpopmails");
    is(va_words((enum va) - 99), "Unknown error", "a_number_nobody_knows_has_words_too");
}

int main(void)
{
    checks_words();
    splits_addresses();
    return done();
}
