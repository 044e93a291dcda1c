/* SPDX-License-Identifier: ISC */
/* imapd/search_parse and search_eval: every key of RFC 3501 6.4.4, and CONDSTORE's MODSEQ, in its right forms and in wrong ones.
 */
#include "tests/unit/imapd_search.h"

static void rows(const char *const (*row)[2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        is(find(row[i][0]), row[i][1], row[i][0]);
    }
}
#define ROWS(table) rows(table, sizeof(table) / sizeof *(table))

static void flags(void)
{
    static const char *const table[][2] = {
        {"ALL", "1 2 3 4 5 6"},
        {"all", "1 2 3 4 5 6"},
        {"ANSWERED", "2"},
        {"UNANSWERED", "1 3 4 5 6"},
        {"DELETED", "2"},
        {"UNDELETED", "1 3 4 5 6"},
        {"DRAFT", "3"},
        {"UNDRAFT", "1 2 4 5 6"},
        {"FLAGGED", "3"},
        {"UNFLAGGED", "1 2 4 5 6"},
        {"SEEN", "1 2 6"},
        {"UNSEEN", "3 4 5"},
        {"RECENT", "5 6"},
        {"NEW", "5"},
        {"OLD", "1 2 3 4"},
        {"KEYWORD $junk", "4"},
        {"UNKEYWORD $Junk", "1 2 3 5 6"},
        {"KEYWORD work", ""},
        {"KEYWORD nobody", ""},
        {"UNKEYWORD nobody", "1 2 3 4 5 6"},
    };
    ROWS(table);
}

static void numbers(void)
{
    static const char *const table[][2] = {
        {"1", "1"},
        {"2:4", "2 3 4"},
        {"4:2", "2 3 4"},
        {"*", "6"},
        {"5:*", "5 6"},
        {"1,3:4,6", "1 3 4 6"},
        {"UID 2:3", "2 3"},
        {"UID 77", ""},
        {"UID 77:*", "6"},
        {"uid 1,5", "1 5"},
        {"NOT UID 1:5", "6"},
        {"7", ""},
        {"1:7", "1 2 3 4 5 6"},
        {"ALL 7", ""},
    };
    ROWS(table);
}

static void dates(void)
{
    static const char *const table[][2] = {
        {"BEFORE 2-Feb-2026", ""},
        {"BEFORE 3-Feb-2026", "1 3"},
        {"ON 2-Feb-2026", "1 3"},
        {"ON 3-Feb-2026", "2"},
        {"SINCE 3-Feb-2026", "2 4 5 6"},
        {"SINCE \"06-feb-2026\"", "6"},
        {"SINCE 7-Feb-2026", ""},
        /* as the Date field shows it, whatever its zone */
        {"SENTON 1-Feb-2026", "1"},
        {"SENTON 2-Feb-2026", "4"},
        {"SENTBEFORE 3-Feb-2026", "1 4 6"},
        {"SENTON 31-Dec-1969", "6"},
        {"SENTSINCE 2-Feb-2026", "2 4"},
        {"NOT SENTSINCE 1-Jan-1970", "3 5 6"},
        {"SINCE 29-Feb-2024", "1 2 3 4 5 6"},
    };
    ROWS(table);
}

/* Each message's own size, and one less. */
static void sizes(void)
{
    static const char *const table[][2] = {
        {"LARGER 0", "1 2 3 4 5 6"},
        {"SMALLER 0", ""},
        {"LARGER 4294967295", ""},
        {"SMALLER 4294967295", "1 2 3 4 5 6"},
    };
    unsigned wrong = 0;
    ROWS(table);
    for (uint32_t i = 0; i < 6; i++) {
        char keys[64];
        char want[2] = {(char)('1' + (int)i), '\0'};
        uint64_t size = 0;
        wrong += folder_size(&session.folder, i, &size) < 0;
        (void)snprintf(keys, sizeof keys, "LARGER %llu SMALLER %llu %u", (unsigned long long)size - 1,
                       (unsigned long long)size + 1, i + 1);
        wrong += strcmp(find(keys), want) != 0;
        (void)snprintf(keys, sizeof keys, "OR LARGER %llu SMALLER %llu %u", (unsigned long long)size, (unsigned long long)size,
                       i + 1);
        wrong += strcmp(find(keys), "") != 0;
    }
    is_number(wrong, 0, "a_size_is_neither_larger_nor_smaller_than_itself");
}

static void texts(void)
{
    static const char *const table[][2] = {
        {"FROM ann", "1"},
        {"FROM ANN@A", "1"},
        {"FROM {10}\r\nquote \\\" d", "4"},
        {"TO carol", "2"},
        {"CC carol", "1"},
        {"BCC dave", "1"},
        {"SUBJECT hello", "1"},
        {"SUBJECT \"o w\"", "1"},
        {"SUBJECT \"an alle\"", "2"},
        {"SUBJECT {6}\r\nGR\xc3\x9c\xc3\x9f", "2"},
        {"CHARSET UTF-8 SUBJECT {4}\r\n\xc3\xbc\xc3\x9f", "2"},
        {"CHARSET ISO-8859-1 SUBJECT {2}\r\n\xfc\xdf", "2"},
        {"CHARSET \"us-ascii\" SUBJECT six", "6"},
        {"BODY quick", "1"},
        {"BODY {4}\r\n\xc3\xbc"
         "BE",
         "2"},
        {"BODY fox", "1"},
        {"TEXT fox", "1 3"},
        {"BODY inside", "4"},
        {"BODY inner", "4"},
        {"BODY secret", ""},
        {"TEXT boundary=b", "4"},
        {"TEXT x-tag", "1 2"},
        {"HEADER x-tag red", "1"},
        {"HEADER X-Tag \"\"", "1 2"},
        {"HEADER \"X-Tag\" {3}\r\nRED", "1"},
        {"HEADER Subject hello", "1"},
        {"HEADER Subject \"an  alle\"", ""},
        {"HEADER Subject \"an   alle\"", "2"},
        {"HEADER To carol", "2"},
        {"HEADER Date 2026", "1 2 4"},
        {"HEADER Nobody \"\"", ""},
        {"SUBJECT \"\"", "1 2 4 5 6"},
        {"FROM \"\"", "1 2 4"},
        {"TO \"\"", "1 2"},
        {"CC \"\"", "1"},
        {"BCC {0}\r\n", "1"},
        {"BODY \"\"", "1 2 3 4 5 6"},
        {"TEXT \"\"", "1 2 3 4 5 6"},
        {"CHARSET x-unknown ALL", "charset"},
    };
    ROWS(table);
    is(find_bytes("SUBJECT \"a\0b\"", 13), "BAD", "no_nul_in_a_text");
}

static void combinations(void)
{
    static const char *const table[][2] = {
        {"SEEN DELETED", "2"},
        {"OR SEEN DRAFT", "1 2 3 6"},
        {"NOT SEEN", "3 4 5"},
        {"NOT NOT SEEN", "1 2 6"},
        {"NOT OR SEEN DRAFT", "4 5"},
        {"OR NOT SEEN DELETED", "2 3 4 5"},
        {"OR OR 1 2 OR 3 4", "1 2 3 4"},
        {"OR (SEEN DELETED) (DRAFT FLAGGED)", "2 3"},
        {"NOT (SEEN DELETED)", "1 3 4 5 6"},
        {"(SEEN)", "1 2 6"},
        {"((1:3) (2:4))", "2 3"},
        {"OR FROM ann BODY inside", "1 4"},
        {"OR SUBJECT six OLD", "1 2 3 4 6"},
        {"NOT TEXT fox SEEN", "2 6"},
    };
    ROWS(table);
}

/* What is none of that. */
static const char *const malformed_keys[] = {"ALLX",
                                             "AL",
                                             "ALL x",
                                             "KEYWORD",
                                             "KEYWORD ",
                                             "KEYWORD \"$Junk\"",
                                             "KEYWORD \\Seen",
                                             "KEYWORD (x)",
                                             "UNKEYWORD",
                                             "0",
                                             "1:",
                                             "1,",
                                             ",1",
                                             "1 , 2",
                                             "4294967296",
                                             "-1",
                                             "UID",
                                             "UID ",
                                             "UID x",
                                             "UID 0",
                                             "UID(1)",
                                             "1a",
                                             "SINCE 29-Feb-2026",
                                             "SINCE 0-Feb-2026",
                                             "SINCE 32-Jan-2026",
                                             "SINCE 1-Fab-2026",
                                             "SINCE 1-Feb-26",
                                             "SINCE 1 Feb 2026",
                                             "SINCE \"1-Feb-2026",
                                             "SINCE 1-Feb-2026\"",
                                             "SINCE 1-Feb-20266",
                                             "SINCE",
                                             "BEFORE x",
                                             "ON ",
                                             "SENTBEFORE",
                                             "SENTON 1",
                                             "SENTSINCE  1-Feb-2026",
                                             "LARGER",
                                             "LARGER x",
                                             "LARGER 1k",
                                             "SMALLER 4294967296",
                                             "SMALLER -1",
                                             "SMALLER \"1\"",
                                             "FROM",
                                             "FROM ",
                                             "FROM (ann)",
                                             "TO \"open",
                                             "CC \"a\\b\"",
                                             "BCC {3}\r\nab",
                                             "BODY {x}\r\n",
                                             "TEXT a b",
                                             "SUBJECT a\"b",
                                             "HEADER",
                                             "HEADER x",
                                             "HEADER x ",
                                             "HEADER (x) y",
                                             "CHARSET",
                                             "CHARSET UTF-8",
                                             "CHARSET UTF-8 ",
                                             "CHARSET (x) ALL",
                                             "ALL CHARSET UTF-8",
                                             "()",
                                             "(SEEN",
                                             "SEEN)",
                                             "(SEEN))",
                                             "( SEEN)",
                                             "(SEEN )",
                                             "(SEEN)(DRAFT)",
                                             "SEEN  DRAFT",
                                             " SEEN",
                                             "SEEN ",
                                             "",
                                             "NOT",
                                             "NOT ",
                                             "NOT ()",
                                             "NOT(SEEN)",
                                             "(NOT) SEEN",
                                             "OR",
                                             "OR SEEN",
                                             "OR SEEN ",
                                             "OR (SEEN) NOT",
                                             "(OR SEEN) DRAFT",
                                             "FUZZY SEEN",
                                             "MODSEQ",
                                             "MODSEQ ",
                                             "MODSEQ x",
                                             "MODSEQ -1",
                                             "MODSEQ 9223372036854775808",
                                             "MODSEQ \"/flags/\\\\draft\" 5",
                                             "MODSEQ \"/flags/\\\\draft\" all",
                                             "MODSEQ \"/flags/\\\\draft\" (all) 5",
                                             "MODSEQ \"/flags",
                                             "MODSEQ \"\"all 5",
                                             "MODSEQ \"\" shared 5",
                                             "(OR SEEN))"};

static void malformed(void)
{
    for (size_t i = 0; i < sizeof malformed_keys / sizeof *malformed_keys; i++) {
        is(find(malformed_keys[i]), "BAD", malformed_keys[i]);
    }
}

/* So deep, so many, and one more. */
static void limits(void)
{
    static const struct {
        const char *opening, *closing;
        unsigned most;
        const char *name;
    } nests[] = {
        {"(", ")", 199, "parentheses"}, {"NOT ", "", 199, "nots"}, {"OR 1 ", "", 199, "ors"}, {"NOT (", ")", 99, "both"}};
    stralloc keys = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof nests / sizeof *nests; i++) {
        for (unsigned n = nests[i].most; n <= nests[i].most + 1; n++) {
            keys.len = 0;
            for (unsigned k = 0; k < n; k++) {
                str_cats(&keys, nests[i].opening);
            }
            str_cats(&keys, "1");
            for (unsigned k = 0; k < n; k++) {
                str_cats(&keys, nests[i].closing);
            }
            bool is_good = strcmp(find_bytes(keys.s, keys.len), "BAD") != 0;
            ok(is_good == (n == nests[i].most), nests[i].name);
        }
    }
    for (unsigned n = 500; n <= 501; n++) { /* each but the first takes an AND along */
        str_copys(&keys, "1");
        for (unsigned k = 1; k < n; k++) {
            str_cats(&keys, " 1");
        }
        is(find_bytes(keys.s, keys.len), n == 500 ? "1" : "BAD", "keys");
    }
    stralloc_free(&keys);
}

static void modseqs(void)
{
    static const char *const table[][2] = {
        {"MODSEQ 0", "1 2 3 4 5 6"},
        {"MODSEQ 300", "3 4 5 6"},
        {"MODSEQ 301", "4 5 6"},
        {"MODSEQ 601", ""},
        {"NOT MODSEQ 300", "1 2"},
        {"MODSEQ \"/flags/\\\\draft\" all 500", "5 6"},
        {"MODSEQ \"/flags/\\\\Seen\" priv 600", "6"},
        {"MODSEQ \"/flags/\\\\Seen\" shared 9223372036854775807", ""},
    };
    ROWS(table);
}

/* A message that went, or whose file is none any more, is found by nothing that must be read. */
static void unreadable(void)
{
    is_number(unlinkat(session.root, "cur/1003.M3.x:2,DF", 0), 0, "a_message_goes");
    is(find("TEXT other 3"), "", "its_text_is_not_there");
    is(find("HEADER X-Other fox"), "", "nor_its_header");
    is(find("NOT TEXT fox 3"), "3", "so_not_having_it_is_true");
    is(find("TEXT \"\" 3"), "3", "the_empty_text_needs_no_reading");
    is_number(mkdirat(session.root, "cur/1003.M3.x:2,DF", 0700), 0, "a_folder_takes_its_name");
    is(find("TEXT fox"), "1", "which_is_no_message");
}

int main(void)
{
    begin();
    flags();
    numbers();
    dates();
    sizes();
    texts();
    combinations();
    malformed();
    limits();
    modseqs();
    unreadable();
    return end();
}
