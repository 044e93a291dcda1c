/* SPDX-License-Identifier: ISC */
/* imapd/input: commands, literals and what is dropped, whatever the portions in which the bytes come. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "imapd/input.h"
#include "lib/str.h"
#include "tests/tap.h"

enum { READS_MAX = 100000 };
static int ends[2]; /* ours, the program's */
static struct wire wire;
static struct input input = {.wire = &wire};
static stralloc got;

/* SOCK_SEQPACKET: each read gives what one write sent. */
static void begin(int type)
{
    if (socketpair(AF_UNIX, type, 0, ends) < 0) {
        perror("socketpair");
        exit(111);
    }
    for (int i = 0; i < 2; i++) {
        int size = 4 << 20;
        (void)setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
    wire_init(&wire, ends[1], ends[1], 5);
    got.len = 0;
}

static void end(void)
{
    close(ends[0]);
    close(ends[1]);
}

/* What was read, as text: `command[a NOOP]`, `message[a APPEND x {3}]3`, `long`, `bad`, `end`. Long commands by their length. */
static bool note(enum input_result result)
{
    static const char *const names[] = {"command", "message", "long", "bad", "end", "timeout", "gone"};
    str_cats(&got, got.len > 0 ? " " : "");
    str_cats(&got, names[result]);
    if (result == INPUT_COMMAND || result == INPUT_MESSAGE) {
        str_catc(&got, '[');
        if (input.command.len < 200) {
            str_cat_printable(&got, input.command.s, input.command.len);
        } else {
            str_catf(&got, "%zu", (size_t)input.command.len);
        }
        str_catc(&got, ']');
    }
    if (result == INPUT_MESSAGE) {
        str_catf(&got, "%llu%s", (unsigned long long)input.message.len, input.message.is_plus ? "+" : "");
    }
    return result != INPUT_END && result != INPUT_TIMEOUT && result != INPUT_GONE;
}

/* Reads commands to the end; the message of an APPEND is passed over, as the command would. */
static void read_all(void)
{
    for (unsigned i = 0; i < READS_MAX; i++) {
        enum input_result result = input_read(&input);
        while (result == INPUT_MESSAGE) {
            (void)note(result);
            input.has_message = false;
            if (!input_skip(&input, input.message.len)) {
                str_cats(&got, " cut");
                return;
            }
            result = input_read_rest(&input);
        }
        if (!note(result)) {
            return;
        }
    }
}

/* The first `first` bytes are in the program's hands before the others come. */
static const char *play(const char *bytes, size_t n, size_t first)
{
    begin(SOCK_STREAM);
    (void)wire_unread(&wire, bytes, first);
    (void)!write(ends[0], bytes + first, n - first);
    (void)shutdown(ends[0], SHUT_WR);
    read_all();
    end();
    return str_text(&got);
}

/* Whole, byte by byte, and cut into two at each place. */
static void reads(const char *bytes, size_t n, const char *want, const char *name)
{
    unsigned wrong = 0;
    is(play(bytes, n, 0), want, name);
    for (size_t first = 1; first <= n; first++) {
        wrong += strcmp(play(bytes, n, first), want) != 0;
    }
    is_number(wrong, 0, "wherever_the_bytes_are_cut");
    begin(SOCK_SEQPACKET);
    for (size_t i = 0; i < n; i++) {
        (void)!write(ends[0], bytes + i, 1);
    }
    (void)shutdown(ends[0], SHUT_WR);
    read_all();
    end();
    is(str_text(&got), want, "and_byte_by_byte");
}

#define READS(bytes, want, name) reads((bytes), sizeof(bytes) - 1, (want), (name))

static void reads_commands(void)
{
    READS("a NOOP\r\nb NOOP\r\n", "command[a NOOP] command[b NOOP] end", "two_lines");
    READS("a NOOP\nb\n", "command[a NOOP] command[b] end", "bare_lf_ends_a_line");
    READS("\r\n\n\r\r\nx\ry\r\n", "command[] command[] command[\\x0d] command[x\\x0dy] end", "empty_lines_and_stray_cr");
    READS("a NOOP", "end", "a_line_without_its_end_is_none");
    READS("", "end", "nothing_at_all");
    READS("a LOGIN {3}\r\njoe {2+}\r\nxy\r\nb NOOP\r\n", "command[a LOGIN {3}\\x0d\\x0ajoe {2+}\\x0d\\x0axy] command[b NOOP] end",
          "literals_in_a_command");
    READS("a X {4}\r\n\r\n\r\n {0}\r\n\r\n", "command[a X {4}\\x0d\\x0a\\x0d\\x0a\\x0d\\x0a {0}\\x0d\\x0a] end",
          "line_ends_inside_a_literal");
    READS("a X {5}\r\n{9+}\r {2+}\r\nok\r\n", "command[a X {5}\\x0d\\x0a{9+}\\x0d {2+}\\x0d\\x0aok] end",
          "an_announcement_inside_a_literal_is_none");
    READS("a X {3}\r\nab", "end", "a_literal_that_is_cut_off");
    READS("a X {}\r\nb X {4294967296}\r\nc X {+}\r\nd NOOP\r\n", "bad bad bad command[d NOOP] end", "braces_without_a_number");
    READS("a X {3-}\r\nb X {3} \r\nc X \"{3}\"\r\n", "command[a X {3-}] command[b X {3} ] command[c X \"{3}\"] end",
          "what_only_looks_like_an_announcement");
    READS("a APPEND x {3}\r\nabc\r\nb NOOP\r\n", "message[a APPEND x {3}]3 command[a APPEND x {3}] command[b NOOP] end",
          "appends_message_is_left_to_it");
    READS("a APPEND {1}\r\nx {3+}\r\nabc (\\Seen) {2+}\r\nde\r\n",
          "message[a APPEND {1}\\x0d\\x0ax {3+}]3+ message[a APPEND {1}\\x0d\\x0ax {3+} (\\Seen) {2+}]2+ command[a APPEND "
          "{1}\\x0d\\x0ax {3+} (\\Seen) {2+}] end",
          "several_messages_and_a_mailbox_that_is_a_literal");
    READS("a APPEND x {3+}\r\nab", "message[a APPEND x {3+}]3+ cut", "a_message_that_is_cut_off");
    READS("a APPEND \"x {3+}\r\nab\n\r\n", "command[a APPEND \"x {3+}\\x0d\\x0aab\\x0a] end",
          "an_open_quote_announces_no_message");
    READS("a APPEND \"x {0+}\r\n {0+}\r\n\" {1+}\r\nb\r\n",
          "command[a APPEND \"x {0+}\\x0d\\x0a {0+}\\x0d\\x0a\" {1+}\\x0d\\x0ab] end", "a_third_literal_is_no_message");
}

static void send_text(const char *text)
{
    (void)!write(ends[0], text, strlen(text));
}

static void asks_for_literals(void)
{
    char told[64];
    begin(SOCK_STREAM);
    send_text("a X {1}\r\nb {2+}\r\ncd {1}\r\ne\r\n");
    ok(input_read(&input) == INPUT_COMMAND, "a_command_with_three_literals");
    wire_flush(&wire);
    ssize_t n = recv(ends[0], told, sizeof told, MSG_DONTWAIT);
    is_bytes(told, n < 0 ? 0 : (size_t)n, "+ go on\r\n+ go on\r\n", 18, "is_asked_for_the_two_that_wait");
    send_text("a X {262144}\r\n");
    ok(input_read(&input) == INPUT_TOO_LONG, "one_that_is_too_large");
    wire_flush(&wire);
    ok(recv(ends[0], told, sizeof told, MSG_DONTWAIT) < 0, "is_not_asked_for");
    send_text("a APPEND x {5}\r\n");
    ok(input_read(&input) == INPUT_MESSAGE, "a_message");
    wire_flush(&wire);
    ok(recv(ends[0], told, sizeof told, MSG_DONTWAIT) < 0, "is_asked_for_by_its_command");
    end();
}

static void put_many(stralloc *out, char c, size_t n)
{
    memset(str_room(out, n), c, n);
    out->len += n;
}

/* A line of n bytes before its end, then a NOOP; the first `first` bytes are there before the others. */
static const char *play_long(size_t n, const char *tail, size_t first)
{
    stralloc text = STRALLOC_ZERO;
    put_many(&text, 'x', n);
    str_cats(&text, tail);
    str_cats(&text, "z NOOP\r\n");
    const char *result = play(text.s, text.len, first);
    stralloc_free(&text);
    return result;
}

static void drops_what_is_too_long(void)
{
    unsigned wrong = 0;
    is(play_long(INPUT_LINE_MAX - 2, "\r\n", 0), "command[65534] command[z NOOP] end", "the_longest_line");
    is(play_long(INPUT_LINE_MAX - 1, "\r\n", 0), "long command[z NOOP] end", "one_byte_more");
    is(play_long(INPUT_LINE_MAX - 1, "\n", 0), "command[65535] command[z NOOP] end", "the_longest_line_with_a_bare_lf");
    is(play_long(300000, "\r\n", 0), "long command[z NOOP] end", "a_line_longer_than_any_command");
    is(play_long(70000, "{8+}\r\nq NOOP\r\n {3}\r\n", 0), "long command[z NOOP] end", "its_literal_is_swallowed_with_it");
    is(play_long(70000, "{8+}\r\nq NOOP\r\n{7+}\r\nNOOP\r\nx\r\n", 0), "long command[z NOOP] end", "and_the_next_one");
    is(play_long(70000, "{8}\r\n", 0), "long command[z NOOP] end", "one_that_waits_is_not");
    is(play_long(70000, "{300000+}\r\n", 0), "end", "a_swallowed_literal_that_is_cut_off");
    /* The border between what was kept and what is dropped goes through the announcement, at each of its places. */
    for (size_t place = 0; place < 24; place++) {
        static const char tail[] = "{0000000000000000008+}\r\nq NOOP\r\n\r\n";
        size_t n = INPUT_LINE_MAX - 2 - place;
        for (size_t back = 0; back < sizeof tail; back++) {
            const char *last = strstr(play_long(n, tail, (n + back) % WIRE_IN), " command[z NOOP] end");
            wrong += last == NULL || strstr(got.s, "q NOOP") != NULL;
        }
    }
    is_number(wrong, 0, "wherever_the_dropping_begins");
}

static void counts_the_whole_command(void)
{
    stralloc text = STRALLOC_ZERO;
    str_cats(&text, "a X {262120+}\r\n"); /* 13 bytes, CR LF, the literal; the line behind it */
    put_many(&text, 'x', 262120);
    size_t border = text.len;
    str_cats(&text, "12345678\nz NOOP\r\n");
    is(play(text.s, text.len, 0), "command[262143] command[z NOOP] end", "the_longest_command");
    text.len = border;
    str_cats(&text, "123456789\nz NOOP\r\n");
    is(play(text.s, text.len, 0), "long command[z NOOP] end", "one_byte_more_in_all");
    text.len = border;
    str_cats(&text, " {3+}\r\nabc {3+}\r\nabc\r\nz NOOP\r\n");
    is(play(text.s, text.len, 0), "long command[z NOOP] end", "literals_beyond_the_limit_are_swallowed");
    stralloc_free(&text);
}

int main(void)
{
    reads_commands();
    asks_for_literals();
    drops_what_is_too_long();
    counts_the_whole_command();
    return done();
}
