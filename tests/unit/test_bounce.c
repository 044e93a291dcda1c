/* SPDX-License-Identifier: ISC */
/* queue/bounce: message files in, what the queue is given out. The queue is played by this test at sockets/queue of a scratch
 * folder; bounce_send runs in a child, as under send. */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/crc32c.h"
#include "lib/str.h"
#include "queue/bounce.h"
#include "queue/bounce_words.h"
#include "tests/tap.h"

#define ID "1h5r2k0p9v3m8a4c6e7g0q"
#define NO_MAILBOX                                                                                                               \
    "5.1.1 Sorry, no mailbox here by that name. (#5.1.1) Please check the address for spelling; the domain's postmaster knows "  \
    "which addresses exist."
static const struct bounce_settings settings = {.me = "mx.example.test", .queuelifetime = 86400};
static int listener = -1;

/* ---- a message file ---- */

struct spool {
    stralloc message, envelope, marks, notes;
    uint32_t flags;
    uint64_t accepted;
};
static struct spool spool;

static void begin(const char *sender, const char *envid, const char *ret)
{
    struct spoolfile_envelope envelope = {.sender = sender, .uid = "0", .envid = envid, .ret = ret};
    spool.message.len = spool.envelope.len = spool.marks.len = spool.notes.len = 0;
    spool.flags = 0;
    spool.accepted = 1795581395;
    spoolfile_envelope_append(&spool.envelope, &envelope);
    str_copys(&spool.message, "Received: (x)\nMessage-ID: <hi@b.test>\nSubject: hi\n\nyes\n");
}

static void rcpt_dsn(const char *address, char mark, const char *notify, const char *orcpt)
{
    struct spoolfile_recipient recipient = {.address = address, .notify = notify, .orcpt = orcpt};
    spoolfile_recipient_append(&spool.envelope, &recipient);
    str_catc(&spool.marks, mark);
}

static void rcpt(const char *address, char mark)
{
    rcpt_dsn(address, mark, NULL, NULL);
}

static void note(uint32_t n, char letter, const char *text)
{
    struct spoolfile_note entry = {.seconds = 1795581396, .n = n, .letter = letter, .site = "-", .site_len = 1};
    entry.text = text;
    entry.text_len = strlen(text);
    spoolfile_note_append(&spool.notes, &entry);
}

static int spool_fd(void)
{
    char name[] = "message.XXXXXX", bytes[SPOOLFILE_HEADER];
    int fd = mkstemp(name);
    unlink(name);
    spoolfile_envelope_end(&spool.envelope);
    struct spoolfile_header header = {.mlen = spool.message.len,
                                      .elen = spool.envelope.len,
                                      .n = (uint32_t)spool.marks.len,
                                      .message_crc = crc32c(0, spool.message.s, spool.message.len),
                                      .envelope_crc = crc32c(0, spool.envelope.s, spool.envelope.len),
                                      .accepted_us = spool.accepted * 1000000,
                                      .flags = spool.flags};
    spoolfile_encode_header(&header, bytes);
    stralloc all = STRALLOC_ZERO;
    str_cat(&all, bytes, sizeof bytes);
    str_cat(&all, spool.message.s, spool.message.len);
    str_cat(&all, spool.envelope.s, spool.envelope.len);
    str_cat(&all, spool.marks.s, spool.marks.len);
    str_cat(&all, spool.notes.s, spool.notes.len);
    if (fd < 0 || write(fd, all.s, all.len) != (ssize_t)all.len) {
        exit(111);
    }
    stralloc_free(&all);
    return fd;
}

/* ---- the queue ---- */

static struct {
    int calls;
    stralloc from, to, body, utf8, proto, message;
} seen;

static void keep(stralloc *out, const struct frame *frame, const char *key)
{
    struct fields fields;
    out->len = 0;
    if (fields_parse(frame->payload, frame->len, &fields)) {
        str_cats(out, fields_get_or(&fields, key, "(none)"));
    }
    str_text(out);
}

/* Takes one call. False: it broke off. */
static bool take_call(int fd, const char *verdict)
{
    struct channel channel;
    struct frame frame;
    channel_init(&channel, fd, fd);
    channel_set_deadline(&channel, 60);
    seen.message.len = 0;
    seen.calls++;
    char type = 0;
    while (type != 'E' && channel_read(&channel, &frame) == CHANNEL_FRAME) {
        type = frame.type;
        if (type == 'Q') {
            keep(&seen.from, &frame, "from");
            keep(&seen.body, &frame, "body");
            keep(&seen.utf8, &frame, "utf8");
            keep(&seen.proto, &frame, "proto");
        } else if (type == 'R') {
            keep(&seen.to, &frame, "to");
        } else if (type == 'M') {
            str_cat(&seen.message, frame.payload, frame.len);
        }
    }
    str_text(&seen.message);
    if (type == 'E' && *verdict != 0) {
        size_t start = verdict_begin(&channel.outbox, verdict[0], verdict + 1);
        field_put(&channel.outbox, verdict[0] == 'K' ? "id" : "why", verdict[0] == 'K' ? ID : "bad-address");
        frame_end(&channel.outbox, start);
        (void)!channel_flush(&channel);
    }
    channel_close(&channel);
    return type == 'E';
}

/* bounce_send's result; each verdict is for one expected call. */
static int bounce(const char *const *verdicts)
{
    int status, fd = spool_fd();
    seen.calls = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        _exit((int)bounce_send(fd, ID, &settings));
    }
    close(fd);
    for (; *verdicts != NULL; verdicts++) {
        int call = accept(listener, NULL, NULL);
        if (call < 0 || !take_call(call, *verdicts)) {
            break;
        }
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int bounce_ok(void)
{
    static const char *const verdicts[] = {"K2.0.0 ok", NULL};
    return bounce(verdicts);
}

static bool has(const char *what)
{
    return memmem(seen.message.s, seen.message.len, what, strlen(what)) != NULL;
}

static size_t count(const char *what)
{
    size_t n = 0, len = strlen(what);
    const char *at = seen.message.s, *end = seen.message.s + seen.message.len;
    while ((at = memmem(at, (size_t)(end - at), what, len)) != NULL) {
        n++;
        at += len;
    }
    return n;
}

/* ---- tests ---- */

static void one_recipient(void)
{
    static const char want[] =
        "From: MAILER-DAEMON@mx.example.test\nTo: <ann@b.test>\nSubject: failure notice\n"
        "Message-ID: <" ID ".bounce0@mx.example.test>\nIn-Reply-To: <hi@b.test>\nReferences: <hi@b.test>\n"
        "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status;\n boundary=\"=_" ID "_0\"\n\n"
        "--=_" ID "_0\nContent-Type: text/plain; charset=us-ascii\n\n"
        "Hi. This is the stafet-send program at mx.example.test.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n"
        "This host's log knows the message as " ID ".\n\n"
        "<joe@example.test>:\nSorry, no mailbox here by that name. (#5.1.1) Please check the address for\n"
        "spelling; the domain's postmaster knows which addresses exist.\n\n"
        "--- Below this line is a copy of the message.\n\n"
        "--=_" ID "_0\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example.test\nArrival-Date: 25 Nov 2026 04:36:35 -0000\nX-Stafet-Id: " ID "\n\n"
        "Final-Recipient: rfc822; joe@example.test\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: X-Stafet; Sorry, no mailbox here by that name. (#5.1.1)\n"
        " Please check the address for spelling; the domain's postmaster knows which\n addresses exist.\n"
        "Last-Attempt-Date: 25 Nov 2026 04:36:36 -0000\n\n"
        "--=_" ID "_0\nContent-Type: message/rfc822\n\n"
        "Return-Path: <ann@b.test>\nReceived: (x)\nMessage-ID: <hi@b.test>\nSubject: hi\n\nyes\n\n--=_" ID "_0--\n";
    begin("ann@b.test", NULL, NULL);
    rcpt("joe@example.test", 'D');
    note(0, 'D', NO_MAILBOX);
    is_number(bounce_ok(), BOUNCE_SENT, "one_failed_recipient_is_reported");
    is(seen.to.s, "ann@b.test", "to_the_sender");
    is(seen.from.s, "", "with_a_null_sender");
    is(seen.proto.s, "bounce", "as_a_bounce");
    is(seen.body.s, "7BIT", "ascii_needs_no_8bitmime");
    ok(strncmp(seen.message.s, "Date: ", 6) == 0, "begins_with_a_date");
    const char *rest = strchr(seen.message.s, '\n') + 1;
    is(rest, want, "every_byte_behind_the_date_as_on_the_page");
}

static void marks_and_notify(void)
{
    begin("ann@b.test", "QQ+31+2B", NULL);
    rcpt("waiting@example.test", '.');
    rcpt("done@example.test", 'K');
    rcpt("told@example.test", 'B');
    rcpt_dsn("never@example.test", 'D', "NEVER", NULL);
    rcpt_dsn("success@example.test", 'D', "SUCCESS,DELAY", NULL);
    rcpt_dsn("failed@example.test", 'D', "delay,failure", "rfc822;jo+2Be@example.test");
    note(0, 'Z', "4.2.0 waits");
    note(5, 'Z', "4.2.0 waits");
    note(5, 'D', "5.2.1 account is locked");
    is_number(bounce_ok(), BOUNCE_SENT, "a_mixed_message_is_reported");
    is_number((long long)count("Final-Recipient:"), 1, "only_who_failed_and_wants_to_hear");
    ok(has("<failed@example.test>:\naccount is locked (#5.2.1)\n\n"), "with_the_last_note_and_its_code");
    ok(has("Original-Envelope-Id: QQ1+\n"), "envid_is_decoded");
    ok(has("Original-Recipient: rfc822; jo+e@example.test\nFinal-Recipient: rfc822; failed@example.test\n"), "orcpt_too");
    ok(has(".bounce5@"), "the_message_id_names_the_first_recipient");

    static const char *const nothing[] = {NULL};
    begin("ann@b.test", NULL, NULL);
    rcpt_dsn("never@example.test", 'D', "NEVER", NULL);
    is_number(bounce(nothing), BOUNCE_SENT, "nobody_wants_to_hear");
    is_number(seen.calls, 0, "the_queue_is_not_asked");
}

static void senders(void)
{
    static const char *const nothing[] = {NULL};
    begin("list-owner-@b.test-@[]", NULL, NULL);
    rcpt("joe@example.test", 'D');
    bounce_ok();
    is(seen.to.s, "list-owner-@b.test", "a_verp_sender_hears_at_the_list_owner");
    ok(has("\nReturn-Path: <list-owner-@b.test-@[]>\n"), "the_copy_shows_the_sender_as_it_was");
    begin("", NULL, NULL);
    rcpt("ann@b.test", 'D');
    note(0, 'D', NO_MAILBOX);
    is_number(bounce_ok(), BOUNCE_SENT, "a_bounce_that_bounced_is_reported");
    is(seen.to.s, "postmaster@mx.example.test", "to_the_postmaster");
    is(seen.from.s, "#@[]", "with_the_sender_of_double_bounces");
    ok(has("\nI tried to deliver a bounce message to this address, but the bounce bounced!\n"), "in_the_words_of_double_bounces");
    ok(has("\n--- Below this line is the original bounce.\n"), "and_their_break");
    begin("#@[]", NULL, NULL);
    rcpt("postmaster@example.test", 'D');
    is_number(bounce(nothing), BOUNCE_DROPPED, "a_triple_bounce_is_dropped");
    is_number(seen.calls, 0, "and_nobody_is_told");
}

static void queue_refuses(void)
{
    static const char *const defers[] = {"Z4.3.1 full", NULL}, *const gone[] = {"", NULL},
                             *const to_postmaster[] = {"D5.1.3 bad", "K2.0.0 ok", NULL},
                             *const both[] = {"D5.1.3 bad", "D5.1.3 bad", NULL};
    begin("ann@b.test", NULL, NULL);
    rcpt("joe@example.test", 'D');
    is_number(bounce(defers), BOUNCE_LATER, "a_queue_that_defers_is_asked_later");
    begin("ann@b.test", NULL, NULL);
    rcpt("joe@example.test", 'D');
    is_number(bounce(gone), BOUNCE_LATER, "so_is_one_that_breaks_off");
    begin("ann@b.test", NULL, NULL);
    rcpt("joe@example.test", 'D');
    is_number(bounce(to_postmaster), BOUNCE_SENT, "a_sender_that_the_queue_refuses");
    is(seen.to.s, "postmaster@mx.example.test", "goes_to_the_postmaster");
    begin("ann@b.test", NULL, NULL);
    rcpt("joe@example.test", 'D');
    is_number(bounce(both), BOUNCE_LATER, "a_postmaster_that_the_queue_refuses_loses_nothing");
}

static void reasons(void)
{
    begin("ann@b.test", NULL, NULL);
    rcpt("a@example.test", 'D');
    rcpt("b@example.test", 'D');
    rcpt("c@example.test", 'D');
    note(0, 'Z', "4.4.1 host is down");
    note(1, 'D', "4.4.1 host is down I'm not going to try again; this message has been in the queue too long.");
    spool.accepted = clock_wall_us() / 1000000 - 86401;
    bounce_ok();
    ok(has("<a@example.test>:\nhost is down (#4.4.1) I'm not going to try again; this message has been in the\nqueue too "
           "long.\n\n"),
       "a_temporary_failure_of_an_old_message_says_that_it_is_too_old");
    ok(has("\nStatus: 4.4.1\n"), "with_the_status_of_its_cause");
    ok(has("<b@example.test>:\nhost is down I'm not going to try again; this message has been in the queue\ntoo long. "
           "(#4.4.1)\n\n"),
       "what_the_note_says_is_not_said_twice");
    ok(has("<c@example.test>:\nThe delivery failed, and the reason is no longer on record. (#5.0.0)\n\n"), "no_note_is_told_too");
    spool.accepted = 0;
    begin("ann@b.test", NULL, NULL);
    rcpt("a@example.test", 'D');
    note(0, 'Z', "4.4.1 host is down (#4.4.1)");
    spool.accepted = clock_wall_us() / 1000000 - 60;
    bounce_ok();
    ok(has(":\nhost is down (#4.4.1) I'm not going to try again.\n\n"), "a_young_message_was_ended_by_hand");
}

static void foreign_bytes(void)
{
    begin("ann@b.test", NULL, NULL);
    spool.flags = SPOOLFILE_UTF8 | SPOOLFILE_8BIT;
    rcpt("jos\xc3\xa9@example.test", 'D');
    rcpt("b@example.test", 'D');
    note(0, 'D', "5.1.1 gr\xc3\xbc\xc3\x9f\x65\x07\x1b[2J   --=_" ID "_0 x");
    note(1, 'D', "5.1.1 latin \xe9\t\r.");
    bounce_ok();
    is(seen.body.s, "8BITMIME", "eight_bits_are_declared_to_the_queue");
    is(seen.utf8.s, "0", "an_ascii_sender_needs_no_smtputf8");
    ok(has("\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nHi. "), "and_in_the_part");
    ok(has("<jos\xc3\xa9@example.test>:\ngr\xc3\xbc\xc3\x9f\x65\\x07\\x1b[2J --=_" ID "_0 x (#5.1.1)\n\n"), "utf8_stays");
    ok(has("latin \\xe9\\x09\\x0d. (#5.1.1)\n"), "other_bytes_are_escaped");
    ok(has("boundary=\"=_" ID "_1\""), "the_boundary_stands_in_no_note");
    ok(has("Final-Recipient: utf-8; jos\\x{E9}@example.test\n"), "addresses_as_rfc_6533_has_them");
    ok(has("Diagnostic-Code: X-Stafet; gr\\xc3\\xbc\\xc3\\x9fe"), "status_fields_are_ascii");
    ok(has("\nContent-Type: message/global\nContent-Transfer-Encoding: 8bit\n\n"), "the_copy_is_message_global");
    begin("jos\xc3\xa9@b.test", NULL, NULL);
    rcpt("b@example.test", 'D');
    bounce_ok();
    is(seen.utf8.s, "1", "a_utf8_sender_needs_smtputf8");
}

static void copies(void)
{
    stralloc big = STRALLOC_ZERO;
    begin("ann@b.test", NULL, "HDRS");
    rcpt("b@example.test", 'D');
    bounce_ok();
    ok(has("\nContent-Type: text/rfc822-headers\n\nReturn-Path: <ann@b.test>\nReceived: (x)\nMessage-ID: <hi@b.test>\n"
           "Subject: hi\n\n--="),
       "ret_hdrs_brings_the_header");
    ok(has("the message.\nOnly its header, as its sender asked (RET=HDRS).\n\n"), "and_says_so");

    while (spool.message.len <= BOUNCE_COPY_MAX) {
        str_cats(&spool.message, "sixteen bytes..\n");
    }
    str_copy(&big, spool.message.s, spool.message.len);
    begin("ann@b.test", NULL, NULL);
    str_copy(&spool.message, big.s, big.len);
    rcpt("b@example.test", 'D');
    bounce_ok();
    ok(!has("sixteen") && has("\nOnly its header: it is too large"), "above_64_kib_only_the_header");
    begin("ann@b.test", NULL, "FULL");
    str_copy(&spool.message, big.s, big.len - 1);
    spool.message.s[100] = '\0';
    rcpt("b@example.test", 'D');
    bounce_ok();
    ok(memmem(seen.message.s, seen.message.len, spool.message.s, spool.message.len) != NULL, "ret_full_brings_all_bytes");
    begin("ann@b.test", NULL, NULL);
    str_copys(&spool.message, "X: ");
    while (spool.message.len < 2 * BOUNCE_HEADER_MAX) {
        str_cats(&spool.message, "a folded line of a header that never ends\n ");
    }
    rcpt("b@example.test", 'D');
    bounce_ok();
    ok(has("\nOnly the beginning of its header") && has("never ends\n\n--=_"), "a_huge_header_is_cut_at_a_line");
    ok(seen.message.len < BOUNCE_HEADER_MAX + 3000, "to_64_kib");
    begin("ann@b.test", NULL, NULL);
    str_copys(&spool.message, "\nFrom: x\nno header");
    rcpt("b@example.test", 'D');
    bounce_ok();
    ok(has("Return-Path: <ann@b.test>\n\nFrom: x\nno header\n--=_"), "a_message_without_header_or_last_line_end");
    ok(!has("In-Reply-To"), "and_without_message_id");
    stralloc_free(&big);
}

static void fifty_thousand(void)
{
    begin("ann@b.test", NULL, NULL);
    char address[64];
    for (uint32_t i = 0; i < 50000; i++) {
        snprintf(address, sizeof address, "a.rather.long.local.part.%u@example.test", i);
        rcpt(address, i % 5 == 0 ? 'K' : 'D');
        if (spool.notes.len < SPOOLFILE_NOTES_MAX - 2048) {
            note(i, 'D', NO_MAILBOX);
        }
    }
    is_number(bounce_ok(), BOUNCE_SENT, "fifty_thousand_recipients_are_reported");
    is_number((long long)count(">:\n"), 40000, "each_has_a_paragraph");
    is_number((long long)count("\nFinal-Recipient: "), 40000, "and_a_status");
    ok(has("<a.rather.long.local.part.49999@example.test>:\n"), "the_last_one_too");
}

static void damage(void)
{
    static const char *const nothing[] = {NULL};
    begin("ann@b.test", NULL, NULL);
    rcpt("b@example.test", 'D');
    str_copy(&spool.envelope, "Sann", 4);
    is_number(bounce(nothing), BOUNCE_LATER, "a_damaged_envelope_is_left_alone");
    begin("ann@b.test", NULL, NULL);
    rcpt("b@example.test", 'D');
    str_catc(&spool.envelope, 'T');
    is_number(bounce(nothing), BOUNCE_LATER, "so_is_a_damaged_recipient");
}

static void wrapping(void)
{
    stralloc out = STRALLOC_ZERO;
    char words[3000];
    for (size_t n = 1; n < sizeof words; n += 37) {
        memset(words, 'x', n);
        for (size_t i = n / 3; i + 1 < n && n % 2 == 0; i += 11) {
            words[i] = ' ';
        }
        out.len = 0;
        bounce_words_wrap(&out, words, n, "");
        size_t longest = 0, at = 0;
        bool has_blank_line = false;
        while (at < out.len) {
            size_t len = (size_t)((const char *)memchr(out.s + at, '\n', out.len - at) - (out.s + at));
            longest = len > longest ? len : longest;
            has_blank_line = has_blank_line || len == 0;
            at += len + 1;
        }
        if (longest > 900 || has_blank_line) {
            is_number((long long)n, -1, "wraps_any_length");
        }
    }
    ok(true, "lines_are_short_and_never_blank");
    stralloc_free(&out);
}

static void start_queue(void)
{
    char folder[] = "/tmp/test_bounce.XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "sockets/queue"};
    if (mkdtemp(folder) == NULL || chdir(folder) < 0 || mkdir("sockets", 0700) < 0) {
        exit(111);
    }
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 5) < 0) {
        exit(111);
    }
}

static void end_queue(void)
{
    char folder[64];
    close(listener);
    unlink("sockets/queue");
    rmdir("sockets");
    if (getcwd(folder, sizeof folder) != NULL && chdir("/") == 0) {
        rmdir(folder);
    }
}

int main(void)
{
    start_queue();
    one_recipient();
    marks_and_notify();
    senders();
    queue_refuses();
    reasons();
    foreign_bytes();
    copies();
    fifty_thousand();
    damage();
    wrapping();
    end_queue();
    return done();
}
