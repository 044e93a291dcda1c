/* SPDX-License-Identifier: ISC */
/* Notes explain marks and decide nothing, so nothing here may stop a delivery: what cannot be written is skipped and logged. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/str.h"
#include "queue/send_message.h"

/* A failure's words go into the bounce, so deferrals leave room for them. */
enum { DEFERRALS_MAX = SPOOLFILE_NOTES_MAX * 3 / 4 };

/* Reads the notes, cuts off what is torn; true: the last note about this recipient says the same. */
static bool look_back(struct scheduler *scheduler, struct message *message, const struct spoolfile_note *note)
{
    struct spoolfile_note old;
    size_t at = 0;
    bool is_said = false;
    int got;
    uint64_t begin = spoolfile_notes_at(&message->header);
    ssize_t n = pread(message->write_fd, scheduler->window, sizeof scheduler->window, (off_t)begin);
    size_t len = n < 0 ? 0 : (size_t)n;
    while ((got = spoolfile_note_next(scheduler->window, len, &at, &old)) == 1) {
        if (old.n == note->n) {
            is_said =
                old.letter == note->letter && old.text_len == note->text_len && memcmp(old.text, note->text, old.text_len) == 0;
        }
    }
    message->notes_end = begin + at;
    if ((got < 0 || n == (ssize_t)sizeof scheduler->window) && ftruncate(message->write_fd, (off_t)message->notes_end) < 0) {
        log_event("alert", "id=%s error=%s", message->id, strerror(errno));
    }
    return is_said;
}

void message_note(struct scheduler *scheduler, struct message *message, const struct spoolfile_note *note)
{
    static uint64_t last_ms;
    uint64_t begin = spoolfile_notes_at(&message->header);
    uint64_t limit = begin + (note->letter == 'D' ? SPOOLFILE_NOTES_MAX : DEFERRALS_MAX);
    if (message->notes_end + 1 >= limit) {
        return;
    }
    if (message_open_for_writing(scheduler, message) < 0 || look_back(scheduler, message, note)) {
        return;
    }
    stralloc bytes = STRALLOC_ZERO;
    spoolfile_note_append(&bytes, note);
    if (message->notes_end + bytes.len > limit) {
        message->notes_end = note->letter == 'D' ? limit : message->notes_end;
    } else if (pwrite(message->write_fd, bytes.s, bytes.len, (off_t)message->notes_end) != (ssize_t)bytes.len) {
        log_event_rarely(&last_ms, "note-lost", "id=%s n=%u error=%s reason=%s", message->id, note->n, strerror(errno),
                         "notes only explain; the mail is safe");
    } else {
        message->notes_end += bytes.len;
    }
    stralloc_free(&bytes);
}
