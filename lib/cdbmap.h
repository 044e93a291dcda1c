/* SPDX-License-Identifier: ISC */
/* CDB look-ups and builds. The only file that includes <cdb.h> (tinycdb and skalibs share symbol names, libraries.md). */
#ifndef CDBMAP_H
#define CDBMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct cdbmap {
    int fd;
    struct stat stat; /* of the open file: reopen when the name shows another inode or mtime */
    void *cdb;        /* struct cdb of tinycdb, from memory_get */
};
/* Opens O_NOFOLLOW|O_CLOEXEC at dir_at. Regular files only. 0; -1 errno (EPROTO: not a cdb). */
int cdbmap_open(struct cdbmap *map, int dir_at, const char *name);
/* The same on a descriptor the caller opened and checked; it belongs to the map on success. 0; -1 errno. */
int cdbmap_open_fd(struct cdbmap *map, int fd);
/* 1: found, *value points into the map until the next find or close (not NUL-terminated); 0: not there; -1: damaged (errno
 * EPROTO). */
int cdbmap_find(struct cdbmap *map, const char *key, size_t key_len, const char **value_out, size_t *value_len_out);
void cdbmap_close(struct cdbmap *map);
/* Building on an open, empty, read-write fd. 0, -1 errno. Neither syncs nor closes: follow with durable_replace. */
struct cdbmap_maker;
struct cdbmap_maker *cdbmap_make_start(int fd);
int cdbmap_make_add(struct cdbmap_maker *maker, const char *key, size_t key_len, const char *value, size_t value_len);
int cdbmap_make_finish(struct cdbmap_maker *maker); /* frees maker in every case */

#endif
