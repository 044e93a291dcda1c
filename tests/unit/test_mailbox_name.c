/* SPDX-License-Identifier: ISC */
/* Names that Maildir writers leave, and names that nobody should. */
#include <stdlib.h>

#include "lib/mailbox.h"
#include "tests/tap.h"

#define NONE MAILBOX_UNKNOWN

static const struct {
    const char *name;
    bool is_good;
    size_t base_len;
    unsigned flags;
    uint64_t size, wire_size, order_us;
} table[] = {
    {"1764050000.M1234Q0123456789aR0.mx,S=100,W=104", true, 45, 0, 100, 104, 1764050000001234},
    {"1764050000.M1234Q0123456789aR0.mx,S=100,W=104:2,S", true, 45, MAILBOX_SEEN, 100, 104, 1764050000001234},
    {"1764050000.1234.host,S=7", true, 24, 0, 7, NONE, 1764050000000000},
    {"1764050000.1234.host:2,DFPRST", true, 20, 63, NONE, NONE, 1764050000000000},
    {"1764050000.1234.host:2,TSab", true, 20, MAILBOX_TRASHED | MAILBOX_SEEN, NONE, NONE, 1764050000000000},
    {"1764050000.1234.host:1,S", true, 20, 0, NONE, NONE, 1764050000000000},
    {"1764050000.1234.host:2", true, 20, 0, NONE, NONE, 1764050000000000},
    {"1764050000.1234.host:", true, 20, 0, NONE, NONE, 1764050000000000},
    {"1.M999999P1.h,W=5,S=4", true, 21, 0, 4, 5, 1999999},
    {"1.M1000000P1.h", true, 14, 0, NONE, NONE, 1000000},
    {"1.MxP1.h", true, 8, 0, NONE, NONE, 1000000},
    {"1.h,S=10,W=9", true, 12, 0, 10, NONE, 1000000},
    {"1.h,S=10,W=22", true, 13, 0, 10, 22, 1000000},
    {"1.h,S=10,W=23", true, 13, 0, 10, NONE, 1000000},
    {"1.h,W=10", true, 8, 0, NONE, NONE, 1000000},
    {"1.h,S=", true, 6, 0, NONE, NONE, 1000000},
    {"1.h,S=5x", true, 8, 0, NONE, NONE, 1000000},
    {"1.h,S=5,S=6", true, 11, 0, 6, NONE, 1000000},
    {"1.h,S=99999999999999999999999", true, 29, 0, NONE, NONE, 1000000},
    {"1.h:2,,S=5", true, 3, MAILBOX_SEEN, NONE, NONE, 1000000},
    {"1234567890123.h", true, 15, 0, NONE, NONE, NONE},
    {"123", true, 3, 0, NONE, NONE, NONE},
    {"foo", true, 3, 0, NONE, NONE, NONE},
    {"x y\xc3\xa9", true, 5, 0, NONE, NONE, NONE},
    {"", false, 0, 0, 0, 0, 0},
    {".", false, 0, 0, 0, 0, 0},
    {".hidden", false, 0, 0, 0, 0, 0},
    {":2,S", false, 0, 0, 0, 0, 0},
    {"a/b", false, 0, 0, 0, 0, 0},
};

static bool is_as_said(size_t i)
{
    struct mailbox_name said;
    bool is_good = mailbox_name_parse(table[i].name, strlen(table[i].name), &said);
    if (!is_good || !table[i].is_good) {
        return is_good == table[i].is_good;
    }
    return said.base_len == table[i].base_len && said.flags == table[i].flags && said.size == table[i].size &&
           said.wire_size == table[i].wire_size && said.order_us == table[i].order_us;
}

int main(void)
{
    struct mailbox_name said;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        ok(is_as_said(i), table[i].name[0] == '\0' ? "(empty)" : table[i].name);
    }
    char name[300];
    memset(name, 'a', sizeof name);
    ok(mailbox_name_parse(name, MAILBOX_NAME_MAX, &said), "255 bytes are a name");
    ok(!mailbox_name_parse(name, MAILBOX_NAME_MAX + 1, &said), "256 are none");
    ok(!mailbox_name_parse("a\0b", 3, &said), "NUL inside is no name");
    is_number(sizeof(struct mailbox_message), 32, "32 bytes a message");
    return done();
}
