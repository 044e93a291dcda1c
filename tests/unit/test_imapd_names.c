/* SPDX-License-Identifier: ISC */
/* imapd/nameinfo: the letters behind a name, also foreign ones; imapd/namehash: names to numbers. */
#include <stdlib.h>

#include "imapd/keywords.h"
#include "imapd/namehash.h"
#include "imapd/nameinfo.h"
#include "lib/mailbox.h"
#include "lib/str.h"
#include "tests/tap.h"

/* `FLAGS KEYWORDS ours|foreign`, in hex. */
static void parses(const char *info, const char *want)
{
    char got[64];
    struct nameinfo out;
    size_t n = strlen(info);
    char *exact = malloc(n + 1);
    memcpy(exact + 1, info, n);
    nameinfo_parse(exact + 1, n, &out);
    (void)snprintf(got, sizeof got, "%x %llx %s", out.flags, (unsigned long long)out.keywords, out.is_ours ? "ours" : "foreign");
    is(got, want, info);
    free(exact);
}

static void letters(void)
{
    parses(":2,", "0 0 ours");
    parses(":2,S", "10 0 ours");
    parses(":2,DFPRST", "3f 0 ours");
    parses(":2,DFPRSTabz", "3f 2000003 ours");
    parses(":2,abcdefghijklmnopqrstuvwxyz", "0 3ffffff ours");
    parses(":2,SF", "12 0 foreign"); /* not in order */
    parses(":2,SS", "10 0 foreign");
    parses(":2,aS", "10 1 foreign");
    parses(":2,ba", "0 3 foreign");
    parses(":2,aa", "0 1 foreign");
    parses(":2,SX", "10 0 foreign"); /* unknown */
    parses(":2,XS", "10 0 foreign");
    parses(":2,S,S=10", "10 0 foreign");
    parses(":2,S:2,", "10 0 foreign");
    parses(":2,\xc3\xa9", "0 0 foreign");
    parses(":2,s", "0 40000 ours"); /* a keyword */
    parses(":1,S", "0 0 foreign");
    parses(":2", "0 0 foreign");
    parses(":", "0 0 foreign");
    parses("", "0 0 foreign");
    parses(";2,S", "0 0 foreign");
    parses(",S=10", "0 0 foreign");
    struct nameinfo out;
    nameinfo_parse(":2,S\0T", 6, &out);
    ok(out.flags == (MAILBOX_SEEN | MAILBOX_TRASHED) && !out.is_ours, "a_nul_is_a_foreign_letter");
}

/* Each set of flags with some keywords comes back; so does each order of two letters, which is ours in one of them. */
static void all_come_back(void)
{
    unsigned wrong = 0;
    stralloc text = STRALLOC_ZERO;
    struct nameinfo out;
    for (unsigned flags = 0; flags < 64; flags++) {
        for (unsigned bit = 0; bit < 64; bit++) {
            uint64_t keywords = UINT64_C(0x8000000000000001) << bit | UINT64_C(1) << (63 - bit);
            text.len = 0;
            nameinfo_append(&text, (uint8_t)flags, keywords);
            nameinfo_parse(text.s, text.len, &out);
            wrong += !out.is_ours || out.flags != flags || out.keywords != (keywords & KEYWORDS_LETTER_BITS);
        }
    }
    is_number(wrong, 0, "all_flags_and_the_first_26_keywords_come_back");
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            char info[] = {':', '2', ',', (char)a, (char)b};
            nameinfo_parse(info, sizeof info, &out);
            text.len = 0;
            nameinfo_append(&text, out.flags, out.keywords);
            wrong += out.is_ours != (text.len == sizeof info && memcmp(text.s, info, sizeof info) == 0);
        }
    }
    is_number(wrong, 0, "ours_is_what_we_would_write");
    stralloc_free(&text);
}

enum { NAMES = 5000, NAME_SIZE = 24 };
static char names[NAMES][NAME_SIZE];
static unsigned n_asked;

static const char *name_of(const void *ctx, uint32_t value, size_t *len_out)
{
    const char(*all)[NAME_SIZE] = ctx;
    n_asked++;
    *len_out = strlen(all[value]);
    return all[value];
}

static void many_names(void)
{
    struct namehash hash;
    unsigned wrong = 0;
    for (unsigned i = 0; i < NAMES; i++) {
        (void)snprintf(names[i], sizeof names[i], "%u.M%uQx%u.host", 1000000 + i / 7, i % 7, i);
    }
    namehash_init(&hash, NAMES, name_of, names);
    for (uint32_t i = 0; i < NAMES; i++) {
        namehash_put(&hash, names[i], strlen(names[i]), i);
    }
    n_asked = 0;
    for (uint32_t i = 0; i < NAMES; i++) {
        wrong += namehash_find(&hash, names[i], strlen(names[i])) != i;
    }
    is_number(wrong, 0, "each_name_has_its_number");
    ok(n_asked < 2 * NAMES, "names_are_compared_where_their_sums_are_equal");
    for (uint32_t i = 0; i < NAMES; i++) {
        wrong += namehash_find(&hash, names[i], strlen(names[i]) - 1) != NAMEHASH_NONE;
        names[i][0] = 'x';
        wrong += namehash_find(&hash, names[i], strlen(names[i])) != NAMEHASH_NONE;
        names[i][0] = '1';
    }
    is_number(wrong, 0, "others_have_none");
    ok(namehash_find(&hash, "", 0) == NAMEHASH_NONE, "no_name_has_none");
    memcpy(names[9], names[8], NAME_SIZE);
    namehash_put(&hash, names[9], strlen(names[9]), 9);
    is_number(namehash_find(&hash, names[8], strlen(names[8])), 9, "a_name_that_is_there_gets_the_new_number");
    namehash_free(&hash);
    ok(hash.slot == NULL, "freed");
}

static void few_names(void)
{
    struct namehash hash;
    namehash_init(&hash, 0, name_of, names);
    ok(namehash_find(&hash, "x", 1) == NAMEHASH_NONE, "an_empty_table_has_none");
    namehash_put(&hash, names[0], strlen(names[0]), 0);
    is_number(namehash_find(&hash, names[0], strlen(names[0])), 0, "there_is_room_for_one_though");
    namehash_free(&hash);
}

int main(void)
{
    letters();
    all_come_back();
    many_names();
    few_names();
    return done();
}
