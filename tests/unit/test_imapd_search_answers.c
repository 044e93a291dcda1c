/* SPDX-License-Identifier: ISC */
/* imapd/cmd_search: plain answers, ESEARCH's (RFC 4731) with what CONDSTORE says of them (RFC 7162), and what is saved (RFC
 * 5182). */
#include "tests/unit/imapd_search.h"

/* What SEARCH says to this: all untagged lines, or BAD, or the reply's code. */
static const char *command(const char *arguments)
{
    stralloc copy = STRALLOC_ZERO;
    str_copys(&copy, arguments);
    struct parser parser = {copy.s, copy.s + copy.len};
    session.out.len = session.code.len = 0;
    const struct reply *reply = cmd_search(&session, &parser);
    stralloc_free(&copy);
    return reply == &reply_syntax        ? "BAD"
           : reply == &reply_bad_set     ? "set"
           : reply == &reply_bad_charset ? "charset"
                                         : str_text(&session.out);
}

static void extended(void)
{
    static const char *const table[][2] = {
        {" SEEN", "* SEARCH 1 2 6\r\n"},
        {" KEYWORD nobody", "* SEARCH\r\n"},
        {" MODSEQ 200 SEEN", "* SEARCH 2 6 (MODSEQ 600)\r\n"},
        {" MODSEQ 700", "* SEARCH\r\n"},
        {" RETURN () SEEN", "* ESEARCH (TAG \"t\") ALL 1:2,6\r\n"},
        {" RETURN (ALL) SEEN", "* ESEARCH (TAG \"t\") ALL 1:2,6\r\n"},
        {" RETURN (MIN) SEEN", "* ESEARCH (TAG \"t\") MIN 1\r\n"},
        {" return (max) seen", "* ESEARCH (TAG \"t\") MAX 6\r\n"},
        {" RETURN (COUNT) SEEN", "* ESEARCH (TAG \"t\") COUNT 3\r\n"},
        {" RETURN (MIN MAX COUNT ALL) UNSEEN", "* ESEARCH (TAG \"t\") MIN 3 MAX 5 COUNT 3 ALL 3:5\r\n"},
        {" RETURN (COUNT COUNT) ALL", "* ESEARCH (TAG \"t\") COUNT 6\r\n"},
        {" RETURN (MIN MAX ALL) KEYWORD nobody", "* ESEARCH (TAG \"t\")\r\n"},
        {" RETURN (COUNT) KEYWORD nobody", "* ESEARCH (TAG \"t\") COUNT 0\r\n"},
        {" RETURN (ALL) CHARSET UTF-8 1:2", "* ESEARCH (TAG \"t\") ALL 1:2\r\n"},
        /* RFC 7162 3.1.10: of the ends that are told, else of all that was found */
        {" RETURN (MIN) MODSEQ 200", "* ESEARCH (TAG \"t\") MIN 2 MODSEQ 200\r\n"},
        {" RETURN (MAX) MODSEQ 200 1:4", "* ESEARCH (TAG \"t\") MAX 4 MODSEQ 400\r\n"},
        {" RETURN (MIN MAX) MODSEQ 200 1:4", "* ESEARCH (TAG \"t\") MIN 2 MAX 4 MODSEQ 400\r\n"},
        {" RETURN (MIN COUNT) MODSEQ 200", "* ESEARCH (TAG \"t\") MIN 2 COUNT 5 MODSEQ 600\r\n"},
        {" RETURN (MIN) MODSEQ 700", "* ESEARCH (TAG \"t\")\r\n"},
        {" RETURN (MIN) 7", "* ESEARCH (TAG \"t\")\r\n"},
        {" RETURN (MIN) CHARSET x-unknown ALL", "charset"},
        {"", "BAD"},
        {" ", "BAD"},
        {"SEEN", "BAD"},
        {" RETURN", "BAD"},
        {" RETURN ", "BAD"},
        {" RETURN SEEN", "BAD"},
        {" RETURN ()", "BAD"},
        {" RETURN () ", "BAD"},
        {" RETURN (MIN", "BAD"},
        {" RETURN (MIN) ", "BAD"},
        {" RETURN (MIN)SEEN", "BAD"},
        {" RETURN (MINMAX) SEEN", "BAD"},
        {" RETURN (MIN  MAX) SEEN", "BAD"},
        {" RETURN (MIN ) SEEN", "BAD"},
        {" RETURN ( MIN) SEEN", "BAD"},
        {" RETURN (PARTIAL 1:2) SEEN", "BAD"},
        {" RETURN(MIN) SEEN", "BAD"},
    };
    str_copys(&session.tag, "t");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        is(command(table[i][0]), table[i][1], table[i][0]);
    }
    folder_record_at(&session.folder, 1)->modseq = 450;
    is(command(" RETURN (MIN MAX) MODSEQ 200 1:4"), "* ESEARCH (TAG \"t\") MIN 2 MAX 4 MODSEQ 450\r\n",
       "the_higher_of_both_ends");
    folder_record_at(&session.folder, 1)->modseq = 200;
    session.is_uid = true;
    is(command(" RETURN (ALL) SEEN"), "* ESEARCH (TAG \"t\") UID ALL 1:2,6\r\n", "by_uid");
    session.is_uid = false;
}

static void saved(void)
{
    static const char *const table[][3] = {
        {" RETURN (SAVE) SEEN", "", "1 2 6"},
        {" RETURN (SAVE COUNT) UNSEEN", "* ESEARCH (TAG \"t\") COUNT 3\r\n", "3 4 5"},
        {" RETURN (SAVE MIN) SEEN", "* ESEARCH (TAG \"t\") MIN 1\r\n", "1"},
        {" RETURN (MAX SAVE) SEEN", "* ESEARCH (TAG \"t\") MAX 6\r\n", "6"},
        {" RETURN (MIN MAX SAVE) SEEN", "* ESEARCH (TAG \"t\") MIN 1 MAX 6\r\n", "1 6"},
        {" RETURN (MIN MAX SAVE) 4", "* ESEARCH (TAG \"t\") MIN 4 MAX 4\r\n", "4"},
        {" RETURN (MIN COUNT SAVE) SEEN", "* ESEARCH (TAG \"t\") MIN 1 COUNT 3\r\n", "1 2 6"},
        {" RETURN (ALL SAVE) 2:3", "* ESEARCH (TAG \"t\") ALL 2:3\r\n", "2 3"},
        {" RETURN (SAVE) $ DRAFT", "", "3"},
        {" DELETED", "* SEARCH 2\r\n", "3"},
        {" RETURN (SAVE) x", "BAD", "3"},
        {" RETURN (SAVE) 7", "", ""},
        {" RETURN (SAVE) ALL", "", "1 2 3 4 5 6"},
        {" RETURN (SAVE) CHARSET x-unknown ALL", "charset", ""},
        {" RETURN (SAVE) ALL", "", "1 2 3 4 5 6"},
        {" RETURN (SAVE MIN) KEYWORD nobody", "* ESEARCH (TAG \"t\")\r\n", ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        is(command(table[i][0]), table[i][1], table[i][0]);
        is(find("$"), table[i][2], "is_what_was_saved");
    }
    (void)command(" RETURN (SAVE) SEEN");
    is(find("NOT $"), "3 4 5", "the_others");
    is(find("UID $"), "1 2 6", "by_uid_the_same");
    is(find("OR $ 3"), "1 2 3 6", "with_others");
    is(find("$,1"), "BAD", "in_no_list_of_numbers");
    is(find("$$"), "BAD", "and_not_twice");
}

int main(void)
{
    begin();
    extended();
    saved();
    return end();
}
