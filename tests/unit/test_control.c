/* SPDX-License-Identifier: ISC */
/* Control files: forms, defaults, ranges, look-ups, changes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/tap.h"
#include "lib/control.h"

static const char *greeting;
static uint64_t databytes;
static struct control_list hosts;
static bool is_set;
static const struct control_entry table[] = {{"smtpgreeting", CONTROL_TEXT, "=me", 0, 0, &greeting},
                                             {"databytes", CONTROL_NUMBER, "10485760", 1000, 20000000, &databytes},
                                             {"rcpthosts", CONTROL_LIST, NULL, 0, 0, &hosts},
                                             {"nolandlock", CONTROL_EXISTS, NULL, 0, 0, &is_set},
                                             {0}};

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        exit(1);
    }
}

static bool list_has(const char *key)
{
    return control_list_has(&hosts, key, strlen(key));
}

static void test_values(void)
{
    ok(control_load(table) == 0, "an_empty_folder_gives_defaults");
    ok(greeting == NULL && databytes == 10485760 && !hosts.is_there && !is_set, "the_defaults");
    put("control/me", "mx.example.test \t\r\nsecond line\n");
    put("control/databytes", "5000");
    put("control/rcpthosts", "# ours\nExample.TEST  \n\n.sub.test\n[IPv6:::1]\nkey:value:more\nkey:second\n");
    put("control/nolandlock", "");
    ok(control_load(table) == 0, "files_are_read");
    is(greeting, "mx.example.test", "first_line_of_me_without_blanks");
    ok(databytes == 5000 && is_set && hosts.is_there && hosts.n == 5, "number_list_and_existence");
}

static void test_lists(void)
{
    ok(list_has("example.test") && list_has("EXAMPLE.test"), "look_up_without_case");
    ok(!list_has("example.tes") && !list_has("# ours") && !list_has(""), "comments_and_parts_are_not_there");
    ok(list_has("[ipv6:::1]"), "a_line_with_colons");
    ok(!list_has("key"), "a_key_is_no_whole_line");
    is(control_list_find(&hosts, "KEY", 3), "value:more", "first_of_equal_keys");
    ok(control_list_find(&hosts, "example.test", 12) == NULL, "no_colon_no_value");
    ok(control_list_has_domain(&hosts, "a.b.sub.test", 12) && control_list_has_domain(&hosts, "a.sub.test", 10), "suffix_lines");
    ok(!control_list_has_domain(&hosts, "sub.test", 8) && !control_list_has_domain(&hosts, "xsub.test", 9),
       "suffix_needs_its_dot");
}

static void test_mixed_list(void)
{
    static const char bytes[] = "a:1\na\nb\nb:2\nbad\0line\n\0\n";
    struct control_list list;
    control_list_parse(bytes, sizeof bytes - 1, &list);
    ok(list.n == 4, "lines_with_a_nul_are_none");
    ok(control_list_has(&list, "a", 1) && control_list_has(&list, "b", 1), "a_whole_line_is_found_beside_one_with_a_value");
    const char *value = control_list_find(&list, "b", 1);
    is(value, "2", "a_value_is_found_behind_a_whole_line");
    control_list_free(&list);
}

static void test_faults(void)
{
    put("control/databytes", "999\n");
    ok(control_refresh(table, true) == -1 && databytes == 5000, "below_the_range_keeps_the_old_value");
    put("control/databytes", "many\n");
    ok(control_refresh(table, true) == -1 && databytes == 5000, "no_number_keeps_the_old_value");
    put("control/databytes", "\n");
    ok(control_refresh(table, true) == -1, "an_empty_number_is_an_error");
    put("control/databytes", "6000\n");
    ok(control_refresh(table, true) == 1 && databytes == 6000, "mended_it_counts");
    unlink("control/rcpthosts");
    ok(mkdir("control/rcpthosts", 0700) == 0 && control_refresh(table, true) == -1 && hosts.n == 5,
       "an_unreadable_list_keeps_the_old_one");
    rmdir("control/rcpthosts");
    ok(control_refresh(table, true) == 1 && !hosts.is_there && hosts.n == 0, "a_removed_list_is_missing");
}

static void test_refresh(void)
{
    ok(control_refresh(table, false) == 0, "within_a_second_nobody_looks");
    sleep(1);
    usleep(50000);
    ok(control_refresh(table, false) == 0, "nothing_changed");
    put("control/databytes", "7000\n");
    sleep(1);
    usleep(50000);
    ok(control_refresh(table, false) == 1 && databytes == 7000, "a_change_is_seen_after_a_second");
}

int main(void)
{
    char folder[] = "/tmp/stafet-test-control.XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) < 0 || mkdir("control", 0700) < 0) {
        return 1;
    }
    int log = open("log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    dup2(log, 2);
    test_values();
    test_lists();
    test_mixed_list();
    test_faults();
    test_refresh();
    char command[100];
    static const char *const files[] = {"control/me", "control/databytes", "control/nolandlock", "log"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        unlink(files[i]);
    }
    snprintf(command, sizeof command, "%s/control", folder);
    rmdir(command);
    rmdir(folder);
    return done();
}
