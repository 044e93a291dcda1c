/* SPDX-License-Identifier: ISC */
/* Two files with one base name: nobody could tell them apart, and one would hide the other. As Dovecot does, one of them gets a
 * new base name; links of one file become one name once they have been so for a while. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mailbox_find.h"
#include "lib/msgid.h"
#include "lib/str.h"

enum { LINK_SECONDS = 60, TIME_DIGITS_MAX = 12 };

struct place {
    int folder;
    const char *name;
    size_t base_len;
    struct stat stat;
};

const char *mailbox_hidden_name(const struct mailbox *box, uint32_t k)
{
    return box->names.s + box->hidden[k].message.name_at;
}

/* False: it has another name by now, or is gone. */
static bool find(const struct mailbox *box, const struct mailbox_message *message, struct place *out)
{
    out->folder = message->state & MAILBOX_IS_NEW ? box->fresh : box->cur;
    out->name = box->names.s + message->name_at;
    out->base_len = message->base_len;
    return fstatat(out->folder, out->name, &out->stat, AT_SYMLINK_NOFOLLOW) == 0;
}

static void append_fields(stralloc *out, size_t room, const char *base, size_t base_len)
{
    struct mailbox_name said;
    const char *fields = memchr(base, ',', base_len);
    size_t len = fields == NULL ? 0 : base_len - (size_t)(fields - base);
    if (len <= room) {
        str_cat(out, fields == NULL ? "" : fields, len);
        return;
    }
    if (mailbox_name_parse(base, base_len, &said) && said.size != MAILBOX_UNKNOWN) {
        str_catf(out, ",S=%llu", (unsigned long long)said.size);
        if (said.wire_size != MAILBOX_UNKNOWN) {
            str_catf(out, ",W=%llu", (unsigned long long)said.wire_size);
        }
    }
}

void mailbox_base_append(stralloc *out, const char *base, size_t base_len, char kind, uint64_t seconds)
{
    char id[MSGID_LEN + 1];
    size_t start = out->len;
    size_t digits = strspn(base, "0123456789");
    msgid_make(clock_wall_us(), id);
    if (digits > 0 && digits <= TIME_DIGITS_MAX && base[digits] == '.') {
        str_cat(out, base, digits);
    } else {
        str_catn(out, seconds);
    }
    str_catf(out, ".%c%s", kind, id);
    append_fields(out, MAILBOX_BASE_MAX - (out->len - start), base, base_len);
}

/* The time of arrival and the flags stay. */
static int rename_away(const struct place *place)
{
    stralloc to = STRALLOC_ZERO;
    uint64_t seconds = place->stat.st_mtim.tv_sec < 0 ? 0 : (uint64_t)place->stat.st_mtim.tv_sec;
    mailbox_base_append(&to, place->name, place->base_len, 'D', seconds);
    str_cats(&to, place->name + place->base_len);
    int result = renameat2(place->folder, place->name, place->folder, str_text(&to), RENAME_NOREPLACE);
    int error = errno;
    stralloc_free(&to);
    errno = error;
    return result < 0 ? -1 : 1;
}

int mailbox_part(const struct mailbox *box, uint32_t k, bool gives_way)
{
    struct place hidden;
    struct place message;
    if (!find(box, &box->hidden[k].message, &hidden) || !find(box, &box->message[box->hidden[k].of], &message)) {
        return 0;
    }
    const struct place *loser = gives_way ? &message : &hidden;
    int result = 0;
    if (hidden.stat.st_ino != message.stat.st_ino) {
        result = rename_away(loser);
    } else if (hidden.stat.st_nlink > 1 && (uint64_t)hidden.stat.st_ctim.tv_sec + LINK_SECONDS < clock_wall_us() / 1000000) {
        result = unlinkat(loser->folder, loser->name, 0) < 0 ? -1 : 1;
    }
    return result < 0 && errno == ENOENT ? 0 : result;
}

void mailbox_show_doubles(struct mailbox *box)
{
    uint32_t n = box->n;
    for (uint32_t k = 0; k < box->n_hidden; k++) {
        struct place hidden;
        struct place message;
        struct mailbox_message *of = &box->message[box->hidden[k].of];
        if (!find(box, &box->hidden[k].message, &hidden) || !find(box, of, &message) ||
            (hidden.stat.st_ino == message.stat.st_ino && hidden.stat.st_dev == message.stat.st_dev)) {
            continue;
        }
        of->state |= MAILBOX_IS_DOUBLE;
        box->message = memory_grow(box->message, (size_t)n + 1, sizeof *box->message);
        box->message[n] = box->hidden[k].message;
        box->message[n++].state |= MAILBOX_IS_DOUBLE;
    }
    box->n = box->room = n;
    box->n_hidden = 0;
    mailbox_sort(box);
}
