/* SPDX-License-Identifier: ISC */
/* imapd/nameinfo: flags and keywords of a file name. What we write is read the same and called ours; what is called ours is
 * exactly what we write. lib/mailbox reads the same flags from the same name. */
#include "imapd/nameinfo.h"
#include "lib/mailbox.h"
#include "lib/str.h"
#include "tests/fuzz/fuzz.h"

static void try_name(const char *bytes, size_t n)
{
    struct mailbox_name name;
    struct nameinfo info;
    if (mailbox_name_parse(bytes, n, &name)) {
        nameinfo_parse(bytes + name.base_len, n - name.base_len, &info);
        require(info.flags == name.flags);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    stralloc text = STRALLOC_ZERO;
    struct nameinfo info;
    struct nameinfo again;
    nameinfo_parse(bytes, size, &info);
    require(info.flags < 64 && info.keywords < UINT64_C(1) << 26);
    nameinfo_append(&text, info.flags, info.keywords);
    require(text.len <= 3 + 6 + 26);
    require(info.is_ours == fuzz_equal(text.s, text.len, bytes, size));
    nameinfo_parse(text.s, text.len, &again);
    require(again.is_ours && again.flags == info.flags && again.keywords == info.keywords);
    try_name(bytes, size);
    stralloc_free(&text);
    free(bytes);
    return 0;
}
