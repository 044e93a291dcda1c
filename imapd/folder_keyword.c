/* SPDX-License-Identifier: ISC */
/* A new keyword gets the lowest free number: first Dovecot's letters, then ours. */
#include "imapd/folder_inner.h"

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
    int result = keywords_add_ours(&folder->keywords, folder->dir, folder->head.uidvalidity, &line);
    stralloc_free(&line);
    return result;
}

/* With Dovecot's file read anew: its numbers hold. */
int folder_make_keyword(struct folder *folder, const char *name, size_t n)
{
    struct keywords *keywords = &folder->keywords;
    int number = keywords_find(keywords, name, n);
    if (number >= 0) {
        return number;
    }
    (void)keywords_read_dovecot(keywords, folder->dir);
    number = keywords_find(keywords, name, n);
    bool is_known = number >= 0;
    number = is_known ? number : keywords_free_number(keywords);
    if (number < 0) {
        return -1;
    }
    keywords_set(keywords, (unsigned)number, name, n);
    if (!is_known && write_name(folder, (unsigned)number, name, n) < 0) {
        keywords->len[number] = 0;
        return -1;
    }
    folder_put_keyword(folder, (unsigned)number);
    return folder_commit(folder) < 0 ? -1 : number;
}

int folder_keyword(struct folder *folder, const char *name, size_t n, bool may_make)
{
    int number = keywords_find(&folder->keywords, name, n);
    if (number >= 0 || !may_make || n == 0 || n > KEYWORD_LEN_MAX) {
        return number;
    }
    if (folder_lock(folder) < 0) {
        return -1;
    }
    number = folder_make_keyword(folder, name, n);
    folder_unlock(folder);
    return number;
}
