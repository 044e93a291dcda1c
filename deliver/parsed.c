/* SPDX-License-Identifier: ISC */
/* The message lies in memory a moment longer: parsing costs some microseconds, and the first FETCH finds all it needs. */
#include "deliver/parsed.h"

#include "lib/fresh.h"
#include "lib/mime_summary.h"
#include "lib/wake.h"

static struct mime_summary_work work;

void parsed_prepare(stralloc *folder_out)
{
    charsets_prepare(&work.words.charsets, folder_out);
}

static bool feed_message(struct message *message)
{
    uint64_t at = 0;
    const char *bytes;
    size_t n;
    while (message_read(message, at, &bytes, &n) == 0) {
        if (n == 0) {
            return true;
        }
        mime_summary_feed(&work, bytes, n);
        at += n;
    }
    return false;
}

void parsed_leave(struct delivery *delivery, int maildir, const char *name, size_t n)
{
    stralloc summary = STRALLOC_ZERO;
    if (fresh_is_wanted(maildir)) {
        mime_summary_start(&work);
        mime_summary_feed(&work, delivery->prefix.s, delivery->prefix.len);
        if (feed_message(delivery->message) && mime_summary_end(&work, &summary)) {
            (void)!fresh_append(maildir, name, n, summary.s, summary.len);
        }
    }
    stralloc_free(&summary);
    wake_all(maildir);
}
