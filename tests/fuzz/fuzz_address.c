/* SPDX-License-Identifier: ISC */
/* lib/address: what is called good is safe to put into lines, frames and file names' first half. */
#include "lib/address.h"
#include "tests/fuzz/fuzz.h"

static void require_safe(const char *bytes, size_t n, bool utf8)
{
    size_t at = address_domain_at(bytes, n);
    require(n <= ADDRESS_MAX && at > 0 && at + 1 < n && bytes[at] == '@');
    require(memchr(bytes + at + 1, '@', n - at - 1) == NULL);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        require(c > 0x20 && c != 0x7f && (utf8 || c < 0x80));
    }
    require(!utf8 || address_is_utf8(bytes, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    enum address_fault plain = address_check(bytes, size, false);
    enum address_fault utf8 = address_check(bytes, size, true);
    if (plain == ADDRESS_GOOD) {
        require_safe(bytes, size, false);
        require(utf8 == ADDRESS_GOOD);
    }
    if (utf8 == ADDRESS_GOOD) {
        require_safe(bytes, size, true);
        require(plain == ADDRESS_GOOD || plain == ADDRESS_EIGHT_BIT);
    }
    require((size == 0) == (plain == ADDRESS_EMPTY));
    require(plain != ADDRESS_BAD_UTF8 && utf8 != ADDRESS_EIGHT_BIT);
    free(bytes);
    return 0;
}
