/* SPDX-License-Identifier: ISC */
/* Names and numbers of keywords, in Dovecot's file and in ours. Unknown lines are passed over: both files are written by others.
 */
#include "imapd/keywords.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "imapd/textfile.h"
#include "lib/scan.h"
#include "lib/str.h"

void keywords_clear(struct keywords *keywords)
{
    keywords->text.len = 0;
    memset(keywords->at, 0, sizeof keywords->at);
    memset(keywords->len, 0, sizeof keywords->len);
    keywords->changes++;
}

/* An atom (RFC 3501 9): what no client can write, no client is told. */
static bool is_keyword(const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (name[i] <= 0x20 || name[i] >= 0x7f || strchr("(){%*\"\\]", name[i]) != NULL) {
            return false;
        }
    }
    return n > 0 && n <= KEYWORD_LEN_MAX;
}

void keywords_set(struct keywords *keywords, unsigned number, const char *name, size_t n)
{
    bool is_same = number < KEYWORDS_MAX && n == keywords->len[number] && n > 0 &&
                   memcmp(keywords->text.s + keywords->at[number], name, n) == 0;
    if (!is_same && number < KEYWORDS_MAX && is_keyword(name, n)) {
        keywords->at[number] = (uint32_t)keywords->text.len;
        keywords->len[number] = (uint16_t)n;
        str_cat(&keywords->text, name, n);
        keywords->changes++;
    }
}

int keywords_find(const struct keywords *keywords, const char *name, size_t n)
{
    for (int i = 0; i < KEYWORDS_MAX; i++) {
        if (keywords->len[i] > 0 && str_equal_nocase(keywords->text.s + keywords->at[i], keywords->len[i], name, n)) {
            return i;
        }
    }
    return -1;
}

int keywords_free_number(const struct keywords *keywords)
{
    for (int i = 0; i < KEYWORDS_MAX; i++) {
        if (keywords->len[i] == 0) {
            return i;
        }
    }
    return -1;
}

void keywords_append_table(stralloc *out, const struct keywords *keywords)
{
    for (int i = 0; i < KEYWORDS_MAX; i++) {
        if (keywords->len[i] > 0) {
            str_cat(out, keywords->text.s + keywords->at[i], keywords->len[i]);
        }
        str_catc(out, '\0');
    }
}

void keywords_read_table(struct keywords *keywords, const char *bytes, size_t n)
{
    const char *end = bytes + n;
    keywords_clear(keywords);
    for (unsigned i = 0; i < KEYWORDS_MAX && bytes < end; i++) {
        const char *stop = memchr(bytes, '\0', (size_t)(end - bytes));
        if (stop == NULL) {
            return;
        }
        keywords_set(keywords, i, bytes, (size_t)(stop - bytes));
        bytes = stop + 1;
    }
}

/* `NUMBER NAME` */
static void take_name(struct keywords *keywords, const char *line, size_t n, unsigned first, unsigned end)
{
    const char *blank = memchr(line, ' ', n);
    uint64_t number;
    if (blank != NULL && scan_decimal(line, (size_t)(blank - line), KEYWORDS_MAX - 1, &number) && number >= first &&
        number < end) {
        keywords_set(keywords, (unsigned)number, blank + 1, n - (size_t)(blank + 1 - line));
    }
}

int keywords_read_dovecot(struct keywords *keywords, int dir)
{
    stralloc text = STRALLOC_ZERO;
    int result = textfile_read(dir, KEYWORDS_DOVECOT, &text);
    const char *at = text.s;
    const char *end = at + text.len;
    for (const char *lf; result == 1 && at < end && (lf = memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1) {
        take_name(keywords, at, (size_t)(lf - at), 0, KEYWORDS_LETTERS);
    }
    stralloc_free(&text);
    return result;
}

static void append_names(stralloc *out, const struct keywords *keywords, const char *before, int first, int end)
{
    for (int i = first; i < end; i++) {
        if (keywords->len[i] > 0) {
            str_catf(out, "%s%d ", before, i);
            str_cat(out, keywords->text.s + keywords->at[i], keywords->len[i]);
            str_catc(out, '\n');
        }
    }
}

int keywords_write_dovecot(const struct keywords *keywords, int dir)
{
    stralloc text = STRALLOC_ZERO;
    append_names(&text, keywords, "", 0, KEYWORDS_LETTERS);
    int result = dotlock_replace(dir, KEYWORDS_DOVECOT, &text);
    stralloc_free(&text);
    return result;
}

static bool is_of(const char *text, size_t n, uint32_t uidvalidity)
{
    const char *lf = n < 3 || memcmp(text, "v ", 2) != 0 ? NULL : memchr(text, '\n', n);
    uint64_t number;
    return lf != NULL && scan_decimal(text + 2, (size_t)(lf - text) - 2, UINT32_MAX, &number) && number == uidvalidity;
}

/* `UID HEX` or, behind `n `, `HEX BASE`. */
static bool parse_line(const char *line, size_t n, struct keywords_line *out)
{
    bool is_new = n > 2 && memcmp(line, "n ", 2) == 0;
    const char *first = is_new ? line + 2 : line;
    const char *end = line + n;
    const char *blank = memchr(first, ' ', (size_t)(end - first));
    uint64_t uid = 0;
    *out = (struct keywords_line){.uid = 0};
    if (blank == NULL) {
        return false;
    }
    const char *second = blank + 1;
    size_t second_len = (size_t)(end - second);
    if (is_new) {
        out->base = second;
        out->base_len = second_len;
        return second_len > 0 && scan_hex(first, (size_t)(blank - first), &out->bits);
    }
    bool is_good = scan_decimal(first, (size_t)(blank - first), UINT32_MAX, &uid) && uid > 0;
    out->uid = (uint32_t)uid;
    return is_good && scan_hex(second, second_len, &out->bits);
}

static void take_line(struct keywords *keywords, const char *text, size_t n,
                      void (*each)(void *ctx, const struct keywords_line *line), void *ctx)
{
    struct keywords_line line;
    if (n > 2 && memcmp(text, "k ", 2) == 0) {
        take_name(keywords, text + 2, n - 2, KEYWORDS_LETTERS, KEYWORDS_MAX);
    } else if (parse_line(text, n, &line)) {
        line.bits &= ~KEYWORDS_LETTER_BITS;
        each(ctx, &line);
    }
}

int keywords_read_ours(struct keywords *keywords, int dir, uint32_t uidvalidity,
                       void (*each)(void *ctx, const struct keywords_line *line), void *ctx)
{
    stralloc text = STRALLOC_ZERO;
    int result = textfile_read(dir, KEYWORDS_OURS, &text);
    if (result == 1 && !is_of(text.s, text.len, uidvalidity)) {
        result = 0;
    }
    const char *at = text.s;
    const char *end = at + text.len;
    for (const char *lf; result == 1 && at < end && (lf = memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1) {
        take_line(keywords, at, (size_t)(lf - at), each, ctx);
    }
    stralloc_free(&text);
    return result;
}

int keywords_write_ours(const struct keywords *keywords, int dir, uint32_t uidvalidity, const stralloc *lines)
{
    stralloc text = STRALLOC_ZERO;
    str_catf(&text, "v %u\n", uidvalidity);
    append_names(&text, keywords, "k ", KEYWORDS_LETTERS, KEYWORDS_MAX);
    str_cat(&text, lines->s, lines->len);
    int result = dotlock_replace(dir, KEYWORDS_OURS, &text);
    stralloc_free(&text);
    return result;
}

void keywords_line_append(stralloc *out, uint32_t uid, uint64_t bits)
{
    bits &= ~KEYWORDS_LETTER_BITS;
    if (bits != 0) {
        str_catf(out, "%u %llx\n", uid, (unsigned long long)bits);
    }
}

void keywords_new_line_append(stralloc *out, const char *base, size_t base_len, uint64_t bits)
{
    if (bits & ~KEYWORDS_LETTER_BITS) {
        str_catf(out, "n %llx ", (unsigned long long)(bits & ~KEYWORDS_LETTER_BITS));
        str_cat(out, base, base_len);
        str_catc(out, '\n');
    }
}

int keywords_add_ours(const struct keywords *keywords, int dir, uint32_t uidvalidity, const stralloc *lines, bool is_synced)
{
    char head[32] = "";
    int fd = openat(dir, KEYWORDS_OURS, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? keywords_write_ours(keywords, dir, uidvalidity, lines) : -1;
    }
    ssize_t n = pread(fd, head, sizeof head - 1, 0);
    int appended = n < 0 ? -1 : is_of(head, (size_t)n, uidvalidity) ? textfile_append(fd, lines, is_synced) : 0;
    int error = errno;
    close(fd);
    errno = error;
    return appended == 0 ? keywords_write_ours(keywords, dir, uidvalidity, lines) : appended < 0 ? -1 : 0;
}
