/* SPDX-License-Identifier: ISC */
/* Holds no lock: what other sessions and programs do meanwhile is found out message by message, and every step here may be done
 * by two at once. */
#include "pop3d/maildrop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/maildir.h"
#include "lib/md.h"
#include "lib/overquota.h"
#include "lib/str.h"
#include "lib/wirelen.h"

enum { STATE_DELETED = MAILBOX_STATE_OWN, READ_SIZE = 65536 };

int maildrop_open(struct maildrop *drop, const char *path)
{
    *drop = (struct maildrop){.full = -1};
    int opened = mailbox_open(&drop->box, AT_FDCWD, path);
    if (opened < 0 && errno == ENOENT && maildir_create(AT_FDCWD, path) == 0) {
        opened = mailbox_open(&drop->box, AT_FDCWD, path);
    }
    return opened;
}

int maildrop_read(struct maildrop *drop)
{
    if (mailbox_scan(&drop->box) < 0) {
        return -1;
    }
    mailbox_show_doubles(&drop->box);
    return 0;
}

void maildrop_take_quota_of_file(struct maildrop *drop)
{
    char bytes[QUOTA_FILE_MAX];
    struct quota_file file;
    int fd = openat(drop->box.folder, "maildirsize", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n > 0 && quota_file_parse(bytes, (size_t)n, &file)) {
        drop->quota = file.quota;
    }
    close(fd);
}

/* False: the file could not be read to its end. */
static bool measure_file(struct maildrop *drop, uint32_t i, uint64_t *out)
{
    static char bytes[READ_SIZE];
    struct wirelen wirelen;
    ssize_t n;
    int fd = mailbox_open_message(&drop->box, i);
    if (fd < 0) {
        return false;
    }
    wirelen_init(&wirelen);
    while ((n = read(fd, bytes, sizeof bytes)) > 0) {
        wirelen_add(&wirelen, bytes, (size_t)n);
    }
    close(fd);
    *out = wirelen_end(&wirelen);
    return n == 0;
}

uint64_t maildrop_size(struct maildrop *drop, uint32_t i)
{
    struct mailbox_message *message = &drop->box.message[i];
    if (message->wire_size == MAILBOX_UNKNOWN && !measure_file(drop, i, &message->wire_size)) {
        message->wire_size = message->size == MAILBOX_UNKNOWN ? 0 : message->size;
    }
    return message->wire_size;
}

uint32_t maildrop_count(const struct maildrop *drop)
{
    return drop->box.n - drop->n_deleted;
}

uint64_t maildrop_octets(struct maildrop *drop)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < drop->box.n; i++) {
        sum += maildrop_is_deleted(drop, i) ? 0 : maildrop_size(drop, i);
    }
    return sum;
}

/* Either may have had the base name to itself when a client saw it: none of them has it now. */
static size_t uidl_of_double(const struct mailbox *box, uint32_t i, char out[MAILDROP_UIDL_MAX + 1])
{
    struct stat stat = {.st_ino = 0};
    stralloc name = STRALLOC_ZERO;
    int folder = box->message[i].state & MAILBOX_IS_NEW ? box->fresh : box->cur;
    (void)!fstatat(folder, mailbox_name(box, i), &stat, AT_SYMLINK_NOFOLLOW);
    str_cat(&name, mailbox_name(box, i), box->message[i].base_len);
    str_catf(&name, ":%llu", (unsigned long long)stat.st_ino);
    md_hex32(name.s, name.len, out);
    stralloc_free(&name);
    return MD_HEX32;
}

size_t maildrop_uidl(const struct maildrop *drop, uint32_t i, char out[MAILDROP_UIDL_MAX + 1])
{
    const char *name = mailbox_name(&drop->box, i);
    size_t n = drop->box.message[i].base_len;
    if (drop->box.message[i].state & MAILBOX_IS_DOUBLE) {
        return uidl_of_double(&drop->box, i, out);
    }
    bool is_plain = n <= MAILDROP_UIDL_MAX;
    for (size_t at = 0; at < n && is_plain; at++) {
        is_plain = name[at] >= 0x21 && name[at] <= 0x7e;
    }
    if (!is_plain) {
        md_hex32(name, n, out);
        return MD_HEX32;
    }
    memcpy(out, name, n);
    out[n] = '\0';
    return n;
}

bool maildrop_is_deleted(const struct maildrop *drop, uint32_t i)
{
    return (drop->box.message[i].state & STATE_DELETED) != 0;
}

void maildrop_delete(struct maildrop *drop, uint32_t i)
{
    drop->box.message[i].state |= STATE_DELETED;
    drop->n_deleted++;
}

void maildrop_reset(struct maildrop *drop)
{
    for (uint32_t i = 0; i < drop->box.n && drop->n_deleted > 0; i++) {
        drop->n_deleted -= maildrop_is_deleted(drop, i);
        drop->box.message[i].state &= (uint8_t)~STATE_DELETED;
    }
}

/* Bytes that the file takes of the quota; one flagged T takes none (lib/quota.h). */
static uint64_t stored_size(struct maildrop *drop, uint32_t i)
{
    const struct mailbox_message *message = &drop->box.message[i];
    struct stat stat = {.st_size = 0};
    if (message->size != MAILBOX_UNKNOWN) {
        return message->size;
    }
    int fd = mailbox_open_message(&drop->box, i);
    if (fd >= 0) {
        (void)!fstat(fd, &stat);
        close(fd);
    }
    return (uint64_t)stat.st_size;
}

struct freed {
    int64_t bytes, count;
};

static void remove_message(struct maildrop *drop, uint32_t i, struct maildrop_update *update, struct freed *freed)
{
    uint64_t size = stored_size(drop, i);
    int removed = mailbox_remove(&drop->box, i);
    if (removed < 0) {
        update->failed++;
        update->error = errno;
        return;
    }
    update->removed++;
    if (removed == 1 && !(drop->box.message[i].flags & MAILBOX_TRASHED)) {
        freed->bytes += (int64_t)size;
        freed->count++;
    }
}

static bool is_marked_full(int full)
{
    char byte = '0';
    return pread(full, &byte, 1, 0) == 1 && byte != '0';
}

/* rcptd shall know at once that there is room again. */
static void tell_room(const struct maildrop *drop, const struct freed *freed, uint64_t now_seconds)
{
    static uint64_t last_warning_ms;
    struct quota_usage usage = {0};
    int folder = drop->box.folder;
    bool is_good = freed->count == 0 || quota_append(folder, -freed->bytes, -freed->count) == 0;
    if (drop->full >= 0 && (freed->count > 0 || is_marked_full(drop->full))) {
        is_good = is_good && (!quota_is_limited(&drop->quota) || quota_load(folder, &drop->quota, 0, now_seconds, &usage) == 0) &&
                  overquota_set(drop->full, quota_is_full(&drop->quota, &usage)) == 0;
    }
    if (!is_good) {
        log_event_rarely(&last_warning_ms, "warning", "what=%s error=%s", "maildirsize or .full/ could not be brought up to date",
                         strerror(errno));
    }
}

struct maildrop_update maildrop_update(struct maildrop *drop, uint64_t now_seconds)
{
    static uint64_t last_warning_ms;
    struct maildrop_update update = {0};
    struct freed freed = {0};
    for (uint32_t i = 0; i < drop->box.n; i++) {
        bool is_gone = (drop->box.message[i].state & MAILBOX_IS_GONE) != 0;
        if (maildrop_is_deleted(drop, i)) {
            remove_message(drop, i, &update, &freed);
        } else if (!is_gone && mailbox_move_to_cur(&drop->box, i) < 0 && errno != ENOENT && errno != EEXIST) {
            log_event_rarely(&last_warning_ms, "warning", "what=%s name=%s error=%s", "a message cannot be moved from new to cur",
                             mailbox_name(&drop->box, i), strerror(errno));
        }
    }
    tell_room(drop, &freed, now_seconds);
    return update;
}
