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

static void make_mailbox(int root)
{
    char name[64];
    require(nftw(fuzz_folder_path, remove_inner, 16, FTW_DEPTH | FTW_PHYS) == 0);
    require(mkdirat(root, "cur", 0700) == 0 && mkdirat(root, "new", 0700) == 0 && mkdirat(root, "tmp", 0700) == 0);
    for (unsigned i = 0; i < sizeof messages / sizeof *messages; i++) {
        (void)snprintf(name, sizeof name, i == 2 ? "new/100%u.M1P1.x" : "cur/100%u.M1P1.x:2,S", i);
        fuzz_put_file(root, name, messages[i].bytes, messages[i].n);
    }
}

static void run(const uint8_t *data, size_t size, int out)
{
    static int nothing = -1;
    int root = fuzz_folder();
    nothing = nothing < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : nothing;
    make_mailbox(root);
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
