/* SPDX-License-Identifier: ISC */
/* Lines off a descriptor: whole, byte by byte, over-long, unfinished, with every wrong line end. */
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/tap.h"
#include "lib/clock.h"
#include "lib/str.h"
#include "lib/wire.h"

static struct wire wire;

/* A letter a line: L line, B bare, T too long; then e end, t time, g gone; the lines follow in brackets. */
static void read_all(int fd, bool strict, size_t limit, stralloc *out)
{
    static const char letters[] = "LBTetg";
    wire_init(&wire, fd, fd, 5);
    for (;;) {
        char *line;
        size_t n;
        enum wire_result result = wire_read_line(&wire, limit, strict, &line, &n);
        str_catc(out, letters[result]);
        if (result == WIRE_LINE || result == WIRE_BARE) {
            str_catc(out, '[');
            str_cat_printable(out, line, n);
            str_catc(out, ']');
        }
        if (result >= WIRE_END) {
            (void)str_text(out);
            return;
        }
    }
}

static void feed(const char *bytes, size_t n, bool one_by_one, int fd)
{
    size_t step = one_by_one ? 1 : n;
    for (size_t at = 0; at < n; at += step) {
        if (write(fd, bytes + at, step) < 0) {
            exit(1);
        }
        if (one_by_one) {
            usleep(20); /* so that the reader sees most bytes alone */
        }
    }
}

static void check(const char *bytes, size_t n, bool strict, const char *want, const char *name)
{
    for (int one_by_one = 0; one_by_one < 2; one_by_one++) {
        int pair[2];
        stralloc out = STRALLOC_ZERO;
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
            exit(1);
        }
        pid_t pid = fork();
        if (pid == 0) {
            feed(bytes, n, one_by_one != 0, pair[1]);
            _exit(0);
        }
        close(pair[1]);
        read_all(pair[0], strict, 16, &out);
        close(pair[0]);
        is(out.s, want, name);
    }
}

#define CHECK(bytes, strict, want, name) check(bytes, sizeof(bytes) - 1, strict, want, name)

static void test_timeouts(void)
{
    int pair[2], tube[2];
    char *line;
    size_t n;
    ok(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(tube) == 0, "descriptors");
    wire_init(&wire, pair[0], pair[0], 1);
    is_number(wire_read_line(&wire, 100, true, &line, &n), WIRE_TIMEOUT, "a_silent_socket_times_out");
    wire_init(&wire, tube[0], tube[1], 1);
    is_number(wire_read_line(&wire, 100, true, &line, &n), WIRE_TIMEOUT, "a_silent_pipe_times_out");
    wire_init(&wire, pair[0], pair[0], 100);
    wire.end_ms = clock_monotonic_ms() + 50;
    is_number(wire_read_line(&wire, 100, true, &line, &n), WIRE_TIMEOUT, "the_sessions_end_comes_before_the_idle_time");
    wire_init(&wire, pair[0], pair[0], 1);
    close(pair[1]);
    wire_puts(&wire, "hello");
    wire_flush(&wire);
    ok(wire.is_broken, "a_gone_peer_breaks_the_wire");
    is_number(wire_read_line(&wire, 100, true, &line, &n), WIRE_GONE, "reads_after_that_say_gone");
}

static void test_full_pipe_times_out(void)
{
    int tube[2];
    static char page[65536 * 2];
    ok(pipe(tube) == 0, "pipe");
    wire_init(&wire, 0, tube[1], 1);
    wire_put(&wire, page, sizeof page);
    wire_flush(&wire);
    ok(wire.is_broken, "a_reader_that_does_not_read_breaks_the_wire");
}

/* The same on a socket: by the idle time, and by the session's end before it. */
static void test_full_socket_times_out(uint64_t end_in_ms, const char *name)
{
    int pair[2];
    static char page[1 << 20];
    ok(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    wire_init(&wire, pair[0], pair[0], end_in_ms > 0 ? 100 : 1);
    wire.end_ms = end_in_ms > 0 ? clock_monotonic_ms() + end_in_ms : 0;
    wire_put(&wire, page, sizeof page);
    wire_flush(&wire);
    ok(wire.is_broken, name);
    close(pair[0]);
    close(pair[1]);
}

static void test_unread(void)
{
    int pair[2];
    char *line;
    size_t n;
    ok(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[1], "SECOND\r\nTHIRD\r\n", 15) == 15, "descriptors");
    wire_init(&wire, pair[0], pair[0], 5);
    ok(wire_unread(&wire, "FIRST\r\n", 7), "early_bytes_are_put_back");
    ok(wire_has_input(&wire), "they_are_input");
    ok(wire_read_line(&wire, 100, true, &line, &n) == WIRE_LINE && strcmp(line, "FIRST") == 0, "they_come_first");
    ok(wire_read_line(&wire, 100, true, &line, &n) == WIRE_LINE && strcmp(line, "SECOND") == 0, "then_the_socket");
    ok(wire_unread(&wire, "AGAIN\r\n", 7), "unread_before_unread_bytes");
    ok(wire_read_line(&wire, 100, true, &line, &n) == WIRE_LINE && strcmp(line, "AGAIN") == 0, "put_back_first");
    ok(wire_read_line(&wire, 100, true, &line, &n) == WIRE_LINE && strcmp(line, "THIRD") == 0, "then_what_was_there");
    ok(!wire_has_input(&wire), "nothing_left");
    static char big[WIRE_IN + 1];
    ok(!wire_unread(&wire, big, sizeof big), "more_than_the_buffer_is_refused");
}

/* The reader's side: how many of the bytes 0, 1, 2 … came in order, slowly at first. */
static size_t count_in_order(int fd)
{
    unsigned char bytes[700];
    size_t n = 0;
    ssize_t got;
    while ((got = read(fd, bytes, sizeof bytes)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] != n++ % 251) {
                return 0;
            }
        }
        usleep(n < 5000 ? 1000 : 0);
    }
    return n;
}

/* Pieces below, at and above the buffer's size. */
static void test_output(const char *name, bool is_pipe)
{
    static char bytes[600000];
    static const size_t pieces[] = {1, 100, WIRE_OUT - 101, 1, WIRE_OUT, WIRE_OUT + 1, 50000, 10, 300000, 7};
    int fd[2];
    int answer[2];
    size_t sent = 0;
    size_t seen = 0;
    ok((is_pipe ? pipe(fd) : socketpair(AF_UNIX, SOCK_STREAM, 0, fd)) == 0 && pipe(answer) == 0, "descriptors");
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(i % 251);
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(fd[1]);
        size_t n = count_in_order(fd[0]);
        _exit(write(answer[1], &n, sizeof n) != sizeof n);
    }
    close(fd[0]);
    wire_init(&wire, is_pipe ? 0 : fd[1], fd[1], 5);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        wire_put(&wire, bytes + sent, pieces[i]);
        sent += pieces[i];
    }
    wire_flush(&wire);
    close(fd[1]);
    ok(read(answer[0], &seen, sizeof seen) == sizeof seen && seen == sent && !wire.is_broken, name);
}

static void test_part(void)
{
    int pair[2];
    char bytes[64];
    ok(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[1], "MORE\r\nAND MORE\r\n", 16) == 16, "descriptors");
    wire_init(&wire, pair[0], pair[0], 5);
    wire_puts(&wire, "bye\r\n");
    shutdown(pair[1], SHUT_WR);
    wire_part(&wire);
    ok(read(pair[1], bytes, sizeof bytes) == 5 && read(pair[1], bytes, sizeof bytes) == 0, "the_last_word_then_the_end");
    ok(read(pair[0], bytes, sizeof bytes) == 0, "what_was_unread_is_dropped");
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    CHECK("one\r\ntwo\r\n", true, "L[one]L[two]e", "two_lines");
    CHECK("\r\n", true, "L[]e", "an_empty_line");
    CHECK("one\ntwo\r\nend\r\n", true, "B[one]B[two\\x0d]L[end]e", "strict_lone_lf_is_bare_and_so_is_what_follows_it");
    CHECK("one\n\ntwo\r\nend\r\n", true, "B[one]B[]B[two\\x0d]L[end]e", "up_to_cr_lf");
    CHECK("far longer than sixteen\nRSET\r\nend\r\n", true, "TB[RSET\\x0d]L[end]e", "a_long_line_too");
    CHECK("o\rne\r\n", true, "B[o\\x0dne\\x0d]e", "strict_lone_cr_is_bare");
    CHECK("one\r\r\n", true, "B[one\\x0d\\x0d]e", "strict_cr_cr_lf_is_bare");
    CHECK("one\ntwo\r\n", false, "L[one]L[two]e", "lenient_lone_lf_ends_a_line");
    CHECK("a\0b\r\n", true, "L[a\\x00b]e", "nul_is_counted");
    CHECK("14-bytes-and-x\r\n", true, "L[14-bytes-and-x]e", "exactly_the_limit");
    CHECK("15-bytes-and-xy\r\nnext\r\n", true, "TL[next]e", "one_over_the_limit");
    CHECK("a very long line that goes on and on and on and on\r\nnext\r\n", true, "TL[next]e", "far_over_the_limit");
    CHECK("a very long line that goes on and on\rand on and on\r\nnext\r\n", true, "TL[next]e", "with_a_lone_cr_in_it");
    CHECK("unfinished", true, "e", "an_unfinished_line_is_dropped");
    test_timeouts();
    test_full_pipe_times_out();
    test_full_socket_times_out(0, "so_does_the_other_end_of_a_socket");
    test_full_socket_times_out(50, "at_the_sessions_end_at_the_latest");
    test_unread();
    test_output("a_socket_gets_all_pieces_in_order", false);
    test_output("a_pipe_gets_all_pieces_in_order", true);
    test_part();
    return done();
}
