/* SPDX-License-Identifier: ISC */
/* Removes a virtual domain with all its mail: vdeldomain(8). Everything it does stands in admin_delete_domain(). */
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

struct aliases {
    const char *real;
    stralloc lines;
};

static _Noreturn void fail_usage(int code)
{
    fputs("vdeldomain: usage: [options] domain_name\n"
          "options: -v (print version number)\n"
          "options: -f (force delete of virtual domains)\n"
          "         -H dir (the home folder of this installation)\n",
          stdout);
    exit(code);
}

static void collect(const struct assign_domain *domain, void *ctx)
{
    struct aliases *aliases = ctx;
    if (assign_domain_is_alias(domain) && strcmp(domain->entry.user, aliases->real) == 0) {
        str_catf(&aliases->lines, "   %s\n", domain->name);
    }
}

/* A domain that others are aliases of goes only with -f. */
static void check_aliases(const char *name, bool is_forced)
{
    struct aliases aliases = {.real = name};
    if (assign_each_domain(AT_FDCWD, collect, &aliases) < 0) {
        tool_fail(VA_CANNOT_READ_ASSIGN, strerror(errno));
    }
    if (aliases.lines.len > 0) {
        printf("Warning: Alias domains %s:\n%s", is_forced ? "deleted" : "exist", str_text(&aliases.lines));
    }
    if (aliases.lines.len > 0 && !is_forced) {
        printf("   use -f to force delete of domain and all aliases\n");
        exit(0);
    }
    stralloc_free(&aliases.lines);
}

int main(int argc, char **argv)
{
    const char *home = NULL;
    bool is_forced = false;
    struct tool tool;
    struct assign_entry entry;
    char name[NAMES_DOMAIN_MAX + 1];
    stralloc why = STRALLOC_ZERO;
    int letter;
    while ((letter = getopt(argc, argv, "vfH:")) != -1) {
        if (letter == 'v') {
            tool_print_version();
        } else if (letter == 'f') {
            is_forced = true;
        } else if (letter == 'H') {
            home = optarg;
        } else {
            fail_usage(255);
        }
    }
    if (optind == argc) {
        fail_usage(0);
    }
    tool_start(&tool, "vdeldomain", home);
    if (!tool_find_domain(argv[optind], name, &entry)) {
        tool_fail(VA_DOMAIN_DOES_NOT_EXIST, "vdominfo lists the domains");
    }
    if (strcmp(name, entry.user) == 0) {
        check_aliases(name, is_forced);
    }
    enum va result = admin_delete_domain(&tool, name, &entry, &why);
    if (result != VA_SUCCESS) {
        tool_fail(result, str_text(&why));
    }
    return 0;
}
