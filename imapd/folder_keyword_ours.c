/* SPDX-License-Identifier: ISC */
/* Keywords past the letters stand in stafet-keywords, and in the index as what that says. A session that died between the two
 * left a file of another size than the index knows: then all of it is read anew. */
#include "imapd/folder_inner.h"

#include <stdlib.h>
#include <string.h>

#include "imapd/namehash.h"
#include "lib/str.h"

struct ours {
    struct folder *folder;
    uint64_t *bits; /* by index */
    struct namehash known;
    bool has_known; /* filled: a line by base name was met */
};

static const char *base_name(const void *ctx, uint32_t index, size_t *len_out)
{
    const char *name = folder_base_name((struct folder *)(uintptr_t)ctx, index);
    *len_out = strlen(name);
    return name;
}

static uint32_t index_of_base(struct ours *ours, const struct keywords_line *line)
{
    struct folder *folder = ours->folder;
    if (!ours->has_known) {
        ours->has_known = true;
        namehash_init(&ours->known, folder->n_live, base_name, folder);
        for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
            const char *name = folder_base_name(folder, i);
            namehash_put(&ours->known, name, strlen(name), i);
        }
    }
    return namehash_find(&ours->known, line->base, line->base_len);
}

static void take_line(void *ctx, const struct keywords_line *line)
{
    struct ours *ours = ctx;
    uint32_t index = line->uid > 0 ? folder_index_of_uid(ours->folder, line->uid) : index_of_base(ours, line);
    if (index != FOLDER_NONE) {
        ours->bits[index] = line->bits;
    }
}

static void put_changed(struct ours *ours)
{
    struct folder *folder = ours->folder;
    size_t start = entry_begin(&folder->out, ENTRY_FLAGS, folder_next_modseq(folder));
    size_t empty = folder->out.len;
    uint32_t n = 0;
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        const struct record *record = folder_record_at(folder, i);
        uint64_t keywords = (record->keywords & KEYWORDS_LETTER_BITS) | ours->bits[i];
        if (keywords != record->keywords) {
            struct entry_flags flags = {
                .uid = record->uid, .flags = record->flags, .state = record->state, .reserved = 0, .keywords = keywords};
            entry_put(&folder->out, &flags, sizeof flags);
            n++;
        }
    }
    if (folder->out.len == empty) {
        folder->out.len = start;
    } else {
        entry_end(&folder->out, start, n);
    }
}

int folder_take_ours(struct folder *folder, uint64_t size)
{
    struct ours ours = {.folder = folder};
    struct keyword_names before;
    struct index_stamp stamp = folder->stamp;
    ours.bits = memory_get((size_t)folder_end(folder) + 1, sizeof *ours.bits);
    folder_keep_names(folder, &before);
    int result = keywords_read_ours(&folder->keywords, folder->dir, folder->head.uidvalidity, take_line, &ours);
    if (result >= 0) {
        folder_put_new_names(folder, &before);
        put_changed(&ours);
        stamp.keywords_size = size;
        folder_put_stamp(folder, &stamp);
        result = folder_commit(folder);
    }
    if (ours.has_known) {
        namehash_free(&ours.known);
    }
    free(ours.bits);
    return result < 0 ? -1 : 0;
}
