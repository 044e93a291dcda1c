/* SPDX-License-Identifier: ISC */
/* Removes a mailbox and its mail: vdeluser(8). Everything it does stands in admin_delete_user(). */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/admin.h"
#include "auth/tool.h"
#include "lib/str.h"

static _Noreturn void fail_usage(void)
{
    fputs("vdeluser: usage: [options] email_address\n"
          "options: -v (print version number)\n"
          "         -H dir (the home folder of this installation)\n",
          stdout);
    exit(255);
}

int main(int argc, char **argv)
{
    const char *home = NULL;
    struct tool tool;
    struct names_email email;
    struct assign_entry entry;
    stralloc why = STRALLOC_ZERO;
    int letter;
    while ((letter = getopt(argc, argv, "vH:")) != -1) {
        if (letter == 'v') {
            tool_print_version();
        } else if (letter == 'H') {
            home = optarg;
        } else {
            fail_usage();
        }
    }
    if (optind == argc) {
        fail_usage();
    }
    tool_start(&tool, "vdeluser", home);
    if (!tool_find_mailbox(argv[optind], &email, &entry)) {
        tool_fail(VA_DOMAIN_DOES_NOT_EXIST, "write user@domain; vdominfo lists the domains");
    }
    enum va result = admin_delete_user(&tool, &email, &entry, &why);
    if (result != VA_SUCCESS) {
        tool_fail(result, str_text(&why));
    }
    return 0;
}
