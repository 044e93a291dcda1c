/* SPDX-License-Identifier: ISC */
/* queue/addrlist: a table of lists and what they name, faults and where, finished addresses, every cut and every byte. */
#include <stdlib.h>

#include "lib/str.h"
#include "queue/addrlist.h"
#include "tests/tap.h"

static const struct addrlist_hosts hosts = {"host.test", "domain.test", "plus.test"};

/* The bare addresses, each with a blank behind; a fault as !NUMBER@PLACE. */
static const char *read_list(stralloc *out, const char *bytes, size_t n)
{
    struct addrlist list;
    struct addrlist_mailbox mailbox;
    out->len = 0;
    addrlist_start(&list, bytes, n);
    while (addrlist_next(&list, &mailbox) == 1) {
        addrlist_append(out, bytes, &mailbox, &hosts);
        str_catc(out, ' ');
    }
    if (list.fault != ADDRLIST_GOOD) {
        str_catf(out, "!%u@%zu", (unsigned)list.fault, list.at);
    }
    return str_text(out);
}

static const struct {
    const char *list, *want;
} lists[] = {
    {"", ""},
    {" \n\t", ""},
    {"joe@example.test", "joe@example.test "},
    {"<joe@example.test>", "joe@example.test "},
    {"Joe Doe <joe@example.test>", "joe@example.test "},
    {"\"Doe, Joe\" <joe@example.test>", "joe@example.test "},
    {"joe@example.test (Joe (the) \\) Doe)", "joe@example.test "},
    {"John Q. Public <joe@example.test>, ann@b.test", "joe@example.test ann@b.test "},
    {"joe@example.test <joe@example.test>", "joe@example.test "},
    {"[list] joe <joe@example.test>", "joe@example.test "},
    {"a@b.test,c@d.test,\n e@f.test", "a@b.test c@d.test e@f.test "},
    {",, a@b.test ,,", "a@b.test "},
    {"friends: a@b.test, Cid <c@d.test>;", "a@b.test c@d.test "},
    {"friends: a@b.test;, e@f.test", "a@b.test e@f.test "},
    {"recipient list not shown: ;", ""},
    {"\"a group\":;, none: ;", ""},
    {"g: <a@b.test>; , x@y.test", "a@b.test x@y.test "},
    {"<@relay.test,@other.test:joe@example.test>", "joe@example.test "},
    {"<@relay.test:joe@example.test>", "joe@example.test "},
    {" joe @ example . test ", "joe@example.test "},
    {"joe(c)@(d)example.test(e)", "joe@example.test "},
    {"\"joe\"@example.test", "joe@example.test "},
    {"\"joe doe\"@example.test", "\"joe doe\"@example.test "},
    {"\"a\\\"b\\\\\"@example.test", "\"a\\\"b\\\\\"@example.test "},
    {"\"a\".\"b\"@example.test", "a.b@example.test "},
    {"\"\"@example.test", "\"\"@example.test "},
    {"joe@[192.0.2.1]", "joe@[192.0.2.1] "},
    {"joe@[IPv6:2001:db8::1]", "joe@[IPv6:2001:db8::1] "},
    {"#@[]", "#@[] "},
    {"jos\xc3\xa9@ex\xc3\xa4mple.test", "jos\xc3\xa9@ex\xc3\xa4mple.test "},
    {"J\xf6rg <joe@example.test>", "joe@example.test "},
    {"=?utf-8?Q?J=C3=B6rg?= <joe@example.test>", "joe@example.test "},
    {"joe+tag@example.test", "joe+tag@example.test "},
    {"<>", " "},
    {"joe", "joe@host.test "},
    {"joe.doe", "joe.doe@host.test "},
    {"Joe <joe>", "joe@host.test "},
    {"joe@mx", "joe@mx.domain.test "},
    {"joe@mx+", "joe@mx.plus.test "},
    {"joe@mx.sub+", "joe@mx.sub.plus.test "},
    {"joe@+", "joe@plus.test "},
    {"joe+", "joe+@host.test "},
    {"a..b@example.test", "a..b@example.test "},
    {"a.@example.test", "a.@example.test "},
    {"joe@example.test.", "joe@example.test. "},
    /* faults */
    {"Joe Doe", "!7@0"},
    {"a@b.test c@d.test", "!7@0"},
    {"a@b.test, Joe Doe, c@d.test", "a@b.test !7@10"},
    {"<joe@example.test> x", "!7@19"},
    {"<joe@example.test> <a@b.test>", "!1@19"},
    {"<joe doe@example.test>", "!7@1"},
    {"joe@", "!8@0"},
    {"@example.test", "!8@0"},
    {"joe@a@b", "!8@0"},
    {"joe@\"b\"", "!8@0"},
    {"<joe@example.test", "!5@17"},
    {"<joe@example.test, a@b.test>", "!1@17"},
    {"(comment", "!2@0"},
    {"joe@example.test (a(b)", "!2@17"},
    {"\"joe", "!3@0"},
    {"\"joe\\\"", "!3@0"},
    {"joe@[1", "!4@4"},
    {"g: a@b.test", "!6@11"},
    {"g: a@b.test, h: c@d.test;", "a@b.test !1@14"},
    {": a@b.test;", "!1@0"},
    {"a@b.test;", "!1@8"},
    {"a@b.test; c@d.test", "!1@8"},
    {"joe)@example.test", "!1@3"},
    {"joe\\@example.test", "!1@3"},
    {"joe\x01@example.test", "!1@3"},
    {"\"joe\x7f\"@example.test", "!3@0"},
    {"g: a@b.test; x", "!7@13"},
};

static void test_lists(void)
{
    stralloc out = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        is(read_list(&out, lists[i].list, strlen(lists[i].list)), lists[i].want, lists[i].list);
    }
    is(read_list(&out, "a@b.test\0", 9), "!1@8", "nul_is_a_control_byte");
    stralloc_free(&out);
}

static void test_rewriting(void)
{
    static const struct {
        const char *list, *want;
    } table[] = {
        {" joe, Ann <ann@b.test> (x),\n bob@mx\n", " joe@host.test, Ann <ann@b.test> (x),\n bob@mx.domain.test\n"},
        {" \"Q, X\" <\"q\" (c) . x>, list: a, <>;\n", " \"Q, X\" <q.x@host.test>, list: a@host.test, <>;\n"},
        {" \"joe\" (c) @b.test\n", " \"joe\" (c) @b.test\n"},
        {" joe@[192.0.2.1], x@b+\n", " joe@[192.0.2.1], x@b.plus.test\n"},
    };
    stralloc out = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        out.len = 0;
        ok(addrlist_append_list(&out, table[i].list, strlen(table[i].list), &hosts), "is_a_list");
        is(str_text(&out), table[i].want, table[i].list);
    }
    str_copys(&out, "x");
    ok(!addrlist_append_list(&out, "joe, Joe Doe", 12, &hosts) && out.len == 1, "a_fault_appends_nothing");
    stralloc_free(&out);
}

/* Any bytes: it ends, stays inside, and what it calls good it calls good again. */
static void check_any(const char *bytes, size_t n, unsigned *failures)
{
    struct addrlist list;
    struct addrlist_mailbox mailbox;
    size_t steps = 0, last = 0;
    char *copy = malloc(n + 1); /* exact, so that ASan sees a read behind it */
    if (copy == NULL) {
        exit(111);
    }
    memcpy(copy, bytes, n);
    stralloc again = STRALLOC_ZERO;
    addrlist_start(&list, copy, n);
    while (addrlist_next(&list, &mailbox) == 1) {
        bool is_inside =
            mailbox.begin <= mailbox.domain && mailbox.domain <= mailbox.end && mailbox.end <= n && mailbox.begin >= last;
        *failures += !is_inside || ++steps > n + 1;
        last = mailbox.end;
    }
    *failures += list.at > n;
    if (list.fault == ADDRLIST_GOOD) {
        struct addrlist second;
        *failures += !addrlist_append_list(&again, copy, n, &hosts);
        addrlist_start(&second, again.s, again.len);
        while (addrlist_next(&second, &mailbox) == 1) {
            *failures += !addrlist_is_finished(again.s, &mailbox);
        }
        *failures += second.fault != ADDRLIST_GOOD;
    }
    stralloc_free(&again);
    free(copy);
}

static void test_any_bytes(void)
{
    static const char sample[] = "Q \"a\\\"b\" (c(d)) <@r.test,@s:j.d@[1.2]>, g: x@y+, <>; , (e) z @ mx\n";
    static const char alphabet[] = "a.@<>()[]\"\\,;: +\n\x01\xc3";
    unsigned failures = 0;
    char bytes[sizeof sample];
    for (size_t cut = 0; cut < sizeof sample; cut++) {
        check_any(sample, cut, &failures);
    }
    for (size_t i = 0; i + 1 < sizeof sample; i++) {
        for (unsigned c = 0; c < 256; c++) {
            memcpy(bytes, sample, sizeof sample);
            bytes[i] = (char)c;
            check_any(bytes, sizeof sample - 1, &failures);
        }
    }
    for (unsigned i = 0; i < 18 * 18 * 18 * 18; i++) {
        unsigned x = i;
        for (size_t k = 0; k < 4; k++, x /= 18) {
            bytes[k] = alphabet[x % 18];
        }
        check_any(bytes, 4, &failures);
    }
    is_number(failures, 0, "any_bytes_are_read_and_what_is_good_stays_good");
}

int main(void)
{
    test_lists();
    test_rewriting();
    test_any_bytes();
    return done();
}
