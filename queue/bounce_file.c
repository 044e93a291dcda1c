/* SPDX-License-Identifier: ISC */
/* Reads by pread only, recipients and marks by windows, so a mailing of 50,000 takes no more memory than four bytes each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/str.h"
#include "queue/bounce_file.h"

/* Bytes [at, at + n) of the file, fewer where it ends before. */
static int read_range(int fd, uint64_t at, size_t n, stralloc *out)
{
    out->len = 0;
    char *to = str_room(out, n);
    while (out->len < n) {
        ssize_t got = pread(fd, to + out->len, n - out->len, (off_t)(at + out->len));
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        out->len += (size_t)got;
    }
    return 0;
}

static int damaged(void)
{
    errno = EPROTO;
    return -1;
}

static int read_header(struct bounce_file *file)
{
    struct stat st;
    char bytes[SPOOLFILE_HEADER];
    if (fstat(file->fd, &st) < 0) {
        return -1;
    }
    ssize_t n = pread(file->fd, bytes, sizeof bytes, 0);
    if (n < 0) {
        return -1;
    }
    bool is_good =
        n == (ssize_t)sizeof bytes && spoolfile_decode_header(bytes, (uint64_t)st.st_size, &file->header) == SPOOLFILE_GOOD;
    return is_good ? 0 : damaged();
}

static int read_envelope(struct bounce_file *file)
{
    size_t used;
    uint64_t at = spoolfile_envelope_at(&file->header);
    size_t n = file->header.elen < SPOOLFILE_WINDOW ? (size_t)file->header.elen : SPOOLFILE_WINDOW;
    if (read_range(file->fd, at, n, &file->head) < 0) {
        return -1;
    }
    if (!spoolfile_envelope_read(file->head.s, file->head.len, &file->envelope, &used)) {
        return damaged();
    }
    file->recipients_at = at + used;
    return 0;
}

static int read_notes(struct bounce_file *file)
{
    struct spoolfile_note note;
    size_t at = 0, begin = 0;
    file->last_note = memory_get(file->header.n, sizeof *file->last_note);
    if (read_range(file->fd, spoolfile_notes_at(&file->header), SPOOLFILE_NOTES_MAX, &file->notes) < 0) {
        return -1;
    }
    while (spoolfile_note_next(file->notes.s, file->notes.len, &at, &note) == 1) {
        if (note.n < file->header.n) {
            file->last_note[note.n] = (uint32_t)begin + 1;
        }
        begin = at;
    }
    return 0;
}

int bounce_file_open(struct bounce_file *file, int fd)
{
    *file = (struct bounce_file){.fd = fd};
    return read_header(file) < 0 || read_envelope(file) < 0 || read_notes(file) < 0 ? -1 : 0;
}

void bounce_file_free(struct bounce_file *file)
{
    stralloc_free(&file->head);
    stralloc_free(&file->notes);
    free(file->last_note);
}

/* ---- the walk ---- */

void bounce_walk_start(struct bounce_walk *walk, const struct bounce_file *file)
{
    *walk = (struct bounce_walk){.file = file, .at = file->recipients_at};
}

void bounce_walk_free(struct bounce_walk *walk)
{
    stralloc_free(&walk->window);
    stralloc_free(&walk->marks);
}

/* The next recipient, whatever its mark. 1, 0, -1. */
static int next_recipient(struct bounce_walk *walk, struct spoolfile_recipient *out)
{
    const struct bounce_file *file = walk->file;
    int got = walk->window.len == 0 ? -1 : spoolfile_recipient_next(walk->window.s, walk->window.len, &walk->used, out);
    if (got >= 0) {
        return got;
    }
    walk->at += walk->used;
    walk->used = 0;
    uint64_t left = spoolfile_marks_at(&file->header) - walk->at;
    if (read_range(file->fd, walk->at, left < SPOOLFILE_WINDOW ? (size_t)left : SPOOLFILE_WINDOW, &walk->window) < 0) {
        return -1;
    }
    got = spoolfile_recipient_next(walk->window.s, walk->window.len, &walk->used, out);
    return got < 0 ? damaged() : got;
}

static int read_mark(struct bounce_walk *walk, uint32_t n, char *out)
{
    enum { MARKS = 4096 };
    const struct spoolfile_header *header = &walk->file->header;
    if (n >= walk->marks_at + walk->marks.len) {
        uint32_t left = header->n - n;
        walk->marks_at = n;
        if (read_range(walk->file->fd, spoolfile_marks_at(header) + n, left < MARKS ? left : MARKS, &walk->marks) < 0) {
            return -1;
        }
        if (walk->marks.len == 0) {
            return damaged();
        }
    }
    *out = walk->marks.s[n - walk->marks_at];
    return 0;
}

/* RFC 3461 4.1: a list of SUCCESS, FAILURE, DELAY, or NEVER. */
static bool wants_failures(const char *notify)
{
    while (notify != NULL) {
        size_t n = strcspn(notify, ",");
        if (str_equal_nocase(notify, n, "FAILURE", 7)) {
            return true;
        }
        if (notify[n] == '\0') {
            return false;
        }
        notify += n + 1;
    }
    return true;
}

static void find_note(const struct bounce_file *file, struct bounce_recipient *out)
{
    size_t at = file->last_note[out->n];
    out->has_note = at > 0;
    if (out->has_note) {
        at--;
        out->has_note = spoolfile_note_next(file->notes.s, file->notes.len, &at, &out->note) == 1;
    }
}

int bounce_walk_next(struct bounce_walk *walk, struct bounce_recipient *out)
{
    struct spoolfile_recipient recipient;
    int got;
    while ((got = next_recipient(walk, &recipient)) == 1) {
        char mark;
        uint32_t n = walk->n++;
        if (n >= walk->file->header.n) {
            return damaged();
        }
        if (read_mark(walk, n, &mark) < 0) {
            return -1;
        }
        if (mark == 'D' && wants_failures(recipient.notify)) {
            *out = (struct bounce_recipient){.n = n, .address = recipient.address, .orcpt = recipient.orcpt};
            find_note(walk->file, out);
            return 1;
        }
    }
    return got;
}
