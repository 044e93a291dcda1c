/* SPDX-License-Identifier: ISC */
/* The postmaster's own texts, and the warning of a mailbox that is nearly full. */
#include "deliver/notice.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "lib/log.h"
#include "lib/msgid.h"
#include "lib/overquota.h"
#include "lib/str.h"

#define WARN_STAMP "quotawarn"

static bool read_text(int dir_at, const char *name, stralloc *out)
{
    struct stat found;
    int fd = openat(dir_at, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool is_good = fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && found.st_size <= NOTICE_MAX;
    if (is_good) {
        out->len = 0;
        char *room = str_room(out, NOTICE_MAX);
        ssize_t n = read(fd, room, NOTICE_MAX);
        is_good = n > 0;
        out->len = n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return is_good;
}

bool notice_load(const struct delivery *delivery, const char *name, stralloc *out)
{
    bool is_found = false;
    int domain = overquota_open_domain(AT_FDCWD, delivery->home);
    if (domain < 0 && delivery->dash != NULL && delivery->dash[0] != '\0') {
        domain = open(delivery->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* an alias: home is the domain's folder */
    }
    if (domain >= 0) {
        is_found = read_text(domain, name, out);
        if (!is_found) {
            int above = openat(domain, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            is_found = above >= 0 && read_text(above, name, out);
            if (above >= 0) {
                close(above);
            }
        }
        close(domain);
    }
    return is_found;
}

void notice_refuse(const struct delivery *delivery, const char *name, const struct reply *reply)
{
    stralloc words = STRALLOC_ZERO;
    if (notice_load(delivery, name, &words)) {
        outcome_set_own_words(delivery->outcome, reply, words.s, words.len);
    } else {
        outcome_set(delivery->outcome, reply);
    }
    stralloc_free(&words);
}

/* Takes the stamp when it is a day old; false: not yet, or not possible. */
static bool take_stamp(int maildir, uint64_t now_seconds)
{
    struct stat found;
    int fd = openat(maildir, WARN_STAMP, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool is_new = fd < 0 && errno == ENOENT;
    if (is_new) {
        fd = openat(maildir, WARN_STAMP, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    if (fd < 0) {
        return false;
    }
    bool is_due = fstat(fd, &found) == 0 && S_ISREG(found.st_mode) &&
                  (is_new || (uint64_t)found.st_mtim.tv_sec + NOTICE_WARN_SECONDS <= now_seconds);
    is_due = is_due && futimens(fd, NULL) == 0;
    close(fd);
    return is_due;
}

static void put_warning(const struct delivery *delivery, int maildir, const stralloc *text, uint64_t now_us)
{
    struct maildir_message message;
    char id[MSGID_LEN + 1];
    stralloc base = STRALLOC_ZERO;
    stralloc name = STRALLOC_ZERO;
    stralloc bytes = STRALLOC_ZERO;
    struct maildir_sizes sizes = {0, 0};
    msgid_make(now_us, id);
    maildir_base_append(&base, id, 0, delivery->settings->me);
    delivery_append_delivered_to(&bytes, delivery);
    str_cats(&bytes, "Date: ");
    date_append(&bytes, now_us / 1000000);
    str_catc(&bytes, '\n');
    str_cat(&bytes, text->s, text->len);
    sizes.bytes = sizes.wire_bytes = bytes.len;
    for (size_t i = 0; i < bytes.len; i++) {
        sizes.wire_bytes += bytes.s[i] == '\n' && (i == 0 || bytes.s[i - 1] != '\r');
    }
    bool is_put = maildir_start(&message, maildir, str_text(&base)) == 0;
    if (is_put && write(message.fd, bytes.s, bytes.len) != (ssize_t)bytes.len) {
        maildir_abandon(&message);
        is_put = false;
    }
    is_put = is_put && maildir_publish(&message, &sizes, false, &name) == MAILDIR_DELIVERED;
    log_event(is_put ? "quota-warned" : "quota-warning-failed", "id=%s home=%s error=%s", delivery->message->id, delivery->home,
              is_put ? "" : strerror(errno));
    stralloc_free(&base);
    stralloc_free(&name);
    stralloc_free(&bytes);
}

void notice_warn(const struct delivery *delivery, int maildir)
{
    stralloc text = STRALLOC_ZERO;
    uint64_t now_us = clock_wall_us();
    if (notice_load(delivery, ".quotawarn.msg", &text) && take_stamp(maildir, now_us / 1000000)) {
        put_warning(delivery, maildir, &text, now_us);
    }
    stralloc_free(&text);
}
