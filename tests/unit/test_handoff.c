/* SPDX-License-Identifier: ISC */
/* lib/handoff: a verdict that comes while the front gives up counts, one that would come later never does. */
#include "lib/handoff.h"
#include "tests/tap.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A call whose deadline is over without an answer. */
static int give_up(struct call *call, struct verdict *verdict)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        exit(1);
    }
    call_open_fd(call, pair[0], "auth", 0);
    call_finish(call, verdict);
    ok(verdict->letter == 'Z', "nothing_came_in_time");
    return pair[1];
}

static void test_late_answer(void)
{
    struct call call;
    struct verdict verdict;
    static const char frame[] = "23:K2.7.0 session started\0,";
    int session = give_up(&call, &verdict);
    ok(write(session, frame, sizeof frame - 1) == sizeof frame - 1, "the session answers");
    handoff_look_again(&call, &verdict);
    ok(verdict.letter == 'K', "it_counts");
    call_close(&call);
    close(session);
}

static void test_answer_that_comes_too_late(void)
{
    struct call call;
    struct verdict verdict;
    int session = give_up(&call, &verdict);
    handoff_look_again(&call, &verdict);
    ok(verdict.letter == 'Z', "the_client_stays_with_the_front");
    ok(write(session, "late", 4) < 0 && errno == EPIPE, "the_session_is_told_so");
    call_close(&call);
    close(session);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_late_answer();
    test_answer_that_comes_too_late();
    return done();
}
