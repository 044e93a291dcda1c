/* SPDX-License-Identifier: ISC */
/* queue/send_known: answers that serve for a second. */
#include <stdlib.h>
#include "lib/str.h"
#include "queue/send_known.h"
#include "tests/tap.h"

int main(void)
{
    struct known *known = calloc(KNOWN_SLOTS, sizeof *known);
    stralloc joe = STRALLOC_ZERO, ann = STRALLOC_ZERO, other = STRALLOC_ZERO;
    str_copys(&joe, "joe@example.test");
    str_copys(&ann, "ann@example.test");
    ok(known_find(known, &joe, 0) == NULL && known_find(known, &other, 0) == NULL, "nothing_is_known_at_first");
    known_put(known, &joe, "kind=mailbox", 12, 5000);
    const stralloc *found = known_find(known, &joe, 5999);
    ok(found != NULL && found->len == 12, "an_answer_is_known_for_a_second");
    ok(known_find(known, &joe, 6000) == NULL, "and_no_longer");
    ok(known_find(known, &ann, 5001) == NULL, "another_address_is_not");
    known_put(known, &joe, "kind=list", 9, 5500);
    found = known_find(known, &joe, 6400);
    ok(found != NULL && found->len == 9, "a_newer_answer_takes_its_place");
    unsigned wrong = 0;
    for (unsigned i = 0; i < 5000; i++) { /* many share a place: none may get another's answer */
        other.len = 0;
        str_catf(&other, "u%u@example.test", i);
        known_put(known, &other, other.s, other.len, 7000);
        found = known_find(known, &other, 7000);
        wrong += found == NULL || found->len != other.len || memcmp(found->s, other.s, other.len) != 0;
    }
    for (unsigned i = 0; i < 5000; i++) {
        other.len = 0;
        str_catf(&other, "u%u@example.test", i);
        found = known_find(known, &other, 7000);
        wrong += found != NULL && (found->len != other.len || memcmp(found->s, other.s, other.len) != 0);
    }
    ok(wrong == 0, "nobody_gets_the_answer_for_another");
    return done();
}
