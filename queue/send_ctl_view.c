/* SPDX-License-Identifier: ISC */
/* What operators see: one file after the other is opened for reading, wherever it lies by now. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/crc32c.h"
#include "lib/scan.h"
#include "lib/str.h"
#include "queue/send_ctl.h"
#include "queue/send_message.h"

enum { FILES_A_STEP = 32, RECIPIENTS_A_STEP = 200 };

uint32_t ctl_site_sum(const char *text)
{
    uint64_t sum;
    if (strlen(text) == 8 && scan_hex(text, 8, &sum)) {
        return (uint32_t)sum;
    }
    stralloc domain = STRALLOC_ZERO;
    str_copys(&domain, text);
    (void)str_text(&domain);
    str_lower(domain.s, domain.len);
    uint32_t out = crc32c(0, domain.s, domain.len);
    stralloc_free(&domain);
    return out;
}

static bool site_fits(const char *text, const struct waiting *entry)
{
    switch ((enum waiting_site)(entry->flags & WAITING_SITE)) {
    case SITE_SEVERAL:
        return strcmp(text, "+") == 0;
    case SITE_ONE:
        return entry->site == ctl_site_sum(text);
    case SITE_LOCAL:
    case SITE_NONE:
        break;
    }
    return strcmp(text, "-") == 0;
}

/* By what memory knows: id, site, why. */
static bool entry_fits(const struct ctl_filter *filter, const struct waiting *entry)
{
    if (filter->id != NULL) {
        struct packed_id id = id_pack(filter->id);
        if (memcmp(&id, &entry->id, sizeof id) != 0) {
            return false;
        }
    }
    return (filter->site == NULL || site_fits(filter->site, entry)) &&
           (filter->why == NULL || strcmp(filter->why, why_word((enum why)entry->why)) == 0);
}

static void collect(struct ctl *ctl, const struct waiting *entry, enum spool_place place)
{
    if (!entry_fits(&ctl->filter, entry)) {
        return;
    }
    if ((ctl->n_items & (ctl->n_items - 1)) == 0) { /* room doubles at each power of two */
        ctl->items = memory_grow(ctl->items, ctl->n_items == 0 ? 1 : ctl->n_items * 2, sizeof *ctl->items);
    }
    ctl->items[ctl->n_items++] = (struct ctl_item){.entry = *entry, .place = place};
}

static void collect_ids(struct ctl *ctl, const struct id_queue *queue, enum spool_place place)
{
    for (size_t i = 0; i < queue->n; i++) {
        struct waiting entry = {.id = queue->ids[queue->first + i], .flags = SITE_NONE};
        collect(ctl, &entry, place);
    }
}

void ctl_collect(struct scheduler *scheduler, struct ctl *ctl)
{
    struct id_queue held = {0};
    ctl->n_items = 0;
    for (int i = 0; i < MESSAGES_MAX; i++) {
        const struct message *message = &scheduler->messages[i];
        if (message->state != MESSAGE_FREE) {
            struct waiting entry = {.id = id_pack(message->id),
                                    .tries = (uint16_t)message->tries,
                                    .number = message->number,
                                    .site = message->site,
                                    .why = (uint8_t)message->why,
                                    .flags = (uint8_t)message->site_kind};
            collect(ctl, &entry, PLACE_CUR);
        }
    }
    collect_ids(ctl, &scheduler->again, PLACE_CUR);
    for (size_t i = 0; i < scheduler->later.n; i++) {
        collect(ctl, &scheduler->later.heap[i], PLACE_LATER);
    }
    collect_ids(ctl, &scheduler->fresh, PLACE_NEW);
    (void)spool_read_hold(&scheduler->spool, &held);
    collect_ids(ctl, &held, PLACE_HOLD);
    held.ids = memory_grow(held.ids, 0, sizeof *held.ids);
}

void ctl_close_shown(struct ctl *ctl)
{
    if (ctl->shown.fd >= 0) {
        close(ctl->shown.fd);
        ctl->shown.fd = -1;
    }
}

/* It may have moved since it was taken down. */
static int open_item(const struct scheduler *scheduler, struct ctl_item *item)
{
    static const enum spool_place places[] = {PLACE_LATER, PLACE_CUR, PLACE_NEW, PLACE_HOLD};
    char name[SPOOL_NAME];
    int folder = spool_where(&scheduler->spool, item->place, &item->entry, name);
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    for (size_t i = 0; fd < 0 && errno == ENOENT && i < sizeof places / sizeof places[0]; i++) {
        folder = spool_where(&scheduler->spool, places[i], &item->entry, name);
        fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        item->place = places[i];
    }
    return fd;
}

/* The address, or everything behind @ of one that begins with it. */
static bool address_fits(const char *filter, const char *address)
{
    if (filter[0] == '@') {
        const char *at = strrchr(address, '@');
        address = at == NULL ? "" : at;
    }
    return str_equal_nocase(filter, strlen(filter), address, strlen(address));
}

struct looking {
    const char *to;
    bool is_found;
};

static bool look_at(void *ctx, uint32_t n, char mark, const char *address)
{
    struct looking *looking = ctx;
    (void)n;
    looking->is_found = looking->is_found || (mark == '.' && address_fits(looking->to, address));
    return looking->is_found;
}

static bool file_fits(struct scheduler *scheduler, struct ctl *ctl)
{
    struct message *message = &ctl->shown;
    if (ctl->filter.from != NULL && !address_fits(ctl->filter.from, message->sender.s)) {
        return false;
    }
    if (ctl->filter.to == NULL) {
        return true;
    }
    struct looking looking = {.to = ctl->filter.to};
    message_read_recipients(scheduler, message, 1, look_at, &looking);
    return looking.is_found;
}

bool ctl_item_fits(struct scheduler *scheduler, struct ctl *ctl, struct ctl_item *item)
{
    const char *uid;
    struct message *message = &ctl->shown;
    *message = (struct message){.fd = open_item(scheduler, item), .write_fd = -1, .sender = message->sender};
    id_unpack(&item->entry.id, message->id);
    return message->fd >= 0 && message_load(scheduler, message, true, &uid) == MESSAGE_GOOD && file_fits(scheduler, ctl);
}

static void put_message(const struct scheduler *scheduler, const struct ctl *ctl, const struct ctl_item *item, stralloc *out)
{
    const struct message *message = &ctl->shown;
    struct spoolfile_later later;
    uint64_t birth = message->header.accepted_us / 1000000;
    bool is_later = item->place == PLACE_LATER;
    uint64_t due = (item->entry.flags & WAITING_NOW) != 0 ? scheduler->now_s : (uint64_t)item->entry.minute * 60;
    waiting_name(&item->entry, &later);
    field_put(out, "id", message->id);
    field_put_number(out, "size", message->header.mlen);
    field_put_number(out, "age", scheduler->now_s > birth ? scheduler->now_s - birth : 0);
    field_put(out, "from", message->sender.s);
    field_put_number(out, "tries", item->entry.tries);
    field_put_number(out, "due", is_later ? due : 0);
    field_put(out, "site", later.site);
    field_put(out, "why", why_word((enum why)item->entry.why));
    field_put_number(out, "n", message->header.n);
}

static const char *place_text(enum spool_place place)
{
    switch (place) {
    case PLACE_NEW:
        return "2.0.0 new: its first try is next";
    case PLACE_CUR:
        return "2.0.0 being tried";
    case PLACE_LATER:
        return "2.0.0 waits for its next try";
    case PLACE_HOLD:
        break;
    }
    return "2.0.0 held back by an operator";
}

static void list_step(struct scheduler *scheduler, struct ctl *ctl)
{
    stralloc *out = &ctl->channel.outbox;
    for (unsigned i = 0; i < FILES_A_STEP && ctl->at < ctl->n_items; i++) {
        struct ctl_item *item = &ctl->items[ctl->at++];
        if (ctl_item_fits(scheduler, ctl, item)) {
            size_t start = verdict_begin_numbered(out, ctl->count++, 'K', place_text(item->place));
            put_message(scheduler, ctl, item, out);
            frame_end(out, start);
        }
        ctl_close_shown(ctl);
    }
    if (ctl->at == ctl->n_items) {
        ctl_put_count(ctl);
    }
}

void ctl_view_begin(struct scheduler *scheduler, struct ctl *ctl)
{
    if (ctl->n_items == 0 || !ctl_item_fits(scheduler, ctl, &ctl->items[0])) {
        ctl_close_shown(ctl);
        ctl_put_reply(ctl, &send_no_message);
        return;
    }
    ssize_t n = pread(ctl->shown.fd, str_room(&ctl->notes, SPOOLFILE_NOTES_MAX), SPOOLFILE_NOTES_MAX,
                      (off_t)spoolfile_notes_at(&ctl->shown.header));
    ctl->notes.len = n < 0 ? 0 : (size_t)n;
    ctl->shown.is_read = ctl->shown.is_damaged = false;
}

static struct spoolfile_note last_note(const struct ctl *ctl, uint32_t n)
{
    struct spoolfile_note note, last = {.site = "-", .site_len = 1};
    size_t at = 0;
    while (spoolfile_note_next(ctl->notes.s, ctl->notes.len, &at, &note) == 1) {
        last = note.n == n ? note : last;
    }
    return last;
}

static bool put_recipient(void *ctx, uint32_t n, char mark, const char *address)
{
    struct ctl *ctl = ctx;
    stralloc *out = &ctl->channel.outbox;
    struct spoolfile_note note = last_note(ctl, n);
    char letter = mark == 'K' ? 'K' : mark == 'D' || mark == 'B' ? 'D' : 'Z';
    const char *otherwise = letter == 'K'   ? "2.1.5 delivered"
                            : letter == 'D' ? "5.0.0 failed; the reason was not kept"
                                            : "4.0.0 not tried yet";
    char mark_text[] = {mark, '\0'};
    stralloc words = STRALLOC_ZERO;
    bool is_told = note.text_len > 0 && letter != 'K';
    str_copy(&words, is_told ? note.text : otherwise, is_told ? note.text_len : strlen(otherwise));
    size_t start = verdict_begin_numbered(out, n, letter, str_text(&words));
    field_put(out, "to", address);
    field_put(out, "mark", mark_text);
    str_copy(&words, note.site, note.site_len);
    field_put(out, "site", str_text(&words));
    field_put_number(out, "time", note.seconds);
    frame_end(out, start);
    stralloc_free(&words);
    return true;
}

static void show_step(struct scheduler *scheduler, struct ctl *ctl)
{
    message_read_recipients(scheduler, &ctl->shown, RECIPIENTS_A_STEP, put_recipient, ctl);
    if (!ctl->shown.is_read) {
        return;
    }
    size_t start = verdict_begin(&ctl->channel.outbox, 'K', place_text(ctl->items[0].place));
    put_message(scheduler, ctl, &ctl->items[0], &ctl->channel.outbox);
    frame_end(&ctl->channel.outbox, start);
    ctl_close_shown(ctl);
    ctl->what = CTL_IDLE;
}

void ctl_view_step(struct scheduler *scheduler, struct ctl *ctl)
{
    if (ctl->what == CTL_LIST) {
        list_step(scheduler, ctl);
    } else {
        show_step(scheduler, ctl);
    }
}
