/* SPDX-License-Identifier: ISC */
/* A whole session of imapd over a Maildir of three messages: whatever a client sends, every answer is well formed (lines, quoted
 * strings, literals, parentheses; no NUL), no command has two tagged replies, and what the session keeps is bounded. */
#include <sanitizer/allocator_interface.h>
#include <sys/mman.h>

#include "imapd/session.h"
#include "tests/fuzz/fuzz_reply.h"

enum { KEPT_MAX = 8 << 20 };
static const struct settings settings = {
    .me = "mx.test", .prefix = "", .separator = "/", .timeout = 10, .databytes = 100000, .maxerrors = 100000, .idlelook = 60};
static struct session session;
static struct mime_summary_work work;

#define TEXT(bytes)                                                                                                              \
    {                                                                                                                            \
        bytes, sizeof(bytes) - 1                                                                                                 \
    }
static const struct {
    const char *bytes;
    size_t n;
} messages[] = {
    TEXT("From: Ann <ann@a.test>\nTo: joe@b.test\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\nMessage-ID: <1@a.test>\n"
         "Date: Mon, 2 Feb 2026 10:00:00 +0100\n\nhello\n"),
    TEXT("From: \"B \\\" C\" <b@c.test>\nSubject: Re: x\nReferences: <1@a.test>\nMessage-ID: <2@a.test>\nMIME-Version: 1.0\n"
         "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=koi8-r\n"
         "Content-Transfer-Encoding: base64\n\naGVsbG8=\n--b\nContent-Type: message/rfc822\n\nSubject: in\n\ninner\n--b--\n"),
    TEXT("Subject: \001\377 odd {5}\nContent-Type: text/plain; name=\"a\\\"b\"\n\n\000nul\rcr\n")};

static int remove_inner(const char *name, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    return where->level == 0 ? 0 : remove(name);
}

static void put_text(int root, const char *name, const char *text)
{
    fuzz_put_file(root, name, text, strlen(text));
}

/* What Dovecot left, with a name of its own flags and two files of one base name. */
static void add_dovecot(int root)
{
    stralloc names = STRALLOC_ZERO;
    for (unsigned i = 0; i < KEYWORDS_LETTERS; i++) {
        str_catf(&names, "%u k%u\n", i, i);
    }
    put_text(root, "dovecot-keywords", str_text(&names));
    put_text(root, "dovecot-uidlist", "3 V7 N20 Gabc\n4 W9 :1000.M1P1.x\n9 :1001.M1P1.x\nbad\n");
    put_text(root, "stafet-keywords", "v 7\nk 26 far\n4 4000000\nn 4000000 1001.M1P1.x\n");
    put_text(root, "subscriptions", "V\t2\n\nA\tb\nINBOX\n");
    put_text(root, "cur/1000.M1P1.x:2,T", "Subject: double\n\ntwo\n");
    put_text(root, "cur/bare", "Subject: bare\n\nthree\n");
    put_text(root, "cur/1009.M1P1.x,S=5,W=9:2,SFab", "lying\n");
    stralloc_free(&names);
}

static void add_courier(int root)
{
    put_text(root, "courierimapuiddb", "1 777 40\n12 1001.M1P1.x\n7 1000.M1P1.x\n");
    put_text(root, "courierimapsubscribed", "INBOX\nINBOX.Entw\303\274rfe\n");
    require(mkdirat(root, "courierimapkeywords", 0700) == 0 && mkdirat(root, ".A", 0700) == 0);
    put_text(root, "courierimapkeywords/:list", "$Junk\nwork\n\n1000.M1P1.x:0 1\n");
    put_text(root, "courierimapkeywords/.3.1001.M1P1.x", "$Junk\n");
    put_text(root, "maildirsize", "100000S\n300 3\n");
}

/* The first letter of the input chooses whose it was. */
static void make_mailbox(int root, unsigned whose)
{
    char name[64];
    require(nftw(fuzz_folder_path, remove_inner, 16, FTW_DEPTH | FTW_PHYS) == 0);
    require(mkdirat(root, "cur", 0700) == 0 && mkdirat(root, "new", 0700) == 0 && mkdirat(root, "tmp", 0700) == 0);
    for (unsigned i = 0; i < sizeof messages / sizeof *messages; i++) {
        (void)snprintf(name, sizeof name, i == 2 ? "new/100%u.M1P1.x" : "cur/100%u.M1P1.x:2,S", i);
        fuzz_put_file(root, name, messages[i].bytes, messages[i].n);
    }
    if (whose % 3 == 1) {
        add_dovecot(root);
    } else if (whose % 3 == 2) {
        add_courier(root);
    }
}

static void run(const uint8_t *data, size_t size, int out)
{
    static int nothing = -1;
    int root = fuzz_folder();
    nothing = nothing < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : nothing;
    make_mailbox(root, size > 0 ? data[0] : 0);
    memset(&session, 0, sizeof session);
    session.settings = &settings;
    session.work = &work;
    session.root = root;
    session.over = -1;
    wire_init(&session.wire, nothing, out, 10);
    require(wire_unread(&session.wire, (const char *)data, size < WIRE_IN ? size : WIRE_IN));
    session_run(&session);
}

static void finish(void)
{
    stralloc *texts[] = {&session.tag, &session.out, &session.code, &session.selected, &session.input.command};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        require(texts[i]->a < KEPT_MAX);
        stralloc_free(texts[i]);
    }
    set_clear(&session.saved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static stralloc text;
    size_t lines = 1;
    int out = memfd_create("out", MFD_CLOEXEC);
    size_t before = __sanitizer_get_current_allocated_bytes();
    run(data, size, out);
    bool is_whole = !session.wire.is_broken;
    finish();
    require(__sanitizer_get_current_allocated_bytes() < before + KEPT_MAX);
    for (size_t i = 0; i < size; i++) {
        lines += data[i] == '\n';
    }
    off_t n = lseek(out, 0, SEEK_END);
    text.len = 0;
    char *bytes = str_room(&text, (size_t)n + 8);
    require(pread(out, bytes, (size_t)n, 0) == n);
    if (is_whole) {
        fuzz_check_replies(bytes, (size_t)n, lines);
    }
    close(out);
    return 0;
}
