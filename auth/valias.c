/* SPDX-License-Identifier: ISC */
/* Shows, adds and removes aliases (.qmail-ALIAS files): valias(8). All file work is done as the domain's user. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/admin.h"
#include "auth/folder.h"
#include "auth/tool.h"
#include "lib/str.h"

enum action { SHOW, SHOW_NAMES, INSERT, DELETE };
struct request {
    enum action action;
    const char *home, *line, *folder;
    struct names_email email; /* user "": the whole domain */
};

static _Noreturn void fail_usage(int code)
{
    fputs("valias: usage: [options] email_address \n"
          "options: -v ( display the vpopmail version number )\n"
          "         -n ( show alias names, use just domain )\n"
          "         -s ( show aliases, can use just domain )\n"
          "         -d ( delete alias )\n"
          "         -i alias_line (insert alias line)\n"
          "         -H dir (the home folder of this installation)\n"
          "\n"
          "Example: valias -i fred@example.com bob@example.com\n"
          "         (adds alias from bob@example.com to fred@example.com\n",
          stdout);
    exit(code);
}

static void take_option(int letter, struct request *request)
{
    switch (letter) {
    case 'v':
        tool_print_version();
        break;
    case 'n':
        request->action = SHOW_NAMES;
        break;
    case 's':
        request->action = SHOW;
        break;
    case 'd':
        request->action = DELETE;
        break;
    case 'i':
        request->action = INSERT;
        request->line = optarg;
        break;
    case 'H':
        request->home = optarg;
        break;
    default:
        fail_usage(254);
    }
}

/* `alias TAB line LF` for each. */
static void put_alias(const char *alias, const char *line, void *ctx)
{
    str_catf(ctx, "%s\t%s\n", alias, line);
}

static enum va work(void *ctx, stralloc *out)
{
    const struct request *request = ctx;
    const char *alias = request->email.user[0] == '\0' ? NULL : request->email.user;
    switch (request->action) {
    case INSERT:
        return folder_add_alias(request->folder, alias, request->line, out);
    case DELETE:
        return folder_remove_alias(request->folder, alias, out);
    case SHOW:
    case SHOW_NAMES:
        break;
    }
    if (!folder_each_alias(request->folder, alias, put_alias, out)) {
        str_cats(out, "cannot read the domain's folder");
        return VA_BAD_V_DIR;
    }
    return VA_SUCCESS;
}

/* Files by name, so the lines of one alias stand together. */
static void show(const struct request *request, char *lines)
{
    const char *last = "";
    for (char *save = NULL, *line = strtok_r(lines, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        char *tab = strchr(line, '\t');
        if (tab == NULL) {
            continue; /* a file's name with a line end in it */
        }
        *tab = '\0';
        if (request->action == SHOW) {
            printf("%s@%s -> %s\n", line, request->email.domain, tab + 1);
        } else if (strcmp(line, last) != 0) {
            printf("%s\n", line);
        }
        last = line;
    }
}

static void find_target(const char *text, struct request *request, struct assign_entry *entry)
{
    bool is_domain = strpbrk(text, "@%/") == NULL;
    if (is_domain) {
        if (request->action == INSERT || request->action == DELETE) {
            tool_fail(VA_ILLEGAL_USERNAME, "write alias@domain");
        }
        if (!tool_find_domain(text, request->email.domain, entry)) {
            tool_fail(VA_DOMAIN_DOES_NOT_EXIST, "vdominfo lists the domains");
        }
        return;
    }
    if (request->action == SHOW_NAMES) {
        fprintf(stderr, "Please enter domain name only.\n");
        exit(255);
    }
    if (!tool_find_mailbox(text, &request->email, entry)) {
        tool_fail(VA_DOMAIN_DOES_NOT_EXIST, "vdominfo lists the domains");
    }
    if (strcmp(request->email.user, "default") == 0 && request->action != SHOW) {
        tool_fail(VA_ILLEGAL_USERNAME, ".qmail-default decides over all mail of the domain: it is no alias");
    }
}

static void check_line(struct request *request)
{
    while (*request->line == ' ') {
        request->line++;
    }
    struct names_fault fault = names_check_line(request->line);
    if (fault.code != VA_SUCCESS) {
        tool_fail(fault.code, fault.why);
    }
}

int main(int argc, char **argv)
{
    struct request request = {.action = SHOW};
    struct tool tool;
    struct assign_entry entry;
    stralloc out = STRALLOC_ZERO;
    int letter;
    while ((letter = getopt(argc, argv, "vnsdi:H:")) != -1) {
        take_option(letter, &request);
    }
    if (optind == argc) {
        fprintf(stderr, "must supply alias email address\n");
        fail_usage(255);
    }
    tool_start(&tool, "valias", request.home);
    find_target(argv[optind], &request, &entry);
    if (request.action == INSERT) {
        check_line(&request);
    }
    request.folder = admin_folder(&tool, &entry);
    struct tool_identity owner = tool_domain_identity(&tool, &entry);
    enum va result = tool_run_as(&owner, work, &request, &out);
    if (result == VA_USERNAME_EXISTS) {
        fprintf(stderr, "Error: alias %s -> %s already exists.\n", argv[optind], request.line);
        return 255;
    }
    if (result != VA_SUCCESS) {
        tool_fail(result, str_text(&out));
    }
    if (request.action == INSERT || request.action == DELETE) {
        return 0;
    }
    show(&request, str_text(&out));
    return out.len == 0 ? 255 : 0;
}
