/* SPDX-License-Identifier: ISC */
/* FETCH, SEARCH, SORT and THREAD of a message that anybody could have sent: every answer is well formed, and the sizes that are
 * told are those of the bytes that are sent. */
#include <sys/mman.h>

#include "imapd/session.h"
#include "tests/fuzz/fuzz_reply.h"

#define NAME "100.M1P1.x"
static const char commands[] =
    "a SELECT INBOX\r\n"
    "b FETCH 1 (RFC822.SIZE BODY.PEEK[])\r\n"
    "c FETCH 1 (ENVELOPE BODY BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (Subject From X-Y)] BODY.PEEK[HEADER.FIELDS.NOT "
    "(Subject)])\r\n"
    "d FETCH 1 (BODY.PEEK[1] BODY.PEEK[1.MIME] BODY.PEEK[2] BODY.PEEK[1.1]<1.5> BODY.PEEK[1.HEADER] BODY.PEEK[1.TEXT])\r\n"
    "e SEARCH TEXT a NOT BODY b SUBJECT c HEADER X-Y d SENTSINCE 1-Jan-2001\r\n"
    "f SORT (SUBJECT FROM TO CC DATE SIZE) UTF-8 ALL\r\n"
    "g THREAD REFERENCES UTF-8 ALL\r\n";
static const struct settings settings = {
    .me = "mx.test", .prefix = "", .separator = "/", .timeout = 10, .databytes = 1, .maxerrors = 9, .idlelook = 60};
static struct session session;
static struct mime_summary_work work;

static void put_message(int root, const char *bytes, size_t n)
{
    static const char *const derived[] = {"stafet.index", "stafet.cache", "dovecot-uidlist"};
    (void)mkdirat(root, "cur", 0700);
    (void)mkdirat(root, "new", 0700);
    (void)mkdirat(root, "tmp", 0700);
    for (size_t i = 0; i < sizeof derived / sizeof *derived; i++) {
        (void)unlinkat(root, derived[i], 0);
    }
    fuzz_put_file(root, "cur/" NAME ":2,S", bytes, n);
}

static void run(int root, int out)
{
    static int nothing = -1;
    nothing = nothing < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : nothing;
    memset(&session, 0, sizeof session);
    session.settings = &settings;
    session.work = &work;
    session.root = root;
    session.over = -1;
    wire_init(&session.wire, nothing, out, 10);
    require(wire_unread(&session.wire, commands, sizeof commands - 1));
    session_run(&session);
    stralloc *texts[] = {&session.tag, &session.out, &session.code, &session.selected, &session.input.command};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        stralloc_free(texts[i]);
    }
}

/* `RFC822.SIZE n BODY[] {n}` */
static void check_size(const char *replies)
{
    static const char word[] = "RFC822.SIZE ";
    const char *at = strstr(replies, word);
    require(at != NULL);
    char *end;
    unsigned long long size = strtoull(at + sizeof word - 1, &end, 10);
    require(strncmp(end, " BODY[] {", 9) == 0 && strtoull(end + 9, &end, 10) == size && strncmp(end, "}\r\n", 3) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static stralloc text;
    int root = fuzz_folder();
    int out = memfd_create("out", MFD_CLOEXEC);
    put_message(root, (const char *)data, size);
    run(root, out);
    require(!session.wire.is_broken);
    off_t n = lseek(out, 0, SEEK_END);
    text.len = 0;
    char *bytes = str_room(&text, (size_t)n + 8);
    require(pread(out, bytes, (size_t)n, 0) == n);
    bytes[n] = '\0';
    check_size(bytes);
    fuzz_check_replies(bytes, (size_t)n, 7);
    require(n >= 50 && memcmp(bytes + n - sizeof "g OK THREAD completed\r\n" + 1, "g OK THREAD completed\r\n",
                              sizeof "g OK THREAD completed\r\n" - 1) == 0);
    close(out);
    return 0;
}
