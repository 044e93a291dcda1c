/* SPDX-License-Identifier: ISC */
/* vdelivermail: one message on fd 0 to the mailbox that EXT and HOST name, run from a line of .qmail-default by another system's
 * qmail-local, or by our runner where that line needs a shell. In a house rcptd is asked and queue is called; elsewhere it reads
 * the domain's vpasswd.cdb and hands forwards to qmail-queue. Exit codes and words are vpopmail's. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "deliver/delivery.h"
#include "deliver/vdeliver.h"
#include "lib/clock.h"
#include "lib/die.h"
#include "lib/md.h"
#include "lib/msgid.h"
#include "lib/sandbox.h"
#include "lib/str.h"

enum { PROGRAM_SECONDS = 300, MBOX_SECONDS = 30, EXIT_STOP = 99, EXIT_NEVER = 100, EXIT_LATER = 111 };
#define DOMAINS     "/domains/"
#define RCPT_SOCKET "/sockets/rcpt"
#define QMAIL_QUEUE "/var/qmail/bin/qmail-queue"

struct visit {
    struct delivery_settings settings;
    struct delivery delivery;
    struct message message;
    struct outcome outcome;
    struct runner runner;
    struct utsname host;
    stralloc folder, house, address;
    char id[MSGID_LEN + 1];
};

static _Noreturn void leave(int code, const char *words)
{
    size_t n = strlen(words);
    (void)!write(1, words, n);
    (void)!write(1, "\n", 1);
    exit(code);
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

/* The working directory is the domain's folder (qmail-local's HOME). Below HOUSE/domains, where HOUSE/sockets/rcpt is a socket,
 * everything is done by the house's rules. */
static void find_house(struct visit *visit)
{
    struct stat found;
    struct delivery_settings *settings = &visit->settings;
    char *name = str_room(&visit->folder, 4096);
    if (getcwd(name, 4096) == NULL) {
        leave(EXIT_LATER, "system error: the working directory has no name (#4.3.0)");
    }
    settings->home_folder = "";
    settings->is_anywhere = true;
    settings->domain_folder = name;
    settings->queue_program = getenv("QMAILQUEUE") != NULL ? getenv("QMAILQUEUE") : QMAIL_QUEUE;
    visit->delivery.home = name;
    const char *domains = strstr(name, DOMAINS);
    if (domains == NULL) {
        return;
    }
    str_copy(&visit->house, name, (size_t)(domains - name));
    str_cats(&visit->house, RCPT_SOCKET);
    bool is_house = stat(str_text(&visit->house), &found) == 0 && S_ISSOCK(found.st_mode);
    visit->house.len = (size_t)(domains - name);
    if (is_house && chdir(str_text(&visit->house)) == 0) {
        settings->home_folder = visit->house.s;
        settings->is_anywhere = false;
        settings->rcpt_socket = RCPT_SOCKET + 1;
        settings->queue_socket = "sockets/queue";
        visit->delivery.home = domains + 1;
    }
}

/* A pipe's message becomes a file first: it is read more than once. */
static int copy_of_input(void)
{
    char bytes[16384];
    ssize_t n;
    int fd = memfd_create("message", MFD_CLOEXEC);
    while (fd >= 0 && (n = read(0, bytes, sizeof bytes)) != 0) {
        if (n < 0 ? errno != EINTR : write(fd, bytes, (size_t)n) != n) {
            leave(EXIT_LATER, "system error: the message cannot be read (#4.3.0)");
        }
    }
    return fd;
}

/* The same at every try: qmail-send keeps a message in one file, so a second try finds the first one's equal name. */
static void make_id(struct visit *visit, const struct stat *found)
{
    char hex[MD_HEX32 + 1];
    stralloc key = STRALLOC_ZERO;
    uint64_t us = (uint64_t)found->st_mtim.tv_sec * 1000000 + (uint64_t)found->st_mtim.tv_nsec / 1000;
    msgid_make(us, visit->id);
    str_catf(&key, "%llu %llu %ld %s", (unsigned long long)found->st_dev, (unsigned long long)found->st_ino,
             (long)found->st_mtim.tv_nsec, visit->address.s);
    md_hex32(key.s, key.len, hex);
    memcpy(visit->id + MSGID_RANDOM_AT, hex, MSGID_LEN - MSGID_RANDOM_AT);
    stralloc_free(&key);
}

static void take_message(struct visit *visit)
{
    struct stat found;
    off_t start = lseek(0, 0, SEEK_CUR);
    bool is_file = start >= 0 && fstat(0, &found) == 0 && S_ISREG(found.st_mode);
    int fd = is_file ? 0 : copy_of_input();
    start = is_file ? start : 0;
    if (fd < 0 || fstat(fd, &found) < 0 || found.st_size < start ||
        message_open(&visit->message, fd, (uint64_t)start, (uint64_t)(found.st_size - start)) < 0) {
        leave(EXIT_LATER, "system error: the message cannot be read (#4.3.0)");
    }
    make_id(visit, &found);
    visit->message.id = visit->id;
    visit->message.sender = variable("SENDER");
}

static void take_address(struct visit *visit)
{
    const char *ext = variable("EXT");
    const char *host = variable("HOST");
    if (ext[0] == '\0' || host[0] == '\0') {
        leave(EXIT_LATER, "EXT and HOST are not set: vdelivermail is run from a .qmail file by qmail-local (#4.3.5)");
    }
    str_catf(&visit->address, "%s@%s", ext, host);
    str_lower(visit->address.s, visit->address.len);
    str_text(&visit->address);
}

static void fill(struct visit *visit)
{
    struct delivery *delivery = &visit->delivery;
    take_address(visit);
    take_message(visit);
    (void)uname(&visit->host);
    visit->settings.me = visit->host.nodename;
    visit->settings.default_host = variable("HOST");
    visit->settings.program_seconds = PROGRAM_SECONDS;
    visit->settings.mbox_seconds = MBOX_SECONDS;
    delivery->settings = &visit->settings;
    delivery->message = &visit->message;
    delivery->runner = &visit->runner;
    delivery->outcome = &visit->outcome;
    delivery->orig = visit->address.s;
    delivery->kind = "alias";
    delivery->user = variable("USER");
    delivery->local = variable("LOCAL");
    delivery->dash = "-";
    delivery->ext = variable("EXT");
    find_house(visit);
}

/* qmail-local gives one pipe for both, and puts all of it into bounces: the log is not for those who read them. */
static void part_log_from_words(void)
{
    struct stat words, log;
    if (fstat(1, &words) == 0 && fstat(2, &log) == 0 && words.st_dev == log.st_dev && words.st_ino == log.st_ino) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null < 0 || dup2(null, 2) < 0) {
            leave(EXIT_LATER, "system error: /dev/null cannot be opened (#4.3.0)");
        }
    }
}

/* The words without the status code in front: qmail-send puts its own around them. */
static _Noreturn void report(const struct outcome *outcome)
{
    const char *words = strchr(outcome->text.s, ' ');
    switch (outcome->letter) {
    case 'K':
        exit(outcome->is_stop ? EXIT_STOP : 0);
    case 'D':
        leave(EXIT_NEVER, words == NULL ? outcome->text.s : words + 1);
    default:
        leave(EXIT_LATER, words == NULL ? outcome->text.s : words + 1);
    }
}

int main(int argc, char **argv)
{
    static struct visit visit;
    static const struct sandbox_limits limits = {.file_size = UINT64_MAX};
    struct vdelivermail action;
    program_start("vdelivermail");
    umask(077);
    part_log_from_words();
    if (argc != 3) {
        leave(EXIT_LATER, "invalid syntax in .qmail-default file: vdelivermail takes '' and an action (#4.3.5)");
    }
    dotqmail_parse_action(argv[2], strlen(argv[2]), &action);
    fill(&visit);
    if (runner_start(&visit.runner) < 0) { /* behind fill: it starts programs from the same working directory */
        leave(EXIT_LATER, "system error: fork failed (#4.3.0)");
    }
    sandbox_limit(&limits);
    if (delivery_begin(&visit.delivery)) {
        vdeliver_run(&visit.delivery, &action);
    }
    report(&visit.outcome);
}
