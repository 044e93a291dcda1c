/* SPDX-License-Identifier: ISC */
/* Channels and calls: frames in pieces, descriptors, deadlines, and verdicts for every way a server can fail. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/tap.h"
#include "lib/call.h"
#include "lib/str.h"

static void make_pair(int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        exit(1);
    }
}

static void test_pieces(void)
{
    static const char bytes[] = "5:Mabcd,1:E,";
    int pair[2];
    struct channel channel;
    struct frame frame;
    make_pair(pair);
    channel_init(&channel, pair[0], pair[0]);
    channel_set_deadline(&channel, 5);
    pid_t pid = fork();
    if (pid == 0) {
        for (size_t i = 0; i < sizeof bytes - 1; i++) {
            (void)!write(pair[1], bytes + i, 1);
            usleep(100);
        }
        _exit(0);
    }
    close(pair[1]);
    ok(channel_read(&channel, &frame) == CHANNEL_FRAME && frame.type == 'M' && frame.len == 4 &&
           memcmp(frame.payload, "abcd", 4) == 0,
       "a_frame_byte_by_byte");
    ok(channel_read(&channel, &frame) == CHANNEL_FRAME && frame.type == 'E' && frame.len == 0, "an_empty_frame_behind_it");
    ok(channel_read(&channel, &frame) == CHANNEL_EOF, "then_the_end");
    channel_close(&channel);
}

static void test_faults(void)
{
    int pair[2];
    struct channel channel;
    struct frame frame;
    make_pair(pair);
    channel_init(&channel, pair[0], pair[0]);
    channel_set_deadline(&channel, 0);
    ok(channel_read(&channel, &frame) == CHANNEL_TIMEOUT, "a_silent_peer_times_out");
    channel_set_deadline(&channel, 5);
    ok(write(pair[1], "GET / HTTP/1.0\r\n", 16) == 16 && channel_read(&channel, &frame) == CHANNEL_BAD,
       "other_protocols_are_bad");
    close(pair[1]);
    channel_close(&channel);
}

/* A flush that got only half of its bytes away ends the stream: what came later would be read as the missing half. */
static void test_cut(void)
{
    enum { MUCH = 4 << 20 };
    static char bytes[65536];
    int pair[2];
    struct channel channel;
    ssize_t n;
    size_t got = 0;
    make_pair(pair);
    channel_init(&channel, pair[0], pair[0]);
    channel_set_deadline(&channel, 0);
    memset(str_room(&channel.outbox, MUCH), 'x', MUCH);
    channel.outbox.len = MUCH;
    ok(channel_flush(&channel) < 0 && errno == ETIMEDOUT, "a_peer_that_does_not_read_ends_the_flush");
    frame_put(&channel.outbox, 'E', "", 0);
    ok(channel_flush(&channel) < 0 && errno == EPIPE, "nothing_is_sent_behind_the_gap");
    while ((n = read(pair[1], bytes, sizeof bytes)) > 0) {
        got += (size_t)n;
    }
    ok(n == 0 && got > 0 && got < MUCH && bytes[0] == 'x', "the_peer_sees_the_end");
    close(pair[1]);
    channel_close(&channel);
}

static void test_pipes(void)
{
    int tube[2];
    struct channel channel;
    struct frame frame;
    ok(pipe(tube) == 0, "pipe");
    channel_init(&channel, tube[0], tube[1]);
    channel_set_deadline(&channel, 5);
    frame_put(&channel.outbox, 'Q', "x", 1);
    ok(channel_flush(&channel) == 0 && channel_read(&channel, &frame) == CHANNEL_FRAME && frame.type == 'Q',
       "frames_over_a_pipe");
    channel_close(&channel);
}

static void test_descriptors(void)
{
    int pair[2], tube[2];
    struct channel sender, receiver;
    struct frame frame;
    make_pair(pair);
    ok(pipe(tube) == 0, "pipe");
    channel_init(&sender, pair[0], pair[0]);
    channel_init(&receiver, pair[1], pair[1]);
    channel_set_deadline(&sender, 5);
    channel_set_deadline(&receiver, 5);
    channel_attach_fd(&sender, tube[0]);
    channel_attach_fd(&sender, tube[1]);
    frame_put(&sender.outbox, 'Q', "", 0);
    ok(channel_flush(&sender) == 0 && channel_read(&receiver, &frame) == CHANNEL_FRAME, "two_descriptors_ride_on_a_frame");
    int first = channel_take_fd(&receiver), second = channel_take_fd(&receiver);
    ok(first >= 10 && second >= 10 && channel_take_fd(&receiver) == -1, "they_are_moved_to_ten_or_more");
    ok((fcntl(first, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(second, F_GETFD) & FD_CLOEXEC) != 0, "they_close_on_exec");
    char c = 0;
    ok(write(second, "z", 1) == 1 && read(first, &c, 1) == 1 && c == 'z', "and_are_the_pipe_in_order");
    for (int i = 0; i < 3; i++) {
        channel_attach_fd(&sender, tube[0]);
        channel_attach_fd(&sender, tube[0]);
        frame_put(&sender.outbox, 'Q', "", 0);
        ok(channel_flush(&sender) == 0, "flush");
    }
    enum channel_result result = channel_read(&receiver, &frame);
    for (int i = 0; i < 2 && result == CHANNEL_FRAME; i++) {
        result = channel_read(&receiver, &frame);
    }
    ok(result == CHANNEL_BAD && receiver.n_fds == 0, "a_fifth_descriptor_closes_them_all");
    channel_close(&sender);
    channel_close(&receiver);
    close(first);
    close(second);
}

static unsigned each_count;

static void count_each(void *ctx, uint64_t number, const struct verdict *verdict)
{
    *(uint64_t *)ctx += number + (verdict->letter == 'K');
    each_count++;
}

/* Answers a call with these bytes and closes. */
static void answer(const char *bytes, size_t n, struct verdict *out, struct call *call, uint64_t *sum)
{
    int pair[2];
    make_pair(pair);
    (void)!write(pair[1], bytes, n);
    shutdown(pair[1], SHUT_WR);
    call_open_fd(call, pair[0], "test", 5);
    frame_put(&call->channel.outbox, 'Q', "", 0);
    call_finish_each(call, out, count_each, sum);
    close(pair[1]);
}

#define ANSWER(bytes) answer(bytes, sizeof(bytes) - 1, &verdict, &call, &sum)

static void test_calls(void)
{
    struct call call;
    struct verdict verdict;
    uint64_t sum = 0;
    ANSWER("28:K2.1.5 mailbox\0kind=mailbox\0,");
    ok(verdict.letter == 'K' && strcmp(fields_get_or(&verdict.fields, "kind", ""), "mailbox") == 0, "a_verdict_is_read");
    call_close(&call);
    ANSWER("11:P3\0Kgood\0w=,11:P7\0Kgood\0w=,");
    ok(verdict.letter == 'Z', "numbered_verdicts_without_their_nul_are_not_understood");
    call_close(&call);
    each_count = 0;
    ANSWER("9:P3\0Kgood\0,9:P7\0Zlate\0,7:Kdone.\0,");
    ok(verdict.letter == 'K' && each_count == 2 && sum == 11, "numbered_verdicts_come_on_the_way");
    call_close(&call);
    ANSWER("");
    ok(verdict.letter == 'Z' && strcmp(fields_get_or(&verdict.fields, "why", ""), "service") == 0, "no_answer_is_not_now");
    is(verdict.text, "4.3.0 service test closed the connection without an answer", "and_says_who_did_not_answer");
    call_close(&call);
    ANSWER("4:Xabc,");
    ok(verdict.letter == 'Z', "an_unknown_letter_is_not_now");
    call_close(&call);
    ANSWER("garbage");
    ok(verdict.letter == 'Z', "garbage_is_not_now");
    call_close(&call);
    ok(call_open(&call, "/nonexistent/x/sockets/rcpt", 1) == -1, "a_missing_socket");
    call_finish(&call, &verdict);
    ok(verdict.letter == 'Z' && strcmp(verdict.text, "4.3.0 service rcpt does not answer") == 0, "still_gives_a_verdict");
    call_close(&call);
}

/* For poll loops: nothing waits. */
static void test_now(void)
{
    int pair[2], small = 4096;
    struct frame frame;
    struct channel ours;
    static char big[60000];
    (void)socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    (void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    channel_init(&ours, pair[0], pair[0]);
    ok(channel_fill_now(&ours) == CHANNEL_TIMEOUT && channel_next(&ours, &frame) == CHANNEL_TIMEOUT,
       "nothing_came_and_nobody_waits");
    ok(write(pair[1], "1:A,1:B,1", 9) == 9 && channel_fill_now(&ours) == CHANNEL_FRAME, "one_receive_takes_what_came");
    ok(channel_next(&ours, &frame) == CHANNEL_FRAME && frame.type == 'A', "the_first_frame");
    ok(channel_next(&ours, &frame) == CHANNEL_FRAME && frame.type == 'B', "the_second");
    ok(channel_next(&ours, &frame) == CHANNEL_TIMEOUT, "half_a_frame_is_none");
    ok(write(pair[1], ":C,", 3) == 3 && channel_fill_now(&ours) == CHANNEL_FRAME &&
           channel_next(&ours, &frame) == CHANNEL_FRAME && frame.type == 'C',
       "its_other_half_completes_it");
    memset(big, 'x', sizeof big);
    frame_put(&ours.outbox, 'M', big, sizeof big);
    size_t len = ours.outbox.len, got = 0;
    ok(channel_flush_now(&ours) == 0 && ours.outbox.len > 0 && ours.outbox.len < len, "a_full_socket_keeps_the_rest");
    int flushed = 0;
    while (flushed == 0) {
        ssize_t n = read(pair[1], big, sizeof big);
        got += n > 0 ? (size_t)n : 0;
        flushed = channel_flush_now(&ours);
    }
    for (ssize_t n; got < len && (n = read(pair[1], big, sizeof big)) > 0;) {
        got += (size_t)n;
    }
    ok(flushed == 1 && got == len, "which_goes_out_later");
    close(pair[1]);
    frame_put(&ours.outbox, 'E', "", 0);
    ok(channel_flush_now(&ours) == -1, "a_closed_peer_is_an_error");
    ok(channel_fill_now(&ours) == CHANNEL_EOF, "and_the_end");
    channel_close(&ours);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_pieces();
    test_faults();
    test_cut();
    test_pipes();
    test_descriptors();
    test_calls();
    test_now();
    return done();
}
