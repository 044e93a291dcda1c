/* SPDX-License-Identifier: ISC */
/* A user with two folders of small messages, and what there is to be seen of them. Each body is `body of N`. */
#ifndef IMAPD_USER_H
#define IMAPD_USER_H

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/folder_inner.h"
#include "lib/str.h"
#include "tests/scratch.h"

enum { MESSAGES = 6, UIDS_MAX = 40 };
static int top, root;
static unsigned n_roots;

static void deliver(const char *place, unsigned number, const char *info)
{
    char path[100];
    char body[100];
    (void)snprintf(path, sizeof path, "%s/%u.M1Qx%u.mx%s", place, 1000000 + number, number, info);
    (void)snprintf(body, sizeof body, "Subject: %u\n\nbody of %u\n", number, number);
    scratch_put(root, path, body);
}

static void make_maildir(const char *name)
{
    static const char *const inner[] = {"", "/cur", "/new", "/tmp"};
    char path[100];
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s%s", name, inner[i]);
        (void)mkdirat(root, path, 0700);
    }
}

static void begin_user(void)
{
    char name[32];
    (void)snprintf(name, sizeof name, "u%u", n_roots++);
    (void)mkdirat(top, name, 0700);
    root = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    make_maildir(".");
    make_maildir(".B");
    for (unsigned i = 1; i < MESSAGES; i++) {
        deliver("cur", i, i % 2 == 0 ? ":2,S" : ":2,a");
    }
    deliver(".B/cur", MESSAGES, ":2,");
    stralloc names = STRALLOC_ZERO;
    for (unsigned i = 0; i < KEYWORDS_LETTERS; i++) {
        str_catf(&names, "%u k%u\n", i, i);
    }
    scratch_put(root, "dovecot-keywords", str_text(&names));
    stralloc_free(&names);
    scratch_put(root, "courierimapuiddb", "1 777 10\n1 1000001.M1Qx1.mx\n3 1000003.M1Qx3.mx\n");
}

static void end_user(void)
{
    char name[32];
    (void)snprintf(name, sizeof name, "u%u", n_roots - 1);
    close(root);
    char *path = strcat(strcpy((char[40]){0}, "./"), name);
    (void)nftw(path, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

struct message {
    uint32_t uid;
    unsigned body;
    uint8_t flags;
};
struct state {
    struct message message[2][UIDS_MAX];
    unsigned n[2];
    uint32_t uidvalidity[2], uidnext[2];
    unsigned copies[16]; /* of each body */
};

/* 0: it cannot be read. False: there is no such file. */
static bool read_body(struct folder *folder, uint32_t index, unsigned *out)
{
    char bytes[100] = "";
    unsigned subject = 0;
    unsigned body = 0;
    int fd = folder_open_message(folder, index, NULL);
    if (fd < 0) {
        *out = 0;
        return errno != ENOENT;
    }
    ssize_t n = read(fd, bytes, sizeof bytes - 1);
    close(fd);
    *out = n > 0 && sscanf(bytes, "Subject: %u\n\nbody of %u\n", &subject, &body) == 2 && subject == body ? body : 0;
    return true;
}

static bool look_at(const char *path, unsigned which, struct state *out)
{
    struct folder folder;
    if (folder_open(&folder, root, path, FOLDER_WRITE) < 0 || folder_sync(&folder, FOLDER_LOOK) < 0) {
        return false;
    }
    out->n[which] = 0;
    out->uidvalidity[which] = folder.head.uidvalidity;
    out->uidnext[which] = folder.uidnext;
    for (uint32_t i = folder_first(&folder); i < folder_end(&folder) && out->n[which] < UIDS_MAX; i = folder_next(&folder, i)) {
        const struct record *record = folder_record(&folder, i);
        struct message message = {.uid = record->uid, .flags = record->flags};
        if (read_body(&folder, i, &message.body)) { /* else a session hears so, and it is told as expunged */
            out->message[which][out->n[which]++] = message;
            out->copies[message.body % 16]++;
        }
    }
    folder_close(&folder);
    return true;
}

static inline bool look(struct state *out)
{
    *out = (struct state){.n = {0}};
    return look_at(".", 0, out) && look_at(".B", 1, out);
}

/* UIDs mean what they meant, and new ones are above all that were given. */
static inline const char *compare_uids(const struct state *before, const struct state *after, unsigned which)
{
    if (after->uidvalidity[which] != before->uidvalidity[which]) {
        return "another UIDVALIDITY";
    }
    for (unsigned i = 0, k = 0; i < after->n[which]; i++) {
        const struct message *message = &after->message[which][i];
        if (i > 0 && message->uid <= after->message[which][i - 1].uid) {
            return "UIDs do not ascend";
        }
        while (k < before->n[which] && before->message[which][k].uid < message->uid) {
            k++;
        }
        bool was_there = k < before->n[which] && before->message[which][k].uid == message->uid;
        if (was_there ? before->message[which][k].body != message->body : message->uid < before->uidnext[which]) {
            return "a UID means another message";
        }
        if (message->body == 0) {
            return "a message without its bytes";
        }
    }
    return NULL;
}

#endif
