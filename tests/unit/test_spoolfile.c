/* SPDX-License-Identifier: ISC */
/* lib/spoolfile: the example of spool(5) byte for byte, every cut, every flipped byte. */
#include <stdlib.h>
#include <unistd.h>

#include "lib/crc32c.h"
#include "lib/spoolfile.h"
#include "lib/str.h"
#include "tests/tap.h"

static const char message[] = "Received: x\nSubject: hi\n\nyes\n";

/* A whole file with n recipients, three of the marks given. */
static void build(stralloc *file, uint32_t n, struct spoolfile_header *header)
{
    stralloc envelope = STRALLOC_ZERO;
    struct spoolfile_envelope e = {.sender = "ann@b.test", .uid = "64011", .envid = "QQ1", .ip = "203.0.113.9"};
    spoolfile_envelope_append(&envelope, &e);
    for (uint32_t i = 0; i < n; i++) {
        char address[64];
        snprintf(address, sizeof address, "user%u@example.test", i);
        struct spoolfile_recipient r = {.address = address, .notify = i % 2 ? "NEVER" : NULL, .orcpt = i % 3 ? "rfc822;x" : NULL};
        spoolfile_recipient_append(&envelope, &r);
    }
    spoolfile_envelope_end(&envelope);
    *header = (struct spoolfile_header){.mlen = sizeof message - 1,
                                        .elen = envelope.len,
                                        .n = n,
                                        .message_crc = crc32c(0, message, sizeof message - 1),
                                        .envelope_crc = crc32c(0, envelope.s, envelope.len),
                                        .accepted_us = 1790000000000000,
                                        .lines = 4,
                                        .flags = SPOOLFILE_8BIT | SPOOLFILE_UTF8};
    file->len = 0;
    (void)str_room(file, SPOOLFILE_HEADER);
    spoolfile_encode_header(header, file->s);
    file->len = SPOOLFILE_HEADER;
    str_cat(file, message, sizeof message - 1);
    str_cat(file, envelope.s, envelope.len);
    for (uint32_t i = 0; i < n; i++) {
        str_catc(file, '.');
    }
    stralloc_free(&envelope);
}

static int check_bytes(const char *bytes, size_t n)
{
    char name[] = "/tmp/test_spoolfile.XXXXXX";
    int fd = mkstemp(name);
    struct spoolfile_header header;
    unlink(name);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n) {
        return -2;
    }
    int result = spoolfile_check(fd, &header);
    close(fd);
    return result;
}

static bool is_same(const struct spoolfile_header *a, const struct spoolfile_header *b)
{
    return a->mlen == b->mlen && a->elen == b->elen && a->n == b->n && a->message_crc == b->message_crc &&
           a->envelope_crc == b->envelope_crc && a->accepted_us == b->accepted_us && a->lines == b->lines && a->flags == b->flags;
}

static void test_header(void)
{
    struct spoolfile_header header = {.mlen = 0x1234,
                                      .elen = 0x56,
                                      .n = 7,
                                      .message_crc = 0xdeadbeef,
                                      .envelope_crc = 0x01020304,
                                      .accepted_us = 0x65a1b2c3d4e5f,
                                      .lines = 0x20,
                                      .flags = 5};
    char bytes[SPOOLFILE_HEADER];
    spoolfile_encode_header(&header, bytes);
    static const char want[] =
        "STAFET1\n0000000000001234\n0000000000000056\n00000007\ndeadbeef\n01020304\n00065a1b2c3d4e5f\n00000020\n"
        "00000005\n              \n";
    is_bytes(bytes, 119, want, sizeof want - 1, "header_is_the_eleven_lines_of_the_page");
    char sum[10];
    snprintf(sum, sizeof sum, "%08x\n", (unsigned)crc32c(0, bytes, 119));
    is_bytes(bytes + 119, 9, sum, 9, "header_ends_with_its_own_sum");

    struct spoolfile_header back;
    uint64_t size = SPOOLFILE_HEADER + 0x1234 + 0x56 + 7;
    ok(spoolfile_decode_header(bytes, size, &back) == SPOOLFILE_GOOD && is_same(&back, &header), "header_comes_back");
    ok(spoolfile_decode_header(bytes, size - 1, &back) == SPOOLFILE_TORN, "one_byte_less_is_torn");
    ok(spoolfile_decode_header(bytes, size + 1, &back) == SPOOLFILE_GOOD, "notes_may_follow");
    ok(spoolfile_decode_header(bytes, 0, &back) == SPOOLFILE_TORN, "empty_file_is_torn");
    is_number((long long)spoolfile_envelope_at(&header), 128 + 0x1234, "envelope_begins_behind_the_message");
    is_number((long long)spoolfile_marks_at(&header), 128 + 0x1234 + 0x56, "marks_begin_behind_the_envelope");
    is_number((long long)spoolfile_notes_at(&header), (long long)size, "notes_begin_behind_the_marks");

    char blank[SPOOLFILE_HEADER] = {0};
    ok(spoolfile_decode_header(blank, size, &back) == SPOOLFILE_TORN, "blank_header_is_torn");
    header.mlen = UINT64_MAX;
    spoolfile_encode_header(&header, blank);
    ok(spoolfile_decode_header(blank, UINT64_MAX, &back) == SPOOLFILE_CRC, "lengths_that_overflow_are_damage");

    unsigned wrong = 0;
    for (size_t i = 0; i < SPOOLFILE_HEADER; i++) {
        bytes[i] = (char)(bytes[i] ^ 1);
        enum spoolfile_fault want_fault = i < 8 ? SPOOLFILE_MAGIC_UNKNOWN : SPOOLFILE_CRC;
        wrong += spoolfile_decode_header(bytes, size, &back) != want_fault;
        bytes[i] = (char)(bytes[i] ^ 1);
    }
    is_number(wrong, 0, "every_flipped_bit_of_the_header_is_seen");
}

static void test_check(void)
{
    stralloc file = STRALLOC_ZERO;
    struct spoolfile_header header;
    build(&file, 3, &header);
    is_number(check_bytes(file.s, file.len), SPOOLFILE_GOOD, "whole_file_is_good");
    unsigned wrong = 0;
    for (size_t n = 0; n < file.len; n++) {
        wrong += check_bytes(file.s, n) != SPOOLFILE_TORN;
    }
    is_number(wrong, 0, "every_cut_is_torn");
    wrong = 0;
    for (size_t i = SPOOLFILE_HEADER; i < spoolfile_marks_at(&header); i++) {
        file.s[i] = (char)(file.s[i] ^ 0x20);
        wrong += check_bytes(file.s, file.len) != SPOOLFILE_CRC;
        file.s[i] = (char)(file.s[i] ^ 0x20);
    }
    is_number(wrong, 0, "every_changed_byte_of_message_and_envelope_is_seen");
    str_cats(&file, "anything");
    is_number(check_bytes(file.s, file.len), SPOOLFILE_GOOD, "notes_are_not_judged");

    build(&file, 50000, &header);
    is_number(check_bytes(file.s, file.len), SPOOLFILE_GOOD, "reads_50000_recipients_by_window");
    header.n = 49999;
    spoolfile_encode_header(&header, file.s);
    is_number(check_bytes(file.s, file.len), SPOOLFILE_CRC, "number_of_recipients_must_agree");
    stralloc_free(&file);
}

static void test_envelope(void)
{
    static const char bytes[] =
        "Sann@b.test\0U64011\0Henvelope.test\0I203.0.113.9\0Tjoe@example.test\0NNEVER\0Tjim@example.test\0Orfc822;jim\0";
    struct spoolfile_envelope e;
    struct spoolfile_recipient r;
    size_t at;
    ok(spoolfile_envelope_read(bytes, sizeof bytes, &e, &at), "envelope_is_read");
    is(e.sender, "ann@b.test", "sender");
    is(e.uid, "64011", "uid");
    is(e.helo, "envelope.test", "helo");
    is(e.ip, "203.0.113.9", "ip");
    ok(e.envid == NULL && e.ret == NULL && e.login == NULL && e.tls == NULL && e.extra == NULL, "what_is_not_there_is_null");
    ok(spoolfile_recipient_next(bytes, sizeof bytes, &at, &r) == 1 && !strcmp(r.address, "joe@example.test") &&
           !strcmp(r.notify, "NEVER") && r.orcpt == NULL,
       "first_recipient");
    ok(spoolfile_recipient_next(bytes, sizeof bytes, &at, &r) == 1 && !strcmp(r.address, "jim@example.test") &&
           r.notify == NULL && !strcmp(r.orcpt, "rfc822;jim"),
       "second_recipient");
    ok(spoolfile_recipient_next(bytes, sizeof bytes, &at, &r) == 0 && at == sizeof bytes, "empty_record_ends_it");
}

static void test_envelope_refusals(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *name;
    } bad_heads[] = {
        {"", 0, "refuses_empty_envelope"},
        {"Ua\0Sb\0T", 7, "refuses_uid_before_sender"},
        {"Sa\0T", 4, "refuses_envelope_without_uid"},
        {"Sa\0Ub\0Ub\0T", 10, "refuses_a_record_twice"},
        {"Sa\0Ub\0qc\0T", 10, "refuses_unknown_record"},
        {"Sa\0Ub", 5, "refuses_record_without_end"},
        {"Sa\0Ub\0", 6, "refuses_envelope_that_just_stops"},
    };
    static const struct {
        const char *bytes;
        size_t n;
        const char *name;
    } bad_recipients[] = {
        {"", 0, "refuses_missing_end"},
        {"Ta", 2, "refuses_recipient_without_end"},
        {"Ta\0", 3, "refuses_recipient_before_it_is_known_to_be_whole"},
        {"Nx\0Ta\0\0", 7, "refuses_option_before_recipient"},
        {"Ta\0Nx\0Nx\0\0", 10, "refuses_option_twice"},
        {"Ta\0Zx\0\0", 7, "refuses_unknown_option"},
        {"\0Ta\0\0", 5, "refuses_bytes_behind_the_end"},
    };
    for (size_t i = 0; i < sizeof bad_heads / sizeof bad_heads[0]; i++) {
        struct spoolfile_envelope e;
        size_t at;
        ok(!spoolfile_envelope_read(bad_heads[i].bytes, bad_heads[i].n, &e, &at), bad_heads[i].name);
    }
    for (size_t i = 0; i < sizeof bad_recipients / sizeof bad_recipients[0]; i++) {
        struct spoolfile_recipient r;
        size_t at = 0;
        ok(spoolfile_recipient_next(bad_recipients[i].bytes, bad_recipients[i].n, &at, &r) == -1 && at == 0,
           bad_recipients[i].name);
    }
}

static void test_notes(void)
{
    stralloc notes = STRALLOC_ZERO;
    struct spoolfile_note note = {.seconds = 1790000000,
                                  .n = 2,
                                  .letter = 'Z',
                                  .site = "b.test",
                                  .site_len = 6,
                                  .text = "4.4.1 no\nanswer",
                                  .text_len = 15};
    spoolfile_note_append(&notes, &note);
    static const char body[] = "1790000000 2 Z b.test 4.4.1 no answer\n";
    char want[128];
    int n = snprintf(want, sizeof want, "%04x %08x %s", (unsigned)(sizeof body - 1), (unsigned)crc32c(0, body, sizeof body - 1),
                     body);
    is_bytes(notes.s, notes.len, want, (size_t)n, "note_is_length_sum_and_line");

    char *long_text = memset(malloc(5000), 'x', 5000);
    struct spoolfile_note second = {.seconds = 1, .n = 0, .letter = 'D', .site = "", .text = long_text, .text_len = 5000};
    spoolfile_note_append(&notes, &second);
    ok(notes.len - (size_t)n < 2048, "long_note_is_cut");

    size_t at = 0;
    struct spoolfile_note back;
    ok(spoolfile_note_next(notes.s, notes.len, &at, &back) == 1 && back.seconds == 1790000000 && back.n == 2 &&
           back.letter == 'Z' && back.site_len == 6 && !memcmp(back.site, "b.test", 6) && back.text_len == 15 &&
           !memcmp(back.text, "4.4.1 no answer", 15),
       "note_comes_back");
    ok(spoolfile_note_next(notes.s, notes.len, &at, &back) == 1 && back.site_len == 1 && *back.site == '-', "no_site_is_a_dash");
    ok(spoolfile_note_next(notes.s, notes.len, &at, &back) == 0, "notes_end");

    unsigned wrong = 0;
    for (size_t cut = (size_t)n + 1; cut < notes.len; cut++) {
        at = 0;
        bool first = spoolfile_note_next(notes.s, cut, &at, &back) == 1;
        wrong += !first || spoolfile_note_next(notes.s, cut, &at, &back) != -1 || at != (size_t)n;
    }
    is_number(wrong, 0, "reader_stops_at_a_torn_note");
    for (size_t i = 0; i < (size_t)n; i++) {
        at = 0;
        notes.s[i] = (char)(notes.s[i] ^ 1);
        wrong += spoolfile_note_next(notes.s, notes.len, &at, &back) != -1 || at != 0;
        notes.s[i] = (char)(notes.s[i] ^ 1);
    }
    is_number(wrong, 0, "every_flipped_bit_of_a_note_is_seen");
    free(long_text);
    stralloc_free(&notes);
}

static void test_names(void)
{
    struct spoolfile_later later;
    stralloc name = STRALLOC_ZERO;
    static const char good[] = "1h5r2k0p9v3m8a4c6e7g0q.12.1a2b3c4d.no-route";
    ok(spoolfile_later_parse(good, &later) && later.tries == 12 && !strcmp(later.site, "1a2b3c4d") &&
           !strcmp(later.why, "no-route"),
       "later_name_is_read");
    spoolfile_later_append(&name, &later);
    is(str_text(&name), good, "later_name_is_written");
    ok(spoolfile_later_parse("1h5r2k0p9v3m8a4c6e7g0q.0.-.full", &later) &&
           spoolfile_later_parse("1h5r2k0p9v3m8a4c6e7g0q.0.+.io", &later),
       "site_may_be_a_dash_or_a_plus");
    static const char *const bad[] = {"",
                                      "1h5r2k0p9v3m8a4c6e7g0q",
                                      "1h5r2k0p9v3m8a4c6e7g0q.",
                                      "1h5r2k0p9v3m8a4c6e7g0q.1.-",
                                      "1h5r2k0p9v3m8a4c6e7g0q.1.-.",
                                      "1h5r2k0p9v3m8a4c6e7g0q..-.io",
                                      "1h5r2k0p9v3m8a4c6e7g0q.x.-.io",
                                      "1h5r2k0p9v3m8a4c6e7g0q.1.zz.io",
                                      "1h5r2k0p9v3m8a4c6e7g0q.1.-.Io",
                                      "1h5r2k0p9v3m8a4c6e7g0q.1.-.io.x",
                                      "1h5r2k0p9v3m8a4c6e7g0Q.1.-.io",
                                      "1h5r2k0p9v3m8a4c6e7g0q.1.-.aaaaaaaaaaaaaaaaa",
                                      "1h5r2k0p9v3m8a4c6e7g0q.4294967296.-.io"};
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        wrong += spoolfile_later_parse(bad[i], &later);
    }
    is_number(wrong, 0, "refuses_names_that_are_not_the_form");
    char record[SPOOLFILE_TRIGGER];
    spoolfile_trigger_record("1h5r2k0p9v3m8a4c6e7g0q", record);
    is_bytes(record, sizeof record, "1h5r2k0p9v3m8a4c6e7g0q         \n", 32, "trigger_record_is_32_bytes");
    stralloc_free(&name);
}

int main(void)
{
    test_header();
    test_check();
    test_envelope();
    test_envelope_refusals();
    test_notes();
    test_names();
    return done();
}
