/* SPDX-License-Identifier: ISC */
/* Maildir++ quota of a session: maildirsize in the root Maildir, and .full/USER for rcptd. A sum that is off is counted anew by
 * whoever finds it out of date: nothing here refuses a client's work but an APPEND or COPY that has no room. */
#include <errno.h>
#include <string.h>

#include "imapd/session.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/overquota.h"

static uint64_t now_seconds(void)
{
    return clock_wall_us() / 1000000;
}

void session_note_quota(struct session *session)
{
    struct quota_usage usage;
    if (session->over < 0) {
        return;
    }
    bool is_full = quota_is_limited(&session->quota) &&
                   quota_load(session->root, &session->quota, 0, now_seconds(), &usage) == 0 &&
                   quota_is_full(&session->quota, &usage);
    if (overquota_set(session->over, is_full) < 0) {
        log_event("quota", "sid=%s what=%s error=%s", session->sid, "the byte for rcptd cannot be written", strerror(errno));
    }
}

static void append(struct session *session, int64_t bytes, int64_t n)
{
    if (n != 0 && quota_is_limited(&session->quota) && quota_append(session->root, bytes, n) < 0) {
        log_event("quota", "sid=%s what=%s error=%s", session->sid, "maildirsize cannot be appended to", strerror(errno));
    }
    if (n != 0) {
        session_note_quota(session);
    }
}

void session_free_quota(struct session *session, uint64_t freed, uint32_t n)
{
    append(session, -(int64_t)freed, -(int64_t)n);
}

void session_take_quota(struct session *session, uint64_t bytes, uint32_t n)
{
    append(session, (int64_t)bytes, (int64_t)n);
}

bool session_has_room(struct session *session, uint64_t bytes, uint32_t n)
{
    struct quota_usage usage;
    return !quota_is_limited(&session->quota) || quota_load(session->root, &session->quota, bytes, now_seconds(), &usage) < 0 ||
           !quota_is_exceeded(&session->quota, &usage, bytes, n);
}
