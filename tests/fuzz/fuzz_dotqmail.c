/* SPDX-License-Identifier: ISC */
/* lib/dotqmail: the lines of a .qmail file, the words of a command, a vdelivermail line, and which file holds for an extension.
 */
#include "lib/dotqmail.h"
#include "lib/str.h"
#include "tests/fuzz/fuzz.h"

static void try_words(const char *command, size_t n)
{
    struct dotqmail_word word;
    struct vdelivermail action;
    size_t at = 0;
    for (size_t before = 0; dotqmail_next_word(command, n, &at, &word) == 1; before = at) {
        require(at > before && at <= n && fuzz_lies_in(word.text, word.len, command, n));
        require(memchr(word.text, '\0', word.len) == NULL);
        bool is_quoted = at > 0 && command[at - 1] == '\'';
        require(is_quoted || (memchr(word.text, '`', word.len) == NULL && memchr(word.text, '$', word.len) == NULL));
    }
    if (dotqmail_parse_vdelivermail(command, n, &action) && action.kind != VDELIVERMAIL_BAD) {
        require(action.len > 0 && fuzz_lies_in(action.text, action.len, command, n));
    }
}

static void try_lines(const char *bytes, size_t n)
{
    struct dotqmail_reader reader;
    struct dotqmail_line line;
    size_t lines = 0;
    dotqmail_read_start(&reader, bytes, n);
    while (dotqmail_read_next(&reader, &line)) {
        require(line.number == ++lines && fuzz_lies_in(line.text, line.len, bytes, n));
        require(memchr(line.text, '\n', line.len) == NULL);
        require(line.kind == DOTQMAIL_BLANK ? line.len == 0 : true);
        require(line.kind != DOTQMAIL_MAILDIR || line.text[line.len - 1] == '/');
        if (line.kind == DOTQMAIL_PROGRAM) {
            try_words(line.text, line.len);
        }
    }
    require(lines <= n);
}

static void try_search(const char *bytes, size_t n)
{
    struct dotqmail_search search;
    char name[DOTQMAIL_NAME_SIZE];
    stralloc ext = STRALLOC_ZERO;
    size_t rounds = 0;
    str_cat(&ext, bytes, n);
    dotqmail_search_start(&search, "-", str_text(&ext));
    bool has_default = false;
    while (dotqmail_search_next(&search, name)) {
        size_t len = strlen(name);
        require(strncmp(name, ".qmail-", 7) == 0 && strchr(name, '/') == NULL && len < DOTQMAIL_NAME_SIZE);
        require(strchr(name + 1, '.') == NULL);
        require(search.cut <= strlen(ext.s));
        has_default = strcmp(name, ".qmail-default") == 0;
        require(++rounds <= n + 2);
    }
    require(has_default); /* always the last one */
    stralloc_free(&ext);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    try_lines(bytes, size);
    try_words(bytes, size);
    try_search(bytes, size);
    free(bytes);
    return 0;
}
