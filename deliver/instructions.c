/* SPDX-License-Identifier: ISC */
/* Finding the .qmail file that holds and doing what its lines say, with qmail-local's guards: what cannot be trusted is "not
 * now". Lines run in order and the first that fails ends the delivery; forwards go last and together, so that none is sent twice
 * because of a line behind it. */
#include "deliver/instructions.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/forward.h"
#include "deliver/mbox.h"
#include "deliver/place.h"
#include "deliver/program.h"
#include "deliver/store.h"
#include "deliver/vdeliver.h"
#include "lib/dotqmail.h"
#include "lib/str.h"

/* One file on its way. */
struct run {
    struct delivery *delivery;
    const char *file; /* for words to people */
    unsigned line;
    bool is_forward_only;
    unsigned files, programs;
    struct forward forward;
};

static bool is_mailbox(const struct delivery *delivery)
{
    return strcmp(delivery->kind, "mailbox") == 0;
}

static void point_at(const struct run *run)
{
    stralloc *where = &run->delivery->outcome->where;
    where->len = 0;
    str_catf(where, "%s:%u", run->file, run->line);
    str_text(where);
}

static void refuse(const struct run *run, const struct reply *reply)
{
    outcome_set(run->delivery->outcome, reply);
    point_at(run);
}

static void run_path(struct run *run, const struct dotqmail_line *line)
{
    struct delivery *delivery = run->delivery;
    stralloc path = STRALLOC_ZERO;
    if (run->is_forward_only) {
        refuse(run, &reply_forward_only_file);
    } else if (!place_resolve(delivery->settings, delivery->home, line->text, line->len, &path)) {
        outcome_set_detail(delivery->outcome, &reply_home_outside, line->text, line->len);
        point_at(run);
    } else if (line->kind == DOTQMAIL_MAILDIR) {
        store_run(delivery, path.s);
    } else {
        mbox_append(delivery, path.s);
    }
    run->files++;
    stralloc_free(&path);
}

static void run_program(struct run *run, const struct dotqmail_line *line)
{
    struct delivery *delivery = run->delivery;
    struct vdelivermail action;
    if (run->is_forward_only) {
        refuse(run, &reply_forward_only_program);
    } else if (line->len > INSTRUCTIONS_LINE_MAX) {
        refuse(run, &reply_file_long);
    } else if (dotqmail_parse_vdelivermail(line->text, line->len, &action)) {
        run->files++;
        vdeliver_run(delivery, &action);
    } else {
        run->programs++;
        program_run(delivery, line->text, line->len);
    }
}

static void run_forward(struct run *run, const struct dotqmail_line *line)
{
    if (!forward_add(&run->forward, run->delivery, line->text, line->len)) {
        outcome_set_detail(run->delivery->outcome, &reply_bad_address, line->text, line->len);
        point_at(run);
    }
}

static void run_line(struct run *run, const struct dotqmail_line *line)
{
    switch (line->kind) {
    case DOTQMAIL_BLANK:
        if (line->number == 1) {
            refuse(run, &reply_file_blank);
        }
        break;
    case DOTQMAIL_COMMENT:
    case DOTQMAIL_IGNORED:
        break;
    case DOTQMAIL_FORWARD_ONLY:
        run->is_forward_only = true;
        break;
    case DOTQMAIL_PROGRAM:
        run_program(run, line);
        break;
    case DOTQMAIL_MAILDIR:
    case DOTQMAIL_MBOX:
        run_path(run, line);
        break;
    case DOTQMAIL_FORWARD:
        run_forward(run, line);
        break;
    }
}

static bool has_failed(const struct run *run)
{
    char letter = run->delivery->outcome->letter;
    return letter == 'Z' || letter == 'D';
}

static void finish(struct run *run)
{
    struct delivery *delivery = run->delivery;
    unsigned forwards = run->forward.n;
    if (has_failed(run)) {
        if (delivery->outcome->where.len == 0) {
            point_at(run);
        }
        return;
    }
    if (forwards > 0) {
        forward_send(&run->forward, delivery);
        if (has_failed(run)) {
            str_copys(&delivery->outcome->where, run->file);
            str_text(&delivery->outcome->where);
            return;
        }
    }
    if (run->files + run->programs + forwards == 0) {
        outcome_set(delivery->outcome, &reply_discarded);
    } else if (run->files != 1 || run->programs + forwards > 0) {
        outcome_set_counts(delivery->outcome, run->files, forwards, run->programs);
    }
    if (delivery->outcome->where.len == 0 || run->files != 1 || run->programs + forwards > 0) {
        str_copys(&delivery->outcome->where, run->file);
        str_text(&delivery->outcome->where);
    }
}

static void run_text(struct run *run, const char *bytes, size_t n)
{
    struct dotqmail_reader reader;
    struct dotqmail_line line;
    if (memchr(bytes, '\0', n) != NULL) {
        run->line = 1;
        refuse(run, &reply_file_nul);
        return;
    }
    forward_start(&run->forward, run->delivery);
    dotqmail_read_start(&reader, bytes, n);
    while (!run->delivery->outcome->is_stop && !has_failed(run) && dotqmail_read_next(&reader, &line)) {
        run->line = line.number;
        run_line(run, &line);
    }
    finish(run);
    forward_free(&run->forward);
}

void instructions_run_text(struct delivery *delivery, const char *file, const char *bytes, size_t n)
{
    struct run run = {.delivery = delivery, .file = file};
    run_text(&run, bytes, n);
}

void instructions_store(struct delivery *delivery)
{
    stralloc path = STRALLOC_ZERO;
    str_copys(&path, delivery->home);
    str_cats(&path, "/Maildir/");
    store_run(delivery, str_text(&path));
    stralloc_free(&path);
}

/* No file, or an empty one: a mailbox's Maildir; else control/defaultdelivery. */
static void run_default(struct delivery *delivery)
{
    const struct control_list *list = delivery->settings->default_delivery;
    stralloc lines = STRALLOC_ZERO;
    if (is_mailbox(delivery)) {
        instructions_store(delivery);
        return;
    }
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        str_cats(&lines, list->line[i]);
        str_catc(&lines, '\n');
    }
    if (lines.len == 0) {
        str_copys(&lines, "./Maildir/\n");
    }
    instructions_run_text(delivery, "control/defaultdelivery", lines.s, lines.len);
    stralloc_free(&lines);
}

/* May an open .qmail file be believed? NULL: yes. */
static const struct reply *judge_file(const struct stat *found)
{
    if (!S_ISREG(found->st_mode) || (found->st_uid != geteuid() && found->st_uid != 0)) {
        return &reply_file_foreign;
    }
    if (found->st_mode & S_IWOTH) {
        return &reply_file_writable;
    }
    return found->st_size > INSTRUCTIONS_FILE_MAX ? &reply_file_long : NULL;
}

static int read_whole(int fd, size_t size, stralloc *out)
{
    char *room = str_room(out, size + 1);
    while (out->len < size) {
        ssize_t n = read(fd, room + out->len, size - out->len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? 0 : -1;
        }
        out->len += (size_t)n;
    }
    return 0;
}

static void run_file(struct delivery *delivery, const char *file, int fd)
{
    struct run run = {.delivery = delivery, .file = file};
    struct stat found;
    stralloc bytes = STRALLOC_ZERO;
    const struct reply *trouble = fstat(fd, &found) < 0 ? &reply_file_unreadable : judge_file(&found);
    if (trouble == NULL && read_whole(fd, (size_t)found.st_size, &bytes) < 0) {
        trouble = &reply_file_unreadable;
    }
    if (trouble != NULL) {
        refuse(&run, trouble);
    } else if (bytes.len == 0) {
        run_default(delivery);
    } else {
        run.is_forward_only = (found.st_mode & S_IXUSR) != 0;
        run_text(&run, bytes.s, bytes.len);
    }
    stralloc_free(&bytes);
}

/* True: the file is there, and outcome is set. */
static bool try_file(struct delivery *delivery, const char *name)
{
    stralloc path = STRALLOC_ZERO;
    str_copys(&path, delivery->home);
    str_catc(&path, '/');
    str_cats(&path, name);
    int fd = open(str_text(&path), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool is_there = fd >= 0 || (errno != ENOENT && errno != ENAMETOOLONG);
    if (fd >= 0) {
        run_file(delivery, path.s, fd);
        close(fd);
    } else if (is_there) {
        outcome_set_errno(delivery->outcome, &reply_file_unreadable, errno);
        str_copys(&delivery->outcome->where, path.s);
        str_text(&delivery->outcome->where);
    }
    stralloc_free(&path);
    return is_there;
}

static bool search(struct delivery *delivery)
{
    struct dotqmail_search search;
    char name[DOTQMAIL_NAME_SIZE];
    if (delivery->dash[0] == '\0' && delivery->ext[0] == '\0') {
        return try_file(delivery, ".qmail");
    }
    dotqmail_search_start(&search, delivery->dash, delivery->ext);
    while (dotqmail_search_next(&search, name)) {
        delivery->default_part = search.is_default ? delivery->ext + search.cut : NULL;
        if (try_file(delivery, name)) {
            return true;
        }
    }
    delivery->default_part = NULL;
    return is_mailbox(delivery) && try_file(delivery, ".qmail"); /* joe-anything: what joe says of his mail */
}

/* qmail-local's guards on the folder. True: outcome is set. */
static bool is_guarded(struct delivery *delivery)
{
    struct stat found;
    if (stat(delivery->home, &found) < 0) {
        if (errno == ENOENT && is_mailbox(delivery)) {
            return false; /* an account without its folder yet: store makes it */
        }
        outcome_set_errno(delivery->outcome, &reply_home_missing, errno);
        return true;
    }
    if (!S_ISDIR(found.st_mode)) {
        outcome_set_errno(delivery->outcome, &reply_home_missing, ENOTDIR);
    } else if (found.st_mode & S_IWOTH) {
        outcome_set(delivery->outcome, &reply_home_writable);
    } else if (found.st_mode & S_ISVTX) {
        outcome_set(delivery->outcome, &reply_home_sticky);
    } else {
        return false;
    }
    str_copys(&delivery->outcome->where, delivery->home);
    str_text(&delivery->outcome->where);
    return true;
}

/* rcptd's ext of a mailbox is its name, perhaps with an extension behind it; files in the mailbox's folder go by the extension.
 */
static void settle_extension(struct delivery *delivery)
{
    const char *name = delivery_mailbox_name(delivery);
    size_t n = strlen(name);
    size_t ext_len = strlen(delivery->ext);
    if (ext_len < n || !str_equal_nocase(delivery->ext, n, name, n) || (ext_len > n && delivery->ext[n] != '-')) {
        return;
    }
    delivery->dash = ext_len > n ? "-" : "";
    delivery->ext += ext_len > n ? n + 1 : n;
}

void instructions_run(struct delivery *delivery)
{
    if (is_mailbox(delivery)) {
        settle_extension(delivery);
    }
    if (is_guarded(delivery) || search(delivery)) {
        return;
    }
    if (is_mailbox(delivery) || delivery->dash[0] == '\0') {
        run_default(delivery);
    } else {
        outcome_set(delivery->outcome, &reply_no_mailbox);
    }
}
