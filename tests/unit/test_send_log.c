/* SPDX-License-Identifier: ISC */
/* queue/send_log: qmail-send's lines, byte for byte, and how they are written. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include "lib/str.h"
#include "queue/send_log.h"
#include "tests/tap.h"

static char got[1 << 20];
static int ends[2], kept;

/* What flush writes to descriptor 2. A pipe of packets keeps the writes apart: each is read as it was written. */
static size_t flush(struct send_log *log, unsigned *writes, size_t *longest)
{
    size_t len = 0;
    kept = dup(2);
    if (pipe2(ends, O_DIRECT | O_NONBLOCK) < 0 || dup2(ends[1], 2) < 0) {
        exit(1);
    }
    (void)fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
    send_log_flush(log);
    (void)dup2(kept, 2);
    close(kept);
    close(ends[1]);
    *writes = 0;
    *longest = 0;
    for (ssize_t n; (n = read(ends[0], got + len, sizeof got - len)) > 0;) {
        len += (size_t)n;
        (*writes)++;
        *longest = (size_t)n > *longest ? (size_t)n : *longest;
    }
    close(ends[0]);
    got[len] = '\0';
    return len;
}

int main(void)
{
    struct send_log log = {.local_limit = 20, .remote_limit = 10};
    struct send_log_message message = {.number = 7,
                                       .bytes = 2343,
                                       .sender = "a b%\xc3@x.test",
                                       .uid = "49491",
                                       .id = "1h5r2k0p9v3m8a4c6e7g0q",
                                       .recipients = 2,
                                       .tries = 0};
    unsigned writes;
    size_t longest;
    (void)flush(&log, &writes, &longest);
    is(got, "status: local 0/20 remote 0/10\n", "the_first_line_is_the_status");
    (void)flush(&log, &writes, &longest);
    is(got, "", "which_is_not_repeated");
    send_log_message(&log, &message);
    send_log_starting(&log, 3, 7, "local", "joe@example.test");
    log.local = 1;
    (void)flush(&log, &writes, &longest);
    is(got,
       "new msg 7\ninfo msg 7: bytes 2343 from <a_b__@x.test> qp 0 uid 49491\n"
       "extra msg 7: id=1h5r2k0p9v3m8a4c6e7g0q recipients=2 tries=0\n"
       "starting delivery 3: msg 7 to local joe@example.test\nstatus: local 1/20 remote 0/10\n",
       "the_lines_of_a_beginning");
    ok(writes == 1, "are_one_write");
    send_log_delivery(&log, 3, 'K', "2.1.5 delivered");
    send_log_delivery(&log, 4, 'Z', "4.2.2 full\nreally");
    send_log_delivery(&log, 5, 'D', "5.1.1 never");
    send_log_bounce(&log, 7, 123);
    send_log_triple(&log, 7);
    send_log_end(&log, 7);
    send_log_again(&log, &message);
    (void)flush(&log, &writes, &longest);
    is(got,
       "delivery 3: success: 2.1.5_delivered/\ndelivery 4: deferral: 4.2.2_full/really/\n"
       "delivery 5: failure: 5.1.1_never/\nbounce msg 7 qp 123\ntriple bounce: discarding bounce/7\nend msg 7\n"
       "extra msg 7: id=1h5r2k0p9v3m8a4c6e7g0q recipients=2 tries=0\n",
       "the_lines_of_an_end");
    stralloc text = STRALLOC_ZERO;
    while (text.len < 5000) {
        str_catc(&text, 'x');
    }
    for (unsigned i = 0; i < 100; i++) {
        send_log_delivery(&log, i, 'Z', str_text(&text));
    }
    size_t len = flush(&log, &writes, &longest);
    ok(len > 90000 && longest <= PIPE_BUF && writes > 20, "many_lines_are_written_in_pieces_that_no_other_writer_can_cut");
    unsigned lines = 0, wrong = 0;
    for (char *p = got, *end; (end = strchr(p, '\n')) != NULL; p = end + 1) {
        lines++;
        wrong += end - p >= 1024 || strncmp(p, "delivery ", 9) != 0;
    }
    ok(lines == 100 && wrong == 0, "and_each_line_stays_under_1024_bytes");
    return done();
}
