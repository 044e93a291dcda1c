/* SPDX-License-Identifier: ISC */
/* lib/cdbmap: any bytes as a cdb file. A damaged one is damaged or lacks names; it is never read outside of its bytes. */
#include <sys/mman.h>
#include <unistd.h>

#include "lib/cdbmap.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"", "joe", "a", "!joe", "example.test-"};
    struct cdbmap map;
    const char *value;
    size_t n;
    size_t sum = 0;
    int fd = memfd_create("cdb", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    if (cdbmap_open_fd(&map, fd) < 0) {
        close(fd);
        return 0;
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (cdbmap_find(&map, keys[i], strlen(keys[i]), &value, &n) == 1) {
            require(n <= size);
            for (size_t at = 0; at < n; at++) {
                sum += (unsigned char)value[at];
            }
        }
    }
    require(sum <= 5 * 255 * size);
    cdbmap_close(&map);
    return 0;
}
