/* SPDX-License-Identifier: ISC */
/* Reads a message file as a stranger would: nothing in it is believed before it was compared. Never writes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/str.h"
#include "queue/qcheck_file.h"

enum { TAIL_MAX = 512 << 20 };

static void judge(struct qcheck_file *file, enum qcheck_verdict verdict, const char *why)
{
    if (verdict > file->verdict) {
        file->verdict = verdict;
    }
    str_cats(&file->why, file->why.len > 0 ? "; " : "");
    str_cats(&file->why, why);
}

static void remark(struct qcheck_file *file, const char *what)
{
    str_cats(&file->remark, file->remark.len > 0 ? "; " : "");
    str_cats(&file->remark, what);
}

/* Mode, type and names: what the intake creates and nothing else. */
static void check_inode(struct qcheck_file *file, const struct stat *st)
{
    if (st->st_nlink != 1) {
        judge(file, QCHECK_DAMAGED, "it has more than one name");
    }
    if ((st->st_mode & 0007) != 0) {
        judge(file, QCHECK_DAMAGED, "others may read or write it");
    }
}

static void check_bytes(struct qcheck_file *file, int fd)
{
    struct spoolfile_header header;
    int fault = spoolfile_check(fd, &header);
    if (fault < 0) {
        judge(file, QCHECK_UNREADABLE, strerror(errno));
        return;
    }
    switch ((enum spoolfile_fault)fault) {
    case SPOOLFILE_GOOD:
        break;
    case SPOOLFILE_TORN:
        judge(file, QCHECK_TORN,
              "it is shorter than its header says, or the header is blank: written when the machine stopped, never answered");
        break;
    case SPOOLFILE_CRC:
        judge(file, QCHECK_DAMAGED, "its bytes do not agree with their sums");
        break;
    case SPOOLFILE_MAGIC_UNKNOWN:
        judge(file, QCHECK_DAMAGED, "it does not begin with STAFET1: no message file, or one of another version");
        break;
    }
}

/* The header, and what stands behind the message, as far as the file goes. */
static void read_tail(struct qcheck_file *file, int fd, const struct stat *st)
{
    char bytes[SPOOLFILE_HEADER];
    if (pread(fd, bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes ||
        spoolfile_decode_header(bytes, (uint64_t)st->st_size, &file->header) != SPOOLFILE_GOOD) {
        return;
    }
    uint64_t at = spoolfile_envelope_at(&file->header), left = (uint64_t)st->st_size - at;
    if (left > TAIL_MAX) {
        judge(file, QCHECK_DAMAGED, "more than 512 MiB stand behind its message");
        return;
    }
    ssize_t n = 0;
    do {
        file->tail.len += (size_t)n;
        n = pread(fd, str_room(&file->tail, (size_t)left - file->tail.len), (size_t)left - file->tail.len,
                  (off_t)(at + file->tail.len));
    } while (n > 0 && file->tail.len + (size_t)n < left);
    file->tail.len += n > 0 ? (size_t)n : 0;
    file->has_header = n >= 0 && file->tail.len == left;
}

static void count_marks(struct qcheck_file *file)
{
    const char *marks = file->tail.s + file->header.elen;
    bool has_strange = false;
    for (uint32_t i = 0; i < file->header.n; i++) {
        file->waiting += marks[i] == '.';
        file->delivered += marks[i] == 'K';
        file->failed += marks[i] == 'D';
        file->reported += marks[i] == 'B';
        has_strange = has_strange || memchr(".KDB", marks[i], 4) == NULL;
    }
    if (has_strange) {
        judge(file, QCHECK_DAMAGED, "a mark is none of . K D B");
    }
    if (file->waiting + file->failed == 0 && !has_strange) {
        remark(file, "nothing is left to do: send removes it next");
    }
}

static void check_notes(struct qcheck_file *file)
{
    struct spoolfile_note note;
    size_t at = (size_t)file->header.elen + file->header.n, begin = at;
    int got;
    while ((got = spoolfile_note_next(file->tail.s, file->tail.len, &at, &note)) == 1) {
        if (note.n >= file->header.n) {
            judge(file, QCHECK_DAMAGED, "a note speaks of a recipient that is not there");
            break;
        }
    }
    if (got < 0) {
        remark(file, "its last note is torn: send cuts it off before it writes the next");
    }
    if (file->tail.len - begin > SPOOLFILE_NOTES_MAX) {
        judge(file, QCHECK_DAMAGED, "its notes are longer than 64 KiB");
    }
}

void qcheck_file_read(struct qcheck_file *file, int dir, const char *name)
{
    struct stat st;
    file->verdict = QCHECK_GOOD;
    file->has_header = false;
    file->why.len = file->remark.len = file->tail.len = 0;
    file->waiting = file->delivered = file->failed = file->reported = 0;
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        judge(file, QCHECK_UNREADABLE, errno == ELOOP ? "it is a symbolic link" : strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        judge(file, QCHECK_DAMAGED, "it is no regular file");
    } else {
        check_inode(file, &st);
        check_bytes(file, fd);
        read_tail(file, fd, &st);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (file->has_header) {
        count_marks(file);
        check_notes(file);
    }
}
