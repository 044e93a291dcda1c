/* SPDX-License-Identifier: ISC */
/* What SORT and THREAD compare: base subjects and message ids. */
#include "lib/mime_sort.h"
#include "lib/str.h"
#include "tests/tap.h"

static stralloc out;

static void base_subjects(void)
{
    static const struct {
        const char *subject, *base;
        bool is_reply;
    } table[] = {
        {"plain", "plain", false},
        {"", "", false},
        {"  a \t b c ", "a b c", false},
        {"Re: a", "a", true},
        {"RE :a", "a", true},
        {"re[2]: a", "a", true},
        {"Re [x] : a", "a", true},
        {"Fw: FWD: re:a", "a", true},
        {"a (fwd)", "a", true},
        {"a (Fwd)  (fwd) ", "a", true},
        {"[list] a", "a", false},
        {"[list] Re: a", "a", true},
        {"Re: [list] [b] a", "a", true},
        {"[a] [b]", "[b]", false},
        {"[a]", "[a]", false},
        {"Re: [a]", "[a]", true},
        {"[a] [b] Re: [c] [d] e", "e", true},
        {"[a] [b] Re: [c] [d]", "[d]", true},
        {"[a] Re", "Re", false},
        {"[fwd: a]", "a", true},
        {"[Fwd: [fwd: Re: a (fwd)]]", "a", true},
        {"[fwd: a", "[fwd: a", false},
        {"Reply: a", "Reply: a", false},
        {"re a", "re a", false},
        {"fwd", "fwd", false},
        {"Re:", "", true},
        {"Re: Re: ", "", true},
        {"[a[b] c", "[a[b] c", false},
        {"AW: a", "AW: a", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        out.len = 0;
        bool is_reply = mime_base_subject_append(&out, table[i].subject, strlen(table[i].subject));
        is(str_text(&out), table[i].base,
           table[i].subject[0] != '\0' ? table[i].subject + strspn(table[i].subject, " ") : "nothing");
        ok(is_reply == table[i].is_reply, table[i].is_reply ? "which is a reply" : "which is no reply");
    }
    stralloc deep = STRALLOC_ZERO;
    for (unsigned i = 0; i < 100000; i++) {
        str_cats(&deep, "[fwd:[x]");
    }
    out.len = 0;
    (void)mime_base_subject_append(&out, deep.s, deep.len);
    ok(out.len > 0, "100,000 brackets end in time");
    deep.len = out.len = 0;
    for (unsigned i = 0; i < 700000; i++) {
        str_cats(&deep, "[x] ");
    }
    (void)mime_base_subject_append(&out, deep.s, deep.len);
    is(str_text(&out), "[x]", "so do 700,000 blobs");
    stralloc_free(&deep);
}

static void ids(void)
{
    static const char *const table[][2] = {
        {"<a@b>", "a@b;"},
        {"<a@b>\r\n\t<c@d> (x) <e@f>", "a@b;c@d;e@f;"},
        {"<a@b><c@d>,<e@f>", "a@b;c@d;e@f;"},
        {"\"a\" of monday <\"a b\"@c> < d . e @ f >", "a b@c;d.e@f;"},
        {"<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com> <01KF8JCEOCBS0045PS@xxx.yyy.com>",
         "01KF8JCEOCBS0045PS@xxx.yyy.com;01KF8JCEOCBS0045PS@xxx.yyy.com;"},
        {"<abc> <a b> <a@b@c> <>", "abc;ab;a@b@c;"},
        {"<a@[1.2.3.4]>", "a@[1.2.3.4];"},
        {"a@b", ""},
        {"<a@b", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        stralloc id = STRALLOC_ZERO;
        const char *at = table[i][0];
        const char *end = at + strlen(at);
        out.len = 0;
        while (mime_id_next(&at, end, &id)) {
            str_cat(&out, id.s, id.len);
            str_catc(&out, ';');
        }
        is(str_text(&out), table[i][1], table[i][1][0] != '\0' ? table[i][1] : "no id");
        stralloc_free(&id);
    }
    ok(mime_id_hash("a", 1) == 0xaf63dc4c8601ec8c, "the hash is FNV-1a");
    stralloc many = STRALLOC_ZERO;
    for (unsigned i = 0; i < 500000; i++) {
        str_cats(&many, "<(\"<");
    }
    const char *at = many.s;
    ok(!mime_id_next(&at, many.s + many.len, &out), "2,000,000 bytes of garbage end in time");
    many.len = 0;
    while (many.len < 4000000) {
        str_cats(&many, "<(a><a@(b><a@[c>");
    }
    unsigned n = 0;
    at = many.s;
    while (mime_id_next(&at, many.s + many.len, &out)) {
        n++;
    }
    is_number(n, 750000, "and so do comments and domains in ids that never end");
    stralloc_free(&many);
}

int main(void)
{
    base_subjects();
    ids();
    return done();
}
