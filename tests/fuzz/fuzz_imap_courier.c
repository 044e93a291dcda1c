/* SPDX-License-Identifier: ISC */
/* imapd/courier: whatever Courier's files hold, no message is lost, each keyword has a name, what is written can be read again,
 * and a list that is not ours stays as it was, byte for byte. The first byte says which file it is: courierimapuiddb, :list of
 * courierimapkeywords, or (a length, a name) a file of a message there. */
#include <dirent.h>

#include "imapd/courier.h"
#include "tests/fuzz/fuzz_folder.h"

enum { MESSAGES = 12, MORE = 1000 };
#define KEYWORDS_FOLDER "courierimapkeywords"
static struct session session;

static int remove_inner(const char *name, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    return where->level == 0 ? 0 : remove(name);
}

/* The memory folder's messages as files; expunged ones have none. */
static void begin(void)
{
    struct folder *folder = &session.folder;
    stralloc name = STRALLOC_ZERO;
    int scratch = fuzz_folder();
    require(nftw(fuzz_folder_path, remove_inner, 16, FTW_DEPTH | FTW_PHYS) == 0);
    require(mkdirat(scratch, "cur", 0700) == 0 && mkdirat(scratch, "new", 0700) == 0);
    fuzz_memory_folder(folder, MESSAGES);
    folder->dir = dup(scratch);
    folder->cur = openat(scratch, "cur", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    folder->fresh = openat(scratch, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    folder->head.uidvalidity = 7;
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        name.len = 0;
        folder_name_append(folder, i, &name);
        fuzz_put_file(scratch, str_text(&name), "", 0);
    }
    stralloc_free(&name);
}

static void read_file(int dir, const char *name, stralloc *out)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    require(fd >= 0 && fstat(fd, &stat) == 0);
    out->len = 0;
    require(read(fd, str_room(out, (size_t)stat.st_size + 1), (size_t)stat.st_size) == stat.st_size);
    out->len = (size_t)stat.st_size;
    close(fd);
}

static void require_same_list(const struct uidlist *a, const struct uidlist *b)
{
    require(a->n == b->n && a->uidvalidity == b->uidvalidity && a->uidnext == b->uidnext);
    for (uint32_t i = 0; i < a->n; i++) {
        const struct uidlist_entry *x = &a->entry[i];
        const struct uidlist_entry *y = &b->entry[i];
        require(x->uid == y->uid && fuzz_equal(a->bytes.s + x->name_at, x->name_len, b->bytes.s + y->name_at, y->name_len));
    }
}

static void try_import(struct folder *folder)
{
    struct uidlist list;
    struct uidlist again;
    if (courier_import(folder->dir, &list) == 1) {
        require(uidlist_read(&again, folder->dir, UIDLIST_NAME) == UIDLIST_READ && again.n_bad == 0 && !again.is_untidy);
        require_same_list(&list, &again);
        uidlist_free(&again);
        folder->head.uidvalidity = list.uidvalidity;
        folder->uidnext = list.uidnext;
        uidlist_free(&list);
    }
}

/* One message more: its line is in the list, or the list says that it is not ours. */
static void try_keep_up(struct folder *folder, const stralloc *before, uint32_t uidnext)
{
    static const char name[] = "more.x";
    const struct record record = {.uid = uidnext - 1};
    const struct folder_news news = {.record = &record, .n = 1, .names = name};
    stralloc after = STRALLOC_ZERO;
    struct uidlist list;
    uint32_t theirs = courier_uidnext(folder);
    courier_keep_up(folder, uidnext, &news);
    read_file(folder->dir, COURIER_UIDDB, &after);
    if (fuzz_equal(before->s, before->len, after.s, after.len)) {
        require(theirs == 0 || theirs > uidnext);
    } else {
        require(theirs <= uidnext && courier_uidnext(folder) == uidnext);
        require(uidlist_read(&list, folder->dir, COURIER_UIDDB) == UIDLIST_READ);
        const struct uidlist_entry *entry = uidlist_find(&list, record.uid);
        require(entry != NULL && fuzz_equal(list.bytes.s + entry->name_at, entry->name_len, name, sizeof name - 1));
        require(list.uidvalidity == folder->head.uidvalidity && list.uidnext == uidnext);
        uidlist_free(&list);
    }
    stralloc_free(&after);
}

static void try_list(const char *bytes, size_t n)
{
    struct folder *folder = &session.folder;
    stralloc before = STRALLOC_ZERO;
    str_copy(&before, bytes, n);
    fuzz_put_file(folder->dir, COURIER_UIDDB, bytes, n);
    try_import(folder);
    uint32_t uidnext = folder->uidnext > UINT32_MAX - MORE ? UINT32_MAX : folder->uidnext + MORE;
    try_keep_up(folder, &before, uidnext);
    folder->uidnext = uidnext;
    uint32_t theirs = courier_uidnext(folder);
    courier_compact(folder);
    require(courier_uidnext(folder) == (theirs > uidnext || theirs == 0 ? theirs : courier_uidnext(folder)));
    stralloc_free(&before);
}

static unsigned count_files(int dir)
{
    unsigned n = 0;
    DIR *all = fdopendir(dup(dir));
    require(all != NULL);
    rewinddir(all);
    while (readdir(all) != NULL) {
        n++;
    }
    closedir(all);
    return n;
}

static void each_line(void *ctx, const struct keywords_line *line)
{
    struct folder *folder = ctx;
    uint32_t index = folder_index_of_uid(folder, line->uid);
    require(line->uid > 0 && index != FOLDER_NONE);
    require((folder_record(folder, index)->keywords & ~KEYWORDS_LETTER_BITS) == line->bits);
}

/* Names on disk are those of the records; both files of names say what the folder says. */
static void check_keywords(struct folder *folder)
{
    stralloc name = STRALLOC_ZERO;
    struct keywords again = {.text = STRALLOC_ZERO};
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        uint64_t keywords = folder_record(folder, i)->keywords & ~(uint64_t)3; /* two names were there before */
        for (unsigned k = 0; k < KEYWORDS_MAX; k++) {
            require(!(keywords >> k & 1) || folder->keywords.len[k] > 0);
        }
        name.len = 0;
        folder_name_append(folder, i, &name);
        require(faccessat(folder->dir, str_text(&name), F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    }
    require(keywords_read_dovecot(&again, folder->dir) == 1);
    require(keywords_read_ours(&again, folder->dir, folder->head.uidvalidity, each_line, folder) >= 0);
    for (unsigned k = 0; k < KEYWORDS_LETTERS; k++) {
        require(fuzz_equal(again.text.s + again.at[k], again.len[k], folder->keywords.text.s + folder->keywords.at[k],
                           folder->keywords.len[k]));
    }
    stralloc_free(&again.text);
    stralloc_free(&name);
}

static void try_keywords(const char *file, const char *bytes, size_t n)
{
    struct folder *folder = &session.folder;
    char path[sizeof KEYWORDS_FOLDER + 256];
    require(mkdirat(folder->dir, KEYWORDS_FOLDER, 0700) == 0);
    fuzz_put_file(folder->dir, KEYWORDS_FOLDER "/:list", "$Junk\nlisted\n\n0.x:0 1\n1.x:1\n", 29);
    (void)snprintf(path, sizeof path, KEYWORDS_FOLDER "/%s", file);
    fuzz_put_file(folder->dir, path, bytes, n);
    unsigned before = count_files(folder->cur);
    require(courier_take_keywords(folder) == 0);
    require(count_files(folder->cur) == before);
    check_keywords(folder);
}

/* A length and so many bytes: a name in courierimapkeywords/. */
static void try_file(const char *bytes, size_t n)
{
    char name[256];
    size_t len = n == 0 ? 0 : (unsigned char)bytes[0];
    if (len == 0 || len > 200 || len > n - 1 || memchr(bytes + 1, '/', len) != NULL || memchr(bytes + 1, '\0', len) != NULL) {
        return;
    }
    memcpy(name, bytes + 1, len);
    name[len] = '\0';
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
        try_keywords(name, bytes + 1 + len, n - 1 - len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *bytes = fuzz_copy(data + 1, size - 1);
    begin();
    switch (data[0] % 3) {
    case 0:
        try_list(bytes, size - 1);
        break;
    case 1:
        try_keywords(":list", bytes, size - 1);
        break;
    default:
        try_file(bytes, size - 1);
    }
    folder_close(&session.folder);
    free(bytes);
    return 0;
}
