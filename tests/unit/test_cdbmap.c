/* SPDX-License-Identifier: ISC */
/* cdbmap: what is put in comes out; damaged files are told, never followed. */
#include "lib/cdbmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"

static void make_file(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct cdbmap_maker *maker = cdbmap_make_start(fd);
    bool good = cdbmap_make_add(maker, "joe", 3, "first", 5) == 0 && cdbmap_make_add(maker, "joe", 3, "second", 6) == 0 &&
                cdbmap_make_add(maker, "!a\0", 3, "x\0y", 3) == 0 && cdbmap_make_add(maker, "", 0, "-", 1) == 0;
    for (int i = 0; i < 1000 && good; i++) {
        char key[16];
        int n = snprintf(key, sizeof key, "user%d", i);
        good = cdbmap_make_add(maker, key, (size_t)n, key, (size_t)n) == 0;
    }
    ok(cdbmap_make_finish(maker) == 0 && good, "a_cdb_of_1004_records_is_made");
    close(fd);
}

static bool finds(struct cdbmap *map, const char *key, size_t n, const char *want, size_t want_len)
{
    const char *value;
    size_t len;
    return cdbmap_find(map, key, n, &value, &len) == 1 && len == want_len && memcmp(value, want, len) == 0;
}

static void finds_what_was_put_in(const char *name)
{
    struct cdbmap map;
    const char *value;
    size_t n, bad = 0;
    ok(cdbmap_open(&map, AT_FDCWD, name) == 0, "it_opens");
    ok(finds(&map, "joe", 3, "first", 5), "the_first_of_two_equal_keys_is_found");
    ok(finds(&map, "!a\0", 3, "x\0y", 3), "keys_and_values_may_hold_nul");
    ok(finds(&map, "", 0, "-", 1), "the_empty_key_is_a_key");
    for (int i = 0; i < 1000; i++) {
        char key[16];
        int len = snprintf(key, sizeof key, "user%d", i);
        bad += !finds(&map, key, (size_t)len, key, (size_t)len);
    }
    is_number((long long)bad, 0, "every_one_of_1000_keys_is_found");
    ok(cdbmap_find(&map, "nobody", 6, &value, &n) == 0, "a_key_that_is_not_there_is_not_found");
    ok(cdbmap_find(&map, "JOE", 3, &value, &n) == 0, "case_counts");
    cdbmap_close(&map);
}

static void refuses_other_files(const char *name)
{
    struct cdbmap map;
    int fd = open("short", O_RDWR | O_CREAT, 0600);
    ok(write(fd, "x", 1) == 1 && cdbmap_open(&map, AT_FDCWD, "short") < 0 && errno == EPROTO,
       "a_file_shorter_than_a_header_is_no_cdb");
    close(fd);
    ok(symlink(name, "link") == 0 && cdbmap_open(&map, AT_FDCWD, "link") < 0 && errno == ELOOP,
       "a_symbolic_link_is_not_followed");
    ok(mkfifo("fifo", 0600) == 0 && cdbmap_open(&map, AT_FDCWD, "fifo") < 0, "a_fifo_neither_opens_nor_blocks");
    ok(cdbmap_open(&map, AT_FDCWD, "missing") < 0 && errno == ENOENT, "a_missing_file_is_told_as_missing");
}

/* Every position of the header points far outside: no look-up may read there. */
static void survives_damage(const char *name)
{
    struct cdbmap map;
    const char *value;
    size_t n;
    char junk[2048];
    memset(junk, 0xf7, sizeof junk);
    int fd = open(name, O_RDWR);
    ok(fd >= 0 && pwrite(fd, junk, sizeof junk, 0) == sizeof junk, "the_header_is_damaged");
    close(fd);
    ok(cdbmap_open(&map, AT_FDCWD, name) == 0 && cdbmap_find(&map, "joe", 3, &value, &n) == -1 && errno == EPROTO,
       "a_damaged_table_is_told_as_damage");
    cdbmap_close(&map);
}

int main(void)
{
    char folder[] = "/tmp/test_cdbmap.XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) < 0) {
        return 1;
    }
    make_file("db");
    finds_what_was_put_in("db");
    refuses_other_files("db");
    survives_damage("db");
    unlink("db");
    unlink("short");
    unlink("link");
    unlink("fifo");
    rmdir(folder);
    return done();
}
