/* SPDX-License-Identifier: ISC */
/* Adds a mailbox: vadduser(8). Everything it does stands in admin_add_user(). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/admin.h"
#include "auth/tool.h"
#include "lib/str.h"

struct options {
    const char *home, *quota, *gecos, *crypted, *length;
    bool is_random, has_no_password;
};

static const char usage_text[] = "vadduser: usage: [options] email_address [passwd]\n"
                                 "options: -v (print the version)\n"
                                 "         -q quota_in_bytes (sets the users quota, use NOQUOTA for unlimited)\n"
                                 "         -c comment (sets the gecos comment field)\n"
                                 "         -e standard_encrypted_password\n"
                                 "         -n no_password\n"
                                 "         -r[len] (generate a len (default 12) char random password)\n"
                                 "         -H dir (the home folder of this installation)\n";

static _Noreturn void fail_usage(void)
{
    fputs(usage_text, stdout);
    exit(255);
}

static void take_option(int letter, struct options *options)
{
    switch (letter) {
    case 'v':
        tool_print_version();
        break;
    case 'c':
        options->gecos = optarg;
        break;
    case 'q':
        options->quota = optarg;
        break;
    case 'e':
        options->crypted = optarg;
        break;
    case 's':
        fprintf(stderr, "Warning: The -s option has been disabled.\n");
        break;
    case 'n':
        options->has_no_password = true;
        break;
    case 'r':
        options->is_random = true;
        options->length = optarg;
        break;
    case 'H':
        options->home = optarg;
        break;
    default:
        fail_usage();
    }
}

/* The hash as it will stand in vpasswd; the password itself only for -r's message. */
static void get_hash(const struct options *options, char *argument, const char *whom, stralloc *password, stralloc *hash)
{
    if (options->is_random && argument != NULL && !options->has_no_password) {
        tool_fail_with(255, "Error: don't use -r option when giving password on command line", NULL);
    }
    (void)str_text(hash);
    if (options->crypted != NULL) {
        if (strlen(options->crypted) > 128 || strpbrk(options->crypted, ":\r\n\t ") != NULL) {
            tool_fail(VA_BAD_CHAR, "-e takes a hash of crypt(3): at most 128 characters, no colon, blank or line end");
        }
        str_cats(hash, options->crypted);
        (void)str_text(hash);
        return;
    }
    if (options->has_no_password) {
        return;
    }
    bool is_there =
        options->is_random ? tool_random_password(options->length, password) : tool_get_password(argument, whom, password);
    if (!is_there && options->is_random) {
        tool_fail(VA_PASSWD_TOO_LONG, "-r takes a length from 1 to 128");
    }
    if (!is_there) {
        printf("Error: No password entered\n");
        fail_usage();
    }
    tool_hash_password(password->s, hash);
}

static void check_texts(struct options *options, const char *user, stralloc *quota)
{
    if (options->gecos == NULL || options->gecos[0] == '\0') {
        options->gecos = user;
    }
    struct names_fault fault = names_check_gecos(options->gecos);
    if (fault.code != VA_SUCCESS) {
        tool_fail(fault.code, fault.why);
    }
    if (options->quota != NULL && !admin_normal_quota(options->quota, quota)) {
        tool_fail(VA_BAD_QUOTA, "write NOQUOTA, bytes as 10485760 or 10M, messages as 1000C, or both as 10M,1000C");
    }
}

static void find_domain(const char *text, struct names_email *email, struct assign_entry *entry)
{
    if (tool_find_mailbox(text, email, entry)) {
        return;
    }
    if (email->domain[0] == '\0') {
        tool_fail_with(255, "You did not use a full email address for the user name\nOnly full email addresses should be used",
                       "write user@domain");
    }
    tool_fail_with(255, "Error: Domain does not exist", "vdominfo lists the domains, vadddomain adds one");
}

int main(int argc, char **argv)
{
    struct options options = {.home = NULL};
    struct tool tool;
    struct names_email email;
    struct assign_entry entry;
    struct userdb_record known;
    stralloc password = STRALLOC_ZERO, hash = STRALLOC_ZERO, quota = STRALLOC_ZERO, why = STRALLOC_ZERO;
    int letter;
    while ((letter = getopt(argc, argv, "svc:nq:e:r::H:")) != -1) {
        take_option(letter, &options);
    }
    if (optind == argc) {
        fail_usage();
    }
    tool_start(&tool, "vadduser", options.home);
    find_domain(argv[optind], &email, &entry);
    check_texts(&options, email.user, &quota);
    if (admin_find_user(&tool, &email, &entry, &known) == 1) {
        tool_fail_with(255, "Error: User already exists", "vuserinfo shows it, vpasswd gives it another password");
    }
    get_hash(&options, optind + 1 < argc ? argv[optind + 1] : NULL, argv[optind], &password, &hash);
    struct admin_user user = {&email, &entry, options.gecos, options.quota == NULL ? NULL : quota.s, hash.s};
    enum va result = admin_add_user(&tool, &user, &why);
    if (result != VA_SUCCESS) {
        tool_fail(result, str_text(&why));
    }
    if (options.is_random) {
        printf("Random password: %s\n", password.s);
    }
    return 0;
}
