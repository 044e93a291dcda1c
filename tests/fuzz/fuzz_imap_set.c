/* SPDX-License-Identifier: ISC */
/* imapd/parse_set and targets: what is taken can be written and read again, and means the messages that RFC 3501 says, counted
 * here one by one. */
#include "tests/fuzz/fuzz_folder.h"

static struct session session;

static void write_set(stralloc *out, const struct set *set)
{
    for (uint32_t i = 0; i < set->n; i++) {
        const struct set_range *range = &set->range[i];
        str_cats(out, i > 0 ? "," : "");
        if (range->first == SET_STAR) {
            str_catc(out, '*');
        } else {
            str_catn(out, range->first);
        }
        if (range->last == SET_STAR && range->first != SET_STAR) {
            str_cats(out, ":*");
        } else if (range->last != range->first) {
            str_catf(out, ":%u", range->last);
        }
    }
}

static void try_round_trip(const struct set *set)
{
    stralloc text = STRALLOC_ZERO;
    struct set again = {0};
    write_set(&text, set);
    struct parser parser = {text.s, text.s + text.len};
    require(parse_set(&parser, &again) && parse_end(&parser) && again.n == set->n);
    require(memcmp(again.range, set->range, set->n * sizeof *set->range) == 0);
    set_clear(&again);
    stralloc_free(&text);
}

static bool is_in_range(const struct set_range *range, uint32_t number, uint32_t highest)
{
    uint32_t first = range->first == SET_STAR ? highest : range->first;
    uint32_t last = range->last == SET_STAR ? highest : range->last;
    return first <= last ? first <= number && number <= last : last <= number && number <= first;
}

static bool is_meant(const struct set *set, uint32_t number, uint32_t highest)
{
    for (uint32_t i = 0; i < set->n; i++) {
        if (is_in_range(&set->range[i], number, highest)) {
            return true;
        }
    }
    return false;
}

static bool is_beyond(const struct set *set, uint32_t exists)
{
    for (uint32_t i = 0; i < set->n; i++) {
        const struct set_range *range = &set->range[i];
        if ((range->first != SET_STAR && range->first > exists) || (range->last != SET_STAR && range->last > exists) ||
            exists == 0) {
            return true;
        }
    }
    return false;
}

static bool is_in_spans(const struct targets *targets, uint32_t index)
{
    for (uint32_t i = 0; i < targets->n; i++) {
        if (index >= targets->span[i].from && index < targets->span[i].to) {
            return true;
        }
    }
    return false;
}

/* What `*` is: the last UID that the client has not been told the end of. */
static uint32_t highest_uid(const struct folder *folder)
{
    for (uint32_t i = folder->n_tail; i > 0; i--) {
        if ((i - 1) % 5 != 4) {
            return folder->tail[i - 1].uid;
        }
    }
    return 0;
}

static void try_targets(const struct set *set, bool is_uid)
{
    struct folder *folder = &session.folder;
    struct targets targets;
    uint32_t exists = folder_exists(folder);
    uint32_t highest = is_uid ? highest_uid(folder) : exists;
    const struct reply *trouble = session_targets(&session, set, is_uid, &targets);
    require((trouble != NULL) == (!is_uid && is_beyond(set, exists)));
    for (uint32_t i = 0; trouble == NULL && i < targets.n; i++) {
        require(targets.span[i].from < targets.span[i].to && targets.span[i].to <= folder->told_end);
        require(i == 0 || targets.span[i].from > targets.span[i - 1].to);
    }
    uint32_t seq = 0;
    for (uint32_t i = 0; trouble == NULL && i < folder->n_tail; i++) {
        bool is_told_gone = i % 5 == 4;
        seq += !is_told_gone;
        if (!is_told_gone) {
            require(is_in_spans(&targets, i) == is_meant(set, is_uid ? folder->tail[i].uid : seq, highest));
        }
    }
    targets_free(&targets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *bytes = fuzz_copy(data + 1, size - 1);
    struct parser parser = {bytes, bytes + size - 1};
    struct set set = {0};
    if (parse_set(&parser, &set)) {
        require(fuzz_lies_in(parser.at, 0, bytes, size - 1) && parser.at > bytes);
        require(set.is_saved ? set.n == 0 : set.n > 0 && set.n <= size / 2);
        if (!set.is_saved) {
            fuzz_memory_folder(&session.folder, data[0] % 64);
            try_round_trip(&set);
            try_targets(&set, true);
            try_targets(&set, false);
            folder_close(&session.folder);
        }
    } else {
        require(parser.at == bytes);
    }
    set_clear(&set);
    free(bytes);
    return 0;
}
