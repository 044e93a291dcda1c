/* SPDX-License-Identifier: ISC */
/* imapd/uidlist (dovecot-uidlist 1 and 3, courierimapuiddb): every slice lies in the file, UIDs ascend below UIDNEXT; a list
 * written from what was read reads the same. */
#include "imapd/uidlist.h"
#include "tests/fuzz/fuzz_folder.h"

static void check(const struct uidlist *list)
{
    const char *all = list->bytes.s;
    size_t n = list->bytes.len;
    require(list->uidvalidity > 0 && list->uidnext > 0 && list->n <= n / 4);
    require(list->extra_len == 0 || fuzz_lies_in(all + list->extra_at, list->extra_len, all, n));
    for (uint32_t i = 0; i < list->n; i++) {
        const struct uidlist_entry *entry = &list->entry[i];
        require(entry->uid > 0 && entry->uid < list->uidnext && (i == 0 || entry->uid > list->entry[i - 1].uid));
        require(entry->name_len > 0 && entry->name_len <= 255);
        require(fuzz_lies_in(all + entry->name_at, entry->name_len, all, n));
        require(fuzz_lies_in(all + entry->fields_at, entry->fields_len, all, n));
        require(memchr(all + entry->name_at, ':', entry->name_len) == NULL);
        require(memchr(all + entry->name_at, '\n', entry->name_len) == NULL);
    }
}

static void write_again(const struct uidlist *list, stralloc *out)
{
    uidlist_header_append(out, list->uidvalidity, list->uidnext, "", 0);
    for (uint32_t i = 0; i < list->n; i++) {
        uidlist_line_append(out, list->entry[i].uid, list->bytes.s + list->entry[i].name_at, list->entry[i].name_len);
    }
}

static void try_again(const struct uidlist *list)
{
    struct uidlist again = {.bytes = STRALLOC_ZERO};
    write_again(list, &again.bytes);
    require(uidlist_parse(&again) && again.n == list->n);
    require(again.uidvalidity == list->uidvalidity && again.uidnext == list->uidnext);
    for (uint32_t i = 0; i < list->n; i++) {
        const struct uidlist_entry *a = &list->entry[i];
        const struct uidlist_entry *b = &again.entry[i];
        require(a->uid == b->uid && fuzz_equal(list->bytes.s + a->name_at, a->name_len, again.bytes.s + b->name_at, b->name_len));
    }
    uidlist_free(&again);
}

static void read_list(int folder, stralloc *out)
{
    int fd = openat(folder, UIDLIST_NAME, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    require(fd >= 0 && fstat(fd, &stat) == 0);
    out->len = 0;
    require(read(fd, str_room(out, (size_t)stat.st_size + 1), (size_t)stat.st_size) == stat.st_size);
    out->len = (size_t)stat.st_size;
    close(fd);
}

/* A line more: it stands in the list that others read, behind all whole lines that were there; or the file is as it was. */
static void try_to_add(const uint8_t *data, size_t size, uint32_t uidvalidity)
{
    static const char line[] = "4294967290 :added.x\n";
    int folder = fuzz_folder();
    stralloc after = STRALLOC_ZERO;
    stralloc lines = STRALLOC_ZERO;
    struct uidlist list;
    str_cats(&lines, line);
    fuzz_put_file(folder, UIDLIST_NAME, (const char *)data, size);
    int result = uidlist_add(folder, uidvalidity, &lines);
    read_list(folder, &after);
    if (result == 1) {
        const char *lf = memrchr(data, '\n', size);
        size_t whole = (size_t)(lf - (const char *)data) + 1;
        require(after.len == whole + sizeof line - 1 && memcmp(after.s, data, whole) == 0);
        require(uidlist_read(&list, folder, UIDLIST_NAME) == UIDLIST_READ && list.uidvalidity == uidvalidity);
        require(uidlist_find(&list, 4294967290) != NULL);
        uidlist_free(&list);
    } else {
        require(fuzz_equal(after.s, after.len, (const char *)data, size));
    }
    stralloc_free(&lines);
    stralloc_free(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uidlist list = {.bytes = STRALLOC_ZERO};
    str_copy(&list.bytes, (const char *)data, size);
    if (uidlist_parse(&list)) {
        check(&list);
        try_again(&list);
    }
    try_to_add(data, size, list.uidvalidity == 0 ? 1 : list.uidvalidity);
    uidlist_free(&list);
    return 0;
}
