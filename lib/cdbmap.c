/* SPDX-License-Identifier: ISC */
/* CDB look-ups and builds by tinycdb: the only file that includes <cdb.h>. tinycdb checks every position against the file's size
 * before it reads; a file that is replaced by rename (the only way we write one) never shrinks under the map. */
#include "lib/cdbmap.h"

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/str.h"

enum { CDB_HEADER = 2048 };
struct cdbmap_maker {
    struct cdb_make make;
    bool is_broken;
};

int cdbmap_open_fd(struct cdbmap *map, int fd)
{
    if (fstat(fd, &map->stat) < 0) {
        return -1;
    }
    if (!S_ISREG(map->stat.st_mode) || map->stat.st_size < CDB_HEADER || map->stat.st_size > UINT_MAX) {
        errno = EPROTO;
        return -1;
    }
    struct cdb *cdb = memory_get(1, sizeof *cdb);
    if (cdb_init(cdb, fd) < 0) {
        int why = errno;
        free(cdb);
        errno = why;
        return -1;
    }
    map->fd = fd;
    map->cdb = cdb;
    return 0;
}

int cdbmap_open(struct cdbmap *map, int dir_at, const char *name)
{
    /* O_NONBLOCK: a FIFO in the file's place must not hold us. */
    int fd = openat(dir_at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return -1;
    }
    if (cdbmap_open_fd(map, fd) < 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return 0;
}

int cdbmap_find(struct cdbmap *map, const char *key, size_t key_len, const char **value_out, size_t *value_len_out)
{
    struct cdb *cdb = map->cdb;
    if (key_len > UINT_MAX) {
        return 0;
    }
    int found = cdb_find(cdb, key, (unsigned)key_len);
    if (found <= 0) {
        return found;
    }
    const char *value = cdb_getdata(cdb);
    if (value == NULL) {
        errno = EPROTO;
        return -1;
    }
    *value_out = value;
    *value_len_out = cdb_datalen(cdb);
    return 1;
}

void cdbmap_close(struct cdbmap *map)
{
    cdb_free((struct cdb *)map->cdb);
    free(map->cdb);
    close(map->fd);
    map->cdb = NULL;
    map->fd = -1;
}

struct cdbmap_maker *cdbmap_make_start(int fd)
{
    struct cdbmap_maker *maker = memory_get(1, sizeof *maker);
    maker->is_broken = cdb_make_start(&maker->make, fd) < 0;
    return maker;
}

int cdbmap_make_add(struct cdbmap_maker *maker, const char *key, size_t key_len, const char *value, size_t value_len)
{
    if (key_len > UINT_MAX || value_len > UINT_MAX) {
        errno = EFBIG;
        maker->is_broken = true;
        return -1;
    }
    if (cdb_make_add(&maker->make, key, (unsigned)key_len, value, (unsigned)value_len) < 0) {
        maker->is_broken = true;
        return -1;
    }
    return 0;
}

int cdbmap_make_finish(struct cdbmap_maker *maker)
{
    bool was_broken = maker->is_broken;
    int result = cdb_make_finish(&maker->make);
    int why = result < 0 ? errno : EIO;
    free(maker);
    if (result < 0 || was_broken) {
        errno = why;
        return -1;
    }
    return 0;
}
