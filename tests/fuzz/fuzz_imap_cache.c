/* SPDX-License-Identifier: ISC */
/* imapd/folder_cache: stafet.cache as a damaged or hostile file could be, under right sums. What is found is a blob of that UID
 * with its sum, or the message is parsed anew; parts found by it lie in order, whatever it says; what was put is found again. */
#include <sys/mman.h>

#include "imapd/fetch.h"
#include "imapd/folder_inner.h"
#include "imapd/search.h"
#include "lib/crc32c.h"
#include "tests/fuzz/fuzz_folder.h"

enum { UID = 3, HEAD = 16 };
#define NAME    "0.x"
#define MESSAGE "Subject: a\nFrom: b@c.test\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nneedle\n--x\n\nother\n--x--\n"
static struct session session;
static struct mime_summary_work work;

struct blob_head {
    uint32_t len, uid, crc, zero;
};

static void begin(void)
{
    struct folder *folder = &session.folder;
    static bool is_there;
    int scratch = fuzz_folder();
    if (!is_there) {
        require(mkdirat(scratch, "cur", 0700) == 0);
        fuzz_put_file(scratch, "cur/" NAME ":2,", MESSAGE, sizeof MESSAGE - 1);
        is_there = true;
    }
    fuzz_memory_folder(folder, 1);
    folder->tail[0].keywords = 0;
    folder->dir = dup(scratch);
    session.work = folder->work = &work;
    folder->cache_id = folder->cache_open_id = 1;
    folder->cache = memfd_create("cache", MFD_CLOEXEC);
}

/* The blob that cache_at means has the right UID and sum, where its length lies inside. */
static void mend(char *bytes, size_t n, size_t at)
{
    struct blob_head head;
    if (at > n || n - at < sizeof head) {
        return;
    }
    memcpy(&head, bytes + at, sizeof head);
    head.uid = UID;
    if (head.len <= n - at - sizeof head) {
        head.crc = crc32c(0, bytes + at + sizeof head, head.len);
    }
    memcpy(bytes + at, &head, sizeof head);
}

static void check_parts(const char *bytes, size_t len)
{
    struct mime_summary summary;
    if (!mime_summary_open(&summary, bytes, len)) {
        return;
    }
    for (uint32_t i = 0; i < summary.parts; i++) {
        struct mime_summary_part part;
        mime_summary_part(&summary, i, &part);
        require(part.part.start.offset <= part.part.body.offset && part.part.body.offset <= part.part.end.offset);
    }
    for (uint32_t i = 0; i < 12; i++) {
        struct fetch_item item = {.kind = FETCH_SECTION, .text = (enum fetch_text)(i % 6), .n_path = 1 + i / 6, .path = {1, 1}};
        struct fetch_place place;
        if (fetch_find_part(&session, 0, &item, &place) == 0 && place.is_there) {
            require(place.at <= UINT32_MAX && place.len <= UINT32_MAX);
        }
    }
}

static void search_for(const char *needle)
{
    for (enum search_kind kind = SEARCH_HEADER; kind <= SEARCH_TEXT; kind++) {
        struct search_key key = {.kind = kind, .text = STRALLOC_ZERO, .field = {"X-Other", 7}};
        str_copys(&key.text, needle);
        (void)search_in_message(&session, 0, &key);
        stralloc_free(&key.text);
    }
}

static void try_found(const char *bytes, size_t n, uint32_t cache_at)
{
    const char *found;
    size_t len;
    struct folder *folder = &session.folder;
    require(pwrite(folder->cache, bytes, n, 0) == (ssize_t)n);
    folder->tail[0].cache_at = cache_at;
    require(folder_summary(folder, 0, &found, &len) == 0);
    if (folder->blob_uids.n == 0) {
        size_t at = (size_t)cache_at * 8 + HEAD;
        require(cache_at > 0 && at <= n && len <= n - at && memcmp(found, bytes + at, len) == 0);
    }
    check_parts(found, len);
    search_for("needle");
    search_for("nowhere");
}

/* Put, staged, named by its entry, found. */
static void try_put(const char *bytes, size_t n)
{
    struct folder *folder = &session.folder;
    struct entry entry;
    struct entry_cache item;
    size_t used;
    const char *found;
    size_t len;
    folder->blob_uids.n = folder->blob_places.n = 0;
    folder->blobs.len = folder->out.len = 0;
    folder_cache_put(folder, UID + 1, "", 0);
    folder_cache_put(folder, UID, bytes, n);
    folder_cache_stage(folder);
    require(entry_parse(folder->out.s, folder->out.len, &entry, &used) == ENTRY_WHOLE && used == folder->out.len);
    require(entry.head.kind == ENTRY_CACHE && entry.head.n == 2);
    memcpy(&item, entry.items + sizeof item, sizeof item);
    require(item.uid == UID && item.cache_at > 0);
    folder->tail[0].cache_at = item.cache_at;
    require(folder_summary(folder, 0, &found, &len) == 0 && fuzz_equal(found, len, bytes, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    char *bytes = fuzz_copy(data + 2, size - 2);
    uint32_t cache_at = data[0] % 2 == 0 ? data[1] % 4 : (uint32_t)data[1] << 24;
    begin();
    mend(bytes, size - 2, (size_t)cache_at * 8);
    try_found(bytes, size - 2, cache_at);
    try_put(bytes, size - 2);
    folder_close(&session.folder);
    free(bytes);
    return 0;
}
