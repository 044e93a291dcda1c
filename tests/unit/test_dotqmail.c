/* SPDX-License-Identifier: ISC */
/* .qmail files: which name is looked for, what a line is, what vdelivermail is asked to do. */
#include "tests/tap.h"

#include "lib/dotqmail.h"

static const struct {
    const char *test, *dash, *ext, *names;
} searches[] = {
    {"looks_for_exact_name_then_defaults_from_the_right", "-", "a-b-c",
     ".qmail-a-b-c .qmail-a-b-default .qmail-a-default .qmail-default "},
    {"plain_name_has_one_default", "-", "joe", ".qmail-joe .qmail-default "},
    {"dot_becomes_colon_and_case_is_lowered", "-", "Joe.Smith-X.Y",
     ".qmail-joe:smith-x:y .qmail-joe:smith-default .qmail-default "},
    {"dots_cannot_climb", "-", "../../etc-x", ".qmail-default "},
    {"slash_only_spoils_names_that_hold_it", "-", "a-b/c-d", ".qmail-a-default .qmail-default "},
    {"dash_at_the_end", "-", "a-", ".qmail-a- .qmail-a-default .qmail-default "},
    {"dash_at_the_front", "-", "-a", ".qmail--a .qmail--default .qmail-default "},
    {"empty_extension_behind_a_dash", "-", "", ".qmail- .qmail-default "},
    {"home_without_extension", "", "", ".qmail .qmaildefault "},
    {"eight_bit_stays", "-", "\xc3\xa9", ".qmail-\xc3\xa9 .qmail-default "},
};

static void test_searches(void)
{
    for (size_t i = 0; i < sizeof searches / sizeof *searches; i++) {
        struct dotqmail_search search;
        char name[DOTQMAIL_NAME_SIZE], all[1024] = "";
        for (dotqmail_search_start(&search, searches[i].dash, searches[i].ext); dotqmail_search_next(&search, name);) {
            strcat(all, name);
            strcat(all, " ");
        }
        is(all, searches[i].names, searches[i].test);
    }
    struct dotqmail_search search;
    char name[DOTQMAIL_NAME_SIZE], ext[600];
    memset(ext, 'a', sizeof ext - 1);
    ext[sizeof ext - 1] = '\0';
    dotqmail_search_start(&search, "-", ext);
    ok(dotqmail_search_next(&search, name) && strcmp(name, ".qmail-default") == 0, "too_long_a_name_is_left_out");
    ok(search.is_default && search.cut == 0, "default_holds_the_whole_extension");
    ok(!dotqmail_search_next(&search, name), "search_ends");
}

static const struct {
    const char *test, *line;
    enum dotqmail_kind kind;
    const char *text;
} lines[] = {
    {"blank_line", " \t", DOTQMAIL_BLANK, ""},
    {"comment", "# delete", DOTQMAIL_COMMENT, "# delete"},
    {"program", "| autorespond 1 2 ", DOTQMAIL_PROGRAM, " autorespond 1 2"},
    {"maildir_relative", "./Maildir/", DOTQMAIL_MAILDIR, "./Maildir/"},
    {"maildir_absolute", "/home/x/", DOTQMAIL_MAILDIR, "/home/x/"},
    {"mbox", "./Mailbox", DOTQMAIL_MBOX, "./Mailbox"},
    {"forward_with_and", "&joe@a.test", DOTQMAIL_FORWARD, "joe@a.test"},
    {"forward_bare", "joe@a.test", DOTQMAIL_FORWARD, "joe@a.test"},
    {"forward_only", "+list", DOTQMAIL_FORWARD_ONLY, "+list"},
    {"other_plus_lines", "+listen", DOTQMAIL_IGNORED, "+listen"},
};

static void test_lines(void)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct dotqmail_reader reader;
        struct dotqmail_line line;
        dotqmail_read_start(&reader, lines[i].line, strlen(lines[i].line));
        ok(dotqmail_read_next(&reader, &line) && line.kind == lines[i].kind && line.number == 1, lines[i].test);
        is_bytes(line.text, line.len, lines[i].text, strlen(lines[i].text), lines[i].test);
        ok(!dotqmail_read_next(&reader, &line), lines[i].test);
    }
    struct dotqmail_reader reader;
    struct dotqmail_line line;
    dotqmail_read_start(&reader, "\n\nx@y", 5);
    ok(dotqmail_read_next(&reader, &line) && line.kind == DOTQMAIL_BLANK && line.number == 1, "first_line_blank_is_seen");
    ok(dotqmail_read_next(&reader, &line) && line.number == 2, "numbers_count_blank_lines");
    ok(dotqmail_read_next(&reader, &line) && line.number == 3 && line.len == 3, "last_line_may_lack_its_end");
    dotqmail_read_start(&reader, "", 0);
    ok(!dotqmail_read_next(&reader, &line), "empty_file_has_no_line");
}

static const struct {
    const char *test, *command;
    bool is_one;
    enum vdelivermail_kind kind;
    const char *text;
} commands[] = {
    {"bounce", " /home/vpopmail/bin/vdelivermail '' bounce-no-mailbox", true, VDELIVERMAIL_BOUNCE, "bounce-no-mailbox"},
    {"delete", "/v/vdelivermail '' delete", true, VDELIVERMAIL_DELETE, "delete"},
    {"delete_of_indimail", "/v/vdelivermail '' delete-no-mailbox", true, VDELIVERMAIL_DELETE, "delete-no-mailbox"},
    {"folder", "vdelivermail '' /home/vpopmail/domains/a.test/joe", true, VDELIVERMAIL_FOLDER,
     "/home/vpopmail/domains/a.test/joe"},
    {"address", "vdelivermail '' joe@a.test", true, VDELIVERMAIL_FORWARD, "joe@a.test"},
    {"address_with_and_in_quotes", "vdelivermail \"\" '&joe@a.test'", true, VDELIVERMAIL_FORWARD, "joe@a.test"},
    {"first_argument_is_ignored", "vdelivermail what delete", true, VDELIVERMAIL_DELETE, "delete"},
    {"program_as_action", "vdelivermail '' '|/bin/x y'", true, VDELIVERMAIL_LINE, "|/bin/x y"},
    {"one_argument", "vdelivermail delete", true, VDELIVERMAIL_BAD, NULL},
    {"no_argument", "vdelivermail", true, VDELIVERMAIL_BAD, NULL},
    {"three_arguments", "vdelivermail '' delete now", true, VDELIVERMAIL_BAD, NULL},
    {"empty_action", "vdelivermail '' ''", true, VDELIVERMAIL_BAD, NULL},
    {"lone_and", "vdelivermail '' '&'", true, VDELIVERMAIL_BAD, NULL},
    {"another_program", "/usr/bin/maildrop", false, 0, NULL},
    {"name_must_be_whole", "/v/xvdelivermail '' delete", false, 0, NULL},
    {"not_the_first_word", "preline /v/vdelivermail '' delete", false, 0, NULL},
    {"redirection_is_the_shells_business", "/v/vdelivermail '' delete 2>/dev/null", false, 0, NULL},
    {"pipe_is_the_shells_business", "/v/vdelivermail '' delete | cat", false, 0, NULL},
    {"variable_is_the_shells_business", "/v/vdelivermail '' \"$EXT\"", false, 0, NULL},
    {"quote_without_end", "/v/vdelivermail '' 'delete", false, 0, NULL},
    {"glued_quotes", "/v/vdelivermail '' 'del'ete", false, 0, NULL},
    {"empty_command", "  ", false, 0, NULL},
};

static void test_commands(void)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct vdelivermail action = {.text = ""};
        bool is_one = dotqmail_parse_vdelivermail(commands[i].command, strlen(commands[i].command), &action);
        ok(is_one == commands[i].is_one && (!is_one || action.kind == commands[i].kind), commands[i].test);
        if (is_one && commands[i].text != NULL) {
            is_bytes(action.text, action.len, commands[i].text, strlen(commands[i].text), commands[i].test);
        }
    }
}

int main(void)
{
    test_searches();
    test_lines();
    test_commands();
    return done();
}
