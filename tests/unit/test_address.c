/* SPDX-License-Identifier: ISC */
/* lib/address: a table of addresses and faults; UTF-8 for every sequence up to three bytes. */
#include "lib/address.h"
#include "tests/tap.h"

#include <stdint.h>

struct row {
    const char *address;
    enum address_fault plain, utf8;
};
#define BOTH(fault) fault, fault

static const struct row rows[] = {
    {"joe@example.test", BOTH(ADDRESS_GOOD)},
    {"a.b+c=d@mail-1.example.test", BOTH(ADDRESS_GOOD)},
    {"!#$%&'*+-/=?^_`{|}~@example.test", BOTH(ADDRESS_GOOD)},
    {"postmaster@localhost", BOTH(ADDRESS_GOOD)},
    {"joe@_dmarc.example.test", BOTH(ADDRESS_GOOD)},
    {"joe@[192.0.2.1]", BOTH(ADDRESS_GOOD)},
    {"joe@[IPv6:2001:db8::1]", BOTH(ADDRESS_GOOD)},
    {"\"joe\"@example.test", BOTH(ADDRESS_GOOD)},
    {"\"a@b\"@example.test", BOTH(ADDRESS_GOOD)},
    {"\"a\\\"b\"@example.test", BOTH(ADDRESS_GOOD)},
    {"", BOTH(ADDRESS_EMPTY)},
    {"joe", BOTH(ADDRESS_NO_DOMAIN)},
    {"joe@", BOTH(ADDRESS_NO_DOMAIN)},
    {"@", BOTH(ADDRESS_NO_DOMAIN)},
    {"@example.test", BOTH(ADDRESS_NO_LOCAL)},
    {"joe smith@example.test", BOTH(ADDRESS_SPACE)},
    {"joe@example.test ", BOTH(ADDRESS_SPACE)},
    {" joe@example.test", BOTH(ADDRESS_SPACE)},
    {"joe smith", BOTH(ADDRESS_SPACE)},
    {"\"joe smith\"@example.test", BOTH(ADDRESS_SPACE)},
    {"joe\t@example.test", BOTH(ADDRESS_CONTROL)},
    {"joe\n@example.test", BOTH(ADDRESS_CONTROL)},
    {"joe\r@example.test", BOTH(ADDRESS_CONTROL)},
    {"joe\x7f@example.test", BOTH(ADDRESS_CONTROL)},
    {".joe@example.test", BOTH(ADDRESS_BAD_LOCAL)},
    {"joe.@example.test", BOTH(ADDRESS_BAD_LOCAL)},
    {"jo..e@example.test", BOTH(ADDRESS_BAD_LOCAL)},
    {"jo@e@example.test", BOTH(ADDRESS_BAD_LOCAL)},
    {"jo(e)@example.test", BOTH(ADDRESS_BAD_LOCAL)},
    {"<joe@example.test", BOTH(ADDRESS_BAD_LOCAL)},
    {"\"joe@example.test", BOTH(ADDRESS_BAD_LOCAL)},
    {"\"jo\"e\"@example.test", BOTH(ADDRESS_BAD_LOCAL)},
    {"\"joe\\\"@example.test", BOTH(ADDRESS_BAD_LOCAL)},
    {"\"@example.test", BOTH(ADDRESS_BAD_LOCAL)},
    {"\"joe\"smith@example.test", BOTH(ADDRESS_BAD_LOCAL)},
    {"joe@example..test", BOTH(ADDRESS_BAD_DOMAIN)},
    {"joe@.example.test", BOTH(ADDRESS_BAD_DOMAIN)},
    {"joe@example.test.", BOTH(ADDRESS_BAD_DOMAIN)},
    {"joe@-example.test", BOTH(ADDRESS_BAD_DOMAIN)},
    {"joe@example-.test", BOTH(ADDRESS_BAD_DOMAIN)},
    {"joe@exa/mple.test", BOTH(ADDRESS_BAD_DOMAIN)},
    {"joe@example.test>", BOTH(ADDRESS_BAD_DOMAIN)},
    {"joe@[300.0.2.1]", BOTH(ADDRESS_BAD_DOMAIN)},
    {"joe@[192.0.2.1", BOTH(ADDRESS_BAD_DOMAIN)},
    {"joe@[IPv6:2001:db8::1", BOTH(ADDRESS_BAD_DOMAIN)},
    {"joe@[]", BOTH(ADDRESS_BAD_DOMAIN)},
    {"joe@[x400:1]", BOTH(ADDRESS_BAD_DOMAIN)},
    {"joe@a123456789012345678901234567890123456789012345678901234567890123.test", BOTH(ADDRESS_BAD_DOMAIN)},
    {"j\xc3\xb6@example.test", ADDRESS_EIGHT_BIT, ADDRESS_GOOD},
    {"joe@\xc3\xb6.test", ADDRESS_EIGHT_BIT, ADDRESS_GOOD},
    {"j\xf6@example.test", ADDRESS_EIGHT_BIT, ADDRESS_BAD_UTF8},
    {"j\xc0\x80@example.test", ADDRESS_EIGHT_BIT, ADDRESS_BAD_UTF8},
    {"\xc3\xb6 x@example.test", ADDRESS_EIGHT_BIT, ADDRESS_SPACE},
};

static void follows_the_table(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = strlen(rows[i].address);
        ok(address_check(rows[i].address, n, false) == rows[i].plain, rows[i].address);
        ok(address_check(rows[i].address, n, true) == rows[i].utf8, rows[i].address);
    }
    ok(address_check("jo\0e@example.test", 17, false) == ADDRESS_CONTROL, "refuses_nul");
}

static void make_address(char *out, size_t local, size_t label, size_t labels)
{
    memset(out, 'a', local);
    char *p = out + local;
    *p = '@';
    for (size_t i = 0; i < labels; i++) {
        memset(p + 1, 'b', label);
        p[1 + label] = '.';
        p += 1 + label;
    }
    *p = '\0';
}

static void knows_its_limits(void)
{
    char address[2048];
    make_address(address, 640, 63, 4);
    ok(address_check(address, strlen(address), false) == ADDRESS_GOOD, "takes_640_before_and_255_behind_the_at");
    make_address(address, 641, 5, 1);
    ok(address_check(address, strlen(address), false) == ADDRESS_TOO_LONG, "refuses_a_local_part_of_641");
    make_address(address, 1, 50, 5);
    ok(address_check(address, strlen(address), false) == ADDRESS_GOOD, "takes_a_domain_of_254");
    make_address(address, 1, 51, 5);
    ok(address_check(address, strlen(address), false) == ADDRESS_TOO_LONG, "refuses_a_domain_of_259");
    make_address(address, 620, 63, 5);
    ok(address_check(address, strlen(address), false) == ADDRESS_TOO_LONG, "refuses_901_bytes");
}

static void finds_the_last_at(void)
{
    ok(address_domain_at("a@b@c", 5) == 3, "last_at");
    ok(address_domain_at("abc", 3) == 3, "no_at_is_the_length");
    ok(address_domain_at("", 0) == 0, "empty_has_no_at");
}

/* The inverse: the code point a sequence of RFC 3629 encodes, by arithmetic; -1: none. */
static long decode_by_arithmetic(const unsigned char *b, size_t n)
{
    long value = n == 1 ? b[0] : n == 2 ? (b[0] & 0x1f) : (b[0] & 0x0f);
    bool lead = n == 1 ? b[0] < 0x80 : n == 2 ? (b[0] >> 5) == 6 : (b[0] >> 4) == 14;
    for (size_t i = 1; i < n; i++) {
        lead = lead && (b[i] >> 6) == 2;
        value = value << 6 | (b[i] & 0x3f);
    }
    long least = n == 1 ? 0 : n == 2 ? 0x80 : 0x800;
    return lead && value >= least && !(value >= 0xd800 && value <= 0xdfff) ? value : -1;
}

/* Is the whole text a row of characters of one, two and three bytes? */
static bool is_utf8_by_arithmetic(const unsigned char *b, size_t n)
{
    size_t at = 0;
    while (at < n) {
        size_t len = 1;
        while (at + len <= n && decode_by_arithmetic(b + at, len) < 0 && len < 4) {
            len++;
        }
        if (len > 3 || at + len > n) {
            return false;
        }
        at += len;
    }
    return true;
}

static void utf8_is_right_for_all_three_byte_texts(void)
{
    unsigned long wrong = 0;
    for (uint32_t i = 0; i < 1u << 24; i++) {
        unsigned char b[3] = {(unsigned char)(i >> 16), (unsigned char)(i >> 8), (unsigned char)i};
        if ((b[0] | b[1] | b[2]) >= 0x80) { /* ASCII alone says nothing */
            wrong += address_is_utf8((const char *)b, 3) != is_utf8_by_arithmetic(b, 3);
        }
    }
    ok(wrong == 0, "utf8_is_right_for_all_three_byte_texts");
}

static void utf8_of_four_bytes(void)
{
    ok(address_is_utf8("\xf0\x90\x80\x80", 4), "takes_u10000");
    ok(address_is_utf8("\xf4\x8f\xbf\xbf", 4), "takes_u10ffff");
    ok(!address_is_utf8("\xf0\x8f\xbf\xbf", 4), "refuses_overlong_of_four");
    ok(!address_is_utf8("\xf4\x90\x80\x80", 4), "refuses_above_u10ffff");
    ok(!address_is_utf8("\xf5\x80\x80\x80", 4), "refuses_lead_f5");
    ok(!address_is_utf8("\xf0\x90\x80", 3), "refuses_a_cut_character");
}

int main(void)
{
    follows_the_table();
    knows_its_limits();
    finds_the_last_at();
    utf8_is_right_for_all_three_byte_texts();
    utf8_of_four_bytes();
    return done();
}
