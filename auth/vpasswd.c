/* SPDX-License-Identifier: ISC */
/* Gives a mailbox another password: vpasswd(8). Everything it does stands in admin_set_password(). */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/admin.h"
#include "auth/tool.h"
#include "lib/str.h"

static _Noreturn void fail_usage(void)
{
    fputs("vpasswd: usage: [options] email_address [password]\n"
          "options: -v (print version number)\n"
          "         -r generate a random password\n"
          "         -H dir (the home folder of this installation)\n",
          stdout);
    exit(255);
}

int main(int argc, char **argv)
{
    const char *home = NULL;
    bool is_random = false;
    struct tool tool;
    struct names_email email;
    struct assign_entry entry;
    stralloc password = STRALLOC_ZERO, hash = STRALLOC_ZERO, why = STRALLOC_ZERO;
    int letter;
    while ((letter = getopt(argc, argv, "vrH:")) != -1) {
        if (letter == 'v') {
            tool_print_version();
        } else if (letter == 'r') {
            is_random = true;
        } else if (letter == 'H') {
            home = optarg;
        } else {
            fail_usage();
        }
    }
    if (optind == argc) {
        fail_usage();
    }
    tool_start(&tool, "vpasswd", home);
    struct userdb_record known;
    if (!tool_find_mailbox(argv[optind], &email, &entry) || admin_find_user(&tool, &email, &entry, &known) == 0) {
        tool_fail(VA_USER_DOES_NOT_EXIST, "vuserinfo -D DOMAIN lists a domain's mailboxes, vadduser adds one");
    }
    char *given = optind + 1 < argc ? argv[optind + 1] : NULL;
    /* A password on the command line counts more than -r, as ever. */
    is_random = is_random && given == NULL;
    if (!(is_random ? tool_random_password(NULL, &password) : tool_get_password(given, argv[optind], &password))) {
        tool_fail_with(255, "Error: No password entered", "give it as the second argument, or -r, or use a terminal");
    }
    tool_hash_password(password.s, &hash);
    struct admin_user user = {.email = &email, .entry = &entry, .hash = hash.s};
    enum va result = admin_set_password(&tool, &user, &why);
    if (result != VA_SUCCESS) {
        tool_fail(result, str_text(&why));
    }
    if (is_random) {
        printf("Random password: %s\n", password.s);
    }
    return 0;
}
