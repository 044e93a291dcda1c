/* SPDX-License-Identifier: ISC */
/* A folder of six messages for the tests of SEARCH. */
#ifndef IMAPD_SEARCH_TEST_H
#define IMAPD_SEARCH_TEST_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/folder_inner.h"
#include "imapd/search.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

enum { DAY = 86400, FEB_1 = 1769904000 /* 2026, 0:00 UTC */ };
static const struct settings settings; /* nothing is limited */
static struct session session = {.settings = &settings};
static struct mime_summary_work work;
static stralloc text;

static void put(const char *name, const char *bytes, int64_t received)
{
    scratch_put(session.root, name, bytes);
    const struct timespec times[2] = {{.tv_sec = received}, {.tv_sec = received}};
    if (utimensat(session.root, name, times, 0) < 0) {
        perror(name);
        exit(111);
    }
}

static void make_messages(void)
{
    put("dovecot-keywords", "0 $Junk\n1 work\n", FEB_1);
    put("cur/1001.M1.x:2,S",
        "From: Ann Example <ann@a.test>\nTo: bob@b.test\nCc: Carol <carol@c.test>\nBcc: dave@d.test\nSubject: Hello World\n"
        "Date: Sun, 1 Feb 2026 23:30:00 -0500\nX-Tag: red\n\nThe quick fox\n",
        FEB_1 + DAY + 43200);
    put("cur/1002.M2.x:2,RST",
        "From: bob@b.test\nTo: ann@a.test,\n carol@c.test\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= an   alle\n"
        "Date: Tue, 3 Feb 2026 10:00:00 +0000\nX-Tag:\nContent-Type: text/plain; charset=iso-8859-1\n"
        "Content-Transfer-Encoding: quoted-printable\n\n=FCber\n",
        FEB_1 + 2 * DAY);
    put("cur/1003.M3.x:2,DF", "X-Other: fox\n\nlast words\n", FEB_1 + 2 * DAY - 1);
    put("cur/1004.M4.x:2,a",
        "From: \"Quote \\\" d\" <q@a.test>\nSubject:\nDate: Mon, 2 Feb 2026 00:10:00 +0100\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst part\n--b\nContent-Type: message/rfc822\n\nSubject: inner\n\n"
        "inside\n--b\nContent-Type: application/x\n\nsecret\n--b--\n",
        FEB_1 + 3 * DAY);
    put("new/1005.M5.x", "Subject: five\nDate: nonsense\n\nnew\n", FEB_1 + 4 * DAY);
    put("new/1006.M6.x", "Subject: six\nDate: Wed, 31 Dec 1969 12:00:00 +0000\n\nnew\n", FEB_1 + 5 * DAY);
}

static void open_folder(void)
{
    struct folder *folder = &session.folder;
    struct folder_list six = {0};
    const struct folder_store seen = {.how = STORE_ADD, .flags = MAILBOX_SEEN};
    folder_list_add(&six, 6);
    if (folder_open(folder, session.root, ".", FOLDER_WRITE) < 0 || folder_sync(folder, FOLDER_LOOK) < 0 ||
        folder_store(folder, &six, &seen, NULL) < 0) {
        perror("open");
        exit(111);
    }
    (void)folder_tell_exists(folder);
    for (uint32_t i = 0; i < folder_end(folder); i++) {
        folder_record_at(folder, i)->modseq = 100 * (i + 1);
    }
    folder_list_free(&six);
}

/* `1 3`: what the keys find; `BAD`: they are none; `set`: a number beyond the last. In memory of exactly these bytes. */
static const char *find_bytes(const char *keys, size_t n)
{
    struct search search = {0};
    struct folder_list found = {0};
    char *exact = memory_get(n + 1, 1);
    memcpy(exact + 1, keys, n);
    struct parser parser = {exact + 1, exact + 1 + n};
    bool is_good = search_parse(&session, &parser, &search);
    text.len = 0;
    str_cats(&text, !is_good                                          ? "BAD"
                    : search.trouble != NULL                          ? "set"
                    : search_check_charset(&session, &search) != NULL ? "charset"
                                                                      : "");
    if (text.len == 0) {
        search_run(&session, &search, &found);
    }
    for (uint32_t i = 0; i < found.n; i++) {
        str_catf(&text, "%s%u", i > 0 ? " " : "", folder_seq(&session.folder, found.item[i]));
    }
    search_free(&search);
    folder_list_free(&found);
    free(exact);
    return str_text(&text);
}

static const char *find(const char *keys)
{
    return find_bytes(keys, strlen(keys));
}

/* Six messages, open and told. */
static void begin(void)
{
    scratch_begin();
    session.root = open(".", O_RDONLY | O_DIRECTORY);
    (void)mkdirat(session.root, "cur", 0700);
    (void)mkdirat(session.root, "new", 0700);
    (void)mkdirat(session.root, "tmp", 0700);
    make_messages();
    open_folder();
    session.work = session.folder.work = &work;
}

static int end(void)
{
    folder_close(&session.folder);
    close(session.root);
    return scratch_end(done());
}

#endif
