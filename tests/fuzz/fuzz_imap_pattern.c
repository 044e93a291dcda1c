/* SPDX-License-Identifier: ISC */
/* Mailbox names: patterns match as their definition says; modified UTF-7 has one form, both ways; a client's name becomes a
 * folder name that is no path, and back. */
#include "imapd/mailboxes.h"
#include "imapd/pattern.h"
#include "imapd/utf7.h"
#include "tests/fuzz/fuzz_folder.h"

enum { SHORT = 64 };

/* By the definition, with a table: reached[i][j]: the pattern's first i match the name's first j. */
static bool matches(struct slice pattern, struct slice name, char separator)
{
    static bool reached[SHORT + 1][SHORT + 1];
    for (size_t i = 0; i <= pattern.len; i++) {
        for (size_t j = 0; j <= name.len; j++) {
            char p = i == 0 ? '\0' : pattern.bytes[i - 1];
            char c = j == 0 ? '\0' : name.bytes[j - 1];
            bool is_wild = i > 0 && (p == '*' || p == '%');
            bool by_one = i > 0 && j > 0 && !is_wild && p == c && reached[i - 1][j - 1];
            bool by_none = is_wild && reached[i - 1][j];
            bool by_more = is_wild && j > 0 && (p == '*' || c != separator) && reached[i][j - 1];
            reached[i][j] = (i == 0 && j == 0) || by_one || by_none || by_more;
        }
    }
    return reached[pattern.len][name.len];
}

static void try_pattern(char *bytes, size_t n)
{
    n = n < 4 * SHORT ? n : 4 * SHORT; /* no folder's name is longer */
    size_t cut = n == 0 ? 0 : (unsigned char)bytes[0] % n;
    struct slice pattern = {bytes, cut};
    struct slice name = {bytes + cut, n - cut};
    if (pattern.len <= SHORT && name.len <= SHORT && !slice_is(name, "INBOX")) {
        require(pattern_matches(pattern, name, '/') == matches(pattern, name, '/'));
    }
    require(pattern_matches((struct slice){"*", 1}, name, '.'));
    bool has_wildcard = memchr(name.bytes, '*', name.len) != NULL || memchr(name.bytes, '%', name.len) != NULL;
    require(has_wildcard || pattern_matches(name, name, '.'));
}

static void try_utf7(const char *bytes, size_t n)
{
    stralloc there = STRALLOC_ZERO;
    stralloc back = STRALLOC_ZERO;
    if (utf7_from_utf8(bytes, n, &there) && memchr(bytes, '\0', n) == NULL) {
        for (size_t i = 0; i < there.len; i++) {
            require(there.s[i] >= 0x20 && there.s[i] <= 0x7e);
        }
        require(utf7_to_utf8(str_text(&there), there.len, &back) && fuzz_equal(back.s, back.len, bytes, n));
    }
    there.len = back.len = 0;
    if (utf7_to_utf8(bytes, n, &there)) {
        require(there.len <= 3 * n && (there.len == 0 || memchr(there.s, '\0', there.len) == NULL));
        require(utf7_from_utf8(str_text(&there), there.len, &back) && fuzz_equal(back.s, back.len, bytes, n));
    }
    stralloc_free(&there);
    stralloc_free(&back);
}

static void try_name(const char *bytes, size_t n, const struct settings *settings)
{
    stralloc folder = STRALLOC_ZERO;
    stralloc name = STRALLOC_ZERO;
    stralloc again = STRALLOC_ZERO;
    if (mailboxes_folder(settings, (struct slice){bytes, n}, &folder)) {
        require(folder.len <= 250 && folder.len > 0 && folder.s[0] == '.' && strlen(folder.s) == folder.len);
        require(strchr(folder.s, '/') == NULL && strstr(folder.s, "..") == NULL);
        require(folder.len == 1 || folder.s[folder.len - 1] != '.');
        mailboxes_name_append(settings, folder.s, &name);
        require(mailboxes_folder(settings, (struct slice){name.s, name.len}, &again) && strcmp(again.s, folder.s) == 0);
        again.len = 0;
        if (utf7_to_utf8(folder.s, folder.len, &again) && strcmp(str_text(&again), folder.s) != 0) {
            require(strchr(again.s, '/') == NULL && strstr(again.s, "..") == NULL && again.s[0] == '.');
        }
    }
    stralloc_free(&folder);
    stralloc_free(&name);
    stralloc_free(&again);
}

/* What a reply holds is read as the same name. */
static void try_astring(const char *bytes, size_t n)
{
    stralloc text = STRALLOC_ZERO;
    struct slice back;
    mailboxes_put_astring(&text, bytes, n);
    if (memchr(bytes, '\0', n) == NULL) {
        struct parser parser = {text.s, text.s + text.len};
        require(parse_astring(&parser, &back) && parse_end(&parser) && fuzz_equal(back.bytes, back.len, bytes, n));
    }
    stralloc_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct settings sites[] = {
        {.prefix = "", .separator = "/"}, {.prefix = "", .separator = "."}, {.prefix = "INBOX.", .separator = "."}};
    char *bytes = fuzz_copy(data, size);
    try_pattern(bytes, size);
    try_utf7(bytes, size);
    try_astring(bytes, size);
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
        try_name(bytes, size, &sites[i]);
    }
    free(bytes);
    return 0;
}
