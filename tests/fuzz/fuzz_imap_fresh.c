/* SPDX-License-Identifier: ISC */
/* lib/fresh: stafet.fresh with right sums over any lengths (a sum of the input is never right by chance). Entries lie in the
 * file, each behind the other; one written from what was read is the same bytes. */
#include <endian.h>

#include "lib/crc32c.h"
#include "lib/fresh.h"
#include "tests/fuzz/fuzz_folder.h"

enum { CRC_FROM = 8 };

/* The sum of the entry that would begin at `at`. */
static void mend_sum(char *bytes, size_t n, size_t at)
{
    uint32_t len;
    if (n - at < FRESH_HEAD) {
        return;
    }
    memcpy(&len, bytes + at, sizeof len);
    if (len >= FRESH_HEAD && len <= n - at) {
        uint32_t crc = crc32c(0, bytes + at + CRC_FROM, len - CRC_FROM);
        memcpy(bytes + at + 4, &crc, sizeof crc);
    }
}

/* Only an entry whose padding is what the writer's is can be the same again. */
static void try_again(const struct fresh_entry *entry, const char *bytes, size_t n)
{
    char again[8192];
    int folder = fuzz_folder();
    (void)unlinkat(folder, FRESH_NAME, 0);
    size_t content = FRESH_HEAD + entry->base_len + entry->summary_len;
    bool is_plain = entry->base_len <= 255 && n == (content + 7) / 8 * 8 && n <= sizeof again;
    for (size_t i = content; i < n; i++) {
        is_plain = is_plain && bytes[i] == '\0';
    }
    if (!is_plain) {
        return;
    }
    require(fresh_append(folder, entry->base, entry->base_len, entry->summary, entry->summary_len) == 0);
    int fd = openat(folder, FRESH_NAME, O_RDONLY | O_CLOEXEC);
    require(fd >= 0 && read(fd, again, sizeof again) == (ssize_t)n && memcmp(again, bytes, n) == 0);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    struct fresh_entry entry;
    size_t at = 0;
    for (;;) {
        size_t before = at;
        mend_sum(bytes, size, at);
        if (!fresh_next(bytes, size, &at, &entry)) {
            require(at == before);
            break;
        }
        require(at > before && at <= size && (at - before) % 8 == 0);
        require(fuzz_lies_in(entry.base, entry.base_len, bytes + before, at - before));
        require(fuzz_lies_in(entry.summary, entry.summary_len, bytes + before, at - before));
        try_again(&entry, bytes + before, at - before);
    }
    free(bytes);
    return 0;
}
