/* SPDX-License-Identifier: ISC */
/* queue/send_message, send_note, send_job: one file by window, its marks and notes; whose turn a recipient has. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/crc32c.h"
#include "lib/str.h"
#include "queue/send_job.h"
#include "queue/send_message.h"
#include "tests/tap.h"

static const char id[] = "1h5r2k0p9v3m8a4c6e7g0q";
static struct scheduler scheduler;
static struct message message;

/* A message file of n recipients in cur/, its marks, then `tail`. */
static void put_file(uint32_t n, const char *marks, const char *tail)
{
    stralloc envelope = STRALLOC_ZERO, file = STRALLOC_ZERO;
    struct spoolfile_envelope head = {.sender = "ann@b.test", .uid = "7"};
    char header[SPOOLFILE_HEADER], address[64];
    spoolfile_envelope_append(&envelope, &head);
    for (uint32_t i = 0; i < n; i++) {
        (void)snprintf(address, sizeof address, "recipient-%u@example.test", i);
        spoolfile_recipient_append(&envelope, &(struct spoolfile_recipient){.address = address});
    }
    spoolfile_envelope_end(&envelope);
    struct spoolfile_header fields = {.mlen = 4,
                                      .elen = envelope.len,
                                      .n = n,
                                      .message_crc = crc32c(0, "a\nb\n", 4),
                                      .envelope_crc = crc32c(0, envelope.s, envelope.len)};
    spoolfile_encode_header(&fields, header);
    str_copy(&file, header, sizeof header);
    str_cat(&file, "a\nb\n", 4);
    str_cat(&file, envelope.s, envelope.len);
    for (uint32_t i = 0; i < n; i++) {
        str_catc(&file, marks == NULL ? '.' : marks[i]);
    }
    str_cats(&file, tail);
    int fd = openat(scheduler.spool.cur, id, O_WRONLY | O_CREAT | O_TRUNC, 0660);
    if (fd < 0 || write(fd, file.s, file.len) != (ssize_t)file.len) {
        printf("Bail out! cannot write\n");
        exit(1);
    }
    close(fd);
    stralloc_free(&envelope);
    stralloc_free(&file);
}

static enum message_open open_message(bool is_new, bool is_checked)
{
    const char *uid = "";
    message_close(&scheduler, &message);
    message = (struct message){.fd = -1, .write_fd = -1, .sender = message.sender};
    memcpy(message.id, id, sizeof id);
    enum message_open how = message_open(&scheduler, &message, is_new, is_checked, &uid);
    if (how == MESSAGE_GOOD) {
        is(message.sender.s, "ann@b.test", "the_sender_is_read");
        is(uid, "7", "and_who_queued_it");
    }
    return how;
}

static void change_byte(off_t at, char c)
{
    int fd = openat(scheduler.spool.cur, id, O_WRONLY);
    ok(pwrite(fd, &c, 1, at) == 1, "a_byte_is_changed");
    close(fd);
}

static void test_opening(void)
{
    ok(open_message(true, false) == MESSAGE_GONE, "a_file_that_is_not_there_is_gone");
    put_file(3, ".KD", "");
    ok(open_message(true, false) == MESSAGE_GOOD, "a_good_file_is_good");
    ok(message.waiting == 1 && message.failed == 1, "marks_are_counted");
    int other = openat(scheduler.spool.cur, id, O_RDONLY);
    ok(flock(other, LOCK_EX | LOCK_NB) < 0, "it_is_locked_while_it_is_tried");
    message_close(&scheduler, &message);
    ok(flock(other, LOCK_SH | LOCK_NB) == 0 && open_message(false, true) == MESSAGE_BUSY, "a_surviving_worker_is_seen");
    ok(open_message(true, true) == MESSAGE_GOOD, "of_a_new_message_there_can_be_none");
    close(other);
    ok(open_message(false, true) == MESSAGE_GOOD, "when_it_has_ended_the_file_is_ours");
    int own = message_descriptor(&scheduler, &message);
    ok(own >= 0 && own != message.fd, "a_call_gets_a_descriptor_of_its_own");
    close(own);
    change_byte(129, 'X');
    ok(open_message(true, false) == MESSAGE_DAMAGED, "a_wrong_sum_is_damage");
    ok(open_message(true, true) == MESSAGE_GOOD, "sums_are_looked_at_once");
    put_file(3, NULL, "");
    ok(truncate("cur/1h5r2k0p9v3m8a4c6e7g0q", 140) == 0 && open_message(true, false) == MESSAGE_TORN, "a_short_file_is_torn");
    ok(open_message(false, true) == MESSAGE_TORN, "checked_or_not");
    ok(unlinkat(scheduler.spool.cur, id, 0) == 0 && mkdirat(scheduler.spool.cur, id, 0700) == 0 &&
           open_message(true, false) == MESSAGE_DAMAGED,
       "a_folder_is_no_message");
    ok(unlinkat(scheduler.spool.cur, id, AT_REMOVEDIR) == 0 && symlinkat("/etc/passwd", scheduler.spool.cur, id) == 0 &&
           open_message(true, false) == MESSAGE_DAMAGED,
       "and_a_link_is_none");
    (void)unlinkat(scheduler.spool.cur, id, 0);
}

static uint32_t seen, next, wrong;
static bool see(void *ctx, uint32_t n, char mark, const char *address)
{
    char wanted[64];
    (void)ctx;
    (void)snprintf(wanted, sizeof wanted, "recipient-%u@example.test", n);
    wrong += n != next++ || strcmp(address, wanted) != 0 || (mark == '.') != (n % 3 == 0);
    seen += mark == '.';
    return mark == '.';
}

static void test_window(void)
{
    enum { MANY = 20000 };
    char *marks = malloc(MANY);
    for (unsigned i = 0; i < MANY; i++) {
        marks[i] = i % 3 == 0 ? '.' : i % 3 == 1 ? 'K' : 'B';
    }
    put_file(MANY, marks, "");
    ok(open_message(true, false) == MESSAGE_GOOD && message.waiting == (MANY + 2) / 3, "twenty_thousand_recipients_are_counted");
    seen = next = wrong = 0;
    unsigned most = 0, calls = 0;
    while (!message.is_read) {
        uint32_t before = seen;
        message_read_recipients(&scheduler, &message, 40, see, NULL);
        most = seen - before > most ? seen - before : most;
        calls++;
    }
    ok(wrong == 0 && seen == (MANY + 2) / 3 && next == MANY, "each_is_given_once_with_its_mark");
    ok(most == 40 && calls >= MANY / 3 / 40, "never_more_at_a_time_than_asked_for");
    free(marks);
}

static size_t file_bytes(char *to, size_t room)
{
    int fd = openat(scheduler.spool.cur, id, O_RDONLY);
    ssize_t n = pread(fd, to, room, (off_t)spoolfile_marks_at(&message.header));
    close(fd);
    return n < 0 ? 0 : (size_t)n;
}

static void note(uint32_t n, char letter, const char *text)
{
    struct spoolfile_note of = {
        .seconds = 5, .n = n, .letter = letter, .site = "-", .site_len = 1, .text = text, .text_len = strlen(text)};
    message_note(&scheduler, &message, &of);
}

static void test_marks_and_notes(void)
{
    static char bytes[70000];
    put_file(4, NULL, "0010 torn");
    ok(open_message(true, false) == MESSAGE_GOOD, "a_torn_note_does_not_matter");
    ok(message_mark(&scheduler, &message, 2, 'K') == 0 && message_mark(&scheduler, &message, 0, 'D') == 0, "marks_are_written");
    ok(message.is_dirty && scheduler.n_dirty == 1, "and_are_to_be_synced");
    message_sync(&scheduler, &message);
    ok(!message.is_dirty && scheduler.n_dirty == 0, "once");
    note(0, 'D', "5.1.1 never");
    size_t n = file_bytes(bytes, sizeof bytes);
    ok(n > 4 && memcmp(bytes, "D.K.", 4) == 0 && memmem(bytes, n, "torn", 4) == NULL, "a_torn_note_is_cut_before_the_next");
    note(1, 'Z', "4.2.2 full");
    note(1, 'Z', "4.2.2 full");
    size_t same = file_bytes(bytes, sizeof bytes);
    note(1, 'Z', "4.2.1 locked");
    note(1, 'Z', "4.2.2 full");
    size_t more = file_bytes(bytes, sizeof bytes);
    ok(same > n && more > same, "a_note_that_says_the_same_again_is_left_out");
    ok(message_mark_reported(&scheduler, &message) == 0, "failed_becomes_reported");
    (void)file_bytes(bytes, sizeof bytes);
    ok(memcmp(bytes, "B.K.", 4) == 0, "and_no_other_mark_changes");
    char text[400];
    for (unsigned i = 0; i < 300; i++) {
        (void)snprintf(text, sizeof text, "4.2.2 %u %0300u", i, i);
        note(3, 'Z', text);
    }
    n = file_bytes(bytes, sizeof bytes);
    ok(n - 4 <= 49152 && n - 4 > 48000, "deferrals_leave_room");
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof text, "5.2.2 %u %0300u", i, i);
        note(3, 'D', text);
    }
    n = file_bytes(bytes, sizeof bytes);
    ok(n - 4 <= SPOOLFILE_NOTES_MAX && n - 4 > 65000, "for_failures_which_end_at_64_KiB");
    struct spoolfile_note last;
    size_t at = 4;
    int got;
    while ((got = spoolfile_note_next(bytes, n, &at, &last)) == 1) {
    }
    ok(got == 0 && at == n, "and_all_notes_are_whole");
    message_close(&scheduler, &message);
}

static void test_turns(void)
{
    scheduler.messages = calloc(MESSAGES_MAX, sizeof *scheduler.messages);
    scheduler.messages[1].is_old = true;
    job_init(&scheduler);
    for (unsigned i = 0; i < 9; i++) {
        job_queue_put(&scheduler, &scheduler.routed, job_new(&scheduler, 0, i, "fresh@x.test"));
    }
    scheduler.now_ms = 100;
    for (unsigned i = 0; i < 3; i++) {
        job_queue_put(&scheduler, &scheduler.routed, job_new(&scheduler, 1, i, "old@x.test"));
    }
    char turns[13] = {0};
    for (unsigned i = 0; i < 8; i++) {
        int job = job_queue_take(&scheduler, &scheduler.routed, true);
        turns[i] = scheduler.jobs[job].message == 0 ? 'f' : 'o';
    }
    is(turns, "fffofffo", "every_fourth_turn_is_an_old_one_s");
    int third = job_queue_take(&scheduler, &scheduler.routed, false);
    ok(scheduler.jobs[third].message == 0, "without_room_for_old_mail_new_mail_goes_on");
    job_queue_put_back(&scheduler, &scheduler.routed, third);
    ok(job_queue_take_same(&scheduler, &scheduler.routed, 0) == third, "what_is_put_back_is_first_again");
    ok(job_queue_take_stale(&scheduler, &scheduler.routed, 99) >= 0, "what_waits_long_enough_is_stale");
    while (job_queue_take_same(&scheduler, &scheduler.routed, 0) != NOTHING) {
    }
    ok(job_queue_take_stale(&scheduler, &scheduler.routed, 99) == NOTHING, "what_came_later_is_not");
    ok(job_queue_take(&scheduler, &scheduler.routed, false) == NOTHING, "an_old_one_waits_where_it_may_not_go");
    ok(job_queue_take(&scheduler, &scheduler.routed, true) != NOTHING &&
           job_queue_take(&scheduler, &scheduler.routed, true) == NOTHING,
       "and_goes_where_it_may");
}

static void test_all_jobs(void)
{
    unsigned n = scheduler.n_jobs;
    int job, last = NOTHING;
    while ((job = job_new(&scheduler, 2, n, "x@x.test")) != NOTHING) {
        last = job;
        n++;
    }
    ok(n == JOBS_MAX && scheduler.n_jobs == JOBS_MAX, "there_are_so_many_jobs_and_no_more");
    unsigned of_message = scheduler.messages[2].jobs;
    job_free(&scheduler, last);
    ok(scheduler.messages[2].jobs == of_message - 1, "a_message_knows_how_many_are_its_own");
    ok(job_new(&scheduler, 3, 0, "y@x.test") == last, "and_a_free_one_is_used_again");
}

int main(void)
{
    char folder[] = "/tmp/test_send_message.XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) < 0 || mkdir("cur", 0700) < 0) {
        return 1;
    }
    scheduler.spool.cur = open("cur", O_RDONLY | O_DIRECTORY);
    message.fd = message.write_fd = -1;
    test_opening();
    test_window();
    test_marks_and_notes();
    test_turns();
    test_all_jobs();
    (void)unlinkat(scheduler.spool.cur, id, 0);
    (void)rmdir("cur");
    (void)rmdir(folder);
    return done();
}
