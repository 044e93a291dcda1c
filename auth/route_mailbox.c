/* SPDX-License-Identifier: ISC */
/* What vdelivermail would do, without doing it: the mailbox in vpasswd.cdb (name, then with extensions cut off), its flags, its
 * room, else the action for unknown names. */
#include "auth/route_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "auth/route_maps.h"
#include "auth/userdb.h"
#include "lib/log.h"
#include "lib/overquota.h"
#include "lib/quota.h"
#include "lib/str.h"

#define VPASSWD_CDB "vpasswd.cdb"

/* joe-a-b belongs to joe-a-b, else to joe-a, else to joe. */
static enum userdb_result find_mailbox(const struct route_visit *visit, struct userdb_record *out)
{
    size_t n = strlen(visit->name);
    while (n > 0) {
        enum userdb_result result = userdb_lookup(AT_FDCWD, visit->folder, visit->name, n, out);
        if (result != USERDB_NONE) {
            return result;
        }
        const char *dash = memrchr(visit->name, '-', n);
        n = dash == NULL ? 0 : (size_t)(dash - visit->name);
    }
    return USERDB_NONE;
}

/* Room is looked at only before a message is taken: afterwards local knows better. */
static bool is_without_room(struct route_visit *visit, const struct userdb_record *record)
{
    struct quota quota;
    if (visit->question->purpose != ROUTE_SMTP) {
        return false;
    }
    if (quota_parse(record->quota, strlen(record->quota), &quota) && quota.bytes > 0 && visit->question->size > quota.bytes) {
        route_visit_answer(visit, ROUTE_REPLY_TOO_BIG, VPASSWD_CDB, 0);
        return true;
    }
    if (!overquota_is_full(visit->fd, record->name)) {
        return false;
    }
    char file[sizeof record->name + 8];
    snprintf(file, sizeof file, ".full/%s", record->name);
    route_visit_answer(visit, visit->config->full_is_permanent ? ROUTE_REPLY_FULL_EVER : ROUTE_REPLY_FULL, file, 1);
    return true;
}

static bool is_postmaster(const struct userdb_record *record)
{
    return strcmp(record->name, "postmaster") == 0;
}

static void answer_mailbox(struct route_visit *visit, const struct userdb_record *record)
{
    const char *dir = route_relative(visit->config, record->dir);
    if (*dir == '\0') {
        log_event("alert", "what=%s user=%s folder=%s", "mailbox has no folder in vpasswd", record->name, visit->folder);
        route_visit_answer(visit, ROUTE_REPLY_IO, VPASSWD_CDB, 0);
        return;
    }
    if ((record->flags & USERDB_BOUNCE_MAIL) && !is_postmaster(record)) {
        route_visit_answer(visit, ROUTE_REPLY_DISABLED, VPASSWD_CDB, 0);
        return;
    }
    if (is_without_room(visit, record)) {
        return;
    }
    if (visit->has_other_lines) {
        route_visit_accept(visit, ROUTE_TO_ALIAS, visit->file, visit->line);
        return;
    }
    struct route *out = visit->out;
    str_copys(&out->home, dir);
    str_copys(&out->quota, record->quota);
    out->flags = record->flags;
    route_visit_accept(visit, ROUTE_TO_MAILBOX, VPASSWD_CDB, 0);
}

static void answer_unknown(struct route_visit *visit, const struct vdelivermail *action)
{
    switch (action->kind) {
    case VDELIVERMAIL_BOUNCE:
        route_visit_answer(visit, ROUTE_REPLY_NO_MAILBOX, visit->file, visit->line);
        return;
    case VDELIVERMAIL_BAD:
        log_event("warning", "what=%s file=%s folder=%s", "vdelivermail wants exactly two arguments", visit->file, visit->folder);
        route_visit_answer(visit, ROUTE_REPLY_BAD_QMAIL, visit->file, visit->line);
        return;
    case VDELIVERMAIL_DELETE:
    case VDELIVERMAIL_FOLDER:
    case VDELIVERMAIL_FORWARD:
    case VDELIVERMAIL_LINE:
        route_visit_accept(visit, ROUTE_TO_CATCHALL, visit->file, visit->line);
        return;
    }
}

void route_to_mailbox(struct route_visit *visit, const struct vdelivermail *action)
{
    struct userdb_record record;
    switch (find_mailbox(visit, &record)) {
    case USERDB_FOUND:
        answer_mailbox(visit, &record);
        return;
    case USERDB_NONE:
        answer_unknown(visit, action);
        return;
    case USERDB_NO_CDB:
        route_visit_answer(visit, ROUTE_REPLY_NO_VPASSWD, VPASSWD_CDB, 0);
        return;
    case USERDB_UNSAFE:
        route_visit_answer(visit, ROUTE_REPLY_UNSAFE, VPASSWD_CDB, 0);
        return;
    case USERDB_DAMAGED:
    case USERDB_ERROR:
        route_visit_answer(visit, ROUTE_REPLY_IO, VPASSWD_CDB, 0);
        return;
    }
}
