/* SPDX-License-Identifier: ISC */
/* Mailboxes: added, removed, given another password (admin.h). */
#include "auth/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "auth/folder.h"
#include "auth/limits.h"
#include "auth/userdb_write.h"
#include "lib/control.h"
#include "lib/die.h"
#include "lib/quota.h"
#include "lib/str.h"

const char *admin_folder(const struct tool *tool, const struct assign_entry *entry)
{
    return userdb_relative_dir(entry->home, tool->home);
}

bool admin_normal_quota(const char *text, stralloc *out)
{
    struct quota quota;
    if (!quota_parse(text, strlen(text), &quota)) {
        return false;
    }
    quota_format(out, &quota);
    (void)str_text(out);
    return true;
}

enum va admin_explain_write(int result, stralloc *why)
{
    switch ((enum userdb_write)result) {
    case USERDB_WRITE_DONE:
        return VA_SUCCESS;
    case USERDB_WRITE_EXISTS:
        return VA_USERNAME_EXISTS;
    case USERDB_WRITE_NONE:
        return VA_USER_DOES_NOT_EXIST;
    case USERDB_WRITE_POSTMASTER:
        str_cats(
            why,
            "every domain must have a postmaster whom people can write to (RFC 5321, 4.5.1): forward the mail instead, or remove "
            "the whole domain with vdeldomain");
        return VA_POSTMASTER_IS_KEPT;
    case USERDB_WRITE_TOO_LONG:
        str_cats(why, "the mailbox's line in vpasswd would have more than 511 bytes");
        return VA_DIR_TOO_LONG;
    case USERDB_WRITE_BAD:
        str_cats(why, "a field holds a colon or a control character, or the mailbox's line in vpasswd is damaged");
        return VA_BAD_FILE;
    case USERDB_WRITE_BUSY:
        str_cats(why, "the domain's vpasswd is locked for more than 30 seconds: look for a v tool that hangs, and try again");
        return VA_BUSY;
    case USERDB_WRITE_UNSAFE:
        str_cats(why, "vpasswd belongs to another user than auth/ does, has a second link, or others may write it: see the alert "
                      "(and INSTALL, 4)");
        return VA_NO_AUTH_CONNECTION;
    case USERDB_WRITE_ERROR:
        break;
    }
    str_cats(why, "cannot change vpasswd: ");
    str_cats(why, strerror(errno));
    return VA_COULD_NOT_UPDATE_FILE;
}

struct job {
    const struct tool *tool;
    const struct admin_user *user;
    const char *folder, *dir;
    struct userdb_record record;
};

static enum va find_record(void *ctx, stralloc *out)
{
    struct job *job = ctx;
    struct userdb_record record;
    switch (userdb_lookup(AT_FDCWD, job->folder, job->record.name, strlen(job->record.name), &record)) {
    case USERDB_FOUND:
        userdb_append_line(out, &record);
        return VA_SUCCESS;
    case USERDB_NONE:
        return VA_USER_DOES_NOT_EXIST;
    case USERDB_NO_CDB:
        str_cats(out, "vpasswd.cdb is missing: any change of a password makes it anew");
        return VA_NO_AUTH_CONNECTION;
    case USERDB_UNSAFE:
    case USERDB_DAMAGED:
    case USERDB_ERROR:
        break;
    }
    str_cats(out, "vpasswd.cdb cannot be used: see the alert");
    return VA_NO_AUTH_CONNECTION;
}

int admin_find_user(const struct tool *tool, const struct names_email *email, const struct assign_entry *entry,
                    struct userdb_record *out)
{
    struct job job = {.tool = tool, .folder = admin_folder(tool, entry)};
    stralloc line = STRALLOC_ZERO;
    memcpy(job.record.name, email->user, sizeof email->user);
    enum va result = tool_run_as(&tool->auth, find_record, &job, &line);
    if (result != VA_SUCCESS && result != VA_USER_DOES_NOT_EXIST) {
        tool_fail(result, str_text(&line));
    }
    bool is_found = result == VA_SUCCESS && line.len > 0 && userdb_parse_line(line.s, line.len - 1, out);
    stralloc_free(&line);
    return is_found ? 1 : 0;
}

static void put_line(const struct userdb_record *record, void *ctx)
{
    userdb_append_line(ctx, record);
}

static enum va list_records(void *ctx, stralloc *out)
{
    const struct job *job = ctx;
    if (userdb_each(AT_FDCWD, job->folder, put_line, out) < 0) {
        out->len = 0;
        str_cats(out, "cannot read the domain's vpasswd: ");
        str_cats(out, strerror(errno));
        return VA_NO_AUTH_CONNECTION;
    }
    return VA_SUCCESS;
}

void admin_list_users(const struct tool *tool, const struct assign_entry *entry, stralloc *out)
{
    struct job job = {.tool = tool, .folder = admin_folder(tool, entry)};
    enum va result = tool_run_as(&tool->auth, list_records, &job, out);
    if (result != VA_SUCCESS) {
        tool_fail(result, str_text(out));
    }
}

/* The domain's default, else the site's. */
static void put_default_quota(const struct limits *limits, stralloc *out)
{
    const char *site = NULL;
    const struct control_entry controls[] = {{"defaultquota", CONTROL_TEXT, "NOQUOTA", 0, 0, &site}, {0}};
    struct quota quota = {limits->default_quota, limits->default_count};
    if (quota_is_limited(&quota)) {
        quota_format(out, &quota);
        return;
    }
    if (control_load(controls) < 0) {
        die_temporary("cannot read control/defaultquota");
    }
    if (!admin_normal_quota(site, out)) {
        die_permanent("control/defaultquota: \"%s\" is no quota: write NOQUOTA, 100M or 100M,1000C", site);
    }
}

static enum va make_folder(void *ctx, stralloc *out)
{
    const struct job *job = ctx;
    struct limits limits;
    if (limits_load(AT_FDCWD, job->folder, &limits) < 0) {
        str_cats(out, "the domain's limits (.qmailadmin-limits, etc/vlimits.default) cannot be read: ");
        str_cats(out, strerror(errno));
        return VA_COULD_NOT_OPEN_DOT_QMAIL;
    }
    enum va result = folder_create_user(job->folder, job->record.name, out);
    if (result == VA_SUCCESS) {
        put_default_quota(&limits, out);
    }
    return result;
}

static enum va remove_folder(void *ctx, stralloc *out)
{
    const struct job *job = ctx;
    return folder_remove_user(job->folder, job->record.name, job->dir, out);
}

static enum va add_record(void *ctx, stralloc *out)
{
    const struct job *job = ctx;
    return admin_explain_write(userdb_add(AT_FDCWD, job->folder, &job->record), out);
}

static bool put(char *to, size_t size, const char *from)
{
    size_t n = strlen(from);
    if (n >= size) {
        return false;
    }
    memcpy(to, from, n + 1);
    return true;
}

/* Name, comment, hash, folder; the quota comes when the domain's limits have been read. */
static enum va fill_record(const struct admin_user *user, struct userdb_record *record, stralloc *why)
{
    stralloc dir = STRALLOC_ZERO;
    str_catf(&dir, "%s/%s", user->entry->home, user->email->user);
    *record = (struct userdb_record){.uid = 1};
    bool fits =
        put(record->name, sizeof record->name, user->email->user) && put(record->gecos, sizeof record->gecos, user->gecos) &&
        put(record->password, sizeof record->password, user->hash) && put(record->dir, sizeof record->dir, str_text(&dir));
    stralloc_free(&dir);
    if (!fits) {
        str_cats(why, "the mailbox's line in vpasswd would be too long");
    }
    return fits ? VA_SUCCESS : VA_DIR_TOO_LONG;
}

static enum va delete_record(void *ctx, stralloc *out)
{
    const struct job *job = ctx;
    return admin_explain_write(userdb_delete(AT_FDCWD, job->folder, job->record.name), out);
}

/* The folder goes when the record certainly does not stand; after a write error that is seen to. Of two tools that add the same
 * name at once both see the folder as theirs: it belongs to the one whose record stands. */
static void take_back(const struct tool *tool, const struct tool_identity *owner, struct job *job, enum va why)
{
    stralloc ignored = STRALLOC_ZERO;
    job->dir = userdb_relative_dir(job->record.dir, tool->home);
    bool is_gone = why != VA_USERNAME_EXISTS;
    if (why == VA_COULD_NOT_UPDATE_FILE) {
        enum va result = tool_run_as(&tool->auth, delete_record, job, &ignored);
        is_gone = result == VA_SUCCESS || result == VA_USER_DOES_NOT_EXIST;
    }
    if (is_gone) {
        (void)tool_run_as(owner, remove_folder, job, &ignored);
    }
    stralloc_free(&ignored);
}

enum va admin_add_user(const struct tool *tool, const struct admin_user *user, stralloc *why)
{
    struct job job = {.tool = tool, .user = user, .folder = admin_folder(tool, user->entry)};
    struct tool_identity owner = tool_domain_identity(tool, user->entry);
    stralloc quota = STRALLOC_ZERO;
    enum va result = fill_record(user, &job.record, why);
    if (result != VA_SUCCESS) {
        return result;
    }
    result = tool_run_as(&owner, make_folder, &job, &quota);
    if (result != VA_SUCCESS) {
        str_cat(why, quota.s, quota.len);
        return result;
    }
    if (!put(job.record.quota, sizeof job.record.quota, user->quota != NULL ? user->quota : str_text(&quota))) {
        result = VA_QUOTA_TOO_LONG;
    } else {
        result = tool_run_as(&tool->auth, add_record, &job, why);
    }
    if (result != VA_SUCCESS) {
        take_back(tool, &owner, &job, result);
    }
    stralloc_free(&quota);
    return result;
}

static enum va check_catchall(void *ctx, stralloc *out)
{
    const struct job *job = ctx;
    stralloc address = STRALLOC_ZERO;
    str_catf(&address, "%s@%s", job->record.name, job->user->email->domain);
    bool is_catchall = folder_is_catchall(job->folder, str_text(&address), job->record.dir, job->dir);
    stralloc_free(&address);
    if (is_catchall) {
        str_cats(out, "the domain's .qmail-default sends mail for unknown names there: change that line first");
    }
    return is_catchall ? VA_CANNOT_DELETE_CATCHALL : VA_SUCCESS;
}

enum va admin_delete_user(const struct tool *tool, const struct names_email *email, const struct assign_entry *entry,
                          stralloc *why)
{
    struct admin_user user = {.email = email, .entry = entry};
    struct job job = {.tool = tool, .user = &user, .folder = admin_folder(tool, entry)};
    struct tool_identity owner = tool_domain_identity(tool, entry);
    if (admin_find_user(tool, email, entry, &job.record) == 0) {
        return VA_USER_DOES_NOT_EXIST;
    }
    job.dir = userdb_relative_dir(job.record.dir, tool->home);
    enum va result = tool_run_as(&owner, check_catchall, &job, why);
    if (result == VA_SUCCESS) {
        result = tool_run_as(&tool->auth, delete_record, &job, why);
    }
    /* NONE: an earlier call died when the cdb still knew the mailbox. */
    if (result == VA_SUCCESS || result == VA_USER_DOES_NOT_EXIST) {
        result = tool_run_as(&owner, remove_folder, &job, why);
    }
    return result;
}

static void set_password(struct userdb_record *record, const void *ctx)
{
    const struct admin_user *user = ctx;
    if (!put(record->password, sizeof record->password, user->hash)) {
        die_bug("a hash of %zu bytes", strlen(user->hash));
    }
    record->clear[0] = '\0'; /* it would be the old one's */
}

static enum va change_password(void *ctx, stralloc *out)
{
    const struct job *job = ctx;
    return admin_explain_write(userdb_change(AT_FDCWD, job->folder, job->user->email->user, set_password, job->user), out);
}

enum va admin_set_password(const struct tool *tool, const struct admin_user *user, stralloc *why)
{
    struct job job = {.tool = tool, .user = user, .folder = admin_folder(tool, user->entry)};
    return tool_run_as(&tool->auth, change_password, &job, why);
}
