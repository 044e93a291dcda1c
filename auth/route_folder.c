/* SPDX-License-Identifier: ISC */
/* In one folder: qmail-local's search for .qmail files. The folder is vmail's, and its files come from people and from
 * qmailadmin: they are read for their verdict, never run. What cannot be judged is "not now", never "no such mailbox". */
#include "auth/route_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/route_maps.h"
#include "lib/log.h"
#include "lib/str.h"

enum { DOTQMAIL_READ_MAX = 65536 };
#define QMAIL_DEFAULT ".qmail-default"

/* What a .qmail file says, as far as it matters here. */
struct file_sense {
    unsigned lines;           /* that do something */
    unsigned vdelivermail_at; /* line; 0: none */
    struct vdelivermail action;
    bool is_first_blank, is_list;
};

void route_visit_answer(struct route_visit *visit, enum route_reply reply, const char *file, unsigned line)
{
    route_answer(visit->out, reply);
    route_decided_by(visit->out, visit->folder, file, line);
}

void route_visit_accept(struct route_visit *visit, enum route_kind kind, const char *file, unsigned line)
{
    route_accept(visit->out, kind);
    route_decided_by(visit->out, visit->folder, file, line);
}

static bool names(const struct dotqmail_line *line, const char *program)
{
    return memmem(line->text, line->len, program, strlen(program)) != NULL;
}

static void note_line(const struct dotqmail_line *line, struct file_sense *sense)
{
    struct vdelivermail action;
    if (line->kind == DOTQMAIL_BLANK || line->kind == DOTQMAIL_COMMENT || line->kind == DOTQMAIL_IGNORED) {
        sense->is_first_blank |= line->kind == DOTQMAIL_BLANK && line->number == 1;
        return;
    }
    sense->lines++;
    if (line->kind == DOTQMAIL_FORWARD_ONLY) {
        sense->is_list = true;
    } else if (line->kind == DOTQMAIL_PROGRAM && dotqmail_parse_vdelivermail(line->text, line->len, &action)) {
        sense->vdelivermail_at = line->number;
        sense->action = action;
    } else if (line->kind == DOTQMAIL_PROGRAM) {
        sense->is_list |= names(line, "/ezmlm-") || names(line, "mailman") || names(line, "mlmmj");
    }
}

static void judge_bytes(struct route_visit *visit, const char *bytes, size_t n, enum route_kind kind)
{
    struct dotqmail_reader reader;
    struct dotqmail_line line;
    struct file_sense sense = {.lines = 0};
    for (dotqmail_read_start(&reader, bytes, n); dotqmail_read_next(&reader, &line);) {
        note_line(&line, &sense);
    }
    if (sense.is_first_blank) {
        route_visit_answer(visit, ROUTE_REPLY_BAD_QMAIL, visit->file, 1);
    } else if (sense.vdelivermail_at == 0) {
        route_visit_accept(visit, sense.is_list ? ROUTE_TO_LIST : kind, visit->file, n > 0);
    } else {
        visit->line = sense.vdelivermail_at;
        visit->has_other_lines = sense.lines > 1;
        route_to_mailbox(visit, &sense.action);
    }
}

/* Reads and judges an open .qmail file; longer ones are lists of addresses, whose head tells enough. */
static void judge_file(struct route_visit *visit, int fd, enum route_kind kind)
{
    static char bytes[DOTQMAIL_READ_MAX];
    struct stat st;
    ssize_t n = -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        n = read(fd, bytes, sizeof bytes);
    }
    if (n < 0) {
        log_event("alert", "what=%s file=%s folder=%s", ".qmail file cannot be read", visit->file, visit->folder);
        route_visit_answer(visit, ROUTE_REPLY_IO, visit->file, 0);
    } else if (st.st_mode & S_IWOTH) {
        log_event("alert", "what=%s file=%s folder=%s", ".qmail file is writable by others", visit->file, visit->folder);
        route_visit_answer(visit, ROUTE_REPLY_UNSAFE, visit->file, 0);
    } else {
        judge_bytes(visit, bytes, (size_t)n, kind);
    }
}

/* The file is there, but not for us to read (a list's link into a private folder, say). Its name alone decides, except for
 * .qmail-default, where accepting blindly would mean bouncing later. */
static void judge_hidden(struct route_visit *visit, enum route_kind kind)
{
    struct stat st;
    if (strcmp(visit->file, QMAIL_DEFAULT) == 0) {
        log_event("alert", "what=%s file=%s folder=%s", ".qmail-default cannot be read", visit->file, visit->folder);
        route_visit_answer(visit, ROUTE_REPLY_IO, visit->file, 0);
        return;
    }
    bool is_link = fstatat(visit->fd, visit->file, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
    route_visit_accept(visit, is_link ? ROUTE_TO_LIST : kind, visit->file, 0);
}

/* True: the file exists, out is set. */
static bool try_file(struct route_visit *visit, enum route_kind kind)
{
    int fd = openat(visit->fd, visit->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        judge_file(visit, fd, kind);
        close(fd);
        return true;
    }
    if (errno == ENOENT || errno == ENAMETOOLONG) {
        return false;
    }
    if (errno == EACCES || errno == EPERM) {
        judge_hidden(visit, kind);
        return true;
    }
    log_event("alert", "what=%s file=%s folder=%s error=%s", ".qmail file cannot be opened", visit->file, visit->folder,
              strerror(errno));
    route_visit_answer(visit, ROUTE_REPLY_IO, visit->file, 0);
    return true;
}

static bool holds_mailboxes(const struct route_visit *visit)
{
    struct stat st;
    return fstatat(visit->fd, "vpasswd.cdb", &st, AT_SYMLINK_NOFOLLOW) == 0 ||
           fstatat(visit->fd, "vpasswd", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* No .qmail file at all. A domain without .qmail-default keeps its mailboxes: unknown names bounce. */
static void judge_without_file(struct route_visit *visit, bool is_home_itself)
{
    visit->file = is_home_itself ? ".qmail" : QMAIL_DEFAULT;
    if (holds_mailboxes(visit)) {
        route_to_mailbox(visit, &(struct vdelivermail){.kind = VDELIVERMAIL_BOUNCE});
    } else if (is_home_itself) {
        route_visit_accept(visit, ROUTE_TO_ALIAS, visit->file, 0); /* control/defaultdelivery */
    } else {
        route_visit_answer(visit, ROUTE_REPLY_NO_MAILBOX, visit->file, 0);
    }
}

static void search_files(struct route_visit *visit, const char *dash, const char *ext)
{
    struct dotqmail_search search;
    char file[DOTQMAIL_NAME_SIZE];
    visit->name = ext;
    visit->line = 0;
    visit->has_other_lines = false;
    if (visit->question->purpose == ROUTE_MAILBOX_ONLY) {
        visit->file = "vpasswd.cdb";
        route_to_mailbox(visit, &(struct vdelivermail){.kind = VDELIVERMAIL_BOUNCE});
        return;
    }
    visit->file = file;
    for (dotqmail_search_start(&search, dash, ext); dotqmail_search_next(&search, file);) {
        if (try_file(visit, search.is_default && search.cut == 0 ? ROUTE_TO_CATCHALL : ROUTE_TO_ALIAS)) {
            visit->file = "";
            return;
        }
    }
    judge_without_file(visit, *dash == '\0');
}

/* RFC 2142: abuse@ of a hosted domain is read by somebody: without a mailbox or an alias of its own by postmaster. */
static bool is_orphaned_abuse(const struct route_visit *visit, const char *ext)
{
    const struct route *out = visit->out;
    return str_equal_nocase(ext, strlen(ext), "abuse", 5) && (out->why == WHY_no_mailbox || out->kind == ROUTE_TO_CATCHALL) &&
           holds_mailboxes(visit);
}

/* qmail-local's guards: a folder that others may write, or whose owner has set the sticky bit while he edits. */
static bool is_guarded(struct route_visit *visit)
{
    static uint64_t last_alert_ms;
    struct stat st;
    if (fstat(visit->fd, &st) < 0 || (st.st_mode & (S_IWOTH | S_ISVTX)) == 0) {
        return false;
    }
    log_event_rarely(&last_alert_ms, "alert", "what=%s folder=%s", "folder is sticky or writable by others", visit->folder);
    route_visit_answer(visit, ROUTE_REPLY_UNSAFE, ".", 0);
    return true;
}

void route_in_folder(const struct route_config *config, const struct route_question *question, const struct assign_entry *entry,
                     struct route *out)
{
    if ((int64_t)entry->uid != config->mailbox_uid) {
        route_answer(out, ROUTE_REPLY_OTHER_USER);
        return;
    }
    struct route_visit visit = {
        .config = config, .question = question, .folder = route_relative(config, entry->home), .out = out};
    visit.fd = open(visit.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (visit.fd < 0) {
        log_event("alert", "what=%s folder=%s error=%s", "folder cannot be opened", visit.folder, strerror(errno));
        route_visit_answer(&visit, ROUTE_REPLY_IO, ".", 0);
        return;
    }
    str_copys(&out->home, visit.folder);
    str_copys(&out->user, entry->user);
    str_copys(&out->dash, entry->dash);
    str_copys(&out->ext, entry->ext);
    if (!is_guarded(&visit)) {
        search_files(&visit, entry->dash, entry->ext);
        if (is_orphaned_abuse(&visit, entry->ext)) {
            str_copys(&out->ext, "postmaster");
            search_files(&visit, entry->dash, "postmaster");
        }
    }
    close(visit.fd);
}
