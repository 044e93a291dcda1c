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
#include "lib/mailbox.h"
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

/* SECONDS.D<id> and the old name's fields and flags: the time of arrival stays. */
static int rename_away(const struct place *place)
{
    char id[MSGID_LEN + 1];
    stralloc to = STRALLOC_ZERO;
    size_t digits = strspn(place->name, "0123456789");
    const char *fields = memchr(place->name, ',', place->base_len);
    msgid_make(clock_wall_us(), id);
    if (digits > 0 && digits <= TIME_DIGITS_MAX && place->name[digits] == '.') {
        str_cat(&to, place->name, digits);
    } else {
        str_catn(&to, (unsigned long)place->stat.st_mtim.tv_sec);
    }
    str_catf(&to, ".D%s", id);
    str_cats(&to, fields == NULL ? place->name + place->base_len : fields);
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
