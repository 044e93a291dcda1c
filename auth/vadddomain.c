/* SPDX-License-Identifier: ISC */
/* Adds a virtual domain with its postmaster: vadddomain(8). Everything it does stands in admin_add_domain(). */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/admin.h"
#include "auth/tool.h"
#include "lib/die.h"
#include "lib/scan.h"
#include "lib/str.h"

struct options {
    const char *home, *user, *quota, *length;
    bool is_random;
    struct admin_domain domain;
};

static const char usage_text[] = "vadddomain: usage: vadddomain [options] virtual_domain [postmaster password]\n"
                                 "options: -v prints the version\n"
                                 "         -q quota_in_bytes (sets the quota for postmaster account)\n"
                                 "         -b (bounces all mail that doesn't match a user, default)\n"
                                 "         -e email_address (forwards all non matching user to this address [*])\n"
                                 "         -u user (sets the uid/gid based on a user in /etc/passwd)\n"
                                 "         -d dir (sets the dir to use for this domain)\n"
                                 "         -i uid (sets the uid to use for this domain)\n"
                                 "         -g gid (sets the gid to use for this domain)\n"
                                 "         -O optimize adding, for bulk adds set this for all\n"
                                 "            except the last one\n"
                                 "         -r[len] (generate a len (default 12) char random postmaster password)\n"
                                 "         -H dir (the home folder of this installation)\n"
                                 "\n"
                                 " [*] omit @-sign to deliver directly into user's Maildir: '-e postmaster'\n";

static _Noreturn void fail_usage(int code)
{
    fputs(usage_text, stdout);
    exit(code);
}

static uint32_t parse_id(const char *text)
{
    uint64_t id;
    if (!scan_decimal_text(text, UINT32_MAX - 1, &id)) {
        tool_fail_with(255, "Error: not a number", text);
    }
    return (uint32_t)id;
}

static void take_option(int letter, struct options *options)
{
    struct admin_domain *domain = &options->domain;
    switch (letter) {
    case 'v':
        tool_print_version();
        break;
    case 'q':
        options->quota = optarg;
        break;
    case 'b':
    case 'O': /* nothing is left to optimize: no program is signalled */
        break;
    case 'e':
        domain->catchall = optarg;
        break;
    case 'u':
        options->user = optarg;
        break;
    case 'd':
        domain->parent = optarg;
        break;
    case 'i':
        domain->uid = parse_id(optarg);
        domain->has_owner = true;
        break;
    case 'g':
        domain->gid = parse_id(optarg);
        break;
    case 'r':
        options->is_random = true;
        options->length = optarg;
        break;
    case 'H':
        options->home = optarg;
        break;
    default:
        fail_usage(255);
    }
}

/* -u: uid, gid and, without -d, the folder of a system user. */
static void take_system_user(struct options *options, const struct tool *tool)
{
    struct admin_domain *domain = &options->domain;
    if (options->user != NULL) {
        const struct passwd *user = getpwnam(options->user);
        if (user == NULL) {
            stralloc said = STRALLOC_ZERO;
            str_catf(&said, "Error: user %s not found in /etc/passwd", options->user);
            tool_fail_with(255, str_text(&said), NULL);
        }
        domain->has_owner = true;
        domain->uid = user->pw_uid;
        domain->gid = user->pw_gid;
        domain->parent = domain->parent == NULL ? user->pw_dir : domain->parent;
    }
    if (domain->has_owner && domain->uid == 0 && tool->mail.uid != 0) {
        tool_fail(VA_BAD_UID, "root owns no mail: every delivery would run as root");
    }
    if (domain->has_owner && geteuid() != 0 && domain->uid != geteuid()) {
        tool_fail(VA_BAD_UID, "only root can add a domain for another user");
    }
    if (domain->has_owner && domain->gid == 0) {
        domain->gid = tool->mail.gid;
    }
}

static void get_password(const struct options *options, char *argument, stralloc *password)
{
    if (options->is_random && argument != NULL) {
        tool_fail_with(255, "Error: don't use -r option when giving password on command line", NULL);
    }
    if (options->is_random) {
        if (!tool_random_password(options->length, password)) {
            tool_fail(VA_PASSWD_TOO_LONG, "-r takes a length from 1 to 128");
        }
        return;
    }
    if (!tool_get_password(argument, "postmaster", password)) {
        tool_fail_with(255, "Error: No password entered",
                       "give postmaster's password as the second argument, or -r, or use a terminal");
    }
}

static void normal_quota(const struct options *options, stralloc *quota)
{
    if (options->quota != NULL && !admin_normal_quota(options->quota, quota)) {
        tool_fail(VA_BAD_QUOTA, "write NOQUOTA, bytes as 10485760 or 10M, messages as 1000C, or both as 10M,1000C");
    }
}

int main(int argc, char **argv)
{
    struct options options = {.home = NULL};
    struct tool tool;
    struct assign_entry known;
    stralloc password = STRALLOC_ZERO, hash = STRALLOC_ZERO, quota = STRALLOC_ZERO, why = STRALLOC_ZERO;
    int letter;
    program_start("vadddomain");
    while ((letter = getopt(argc, argv, "q:be:u:vi:g:d:Or::H:")) != -1) {
        take_option(letter, &options);
    }
    if (optind == argc) {
        fail_usage(0);
    }
    tool_start(&tool, "vadddomain", options.home);
    if (tool_find_domain(argv[optind], options.domain.name, &known)) {
        tool_fail(VA_DOMAIN_ALREADY_EXISTS, "vdominfo shows it");
    }
    take_system_user(&options, &tool);
    normal_quota(&options, &quota);
    options.domain.quota = options.quota == NULL ? NULL : quota.s;
    get_password(&options, optind + 1 < argc ? argv[optind + 1] : NULL, &password);
    tool_hash_password(password.s, &hash);
    options.domain.hash = hash.s;
    enum va result = admin_add_domain(&tool, &options.domain, &why);
    if (result != VA_SUCCESS) {
        tool_fail(result, str_text(&why));
    }
    if (options.is_random) {
        printf("Random password: %s\n", password.s);
    }
    return 0;
}
