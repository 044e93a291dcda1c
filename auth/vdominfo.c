/* SPDX-License-Identifier: ISC */
/* Shows the virtual domains: vdominfo(8). Reads users/assign, and vpasswd for the number of mailboxes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/admin.h"
#include "auth/assign_write.h"
#include "auth/tool.h"
#include "lib/str.h"

struct view {
    const struct tool *tool;
    bool has_all, has_name, has_uid, has_gid, has_dir, has_users, has_real;
    const char *real; /* one domain and its aliases; NULL: every line */
    bool is_found;
    stralloc aliases;
};

static _Noreturn void fail_usage(void)
{
    fputs("vdominfo: usage: [options] [domain]\n"
          "options: -v (print version number)\n"
          "         -a (display all fields, this is the default)\n"
          "         -n (display domain name)\n"
          "         -u (display uid field)\n"
          "         -g (display gid field)\n"
          "         -d (display domain directory)\n"
          "         -t (display total users)\n"
          "         -r (display real domain)\n"
          "         -H dir (the home folder of this installation)\n",
          stdout);
    exit(255);
}

static size_t count_users(const struct tool *tool, const struct assign_entry *entry)
{
    stralloc lines = STRALLOC_ZERO;
    size_t n = 0;
    admin_list_users(tool, entry, &lines);
    for (size_t i = 0; i < lines.len; i++) {
        n += lines.s[i] == '\n';
    }
    stralloc_free(&lines);
    return n;
}

static void show_name(const struct assign_domain *domain, const char *label)
{
    if (assign_domain_is_alias(domain)) {
        printf("%s%s (alias of %s)\n", label, domain->name, domain->entry.user);
    } else {
        printf("%s%s\n", label, domain->name);
    }
}

static void show_domain(const struct view *view, const struct assign_domain *domain)
{
    const struct assign_entry *entry = &domain->entry;
    bool has_all = view->has_all;
    if (has_all || view->has_name) {
        show_name(domain, has_all ? "domain: " : "");
    }
    if (has_all || view->has_uid) {
        printf("%s%lu\n", has_all ? "uid:    " : "", (unsigned long)entry->uid);
    }
    if (has_all || view->has_gid) {
        printf("%s%lu\n", has_all ? "gid:    " : "", (unsigned long)entry->gid);
    }
    if (has_all || view->has_dir) {
        printf("%s%s\n", has_all ? "dir:    " : "", entry->home);
    }
    if (has_all || view->has_users) {
        printf("%s%zu\n", has_all ? "users:  " : "", count_users(view->tool, entry));
    }
    if (view->has_real && !has_all) {
        printf("%s\n", entry->user);
    }
}

static void show_line(const struct assign_domain *domain, void *ctx)
{
    struct view *view = ctx;
    if (view->real == NULL) {
        show_domain(view, domain);
        printf("\n");
    } else if (strcmp(domain->entry.user, view->real) == 0 && assign_domain_is_alias(domain)) {
        str_catf(&view->aliases, "alias: %s\n", domain->name);
    } else if (strcmp(domain->name, view->real) == 0) {
        show_domain(view, domain);
        view->is_found = true;
    }
}

static void take_option(int letter, struct view *view, const char **home)
{
    switch (letter) {
    case 'v':
        tool_print_version();
        return;
    case 'H':
        *home = optarg;
        return;
    case 'a':
        view->has_all = true;
        return;
    case 'n':
        view->has_name = true;
        break;
    case 'u':
        view->has_uid = true;
        break;
    case 'g':
        view->has_gid = true;
        break;
    case 'd':
        view->has_dir = true;
        break;
    case 't':
        view->has_users = true;
        break;
    case 'r':
        view->has_real = true;
        break;
    default:
        fail_usage();
    }
    view->has_all = false;
}

int main(int argc, char **argv)
{
    const char *home = NULL;
    struct tool tool;
    struct view view = {.tool = &tool, .has_all = true};
    struct assign_entry entry;
    char name[NAMES_DOMAIN_MAX + 1];
    int letter;
    while ((letter = getopt(argc, argv, "vanugdtrH:")) != -1) {
        take_option(letter, &view, &home);
    }
    tool_start(&tool, "vdominfo", home);
    if (optind < argc) {
        if (!tool_find_domain(argv[optind], name, &entry)) {
            tool_fail_with(va_exit_code(VA_DOMAIN_DOES_NOT_EXIST), "Invalid domain name", "without a name all domains are shown");
        }
        view.real = entry.user;
    }
    if (assign_each_domain(AT_FDCWD, show_line, &view) < 0) {
        tool_fail_with(255, "Can't get domain entries - can't read users/assign file", strerror(errno));
    }
    if (view.real != NULL && !view.is_found && view.aliases.len == 0) {
        tool_fail_with(va_exit_code(VA_DOMAIN_DOES_NOT_EXIST), "Invalid domain name",
                       "users/cdb knows it, users/assign does not");
    }
    if (view.aliases.len > 0) {
        printf("%s", str_text(&view.aliases));
    }
    return 0;
}
