/* SPDX-License-Identifier: ISC */
/* A POP3 load: -c connections at once, -n sessions in all (USER, PASS, STAT, QUIT), -u users (u0@DOMAIN …, -P password); with -r
 * every session fetches each message (RETR, pipelined one after the other). Prints: sessions N seconds S bytes B cpu C. */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "load.h"

enum step { STEP_GREETING, STEP_USER, STEP_PASS, STEP_STAT, STEP_RETR_STATUS, STEP_RETR_BODY, STEP_QUIT };

struct connection {
    int fd;
    enum step step;
    unsigned messages, at;
    size_t line_len;
    unsigned tail; /* bytes of CRLF.CRLF seen */
    char line[600];
};

static struct {
    struct load_target target;
    unsigned connections, sessions, users;
    bool retrieves;
    const char *domain, *password;
} plan = {.target = {"127.0.0.1", 2110},
          .connections = 1,
          .sessions = 100,
          .users = 100,
          .domain = "example.test",
          .password = "secret"};

static unsigned started, finished;
static uint64_t bytes_read;
static int epoll_fd;

static void say(struct connection *c, const char *text)
{
    size_t n = strlen(text);
    if (send(c->fd, text, n, MSG_NOSIGNAL) != (ssize_t)n) {
        err(111, "send");
    }
}

static void open_connection(struct connection *c)
{
    c->fd = load_connect(&plan.target);
    c->step = STEP_GREETING;
    c->line_len = 0;
    c->at = started++;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event);
}

static void retrieve_next(struct connection *c)
{
    char command[40];
    if (!plan.retrieves || c->at >= c->messages) {
        c->step = STEP_QUIT;
        say(c, "QUIT\r\n");
        return;
    }
    c->step = STEP_RETR_STATUS;
    c->tail = 2;
    snprintf(command, sizeof command, "RETR %u\r\n", ++c->at);
    say(c, command);
}

static void on_line(struct connection *c)
{
    char command[300];
    if (c->line[0] != '+') {
        errx(1, "step %d: %.*s", (int)c->step, (int)c->line_len, c->line);
    }
    switch (c->step) {
    case STEP_GREETING:
        snprintf(command, sizeof command, "USER u%u@%s\r\n", c->at % plan.users, plan.domain);
        c->step = STEP_USER;
        say(c, command);
        return;
    case STEP_USER:
        snprintf(command, sizeof command, "PASS %s\r\n", plan.password);
        c->step = STEP_PASS;
        say(c, command);
        return;
    case STEP_PASS:
        c->step = STEP_STAT;
        say(c, "STAT\r\n");
        return;
    case STEP_STAT:
        c->messages = (unsigned)atoi(c->line + 4);
        c->at = 0;
        retrieve_next(c);
        return;
    case STEP_RETR_STATUS:
        c->step = STEP_RETR_BODY;
        return;
    case STEP_RETR_BODY:
    case STEP_QUIT:
        return;
    }
}

/* Moves over body bytes; true when CRLF.CRLF was seen, *used behind it. */
static bool skip_body(struct connection *c, const char *bytes, size_t n, size_t *used)
{
    static const char end[] = "\r\n.\r\n";
    for (size_t i = 0; i < n; i++) {
        if (c->tail == 0) {
            const char *cr = memchr(bytes + i, '\r', n - i);
            if (cr == NULL) {
                break;
            }
            i = (size_t)(cr - bytes);
        }
        c->tail = bytes[i] == end[c->tail] ? c->tail + 1 : bytes[i] == '\r' ? 1 : 0;
        if (c->tail == 5) {
            *used = i + 1;
            return true;
        }
    }
    *used = n;
    return false;
}

static void on_bytes(struct connection *c, const char *bytes, size_t n)
{
    while (n > 0) {
        size_t used;
        if (c->step == STEP_RETR_BODY) {
            if (skip_body(c, bytes, n, &used)) {
                retrieve_next(c);
            }
        } else {
            const char *lf = memchr(bytes, '\n', n);
            used = lf == NULL ? n : (size_t)(lf - bytes) + 1;
            if (c->line_len + used > sizeof c->line) {
                errx(1, "a long line");
            }
            memcpy(c->line + c->line_len, bytes, used);
            c->line_len += used;
            if (lf != NULL) {
                on_line(c);
                c->line_len = 0;
            }
        }
        bytes += used;
        n -= used;
    }
}

static void on_input(struct connection *c)
{
    static char buffer[262144];
    ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) {
        return;
    }
    if (n > 0) {
        bytes_read += (uint64_t)n;
        on_bytes(c, buffer, (size_t)n);
        return;
    }
    if (c->step != STEP_QUIT) {
        errx(1, "connection closed in step %d", (int)c->step);
    }
    close(c->fd);
    finished++;
    if (started < plan.sessions) {
        open_connection(c);
    }
}

static void parse(int argc, char **argv)
{
    int letter;
    while ((letter = getopt(argc, argv, "p:c:n:u:d:P:r")) != -1) {
        switch (letter) {
        case 'p':
            plan.target.port = (uint16_t)load_number(optarg);
            break;
        case 'c':
            plan.connections = load_number(optarg);
            break;
        case 'n':
            plan.sessions = load_number(optarg);
            break;
        case 'u':
            plan.users = load_number(optarg);
            break;
        case 'd':
            plan.domain = optarg;
            break;
        case 'P':
            plan.password = optarg;
            break;
        case 'r':
            plan.retrieves = true;
            break;
        default:
            errx(100, "usage: load_pop3 [-p port] [-c connections] [-n sessions] [-u users] [-d domain] [-P password] [-r]");
        }
    }
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct connection *all = calloc(plan.connections, sizeof *all);
    uint64_t start = load_now_us();
    for (unsigned i = 0; all != NULL && i < plan.connections && started < plan.sessions; i++) {
        open_connection(&all[i]);
    }
    while (finished < plan.sessions) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll_fd, events, 64, 60000);
        if (n <= 0) {
            errx(1, "nothing for 60 s: %u of %u sessions", finished, plan.sessions);
        }
        for (int i = 0; i < n; i++) {
            on_input(events[i].data.ptr);
        }
    }
    printf("sessions %u seconds %.6f bytes %llu cpu %.6f\n", finished, (double)(load_now_us() - start) / 1e6,
           (unsigned long long)bytes_read, (double)load_cpu_us() / 1e6);
    return 0;
}
