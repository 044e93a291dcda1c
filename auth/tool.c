/* SPDX-License-Identifier: ISC */
/* The frame of the administration tools. Folders say who owns what (CONTRACTS, users and modes), so a private instance with other
 * user names needs no table. The rule that is kept here: root never opens a name in a folder that another user may write. */
#include "auth/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/textfile.h"
#include "lib/control.h"
#include "lib/die.h"
#include "lib/str.h"

#ifndef STAFET_VERSION
#define STAFET_VERSION "stafet 1.0"
#endif

/* A folder's owner; a folder that is not there, nor at its other place, belongs to whom the home belongs. */
static struct tool_identity owner_of(const char *name, const char *other, const struct stat *home)
{
    struct stat st;
    bool is_there = (stat(name, &st) == 0 && S_ISDIR(st.st_mode)) || (stat(other, &st) == 0 && S_ISDIR(st.st_mode));
    if (!is_there) {
        st = *home;
    }
    return (struct tool_identity){st.st_uid, st.st_gid, st.st_gid};
}

/* Root in a home folder of somebody else becomes that somebody for good. */
static void become_owner(const struct stat *home)
{
    if (geteuid() != 0 || home->st_uid == 0) {
        return;
    }
    const struct passwd *user = getpwuid(home->st_uid);
    gid_t gid = user == NULL ? home->st_gid : user->pw_gid;
    int groups = user == NULL ? setgroups(1, &gid) : initgroups(user->pw_name, gid);
    if (groups < 0 || setgid(gid) < 0 || setuid(home->st_uid) < 0) {
        die_temporary("cannot become the home folder's owner, uid %lu", (unsigned long)home->st_uid);
    }
}

/* Files of the tools keep to themselves; what others read is given its mode by name. */
void tool_start(struct tool *tool, const char *name, const char *home)
{
    struct stat st;
    program_start(name);
    umask(077);
    if (home == NULL) {
        home = getenv("STAFET_HOME");
    }
    if (home == NULL || home[0] == '\0') {
        home = STAFET_HOME;
    }
    if (chdir(home) < 0 || stat(".", &st) < 0) {
        die_temporary("cannot enter the home folder %s: name it with -H DIR or STAFET_HOME", home);
    }
    become_owner(&st);
    tool->home = getcwd(NULL, 0);
    if (tool->home == NULL) {
        die_temporary("cannot tell the home folder's absolute name");
    }
    tool->mail = owner_of("domains", VPOPMAIL_HOME "/domains", &st);
    tool->auth = owner_of("auth", "", &st);
    const struct passwd *user = getpwuid(tool->auth.uid);
    tool->auth.gid = user == NULL ? tool->auth.gid : user->pw_gid;
    tool->auth.extra_group = tool->mail.gid;
    tool->is_shared = tool->mail.uid != tool->auth.uid;
    if (geteuid() == 0 && tool->auth.uid == 0 && tool->mail.uid != 0) {
        errno = 0;
        die_temporary(
            "auth/ is missing or belongs to root: passwords lie in folders of another user, and root opens nothing there; "
            "give auth/ to the user that authd runs as");
    }
}

void tool_print_version(void)
{
    printf("version: %s\n", STAFET_VERSION);
}

struct tool_identity tool_domain_identity(const struct tool *tool, const struct assign_entry *entry)
{
    if (geteuid() != 0) {
        return tool->mail;
    }
    if (entry->uid == 0 && tool->mail.uid != 0) {
        tool_fail(VA_BAD_UID, "users/assign gives the domain to root, who opens no folder of mail: write another uid there");
    }
    return (struct tool_identity){entry->uid, tool->mail.gid, tool->mail.gid};
}

static void become(const struct tool_identity *who)
{
    if (setgroups(1, &who->extra_group) < 0 || setgid(who->gid) < 0 || setuid(who->uid) < 0) {
        _exit(va_exit_code(VA_BAD_UID));
    }
}

static _Noreturn void work_in_child(const struct tool_identity *who, enum va (*work)(void *, stralloc *), void *ctx, int fd)
{
    stralloc out = STRALLOC_ZERO;
    if (geteuid() == 0) {
        become(who);
    }
    enum va result = work(ctx, &out);
    for (size_t done = 0; done < out.len;) {
        ssize_t n = write(fd, out.s + done, out.len - done);
        if (n < 0 && errno != EINTR) {
            _exit(va_exit_code(VA_COULD_NOT_UPDATE_FILE));
        }
        done += n > 0 ? (size_t)n : 0;
    }
    _exit(va_exit_code(result));
}

enum va tool_run_as(const struct tool_identity *who, enum va (*work)(void *ctx, stralloc *out), void *ctx, stralloc *out)
{
    return geteuid() != 0 || who->uid == 0 ? work(ctx, out) : tool_run_in_child(who, work, ctx, out);
}

enum va tool_run_in_child(const struct tool_identity *who, enum va (*work)(void *ctx, stralloc *out), void *ctx, stralloc *out)
{
    int ends[2];
    fflush(NULL);
    if (pipe(ends) < 0) {
        die_temporary("cannot make a pipe");
    }
    pid_t child = fork();
    if (child < 0) {
        die_temporary("cannot fork");
    }
    if (child == 0) {
        close(ends[0]);
        work_in_child(who, work, ctx, ends[1]);
    }
    close(ends[1]);
    int status = 0, result = textfile_read(ends[0], out);
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (result < 0 || !WIFEXITED(status)) {
        die_temporary("the child that works as uid %lu died", (unsigned long)who->uid);
    }
    return va_from_exit_code(WEXITSTATUS(status));
}

void tool_fail_with(int exit_code, const char *said, const char *why)
{
    printf("%s\n", said);
    fflush(stdout);
    if (why != NULL && why[0] != '\0') {
        stralloc line = STRALLOC_ZERO;
        str_catf(&line, "%s: ", program_name());
        str_cat_printable(&line, why, strlen(why));
        fprintf(stderr, "%s\n", str_text(&line));
        stralloc_free(&line);
    }
    exit(exit_code);
}

void tool_fail(enum va code, const char *why)
{
    char said[160];
    snprintf(said, sizeof said, "Error: %s", va_words(code));
    tool_fail_with(va_exit_code(code), said, why);
}

bool tool_find_domain(const char *text, char *domain, struct assign_entry *entry)
{
    static const char damaged[] = "users/cdb is damaged: remove it, and the next vadddomain writes it anew from users/assign";
    struct assign assign;
    struct names_fault fault = names_check_domain(text, domain);
    if (fault.code != VA_SUCCESS) {
        tool_fail(fault.code, fault.why);
    }
    if (assign_open(&assign, AT_FDCWD) < 0) {
        if (errno == ENOENT) {
            return false;
        }
        tool_fail(VA_CANNOT_READ_ASSIGN, errno == EPERM    ? "users/cdb belongs to somebody else, or others may write it"
                                         : errno == EPROTO ? damaged
                                                           : strerror(errno));
    }
    int found = assign_find_domain(&assign, domain, strlen(domain), entry);
    assign_close(&assign);
    if (found < 0) {
        tool_fail(VA_CANNOT_READ_ASSIGN, damaged);
    }
    return found == 1;
}

bool tool_find_mailbox(const char *text, struct names_email *email, struct assign_entry *entry)
{
    char domain[NAMES_DOMAIN_MAX + 1];
    struct names_fault fault = names_check_email(text, email);
    if (fault.code != VA_SUCCESS) {
        tool_fail(fault.code, fault.why);
    }
    if (email->domain[0] == '\0' || !tool_find_domain(email->domain, domain, entry)) {
        return false;
    }
    /* An alias domain's mailboxes are those of the real one. */
    if (strlen(entry->user) > NAMES_DOMAIN_MAX) {
        tool_fail(VA_CANNOT_READ_ASSIGN, "the real domain's name is too long");
    }
    memcpy(email->domain, entry->user, strlen(entry->user) + 1);
    return true;
}
