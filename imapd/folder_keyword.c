/* SPDX-License-Identifier: ISC */
/* A new keyword gets the lowest free number: first Dovecot's letters, then ours. */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <string.h>

#include "lib/str.h"

void folder_put_keyword(struct folder *folder, unsigned number)
{
    const struct keywords *keywords = &folder->keywords;
    size_t start = entry_begin(&folder->out, ENTRY_KEYWORD, 0);
    entry_put(&folder->out, keywords->text.s + keywords->at[number], keywords->len[number]);
    entry_put(&folder->out, "", 1);
    entry_end(&folder->out, start, number);
}

/* Where the name stands for all: Dovecot's file, or ours. */
static int write_name(struct folder *folder, unsigned number, const char *name, size_t n)
{
    if (number < KEYWORDS_LETTERS) {
        return keywords_write_dovecot(&folder->keywords, folder->dir);
    }
    stralloc line = STRALLOC_ZERO;
    str_catf(&line, "k %u ", number);
    str_cat(&line, name, n);
    str_catc(&line, '\n');
    int result = keywords_add_ours(&folder->keywords, folder->dir, folder->head.uidvalidity, &line, false);
    stralloc_free(&line);
    return result;
}

void folder_keep_names(const struct folder *folder, struct keyword_names *out)
{
    memcpy(out->at, folder->keywords.at, sizeof out->at);
    memcpy(out->len, folder->keywords.len, sizeof out->len);
}

void folder_put_new_names(struct folder *folder, const struct keyword_names *before)
{
    const struct keywords *keywords = &folder->keywords;
    for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
        if (keywords->len[i] != before->len[i] || keywords->at[i] != before->at[i]) {
            folder_put_keyword(folder, i);
        }
    }
}

int folder_read_keywords(struct folder *folder)
{
    struct keyword_names before;
    folder_keep_names(folder, &before);
    if (keywords_read_dovecot(&folder->keywords, folder->dir) < 0) {
        return -1;
    }
    folder_put_new_names(folder, &before);
    return 0;
}

/* A new one. */
static int give_number(struct folder *folder, const char *name, size_t n)
{
    int number = keywords_free_number(&folder->keywords);
    if (number < 0) {
        return FOLDER_NO_KEYWORD;
    }
    keywords_set(&folder->keywords, (unsigned)number, name, n);
    if (write_name(folder, (unsigned)number, name, n) < 0) {
        folder->keywords.len[number] = 0;
        return -1;
    }
    folder_put_keyword(folder, (unsigned)number);
    return number;
}

static void pass_over(void *ctx, const struct keywords_line *line)
{
    (void)ctx;
    (void)line;
}

/* Names of stafet-keywords that the journal has lost: their numbers are taken. Which messages have them is for the next scan. */
static int read_our_names(struct folder *folder)
{
    struct keyword_names before;
    folder_keep_names(folder, &before);
    if (keywords_read_ours(&folder->keywords, folder->dir, folder->head.uidvalidity, pass_over, NULL) < 0) {
        return -1;
    }
    folder_put_new_names(folder, &before);
    return 0;
}

/* With the files read anew where they may say more: their numbers hold. */
static int look_or_give(struct folder *folder, const char *name, size_t n, const struct index_stamp *now)
{
    bool is_ours_known = now->keywords_size == folder->stamp.keywords_size;
    if (folder_read_keywords(folder) < 0 || (!is_ours_known && read_our_names(folder) < 0)) {
        return -1;
    }
    int number = keywords_find(&folder->keywords, name, n);
    return number >= 0 ? number : give_number(folder, name, n);
}

/* What the journal does not say, this session does not know either. */
int folder_make_keyword(struct folder *folder, const char *name, size_t n)
{
    struct keyword_names before;
    struct index_stamp stamp;
    int number = keywords_find(&folder->keywords, name, n);
    if (number >= 0) {
        return number;
    }
    if (folder_stamp_now(folder, &stamp) < 0) {
        return -1;
    }
    folder_keep_names(folder, &before);
    number = look_or_give(folder, name, n, &stamp);
    int error = errno;
    folder_put_stamp_of_keywords(folder, &stamp);
    if (folder_commit(folder) < 0) {
        error = errno;
        memcpy(folder->keywords.at, before.at, sizeof before.at);
        memcpy(folder->keywords.len, before.len, sizeof before.len);
        number = -1;
    }
    errno = error;
    return number;
}

int folder_keyword(struct folder *folder, const char *name, size_t n, bool may_make)
{
    int number = keywords_find(&folder->keywords, name, n);
    if (number >= 0 || !may_make || n == 0 || n > KEYWORD_LEN_MAX) {
        return number >= 0 ? number : FOLDER_NO_KEYWORD;
    }
    if (folder_lock(folder) < 0) {
        return -1;
    }
    number = folder_make_keyword(folder, name, n);
    folder_unlock(folder);
    return number;
}
