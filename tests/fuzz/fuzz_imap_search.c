/* SPDX-License-Identifier: ISC */
/* imapd/search_parse and search_eval: any keys are refused or judged within their limits; what keys find and what their NOT finds
 * is every message once. */
#include "imapd/search.h"
#include "tests/fuzz/fuzz_folder.h"

enum { MESSAGES = 40, DEEP = 90 };
static const struct settings settings; /* nothing is limited */
static struct session session = {.settings = &settings};
static struct mime_summary_work work;

static void make_session(void)
{
    static bool is_made;
    if (!is_made) {
        fuzz_memory_folder(&session.folder, MESSAGES);
        session.work = session.folder.work = &work;
        set_add(&session.saved, 6, 30);
        is_made = true;
    }
}

/* The keys' text in memory of its own: quoted strings are unescaped in place. */
static bool find(const char *before, const char *text, size_t n, const char *after, struct folder_list *out)
{
    stralloc command = STRALLOC_ZERO;
    struct search search = {0};
    str_cats(&command, before);
    str_cat(&command, text, n);
    str_cats(&command, after);
    struct parser parser = {command.s, command.s + command.len};
    bool is_good = search_parse_keys(&session, &parser, &search);
    require(search.n <= SEARCH_KEYS_MAX && fuzz_lies_in(parser.at, 0, command.s, command.len));
    for (unsigned i = 0; i < search.n; i++) {
        const struct targets *targets = &search.key[i].targets;
        require(targets->n == 0 || targets->span[targets->n - 1].to <= MESSAGES);
        require(search.key[i].text.len <= 12 * n + 12 && search.key[i].keyword < KEYWORDS_MAX);
    }
    is_good = is_good && search.trouble == NULL;
    if (is_good) {
        require(search.n > 0 && parse_end(&parser));
        search_run(&session, &search, out);
    }
    search_free(&search);
    stralloc_free(&command);
    return is_good;
}

static unsigned count_openings(const char *text, size_t n)
{
    unsigned openings = 0;
    for (size_t i = 0; i < n; i++) {
        openings += text[i] == '(' || text[i] == 'N' || text[i] == 'n' || text[i] == 'O' || text[i] == 'o';
    }
    return openings;
}

static void require_each_once(const struct folder_list *found, const struct folder_list *others)
{
    uint32_t a = 0;
    uint32_t b = 0;
    for (uint32_t i = folder_first(&session.folder); i < MESSAGES; i = folder_next(&session.folder, i)) {
        bool is_found = a < found->n && found->item[a] == i;
        bool is_other = b < others->n && others->item[b] == i;
        require(is_found != is_other);
        a += is_found;
        b += is_other;
    }
    require(a == found->n && b == others->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct folder_list found = {0};
    struct folder_list others = {0};
    char *text = fuzz_copy(data, size);
    make_session();
    if (find("", text, size, "", &found)) {
        bool is_deep = count_openings(text, size) > DEEP; /* one more level, one more key may be too many */
        bool is_good = find("NOT (", text, size, ")", &others);
        require(is_good || is_deep);
        if (is_good) {
            require_each_once(&found, &others);
        }
    }
    folder_list_free(&found);
    folder_list_free(&others);
    free(text);
    return 0;
}
