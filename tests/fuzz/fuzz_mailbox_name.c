/* SPDX-License-Identifier: ISC */
/* lib/mailbox: what a file name in a Maildir says. */
#include "lib/mailbox.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    struct mailbox_name name;
    if (mailbox_name_parse(bytes, size, &name)) {
        require(size <= MAILBOX_NAME_MAX && name.base_len > 0 && name.base_len <= size && bytes[0] != '.');
        require(memchr(bytes, '/', size) == NULL && memchr(bytes, '\0', size) == NULL);
        require(memchr(bytes, ':', name.base_len) == NULL && (name.base_len == size || bytes[name.base_len] == ':'));
        require(name.wire_size == MAILBOX_UNKNOWN || name.size == MAILBOX_UNKNOWN ||
                (name.size <= name.wire_size && name.wire_size <= 2 * name.size + 2));
        require(name.flags < 64);
        struct mailbox_name base;
        require(mailbox_name_parse(bytes, name.base_len, &base) && base.size == name.size && base.order_us == name.order_us &&
                base.flags == 0);
    }
    free(bytes);
    return 0;
}
