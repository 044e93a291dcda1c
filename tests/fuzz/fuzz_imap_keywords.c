/* SPDX-License-Identifier: ISC */
/* imapd/keywords: dovecot-keywords and stafet-keywords of others. Whatever stands there, a keyword is an atom of at most 200
 * bytes with one number; names survive the index's table, and both files written anew. The first byte says which file it is. */
#include "imapd/keywords.h"
#include "tests/fuzz/fuzz_folder.h"

enum { UIDVALIDITY = 7 };
static struct keywords keywords, again;
static unsigned n_lines;

static void require_same(void)
{
    for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
        require(keywords.len[i] == again.len[i]);
        require(keywords.len[i] == 0 ||
                memcmp(keywords.text.s + keywords.at[i], again.text.s + again.at[i], keywords.len[i]) == 0);
    }
}

static void check(size_t size)
{
    require(keywords.text.len <= size);
    for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
        if (keywords.len[i] == 0) {
            continue;
        }
        char *name = keywords.text.s + keywords.at[i];
        struct parser parser = {name, name + keywords.len[i]};
        struct slice atom;
        require(keywords.len[i] <= KEYWORD_LEN_MAX && keywords.at[i] + keywords.len[i] <= keywords.text.len);
        require(parse_atom(&parser, &atom) && parse_end(&parser));
    }
    int number = keywords_free_number(&keywords);
    require(number < 0 || (number < KEYWORDS_MAX && keywords.len[number] == 0));
}

static void try_table(void)
{
    stralloc table = STRALLOC_ZERO;
    keywords_append_table(&table, &keywords);
    keywords_read_table(&again, table.s, table.len);
    require_same();
    stralloc_free(&table);
}

static void each_line(void *ctx, const struct keywords_line *line)
{
    stralloc *lines = ctx;
    require((line->bits & KEYWORDS_LETTER_BITS) == 0);
    require((line->uid > 0) == (line->base_len == 0));
    if (line->uid > 0) {
        keywords_line_append(lines, line->uid, line->bits);
    } else {
        keywords_new_line_append(lines, line->base, line->base_len, line->bits);
    }
    n_lines += line->bits != 0;
}

static void try_dovecot(int folder)
{
    require(keywords_read_dovecot(&keywords, folder) == 1);
    require(keywords_write_dovecot(&keywords, folder) == 0);
    require(keywords_read_dovecot(&again, folder) == 1);
    require_same();
}

static void try_ours(int folder)
{
    stralloc lines = STRALLOC_ZERO;
    stralloc back = STRALLOC_ZERO;
    if (keywords_read_ours(&keywords, folder, UIDVALIDITY, each_line, &lines) == 1) {
        require(unlinkat(folder, KEYWORDS_OURS, 0) == 0);
        require(keywords_add_ours(&keywords, folder, UIDVALIDITY, &lines, false) == 0);
        require(keywords_read_ours(&again, folder, UIDVALIDITY, each_line, &back) == 1);
        require_same();
        require(fuzz_equal(lines.s, lines.len, back.s, back.len));
        require(keywords_read_ours(&again, folder, UIDVALIDITY + 1, each_line, &back) == 0);
    }
    stralloc_free(&lines);
    stralloc_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    int folder = fuzz_folder();
    bool is_ours = data[0] % 2 == 1;
    fuzz_put_file(folder, is_ours ? KEYWORDS_OURS : KEYWORDS_DOVECOT, (const char *)data + 1, size - 1);
    keywords_clear(&keywords);
    keywords_clear(&again);
    (is_ours ? try_ours : try_dovecot)(folder);
    check(size);
    try_table();
    return 0;
}
