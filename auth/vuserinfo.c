/* SPDX-License-Identifier: ISC */
/* Shows a mailbox or all of a domain: vuserinfo(8). Records come from vpasswd (as its owner), usage and last login from the
 * folders (as the domain's user). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/admin.h"
#include "auth/limits.h"
#include "auth/textfile.h"
#include "auth/tool.h"
#include "auth/userinfo.h"
#include "lib/str.h"

struct job {
    const struct tool *tool;
    const char *folder;
    stralloc records; /* lines of vpasswd */
};

static _Noreturn void fail_usage(void)
{
    fputs("vuserinfo: usage: [options] email_address\n"
          "options: -v (print version number)\n"
          "         -a (display all fields, this is the default)\n"
          "         -n (display name field)\n"
          "         -p (display crypted password)\n"
          "         -u (display uid field)\n"
          "         -g (display gid field)\n"
          "         -c (display comment field)\n"
          "         -d (display directory)\n"
          "         -q (display quota field)\n"
          "         -Q (display quota usage)\n"
          "         -C (display clear text password)\n"
          "         -l (display last authentication time)\n"
          "         -D domainname (show all users on this domain)\n"
          "         -H dir (the home folder of this installation)\n",
          stdout);
    exit(255);
}

static unsigned field_of(int letter)
{
    static const struct {
        char letter;
        unsigned field;
    } letters[] = {
        {'n', USERINFO_NAME}, {'p', USERINFO_PASSWORD}, {'u', USERINFO_UID},   {'g', USERINFO_GID},  {'c', USERINFO_COMMENT},
        {'d', USERINFO_DIR},  {'q', USERINFO_QUOTA},    {'Q', USERINFO_USAGE}, {'l', USERINFO_LAST}, {'C', USERINFO_CLEAR},
    };
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (letters[i].letter == letter) {
            return letters[i].field;
        }
    }
    return 0;
}

/* The next record of the lines; false at the end. */
static bool next_record(const stralloc *lines, size_t *at, struct userdb_record *out)
{
    const char *line;
    size_t n;
    while (textfile_next_line(lines->s, lines->len, at, &line, &n)) {
        if (userdb_parse_line(line, n, out)) {
            return true;
        }
    }
    return false;
}

/* The domain's limits, then the facts of each record, as they lie in memory: both ends are this program. */
static enum va find_facts(void *ctx, stralloc *out)
{
    const struct job *job = ctx;
    struct limits limits = {.flags = 0};
    struct userdb_record record;
    if (limits_load(AT_FDCWD, job->folder, &limits) < 0) {
        str_cats(out, "cannot read the domain's limits (.qmailadmin-limits, etc/vlimits.default)");
        return VA_COULD_NOT_OPEN_DOT_QMAIL;
    }
    str_cat(out, (const char *)&limits, sizeof limits);
    for (size_t at = 0; next_record(&job->records, &at, &record);) {
        struct userinfo_facts facts;
        userinfo_find(&record, userdb_relative_dir(record.dir, job->tool->home), &facts);
        str_cat(out, (const char *)&facts, sizeof facts);
    }
    return VA_SUCCESS;
}

static void show(struct job *job, const struct assign_entry *entry, unsigned view, bool has_rulers)
{
    struct tool_identity owner = tool_domain_identity(job->tool, entry);
    stralloc facts = STRALLOC_ZERO;
    struct limits limits;
    struct userdb_record record;
    enum va result = tool_run_as(&owner, find_facts, job, &facts);
    if (result != VA_SUCCESS) {
        tool_fail(result, str_text(&facts));
    }
    size_t used = sizeof limits;
    memcpy(&limits, facts.s, sizeof limits);
    for (size_t at = 0; next_record(&job->records, &at, &record) && used < facts.len; used += sizeof(struct userinfo_facts)) {
        struct userinfo_facts one;
        memcpy(&one, facts.s + used, sizeof one);
        if (has_rulers) {
            printf("------------------------------------------\n");
        }
        userinfo_show(&record, limits_flags(&limits, record.flags), &one, view);
    }
    stralloc_free(&facts);
}

static void show_domain(const struct tool *tool, const char *name, unsigned view)
{
    char domain[NAMES_DOMAIN_MAX + 1];
    struct assign_entry entry;
    if (!tool_find_domain(name, domain, &entry)) {
        tool_fail(VA_DOMAIN_DOES_NOT_EXIST, "vdominfo lists the domains");
    }
    struct job job = {.tool = tool, .folder = admin_folder(tool, &entry)};
    admin_list_users(tool, &entry, &job.records);
    show(&job, &entry, view, true);
}

static void show_mailbox(const struct tool *tool, const char *text, unsigned view)
{
    struct names_email email;
    struct assign_entry entry;
    struct userdb_record record;
    stralloc said = STRALLOC_ZERO;
    if (!tool_find_mailbox(text, &email, &entry) || admin_find_user(tool, &email, &entry, &record) == 0) {
        str_catf(&said, "no such user %s%s%s", email.user, email.domain[0] == '\0' ? "" : "@", email.domain);
        tool_fail_with(255, str_text(&said), "vuserinfo -D DOMAIN shows a domain's mailboxes");
    }
    struct job job = {.tool = tool, .folder = admin_folder(tool, &entry)};
    userdb_append_line(&job.records, &record);
    show(&job, &entry, view, false);
}

int main(int argc, char **argv)
{
    const char *home = NULL, *domain = NULL;
    unsigned view = USERINFO_ALL;
    struct tool tool;
    int letter;
    while ((letter = getopt(argc, argv, "anpugcdqQvlD:CH:")) != -1) {
        if (letter == 'v') {
            tool_print_version();
        } else if (letter == 'D') {
            domain = optarg;
        } else if (letter == 'H') {
            home = optarg;
        } else if (letter == 'a') {
            view |= USERINFO_ALL;
        } else if (field_of(letter) != 0) {
            view = (view & ~(unsigned)USERINFO_ALL) | field_of(letter);
        } else {
            fail_usage();
        }
    }
    if (optind == argc && domain == NULL) {
        fail_usage();
    }
    tool_start(&tool, "vuserinfo", home);
    if (domain != NULL) {
        show_domain(&tool, domain, view);
    } else {
        show_mailbox(&tool, argv[optind], view);
    }
    return 0;
}
