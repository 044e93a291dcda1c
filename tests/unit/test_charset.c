/* SPDX-License-Identifier: ISC */
/* lib/charset: which names are known, and text in any chunking. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/charset.h"
#include "lib/sandbox.h"
#include "lib/str.h"
#include "tests/tap.h"

#ifdef SANDBOX_PATHS_OFF
static const bool has_no_paths = true;
#else
static const bool has_no_paths = false;
#endif

static struct charsets charsets;
static stralloc text;

static void is_known(const char *name, bool want)
{
    struct charset *charset = charsets_find(&charsets, name, strlen(name));
    char label[100];
    (void)snprintf(label, sizeof label, "%s is %s", name, want ? "known" : "not known");
    ok(charset->is_known == want, label);
}

static void names(void)
{
    static const char *const known[] = {"utf-8",  "UTF-8",  "us-ascii",  "iso-8859-1",   "ISO-8859-15",  "koi8-r",
                                        "gb2312", "big5",   "shift_jis", "iso-2022-jp",  "Windows-1252", "utf-16",
                                        "",       "latin1", "euc-kr",    "iso-8859-8-i", "utf-8*en",     "*de"};
    static const char *const unknown[] = {
        "x-unknown", "utf-8//TRANSLIT", "utf 8", "../gconv", "utf-8\xc3\xa9", "a\nb", "no-charset-has-a-name-as-long-as-this-one",
        "?"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        is_known(known[i], true);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        is_known(unknown[i], false);
    }
    ok(!charsets_find(&charsets, "utf-8\0x", 7)->is_known, "a_nul_in_a_name_is_none");
    ok(charsets_find(&charsets, "KOI8-R", 6) == charsets_find(&charsets, "koi8-r", 6), "a_name_of_any_case_is_one_charset");
    ok(!charsets_find(&charsets, "UTF8", 4)->is_converted && charsets_find(&charsets, "koi8-r", 6)->is_converted,
       "utf8_keeps_its_bytes");
}

static const char *convert(const char *charset, const char *bytes, size_t n, size_t chunk)
{
    struct charset_stream stream;
    text.len = 0;
    charset_start(&stream, charsets_find(&charsets, charset, strlen(charset)));
    for (size_t at = 0; at < n; at += chunk) {
        size_t part = n - at < chunk ? n - at : chunk;
        char *exact = malloc(part);
        memcpy(exact, bytes + at, part);
        charset_add(&stream, exact, part, &text);
        free(exact);
    }
    charset_end(&stream, &text);
    return str_text(&text);
}

/* Whole, and in pieces of each size. */
static void converts(const char *charset, const char *bytes, size_t n, const char *want)
{
    unsigned wrong = 0;
    is(convert(charset, bytes, n, n + 1), want, charset);
    for (size_t chunk = 1; chunk <= n; chunk++) {
        wrong += strcmp(convert(charset, bytes, n, chunk), want) != 0;
    }
    is_number(wrong, 0, "in_any_pieces");
}

#define CONVERTS(charset, bytes, want) converts((charset), (bytes), sizeof(bytes) - 1, (want))
#define UNKNOWN                        "\xef\xbf\xbd"

static void texts(void)
{
    CONVERTS("iso-8859-1", "na\xefve \x80", "na\xc3\xafve \xe2\x82\xac"); /* windows-1252, which mailers mean */
    CONVERTS("iso-8859-15", "\xa4", "\xe2\x82\xac");
    CONVERTS("koi8-r", "\xf0\xd2\xc9", "\xd0\x9f\xd1\x80\xd0\xb8");
    CONVERTS("gb2312", "\xc4\xe3\xba\xc3!", "\xe4\xbd\xa0\xe5\xa5\xbd!");
    CONVERTS("shift_jis", "\x93\xfa\x96\x7b", "\xe6\x97\xa5\xe6\x9c\xac");
    CONVERTS("iso-2022-jp", "\x1b$BF|K\\\x1b(Bx", "\xe6\x97\xa5\xe6\x9c\xacx");
    CONVERTS("big5", "\xa4\xa4", "\xe4\xb8\xad");
    CONVERTS("utf-16be", "\x00\x61\xd8\x3d\xde\x00", "a\xf0\x9f\x98\x80");
    CONVERTS("utf-8", "\xc3\xa9 \xff", "\xc3\xa9 \xff");
    CONVERTS("us-ascii", "\xe9", "\xe9");
    CONVERTS("x-unknown", "\xe9", "\xe9");
    CONVERTS("", "\xe9", "\xe9");
    CONVERTS("koi8-r", "", "");
    CONVERTS("gb2312", "a\xc4", "a" UNKNOWN);                       /* half a character at the end */
    CONVERTS("shift_jis", "a\xfd\xfe z", "a" UNKNOWN UNKNOWN " z"); /* bytes without a meaning */
    CONVERTS("windows-1252", "\x81 a", UNKNOWN " a");
    CONVERTS("utf-16le",
             "a\0\x3d\xd8"
             "b\0c\0",
             "a" UNKNOWN "bc"); /* half a pair, and the text goes on */
    CONVERTS("UTF-16BE", "\0a\xde\0\0b\0c", "a" UNKNOWN "bc");
    CONVERTS("utf-16", "\xfe\xff\0a\xd8\x3d\xd8\x3d\xde\0\0b",
             "a" UNKNOWN "\xf0\x9f\x98\x80"
             "b");
    CONVERTS("utf-16le", "a\0\x3d\xd8", "a" UNKNOWN);
    CONVERTS("utf-16le", "a\0b", "a" UNKNOWN);
    CONVERTS("utf-32be", "\0\0\0a\x11\0\0\0\0\0\0b", "a" UNKNOWN "b");
    CONVERTS("ucs-2",
             "a\0\x3d\xd8"
             "b\0",
             "a" UNKNOWN "b");
}

/* Any bytes in any charset come to an end, and what comes of them is UTF-8 as far as it was converted. */
static void any_bytes(void)
{
    static const char *const all[] = {"gb18030", "big5",   "shift_jis", "iso-2022-jp", "euc-jp",
                                      "euc-kr",  "utf-16", "utf-7",     "koi8-r"};
    unsigned long total = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char bytes[64];
        unsigned seed = 7;
        for (unsigned round = 0; round < 400; round++) {
            for (size_t k = 0; k < sizeof bytes; k++) {
                seed = seed * 1103515245 + 12345;
                bytes[k] = (char)(seed >> 16);
            }
            total += strlen(convert(all[i], bytes, sizeof bytes, 1 + round % 7));
        }
    }
    ok(total > 0, "any_bytes_come_to_an_end");
}

/* In a child that may open that folder (NULL: none), and call what a session may: bits of the charsets that it knows. */
static int look_confined(const char *folder)
{
    static const char *const late[] = {"windows-874", "iso-8859-5", "koi8-t", "macintosh", "euc-kr", "iso-2022-cn"};
    const struct sandbox_path path = {folder, SANDBOX_READ};
    int found = 0;
    if (sandbox_paths(&path, folder != NULL) < 0) {
        return 128;
    }
    sandbox_calls(SANDBOX_RPATH);
    for (size_t i = 0; i < sizeof late / sizeof *late; i++) {
        found |= charsets_find(&charsets, late[i], strlen(late[i]))->is_known << i;
    }
    return found | charsets_find(&charsets, "windows-1252", 12)->is_known << 6;
}

static int knows_confined(const char *folder)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(look_confined(folder));
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Two of them need a second file. What none of these tests has opened yet, since a file that was loaded stays. */
static void in_a_sandbox(void)
{
    stralloc folder = STRALLOC_ZERO;
    charsets_prepare(&charsets, &folder);
    ok(folder.len > 1 && access(str_text(&folder), R_OK | X_OK) == 0, "the_folder_of_the_converters_is_named");
    is_number(knows_confined(str_text(&folder)), 127, "a_confined_program_loads_them_from_there");
    ok(knows_confined(NULL) == 64 || has_no_paths, "and_without_it_knows_what_was_loaded_before");
}

static void many(void)
{
    for (unsigned i = 0; i < 3 * CHARSETS_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "x-none-%u", i);
        (void)charsets_find(&charsets, name, strlen(name));
    }
    is_number(charsets.n, CHARSETS_MAX, "the_oldest_give_way");
    CONVERTS("koi8-r", "\xf0", "\xd0\x9f"); /* and are opened again */
}

int main(void)
{
    in_a_sandbox();
    names();
    texts();
    any_bytes();
    many();
    return done();
}
