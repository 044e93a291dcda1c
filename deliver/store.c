/* SPDX-License-Identifier: ISC */
/* The last metre: quota, the file, the quota's books. Nothing is answered before the message is durable (lib/maildir,
 * lib/durable). */
#include "deliver/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/notice.h"
#include "deliver/parsed.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/overquota.h"
#include "lib/quota.h"
#include "lib/str.h"

#define ROOT_NAME "/Maildir"

struct store {
    struct delivery *delivery;
    int maildir; /* where the message goes */
    int root;    /* the root Maildir that holds maildirsize; maildir itself, or another descriptor; -1: no quota here */
    uint64_t bytes;
    struct quota quota;
    struct quota_usage usage;
};

const struct reply *store_write_trouble(int error)
{
    return error == ENOSPC || error == EDQUOT ? &reply_disk_full : &reply_write_error;
}

static void refuse_errno(struct store *store, const struct reply *reply)
{
    const struct reply *chosen = errno == ELOOP || errno == ENOTDIR ? &reply_link : reply;
    chosen = errno == ENOSPC || errno == EDQUOT ? &reply_disk_full : chosen;
    outcome_set_errno(store->delivery->outcome, chosen, errno);
}

/* The user's folder is made with the Maildir where an account was added without it. */
static int open_maildir(const struct delivery *delivery, const char *path)
{
    int fd = maildir_open(AT_FDCWD, path, true);
    if (fd < 0 && errno == ENOENT && mkdir(delivery->home, 0700) == 0) {
        fd = maildir_open(AT_FDCWD, path, true);
    }
    return fd;
}

/* Is the path HOME/Maildir (1) or a folder in it (2)? */
static int place_of(const struct delivery *delivery, const char *path)
{
    size_t home_len = strlen(delivery->home);
    size_t root_len = sizeof ROOT_NAME - 1;
    if (strncmp(path, delivery->home, home_len) != 0 || strncmp(path + home_len, ROOT_NAME, root_len) != 0) {
        return 0;
    }
    const char *rest = path + home_len + root_len;
    if (rest[0] == '\0' || strcmp(rest, "/") == 0) {
        return 1;
    }
    return rest[0] == '/' ? 2 : 0;
}

/* HOME/Maildir: opened (a descriptor, or -1), or with `is_repair` given the folders it lacks (0, -1). */
static int take_root(const struct store *store, bool is_repair)
{
    stralloc path = STRALLOC_ZERO;
    str_copys(&path, store->delivery->home);
    str_cats(&path, ROOT_NAME);
    int result = is_repair ? maildir_create(AT_FDCWD, str_text(&path)) : maildir_open(AT_FDCWD, str_text(&path), false);
    int saved = errno;
    stralloc_free(&path);
    errno = saved;
    return result;
}

/* A copy from a backup may have lost its empty folders. */
static int load_quota(struct store *store)
{
    uint64_t now = clock_wall_us() / 1000000;
    int result = quota_load(store->root, &store->quota, store->bytes, now, &store->usage);
    if (result < 0 && errno == ENOENT && take_root(store, true) == 0) {
        result = quota_load(store->root, &store->quota, store->bytes, now, &store->usage);
    }
    return result;
}

static void mark_full(const struct store *store, bool is_full)
{
    const struct delivery *delivery = store->delivery;
    if (delivery->settings->rcpt_socket == NULL) {
        return; /* nobody reads it */
    }
    int fd = overquota_open(AT_FDCWD, delivery->home, delivery_mailbox_name(delivery));
    if (fd < 0 || overquota_set(fd, is_full) < 0) {
        log_event("warning", "what=full-mark id=%s home=%s error=%s", delivery->message->id, delivery->home, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* Is there room? False: outcome is set. Leaves root at -1 where no quota holds. */
static bool has_room(struct store *store, const char *path)
{
    struct delivery *delivery = store->delivery;
    const char *text = delivery->quota == NULL ? "" : delivery->quota;
    int place = strcmp(delivery->kind, "mailbox") == 0 ? place_of(delivery, path) : 0;
    if (place == 0 || text[0] == '\0') {
        return true;
    }
    if (!quota_parse(text, strlen(text), &store->quota)) {
        log_event("warning", "what=quota-string id=%s home=%s quota=%s", delivery->message->id, delivery->home, text);
        return true;
    }
    if (!quota_is_limited(&store->quota)) {
        return true;
    }
    store->root = place == 1 ? store->maildir : take_root(store, false);
    if (store->root < 0 || load_quota(store) < 0) {
        outcome_set_errno(delivery->outcome, &reply_changing, errno);
        return false;
    }
    if (quota_is_exceeded(&store->quota, &store->usage, store->bytes, 1)) {
        notice_refuse(delivery, ".over-quota.msg", &reply_over_quota);
        mark_full(store, quota_is_full(&store->quota, &store->usage));
        return false;
    }
    return true;
}

/* After the delivery: a line in maildirsize, and near the limit the mark and the warning. */
static void keep_books(struct store *store)
{
    struct delivery *delivery = store->delivery;
    if (store->root < 0) {
        return;
    }
    if (quota_append(store->root, (int64_t)store->bytes, 1) < 0) {
        log_event("warning", "what=maildirsize id=%s home=%s error=%s", delivery->message->id, delivery->home, strerror(errno));
    }
    store->usage.bytes += (int64_t)store->bytes;
    store->usage.count++;
    if (quota_percent(&store->quota, &store->usage) >= QUOTA_WARN_PERCENT) {
        mark_full(store, quota_is_full(&store->quota, &store->usage));
        notice_warn(delivery, store->root);
    }
}

static bool is_ordered(const struct store *store)
{
    const struct delivery *delivery = store->delivery;
    const struct delivery_settings *settings = delivery->settings;
    struct stat found;
    return delivery->is_last && settings->may_skip_folder_sync && delivery->message->device == settings->ordered_device &&
           fstat(store->maildir, &found) == 0 && found.st_dev == settings->ordered_device;
}

static int start_message(const struct store *store, struct maildir_message *file)
{
    const struct delivery *delivery = store->delivery;
    stralloc base = STRALLOC_ZERO;
    maildir_base_append(&base, delivery->message->id, delivery->n, delivery->settings->me);
    int result = maildir_start(file, store->maildir, str_text(&base));
    int saved = errno;
    stralloc_free(&base);
    errno = saved;
    return result;
}

static void put(struct store *store)
{
    struct delivery *delivery = store->delivery;
    struct maildir_message file;
    struct maildir_sizes sizes;
    stralloc name = STRALLOC_ZERO;
    if (start_message(store, &file) < 0) {
        refuse_errno(store, &reply_no_folder);
        return;
    }
    if (message_copy(delivery->message, delivery->prefix.s, delivery->prefix.len, file.fd, &sizes) < 0) {
        refuse_errno(store, &reply_write_error);
        maildir_abandon(&file);
        return;
    }
    switch (maildir_publish(&file, &sizes, is_ordered(store), &name)) {
    case MAILDIR_DELIVERED:
        /* From here on the mail is the user's. */
        outcome_set(delivery->outcome, &reply_delivered);
        keep_books(store);
        parsed_leave(delivery, store->maildir, name.s, name.len);
        break;
    case MAILDIR_ALREADY:
        outcome_set(delivery->outcome, &reply_already);
        break;
    case MAILDIR_FAILED:
        refuse_errno(store, &reply_write_error);
        break;
    }
    stralloc_free(&name);
}

void store_run(struct delivery *delivery, const char *path)
{
    struct store store = {.delivery = delivery, .root = -1, .bytes = delivery->message->length + delivery->prefix.len};
    str_copys(&delivery->outcome->where, path);
    if (path[strlen(path) - 1] != '/') {
        str_catc(&delivery->outcome->where, '/');
    }
    str_text(&delivery->outcome->where);
    store.maildir = open_maildir(delivery, path);
    if (store.maildir < 0) {
        refuse_errno(&store, &reply_no_folder);
        return;
    }
    if (has_room(&store, path)) {
        put(&store);
    }
    if (store.root >= 0 && store.root != store.maildir) {
        close(store.root);
    }
    close(store.maildir);
}
