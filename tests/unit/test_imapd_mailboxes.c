/* SPDX-License-Identifier: ISC */
/* imapd/mailboxes: clients' names to folders and back; no name leads out of the Maildir. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/mailboxes.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static const struct settings slash = {.prefix = "", .separator = "/"};
static const struct settings dot = {.prefix = "", .separator = "."};
static const struct settings courier = {.prefix = "INBOX.", .separator = "."};
static stralloc text;

static const char *folder_of(const struct settings *settings, const char *name, size_t n)
{
    char *exact = malloc(n + 1);
    memcpy(exact + 1, name, n);
    bool is_good = mailboxes_folder(settings, (struct slice){exact + 1, n}, &text);
    free(exact);
    return is_good ? str_text(&text) : "no";
}

static void is_folder(const struct settings *settings, const char *name, const char *want)
{
    char label[300];
    (void)snprintf(label, sizeof label, "'%s' by '%s' behind '%s'", name, settings->separator, settings->prefix);
    is(folder_of(settings, name, strlen(name)), want, label);
}

static void names(void)
{
    is_folder(&slash, "INBOX", ".");
    is_folder(&slash, "inbox", ".");
    is_folder(&slash, "InBoX/", ".");
    is_folder(&slash, "A", ".A");
    is_folder(&slash, "A/B c", ".A.B c");
    is_folder(&slash, "A/B/", ".A.B");
    is_folder(&slash, "INBOX/A", ".INBOX.A");
    is_folder(&slash, "Entw&APw-rfe", ".Entw&APw-rfe");
    is_folder(&slash, "a&-b", ".a&-b");
    is_folder(&slash, "%*", ".%*");
    is_folder(&slash, "", "no");
    is_folder(&slash, "/", "no");
    is_folder(&slash, "/A", "no");
    is_folder(&slash, "A//B", "no");
    is_folder(&slash, "A//", "no");
    is_folder(&slash, ".", "no");
    is_folder(&slash, "..", "no");
    is_folder(&slash, "../x", "no");
    is_folder(&slash, "A/../B", "no");
    is_folder(&slash, "A.B", "no");
    is_folder(&slash, "A/.B", "no");
    is_folder(&slash, "Entw\xc3\xbcrfe", "no");
    is_folder(&slash, "a&b", "no");
    is_folder(&slash, "&", "no");
    is_folder(&slash, "&AP-", "no");
    is_folder(&slash, "&A/w-", "no");
    is_folder(&slash, "a\nb", "no");
    is_folder(&slash, "a\x7f", "no");
    is_folder(&dot, "A.B", ".A.B");
    is_folder(&dot, "A.", ".A");
    is_folder(&dot, "A/B", "no");
    is_folder(&dot, "..", "no");
    is_folder(&courier, "INBOX.A.B", ".A.B");
    is_folder(&courier, "inbox.A", ".A");
    is_folder(&courier, "INBOX", ".");
    is_folder(&courier, "INBOX.", ".");
    is_folder(&courier, "A", "no");
    is_folder(&courier, "INBOX.INBOX", ".INBOX");
    is_folder(&courier, "INBOXA", "no");
    is(folder_of(&slash, "A\0B", 3), "no", "a_nul_in_a_name");
    ok(mailboxes_separator(&slash) == '/' && mailboxes_separator(&dot) == '.' &&
           mailboxes_separator(&(struct settings){.separator = "x"}) == '/' && mailboxes_separator(&(struct settings){0}) == '/',
       "a_separator_is_a_dot_or_a_slash");
}

static void long_names(void)
{
    char name[300];
    memset(name, 'x', sizeof name);
    ok(strlen(folder_of(&slash, name, 249)) == 250, "the_longest_name");
    is(folder_of(&slash, name, 250), "no", "one_byte_more");
}

/* Every short string: what is taken comes back, and stays behind its dot. */
static void any_name(void)
{
    static const char alphabet[] = "./Ai&-N";
    enum { LETTERS = sizeof alphabet - 1, DEEP = 5 };
    static const struct settings *const all[] = {&slash, &dot, &courier};
    stralloc folder = STRALLOC_ZERO;
    stralloc back = STRALLOC_ZERO;
    unsigned wrong = 0;
    for (unsigned number = 0; number < 3 * LETTERS * LETTERS * LETTERS * LETTERS * LETTERS; number++) {
        const struct settings *settings = all[number % 3];
        char name[16] = "INBOX.";
        size_t n = strlen(settings->prefix);
        unsigned rest = number / 3;
        for (unsigned i = 0; i < DEEP; i++, rest /= LETTERS) {
            name[n++] = alphabet[rest % LETTERS];
        }
        if (!mailboxes_folder(settings, (struct slice){name, n}, &folder)) {
            continue;
        }
        back.len = 0;
        mailboxes_name_append(settings, folder.s, &back);
        n -= name[n - 1] == settings->separator[0] ? 1 : 0; /* which was dropped */
        wrong += back.len != n || memcmp(back.s, name, n) != 0;
        wrong += folder.s[0] != '.' || folder.len < 2 || strstr(folder.s, "..") != NULL || strchr(folder.s, '/') != NULL;
    }
    is_number(wrong, 0, "what_is_taken_comes_back_and_leads_nowhere");
    stralloc_free(&folder);
    stralloc_free(&back);
}

static void shows(const char *bytes, size_t n, const char *want)
{
    text.len = 0;
    mailboxes_put_astring(&text, bytes, n);
    is(str_text(&text), want, want);
}

static void astrings(void)
{
    shows("INBOX", 5, "INBOX");
    shows("a&AOk-]", 7, "a&AOk-]");
    shows("", 0, "\"\"");
    shows("a b", 3, "\"a b\"");
    shows("a\"b\\c", 5, "\"a\\\"b\\\\c\"");
    shows("NIL", 3, "\"NIL\"");
    shows("nil", 3, "\"nil\"");
    shows("NILS", 4, "NILS");
    shows("a%", 2, "\"a%\"");
    shows("(", 1, "\"(\"");
    shows("{3}", 3, "\"{3}\"");
    shows("\xc3\xa9", 2, "{2}\r\n\xc3\xa9");
    shows("a\nb", 3, "{3}\r\na\nb");
    shows("\x7f", 1, "{1}\r\n\x7f");
}

static void directories(void)
{
    int root = open(".", O_RDONLY | O_DIRECTORY);
    (void)mkdirat(root, ".A", 0700);
    (void)mkdirat(root, ".A/cur", 0700);
    (void)mkdirat(root, ".D\xc3\xa9", 0700); /* as Courier 5 makes it */
    (void)mkdirat(root, ".D\xc3\xa9/cur", 0700);
    (void)mkdirat(root, ".No", 0700);
    mailboxes_directory(root, ".A", &text);
    is(text.s, ".A", "a_folder_has_its_own_name");
    mailboxes_directory(root, ".D&AOk-", &text);
    is(text.s, ".D\xc3\xa9", "or_the_same_in_utf8");
    (void)mkdirat(root, ".D&AOk-", 0700);
    (void)mkdirat(root, ".D&AOk-/cur", 0700);
    mailboxes_directory(root, ".D&AOk-", &text);
    is(text.s, ".D&AOk-", "its_own_goes_before");
    mailboxes_directory(root, ".E&AOk-", &text);
    is(text.s, ".E&AOk-", "where_there_is_none_it_gets_its_own");
    ok(mailboxes_exists(root, ".A") && mailboxes_exists(root, ".D&AOk-"), "a_folder_has_a_cur");
    ok(!mailboxes_exists(root, ".No") && !mailboxes_exists(root, ".None"), "what_has_none_is_none");
    text.len = 0;
    mailboxes_folder_of_directory(".D\xc3\xa9", &text);
    is(str_text(&text), ".D&AOk-", "a_directory_in_utf8");
    text.len = 0;
    mailboxes_folder_of_directory(".D\xff", &text);
    is(str_text(&text), ".D\xff", "one_that_is_neither_stays_as_it_is");
    close(root);
}

int main(void)
{
    scratch_begin();
    names();
    long_names();
    any_name();
    astrings();
    directories();
    return scratch_end(done());
}
