/* SPDX-License-Identifier: ISC */
/* imapd/login_auth: AUTHENTICATE PLAIN's bytes (RFC 4616), as base64. What is refused leaves no password behind. */
#include <stdlib.h>

#include "imapd/login.h"
#include "lib/str.h"
#include "tests/tap.h"

static struct login login;
static stralloc base64;

static void encode(const char *bytes, size_t n)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    base64.len = 0;
    for (size_t i = 0; i < n; i += 3) {
        unsigned bits = 0;
        for (size_t k = 0; k < 3; k++) {
            bits = bits << 8 | (i + k < n ? (unsigned char)bytes[i + k] : 0U);
        }
        for (size_t k = 0; k < 4; k++) {
            str_catc(&base64, i + k > n ? '=' : letters[bits >> (18 - 6 * k) & 63]);
        }
    }
}

/* `USER PASSWORD`, or `refused`. */
static const char *take(const char *bytes, size_t n)
{
    static stralloc text;
    encode(bytes, n);
    login.user.len = login.password.len = text.len = 0;
    if (login_take_plain(&login, base64.s, base64.len) == &reply_bad_plain) {
        return login.user.len + login.password.len == 0 ? "refused" : "refused, and kept";
    }
    str_catf(&text, "%s %s", str_text(&login.user), str_text(&login.password));
    return str_text(&text);
}

static const struct {
    const char *bytes;
    size_t n;
    const char *want, *name;
} rows[] = {
#define ROW(bytes, want, name)                                                                                                   \
    {                                                                                                                            \
        bytes, sizeof(bytes) - 1, want, name                                                                                     \
    }
    ROW("\0tim\0tanstaaftanstaaf", "tim tanstaaftanstaaf", "user_and_password"),
    ROW("tim\0tim\0x", "tim x", "to_act_for_oneself"),
    ROW("TIM@b.test\0tim@B.test\0x", "tim@B.test x", "whose_name_has_no_case"),
    ROW("Ursel\0Kurt\0xipj3plmq", "refused", "to_act_for_somebody_else"),
    ROW("tim\0timo\0x", "refused", "or_for_the_start_of_a_name"),
    ROW("\0tim\0", "tim ", "an_empty_password_is_asked_about"),
    ROW("\0\0x", "refused", "no_user"),
    ROW("\0tim", "refused", "no_password"),
    ROW("tim", "refused", "one_word"),
    ROW("", "refused", "nothing"),
    ROW("\0tim\0x\0", "refused", "a_nul_behind_the_password"),
    ROW("\0tim\0x\0y", "refused", "four_words"),
    ROW("\0t\xc3\xafm\0\x01 \xff", "t\xc3\xafm \x01 \xff", "any_other_byte"),
#undef ROW
};

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        is(take(rows[i].bytes, rows[i].n), rows[i].want, rows[i].name);
    }
    is_number(login_take_plain(&login, "\xff !", 3) == &reply_bad_plain, 1, "bytes_that_are_no_base64");
    return done();
}
