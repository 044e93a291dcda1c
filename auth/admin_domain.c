/* SPDX-License-Identifier: ISC */
/* Domains: added and removed (admin.h). A domain's mail is taken from the moment its rcpthosts line is there, so that line comes
 * last and goes first. */
#include "auth/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/assign_write.h"
#include "auth/domains.h"
#include "auth/folder.h"
#include "auth/userdb_write.h"
#include "lib/address.h"
#include "lib/str.h"

struct job {
    const struct tool *tool;
    const struct admin_domain *request;
    const char *folder;
    struct assign_domain domain;
    struct userdb_record postmaster;
    stralloc line; /* .qmail-default */
};

/* `| HOME/bin/vdelivermail '' ACTION`: a shell may read it, so nothing in it may mean anything to a shell. */
static enum va make_default_line(struct job *job, stralloc *why)
{
    const char *catchall = job->request->catchall;
    str_catf(&job->line, "| %s/bin/vdelivermail '' ", job->tool->home);
    if (catchall == NULL) {
        str_cats(&job->line, "bounce-no-mailbox");
        (void)str_text(&job->line);
        return VA_SUCCESS;
    }
    bool is_address = strchr(catchall, '@') != NULL;
    char user[NAMES_USER_MAX + 1];
    if (!names_is_shell_safe(catchall) || strlen(catchall) > 300 ||
        (is_address ? address_check(catchall, strlen(catchall), false) != ADDRESS_GOOD
                    : names_check_user(catchall, user).code != VA_SUCCESS)) {
        str_cats(why, "the catch-all is an address or a mailbox of the domain, of letters, digits and . _ + = @ - only: it "
                      "stands in a line "
                      "that a shell may read");
        return VA_INVALID_EMAIL_CHAR;
    }
    if (!is_address) {
        str_catf(&job->line, "%s/", job->domain.entry.home);
    }
    str_cats(&job->line, is_address ? catchall : user);
    (void)str_text(&job->line);
    return VA_SUCCESS;
}

static enum va fill_entry(struct job *job, stralloc *why)
{
    const struct admin_domain *request = job->request;
    if (!names_is_shell_safe(job->tool->home)) {
        str_cats(why, "the home folder's name goes into .qmail files: only letters, digits and . _ + = , : @ - / may be in it");
        return VA_BAD_DIR;
    }
    const char *parent = request->parent == NULL ? job->tool->home : request->parent;
    stralloc home = STRALLOC_ZERO;
    str_catf(&home, "%s/domains/%s", parent, request->name);
    struct assign_entry *entry = &job->domain.entry;
    *entry = (struct assign_entry){.dash = "-"};
    entry->uid = request->has_owner ? request->uid : job->tool->mail.uid;
    entry->gid = request->has_owner ? request->gid : job->tool->mail.gid;
    bool fits = home.len < 160 && parent[0] == '/' && names_is_shell_safe(parent) && strchr(parent, ':') == NULL;
    if (fits) {
        memcpy(entry->home, str_text(&home), home.len + 1);
        memcpy(entry->user, request->name, strlen(request->name) + 1);
        memcpy(job->domain.name, request->name, strlen(request->name) + 1);
    } else {
        str_cats(
            why,
            "the domain's folder is an absolute name of at most 160 characters, of letters, digits and . _ + = , @ - / only: ");
        str_cat(why, home.s, home.len);
    }
    stralloc_free(&home);
    return fits ? VA_SUCCESS : VA_DIR_TOO_LONG;
}

static enum va make_folders(void *ctx, stralloc *out)
{
    struct job *job = ctx;
    enum va result = folder_create_domain(job->folder, job->line.s, job->tool->is_shared || job->request->has_owner, out);
    if (result != VA_SUCCESS) {
        return result;
    }
    return folder_create_user(job->folder, "postmaster", out);
}

static enum va remove_folders(void *ctx, stralloc *out)
{
    const struct job *job = ctx;
    return folder_remove_tree(job->folder, out);
}

static enum va make_passwords(void *ctx, stralloc *out)
{
    struct job *job = ctx;
    return admin_explain_write(userdb_create(AT_FDCWD, job->folder, &job->postmaster), out);
}

static enum va explain_change(const char *file, stralloc *why)
{
    str_catf(why, "cannot change %s: %s", file,
             errno == EBADMSG ? "it has a line that is not understood, see the warning" : strerror(errno));
    return errno == EAGAIN ? VA_BUSY : VA_COULD_NOT_UPDATE_FILE;
}

static enum va publish(const struct job *job, stralloc *why)
{
    const char *file = "users/assign";
    bool is_assigned = assign_add_domain(AT_FDCWD, &job->domain) == 0;
    if (is_assigned && domains_add(AT_FDCWD, job->domain.name, &file) == 0) {
        return VA_SUCCESS;
    }
    bool is_untouched = !is_assigned && errno == EBADMSG;
    enum va result = explain_change(file, why);
    if (is_untouched) {
        return result;
    }
    /* Each of the three, whatever becomes of the others. */
    const char *mail_file, *route_file;
    bool is_mail_left = domains_stop_mail(AT_FDCWD, job->domain.name, &mail_file) < 0;
    bool is_route_left = domains_remove(AT_FDCWD, job->domain.name, &route_file) < 0;
    bool is_assign_left = assign_remove_domain(AT_FDCWD, job->domain.name) < 0;
    if (is_mail_left || is_route_left || is_assign_left) {
        str_catf(why, "; taking it back failed too, look into %s",
                 is_mail_left    ? mail_file
                 : is_route_left ? route_file
                                 : "users/assign");
    }
    return result;
}

static enum va fill_postmaster(struct job *job, stralloc *why)
{
    struct userdb_record *record = &job->postmaster;
    const char *quota = job->request->quota == NULL ? "NOQUOTA" : job->request->quota;
    stralloc dir = STRALLOC_ZERO;
    str_catf(&dir, "%s/postmaster", job->domain.entry.home);
    *record = (struct userdb_record){.name = "postmaster", .uid = 1, .gecos = "Postmaster"};
    bool fits = strlen(job->request->hash) < sizeof record->password && strlen(quota) < sizeof record->quota &&
                dir.len < sizeof record->dir;
    if (fits) {
        memcpy(record->password, job->request->hash, strlen(job->request->hash) + 1);
        memcpy(record->quota, quota, strlen(quota) + 1);
        memcpy(record->dir, str_text(&dir), dir.len + 1);
    } else {
        str_cats(why, "postmaster's line in vpasswd would be too long");
    }
    stralloc_free(&dir);
    return fits ? VA_SUCCESS : VA_DIR_TOO_LONG;
}

/* domains/ of the home folder is the one folder of mail that root makes: it lies in root's own. */
static void make_domains_folder(const struct tool *tool)
{
    if (mkdir("domains", 0755) == 0 &&
        (chmod("domains", tool->is_shared ? 0755 : 0700) < 0 || chown("domains", tool->mail.uid, tool->mail.gid) < 0)) {
        (void)rmdir("domains");
    }
}

static enum va add_locked(struct job *job, stralloc *why)
{
    struct tool_identity owner = tool_domain_identity(job->tool, &job->domain.entry);
    enum va result = tool_run_as(&owner, make_folders, job, why);
    if (result != VA_SUCCESS) {
        return result;
    }
    result = tool_run_as(&job->tool->auth, make_passwords, job, why);
    if (result == VA_SUCCESS) {
        result = publish(job, why);
    }
    if (result != VA_SUCCESS) {
        stralloc ignored = STRALLOC_ZERO;
        (void)tool_run_as(&owner, remove_folders, job, &ignored);
        stralloc_free(&ignored);
    }
    return result;
}

enum va admin_add_domain(const struct tool *tool, const struct admin_domain *request, stralloc *why)
{
    struct job job = {.tool = tool, .request = request};
    struct assign_entry known;
    char name[NAMES_DOMAIN_MAX + 1];
    enum va result = fill_entry(&job, why);
    if (result == VA_SUCCESS) {
        result = make_default_line(&job, why);
    }
    if (result == VA_SUCCESS) {
        result = fill_postmaster(&job, why);
    }
    if (result != VA_SUCCESS) {
        return result;
    }
    job.folder = userdb_relative_dir(job.domain.entry.home, tool->home);
    int lock = domains_lock(AT_FDCWD);
    if (lock < 0) {
        return explain_change("users/assign.lock", why);
    }
    if (request->parent == NULL) {
        make_domains_folder(tool);
    }
    result = tool_find_domain(request->name, name, &known) ? VA_DOMAIN_ALREADY_EXISTS : add_locked(&job, why);
    close(lock);
    stralloc_free(&job.line);
    return result;
}

struct alias_list {
    const char *real;
    stralloc names; /* each with its NUL */
};

static void collect_alias(const struct assign_domain *domain, void *ctx)
{
    struct alias_list *list = ctx;
    if (assign_domain_is_alias(domain) && strcmp(domain->entry.user, list->real) == 0) {
        str_cat(&list->names, domain->name, strlen(domain->name) + 1);
    }
}

/* Mail is refused first, then nothing routes to it, then it has no files, then nobody knows it. */
static enum va delete_locked(struct job *job, const char *name, bool is_alias, stralloc *why)
{
    const char *file;
    if (domains_stop_mail(AT_FDCWD, name, &file) < 0 || domains_remove(AT_FDCWD, name, &file) < 0) {
        return explain_change(file, why);
    }
    enum va result = VA_SUCCESS;
    if (!is_alias) {
        struct tool_identity owner = tool_domain_identity(job->tool, &job->domain.entry);
        result = tool_run_as(&owner, remove_folders, job, why);
    }
    if (result == VA_SUCCESS && assign_remove_domain(AT_FDCWD, name) < 0) {
        result = explain_change("users/assign", why);
    }
    return result;
}

/* A line of users/assign that a person wrote could name any folder: only one that is named like the domain is removed. */
static bool is_own_folder(const char *folder, const char *name)
{
    const char *slash = strrchr(folder, '/');
    return slash != NULL && strcmp(slash + 1, name) == 0;
}

enum va admin_delete_domain(const struct tool *tool, const char *name, const struct assign_entry *entry, stralloc *why)
{
    struct job job = {.tool = tool, .domain = {.entry = *entry}, .folder = admin_folder(tool, entry)};
    struct alias_list aliases = {.real = name};
    bool is_alias = strcmp(name, entry->user) != 0;
    if (!is_alias && !is_own_folder(job.folder, name)) {
        str_catf(why, "users/assign gives the domain the folder %s, which has not its name: remove it by hand", entry->home);
        return VA_BAD_V_DIR;
    }
    int lock = domains_lock(AT_FDCWD);
    if (lock < 0) {
        return explain_change("users/assign.lock", why);
    }
    enum va result = VA_SUCCESS;
    if (!is_alias && assign_each_domain(AT_FDCWD, collect_alias, &aliases) < 0) {
        result = explain_change("users/assign", why);
    }
    for (size_t at = 0; result == VA_SUCCESS && at < aliases.names.len; at += strlen(aliases.names.s + at) + 1) {
        result = delete_locked(&job, aliases.names.s + at, true, why);
    }
    if (result == VA_SUCCESS) {
        result = delete_locked(&job, name, is_alias, why);
    }
    close(lock);
    stralloc_free(&aliases.names);
    return result;
}
