/* SPDX-License-Identifier: ISC */
/* queue/addrlist: the addresses of a header field; finished once, they stay as they are. */
#include "queue/addrlist.h"
#include "lib/str.h"
#include "tests/fuzz/fuzz.h"

static const struct addrlist_hosts hosts = {"host.example.test", "example.test", "plus.test"};

static void try_mailbox(const char *bytes, size_t n, const struct addrlist_mailbox *mailbox)
{
    stralloc address = STRALLOC_ZERO;
    require(mailbox->begin <= mailbox->domain && mailbox->domain <= mailbox->end && mailbox->end <= n);
    addrlist_append(&address, bytes, mailbox, &hosts);
    require(mailbox->begin < mailbox->end ? address.len > 0 : address.len == 0);
    require(address.len == 0 || (memchr(address.s, '\n', address.len) == NULL && memchr(address.s, '\r', address.len) == NULL));
    stralloc_free(&address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    struct addrlist list;
    struct addrlist_mailbox mailbox;
    stralloc once = STRALLOC_ZERO, twice = STRALLOC_ZERO;
    size_t found = 0;
    int got;
    addrlist_start(&list, bytes, size);
    while ((got = addrlist_next(&list, &mailbox)) == 1) {
        try_mailbox(bytes, size, &mailbox);
        require(++found <= size + 1 && list.at <= size);
    }
    require((got == 0) == (list.fault == ADDRLIST_GOOD));
    bool is_good = addrlist_append_list(&once, bytes, size, &hosts);
    require(is_good == (got == 0));
    require(is_good || once.len == 0);
    if (is_good) {
        require(addrlist_append_list(&twice, once.s, once.len, &hosts) && fuzz_equal(once.s, once.len, twice.s, twice.len));
    }
    stralloc_free(&once);
    stralloc_free(&twice);
    free(bytes);
    return 0;
}
