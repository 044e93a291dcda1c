/* SPDX-License-Identifier: ISC */
/* Writes spool files (spool(5)). The header is written last: with the rest when all fits the buffer, else by a pwrite over the
 * blank bytes in front. Memory: the buffer and 64 KiB of envelope; 50,000 long recipients go through an unlinked file beside it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/crc32c.h"
#include "lib/durable.h"
#include "lib/str.h"
#include "queue/intake_file.h"

void intake_file_init(struct intake_file *file, const struct intake_places *places)
{
    file->places = places;
    file->fd = -1;
    file->side = -1;
    file->header = (struct spoolfile_header){0};
    file->envelope.len = 0;
    file->is_flushed = false;
    file->is_published = false;
    file->id[0] = 0;
    file->used = SPOOLFILE_HEADER;
    memset(file->buffer, 0, SPOOLFILE_HEADER);
}

int intake_file_create(struct intake_file *file)
{
    file->header.accepted_us = clock_wall_us();
    msgid_make(file->header.accepted_us, file->id);
    (void)alarm(INTAKE_LIFE);
    /* The umask is 007 (program_start), so this is mode 0660; the folder's group bit gives the group. */
    file->fd = openat(file->places->tmp, file->id, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
    return file->fd < 0 ? -1 : 0;
}

static int write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            errno = written == 0 ? ENOSPC : errno;
            return -1;
        }
        bytes += written;
        n -= (size_t)written;
    }
    return 0;
}

static int flush(struct intake_file *file)
{
    size_t n = file->used;
    file->used = 0;
    file->is_flushed = true;
    return write_all(file->fd, file->buffer, n);
}

static int put(struct intake_file *file, const char *bytes, size_t n)
{
    while (n > 0) {
        size_t room = sizeof file->buffer - file->used;
        size_t part = n < room ? n : room;
        memcpy(file->buffer + file->used, bytes, part);
        file->used += part;
        bytes += part;
        n -= part;
        if (file->used == sizeof file->buffer && flush(file) < 0) {
            return -1;
        }
    }
    return 0;
}

int intake_file_message(struct intake_file *file, const char *bytes, size_t n)
{
    file->header.mlen += n;
    file->header.message_crc = crc32c(file->header.message_crc, bytes, n);
    return put(file, bytes, n);
}

/* A second file, nameless at once: what it holds is gone with the process. */
static int open_side(struct intake_file *file)
{
    char name[MSGID_LEN + 1];
    msgid_make(clock_wall_us(), name);
    file->side = openat(file->places->tmp, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
    return file->side < 0 ? -1 : unlinkat(file->places->tmp, name, 0);
}

/* Takes what stands in `envelope` into the header's length and sum. */
static void count_envelope(struct intake_file *file)
{
    file->header.elen += file->envelope.len;
    file->header.envelope_crc = crc32c(file->header.envelope_crc, file->envelope.s, file->envelope.len);
}

int intake_file_spill(struct intake_file *file)
{
    if (file->envelope.len < INTAKE_ENVELOPE_BUFFER) {
        return 0;
    }
    if (file->side < 0 && open_side(file) < 0) {
        return -1;
    }
    count_envelope(file);
    size_t n = file->envelope.len;
    file->envelope.len = 0;
    return write_all(file->side, file->envelope.s, n);
}

static int put_side(struct intake_file *file)
{
    if (file->side < 0) {
        return 0;
    }
    if (flush(file) < 0 || lseek(file->side, 0, SEEK_SET) < 0) {
        return -1;
    }
    ssize_t n;
    while ((n = read(file->side, file->buffer, sizeof file->buffer)) > 0) {
        if (write_all(file->fd, file->buffer, (size_t)n) < 0) {
            return -1;
        }
    }
    return n < 0 ? -1 : 0;
}

static int put_marks(struct intake_file *file)
{
    static const char waiting[] = "................................................................";
    uint32_t left = file->header.n;
    while (left > 0) {
        uint32_t part = left < sizeof waiting - 1 ? left : (uint32_t)sizeof waiting - 1;
        if (put(file, waiting, part) < 0) {
            return -1;
        }
        left -= part;
    }
    return 0;
}

static int put_header(struct intake_file *file)
{
    char header[SPOOLFILE_HEADER];
    spoolfile_encode_header(&file->header, header);
    if (!file->is_flushed) {
        memcpy(file->buffer, header, sizeof header);
        return flush(file);
    }
    if (flush(file) < 0) {
        return -1;
    }
    ssize_t n = pwrite(file->fd, header, sizeof header, 0);
    if (n >= 0 && n != (ssize_t)sizeof header) {
        errno = ENOSPC;
        return -1;
    }
    return n < 0 ? -1 : 0;
}

int intake_file_finish(struct intake_file *file)
{
    spoolfile_envelope_end(&file->envelope);
    count_envelope(file);
    file->header.accepted_us = clock_wall_us();
    if (put_side(file) < 0 || put(file, file->envelope.s, file->envelope.len) < 0 || put_marks(file) < 0) {
        return -1;
    }
    return put_header(file);
}

int intake_file_publish(struct intake_file *file)
{
    const struct intake_places *places = file->places;
    int result = places->is_two_sync ? durable_publish(file->fd, places->tmp, file->id, places->new, file->id)
                                     : durable_publish_late(file->fd, places->tmp, file->id, places->new, file->id);
    file->is_published = result == 0;
    return result;
}

void intake_file_close(struct intake_file *file)
{
    int error = errno;
    if (file->fd >= 0) {
        if (!file->is_published) {
            (void)unlinkat(file->places->tmp, file->id, 0);
        }
        (void)close(file->fd);
        file->fd = -1;
        (void)alarm(0);
    }
    if (file->side >= 0) {
        (void)close(file->side);
        file->side = -1;
    }
    errno = error;
}
