/* SPDX-License-Identifier: ISC */
/* The keywords of a folder: up to 64 names with a number each. 0-25 are Dovecot's (dovecot-keywords, letters a-z of the file
 * names); 26-63 stand in stafet-keywords only, a text file that is ours and not derived:
 *
 *   v UIDVALIDITY          k NUMBER NAME
 *   UID HEX                bits from 26 up that the message has; the last line of a UID holds
 *   n HEX BASE             the same of a message that comes under this base name, before it has a UID: it stands here before
 *                          the file is there, so that no message is seen without its keywords */
#ifndef IMAPD_KEYWORDS_H
#define IMAPD_KEYWORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

enum { KEYWORDS_MAX = 64, KEYWORDS_LETTERS = 26, KEYWORD_LEN_MAX = 200 };
#define KEYWORDS_DOVECOT     "dovecot-keywords"
#define KEYWORDS_OURS        "stafet-keywords"
#define KEYWORDS_LETTER_BITS ((UINT64_C(1) << KEYWORDS_LETTERS) - 1)

struct keywords {
    stralloc text;
    uint32_t at[KEYWORDS_MAX];
    uint16_t len[KEYWORDS_MAX]; /* 0: number is free */
    uint32_t changes;           /* another number: the names may be others than before */
};
void keywords_clear(struct keywords *keywords);
/* One that is no atom, or over KEYWORD_LEN_MAX, is passed over: others' files may hold anything. */
void keywords_set(struct keywords *keywords, unsigned number, const char *name, size_t n);
/* -1: none of that name (ASCII case does not count). */
int keywords_find(const struct keywords *keywords, const char *name, size_t n);
/* Lowest free number; -1: all 64 are taken. */
int keywords_free_number(const struct keywords *keywords);
/* The names as the base of an index holds them: NUL-ended, number 0 first, "" where none is; and back. */
void keywords_append_table(stralloc *out, const struct keywords *keywords);
void keywords_read_table(struct keywords *keywords, const char *bytes, size_t n);

/* dovecot-keywords into numbers 0-25 (others' numbers are left). 1, 0 no file, -1 errno. */
int keywords_read_dovecot(struct keywords *keywords, int dir);
int keywords_write_dovecot(const struct keywords *keywords, int dir);
struct keywords_line {
    uint32_t uid;     /* 0: by its base name */
    const char *base; /* slice */
    size_t base_len;
    uint64_t bits;
};
/* stafet-keywords: names into 26-63, each(ctx, line) in file order. A file of another UIDVALIDITY counts as none. 1, 0, -1. */
int keywords_read_ours(struct keywords *keywords, int dir, uint32_t uidvalidity,
                       void (*each)(void *ctx, const struct keywords_line *line), void *ctx);
/* `UID HEX`; nothing for bits that are all letters. */
void keywords_line_append(stralloc *out, uint32_t uid, uint64_t bits);
/* The whole file: names, and these lines. 0; -1 errno. */
int keywords_write_ours(const struct keywords *keywords, int dir, uint32_t uidvalidity, const stralloc *lines);
/* `n HEX BASE`; nothing for bits that are all letters. */
void keywords_new_line_append(stralloc *out, const char *base, size_t base_len, uint64_t bits);
/* Appends lines, and syncs where they must survive a power cut as well (a file that is begun always does). Begins the file, with
 * all names, where it is not there or of another UIDVALIDITY. 0; -1 errno. */
int keywords_add_ours(const struct keywords *keywords, int dir, uint32_t uidvalidity, const stralloc *lines, bool is_synced);

#endif
