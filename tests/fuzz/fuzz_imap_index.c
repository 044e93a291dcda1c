/* SPDX-License-Identifier: ISC */
/* imapd/index_*.c and folder_play: a base with a journal, written from the input and read as a session reads it.
 *
 * Right ones (first byte even): what is read is what a plain model says, whole, with a journal that ends anywhere, when its rest
 * comes later, and after a rest. Wild ones: records, names, entries and header are any bytes under right sums, as a damaged or
 * hostile file could have them: what is read lies inside, or the folder says that it is damaged. */
#include <setjmp.h>
#include <sys/mman.h>

#include "imapd/folder_inner.h"
#include "tests/fuzz/fuzz_folder.h"

enum { RECORDS_MAX = 450, ENTRIES_MAX = 24 };
static const uint8_t *at, *end;
static struct folder folder;
static jmp_buf damaged;
static bool may_be_damaged;

static uint32_t take(unsigned n)
{
    uint32_t number = 0;
    for (; n > 0; n--) {
        number = number << 8 | (at < end ? *at++ : 0);
    }
    return number;
}

static void on_damage(void)
{
    require(may_be_damaged);
    longjmp(damaged, 1);
}

/* ---- right ones */
struct message {
    struct record record;
    bool is_gone;
};
static struct model {
    struct message message[RECORDS_MAX + 4 * ENTRIES_MAX];
    uint32_t n, uidnext;
} model;
static struct step {
    enum index_kind kind;
    uint32_t first, last, n;
    struct record record;
    size_t end; /* in the journal */
} steps[ENTRIES_MAX];
static unsigned n_steps;

static struct record make_record(uint32_t uid)
{
    uint32_t bits = take(3);
    return (struct record){.uid = uid,
                           .flags = bits & 63,
                           .state = bits >> 6 & 3,
                           .keywords = bits >> 8 & 255,
                           .modseq = 5,
                           .date = bits,
                           .size = bits & 0x8000 ? UINT32_MAX : bits >> 4};
}

static void name_of(uint32_t uid, char name[16])
{
    (void)snprintf(name, 16, "%u.M", uid);
}

static void make_base(stralloc *out)
{
    stralloc names = STRALLOC_ZERO;
    struct record *records = memory_get(RECORDS_MAX, sizeof *records);
    uint32_t n = take(1) % 25 * (take(1) % 8 == 7 ? 18 : 1);
    struct index_base base = {.header = {.generation = 1, .uidvalidity = 9, .highest_modseq = 5, .n = n}, .records = records};
    uint32_t uid = 0;
    for (uint32_t i = 0; i < n; i++) {
        char name[16];
        uid += 1 + take(1) % 4;
        records[i] = make_record(uid);
        records[i].name_at = (uint32_t)names.len;
        name_of(uid, name);
        str_cat(&names, name, strlen(name) + 1);
        base.header.n_unseen += !(records[i].flags & MAILBOX_SEEN);
        base.header.n_deleted += (records[i].flags & MAILBOX_TRASHED) != 0;
        base.header.n_new += records[i].state & RECORD_IS_NEW;
        model.message[i] = (struct message){.record = records[i]};
    }
    model.n = n;
    model.uidnext = base.header.uidnext = uid + 1;
    base.names = names.s;
    base.names_len = names.len;
    index_base_append(out, &base);
    free(records);
    stralloc_free(&names);
}

static void put_append(stralloc *journal, struct step *step, uint32_t *uidnext)
{
    stralloc names = STRALLOC_ZERO;
    step->n = 1 + take(1) % 3;
    step->first = *uidnext + take(1) % 3;
    step->record = make_record(0);
    for (uint32_t i = 0; i < step->n; i++) {
        char name[16];
        struct record record = step->record;
        record.uid = step->first + i;
        record.name_at = (uint32_t)names.len;
        name_of(record.uid, name);
        str_cat(&names, name, strlen(name) + 1);
        entry_put(journal, &record, sizeof record);
    }
    entry_put(journal, names.s, names.len);
    stralloc_free(&names);
    *uidnext = step->first + step->n;
}

static void put_step(stralloc *journal, struct step *step, uint32_t *uidnext)
{
    static const enum index_kind kinds[] = {ENTRY_APPEND, ENTRY_FLAGS, ENTRY_EXPUNGE, ENTRY_CACHE};
    step->kind = kinds[take(1) % 4];
    size_t start = entry_begin(journal, step->kind, 6);
    step->first = 1 + take(2) % *uidnext;
    step->last = step->first + take(1) % 8;
    if (step->kind == ENTRY_APPEND) {
        put_append(journal, step, uidnext);
    } else if (step->kind == ENTRY_EXPUNGE) {
        struct entry_range range = {step->first, step->last};
        entry_put(journal, &range, sizeof range);
    } else if (step->kind == ENTRY_FLAGS) {
        step->record = make_record(step->first);
        struct entry_flags flags = {
            .uid = step->first, .flags = step->record.flags, .state = step->record.state, .keywords = step->record.keywords};
        entry_put(journal, &flags, sizeof flags);
    } else {
        step->record = make_record(step->first);
        struct entry_cache cache = {.uid = step->first, .cache_at = 1, .size = step->record.size, .date = step->record.date};
        entry_put(journal, &cache, sizeof cache);
    }
    entry_end(journal, start, step->kind == ENTRY_APPEND ? step->n : 1);
    step->end = journal->len;
}

static void make_journal(stralloc *journal)
{
    uint32_t uidnext = model.uidnext;
    for (n_steps = 0; n_steps < ENTRIES_MAX && at < end; n_steps++) {
        put_step(journal, &steps[n_steps], &uidnext);
    }
}

static void model_step(const struct step *step)
{
    for (uint32_t i = 0; step->kind == ENTRY_APPEND && i < step->n; i++) {
        struct message *message = &model.message[model.n++];
        *message = (struct message){.record = step->record};
        message->record.uid = step->first + i;
        model.uidnext = message->record.uid + 1;
    }
    for (uint32_t i = 0; i < model.n; i++) {
        struct message *message = &model.message[i];
        bool is_one = message->record.uid == step->first && !message->is_gone;
        if (step->kind == ENTRY_EXPUNGE && message->record.uid >= step->first && message->record.uid <= step->last) {
            message->is_gone = true;
        } else if (step->kind == ENTRY_FLAGS && is_one) {
            message->record.flags = step->record.flags;
            message->record.state = step->record.state;
            message->record.keywords = step->record.keywords;
        } else if (step->kind == ENTRY_CACHE && is_one) {
            message->record.size = step->record.size;
            message->record.date = step->record.date == RECORD_UNSEEN ? message->record.date : step->record.date;
        }
    }
}

static void compare_one(uint32_t index, const struct record *wanted)
{
    char name[16];
    const struct record *record = folder_record(&folder, index);
    require(record->uid == wanted->uid && record->flags == wanted->flags && record->keywords == wanted->keywords);
    require(record->state == wanted->state && record->size == wanted->size && record->date == wanted->date);
    name_of(record->uid, name);
    require(strcmp(folder_base_name(&folder, index), name) == 0);
    require(folder_index_of_uid(&folder, record->uid) == index);
}

static void compare(void)
{
    uint32_t n_live = 0;
    uint32_t n_unseen = 0;
    uint32_t n_deleted = 0;
    uint32_t index = folder_first(&folder);
    for (uint32_t i = 0; i < model.n; i++) {
        const struct record *record = &model.message[i].record;
        if (model.message[i].is_gone) {
            require(folder_index_of_uid(&folder, record->uid) == FOLDER_NONE);
            continue;
        }
        require(index < folder_end(&folder));
        compare_one(index, record);
        n_live++;
        n_unseen += !(record->flags & MAILBOX_SEEN);
        n_deleted += (record->flags & MAILBOX_TRASHED) != 0;
        index = folder_next(&folder, index);
    }
    require(index == folder_end(&folder) && folder.uidnext == model.uidnext && folder.n_live == n_live);
    require(folder.n_unseen == n_unseen && folder.n_deleted == n_deleted);
}

static void write_file(const stralloc *base, const stralloc *journal, size_t n)
{
    require(pwrite(folder.index, base->s, base->len, 0) == (ssize_t)base->len);
    require(pwrite(folder.index, journal->s, n, (off_t)base->len) == (ssize_t)n);
}

static void try_right(stralloc *base, stralloc *journal)
{
    may_be_damaged = false;
    make_base(base);
    size_t cut = take(2);
    make_journal(journal);
    cut = journal->len == 0 ? 0 : cut % journal->len;
    write_file(base, journal, cut);
    require(folder_load(&folder) == 0);
    folder.told_end = cut % 2 == 0 ? folder_end(&folder) : 0;
    unsigned done = 0;
    for (; done < n_steps && steps[done].end <= cut; done++) {
        model_step(&steps[done]);
    }
    require(folder_play(&folder) == 0 && !folder.is_torn);
    compare();
    folder_rest(&folder);
    compare();
    write_file(base, journal, journal->len);
    for (; done < n_steps; done++) {
        model_step(&steps[done]);
    }
    require(folder_play(&folder) == 0 && !folder.is_torn && folder.journal_at == base->len + journal->len);
    compare();
    folder_rest(&folder);
    compare();
}

/* ---- wild ones */
static void take_bytes(stralloc *out, size_t n)
{
    size_t left = (size_t)(end - at);
    n = n < left ? n : left;
    str_cat(out, (const char *)at, n);
    at += n;
}

static void make_wild_base(stralloc *out)
{
    stralloc records = STRALLOC_ZERO;
    stralloc names = STRALLOC_ZERO;
    struct index_header header;
    take_bytes(&records, take(1) % 8 * sizeof(struct record));
    struct index_base base = {
        .header = {.uidvalidity = take(1), .uidnext = take(4), .n = (uint32_t)(records.len / sizeof(struct record))}};
    take_bytes(&names, take(1));
    base.records = (const struct record *)(const void *)records.s;
    base.names = names.s;
    base.names_len = names.len;
    base.keywords = names.s;
    base.keywords_len = names.len;
    index_base_append(out, &base);
    memcpy(&header, out->s, sizeof header);
    for (uint32_t changes = take(1) % 4; changes > 0; changes--) {
        uint32_t place = take(1) % (sizeof header - sizeof header.crc);
        ((char *)&header)[place] = (char)take(1);
    }
    header.crc = index_header_crc(&header);
    memcpy(out->s, &header, sizeof header);
    stralloc_free(&records);
    stralloc_free(&names);
}

static void make_wild_journal(stralloc *journal)
{
    for (unsigned i = 0; i < ENTRIES_MAX && at < end; i++) {
        size_t start = entry_begin(journal, (enum index_kind)(take(1) % 9), take(2));
        uint32_t n = take(1) % 8 == 7 ? take(4) : take(1) % 6;
        take_bytes(journal, take(1));
        entry_end(journal, start, n);
    }
}

static void each_vanished(void *ctx, uint32_t first, uint32_t last)
{
    (void)ctx;
    (void)first;
    (void)last;
}

static void each_expunge(void *ctx, uint32_t seq, uint32_t uid)
{
    (void)ctx;
    (void)seq;
    (void)uid;
}

static void look_at_all(void)
{
    stralloc text = STRALLOC_ZERO;
    for (uint32_t i = 0; i < folder_end(&folder); i++) {
        const struct record *record = folder_record(&folder, i);
        text.len = 0;
        put_flags(&text, &folder, record);
        require(folder_index_at_uid(&folder, record->uid) <= folder_end(&folder));
        (void)folder_seq(&folder, i);
        (void)folder_index_of_seq(&folder, i);
    }
    stralloc_free(&text);
    for (uint32_t i = 0; i < folder_end(&folder); i++) {
        const char *name = folder_base_name(&folder, i);
        require(strlen(name) < (1 << 20) && strchr(name, '/') == NULL);
    }
    for (uint32_t i = folder_first(&folder); i < folder_end(&folder); i = folder_next(&folder, i)) {
    }
    for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
        require(folder.keywords.len[i] <= KEYWORD_LEN_MAX);
    }
    folder_each_vanished(&folder, take(1), each_vanished, NULL);
}

static void try_wild(stralloc *base, stralloc *journal)
{
    may_be_damaged = true;
    make_wild_base(base);
    make_wild_journal(journal);
    write_file(base, journal, journal->len);
    if (setjmp(damaged) != 0 || folder_load(&folder) < 0) {
        return;
    }
    folder.told_end = folder_end(&folder);
    require(folder_play(&folder) == 0);
    look_at_all();
    folder_rest(&folder);
    look_at_all();
    folder_tell_expunges(&folder, each_expunge, NULL);
    (void)folder_tell_exists(&folder);
    look_at_all();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static stralloc base, journal;
    at = data;
    end = data + size;
    base.len = journal.len = 0;
    memset(&model, 0, sizeof model.n);
    fuzz_memory_folder(&folder, 0);
    free(folder.tail);
    folder.tail = NULL;
    folder.on_damage = on_damage;
    folder.index = memfd_create("index", MFD_CLOEXEC);
    (take(1) % 2 == 0 ? try_right : try_wild)(&base, &journal);
    folder_close(&folder);
    return 0;
}
