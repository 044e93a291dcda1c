/* SPDX-License-Identifier: ISC */
/* An SMTP load: -c connections at once, -m messages in all, -k messages a connection (0: only EHLO and QUIT), -s bytes, -u users
 * (u0@DOMAIN …), -w FILE: a list of folders; the load then ends when they have received every message (inotify).
 * Prints: acked SECONDS delivered SECONDS refused N cpu SECONDS (of this process). */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>
#include "load.h"

enum step { STEP_GREETING, STEP_EHLO, STEP_MAIL, STEP_RCPT, STEP_DATA, STEP_BODY, STEP_QUIT };

struct connection {
    int fd;
    enum step step;
    unsigned left; /* messages on this connection */
    size_t reply_len, out_done, out_len;
    const char *out;
    char reply[1024];
    char commands[400];
};

static struct {
    struct load_target target;
    unsigned connections, messages, each, size, users;
    const char *domain, *folders;
} plan = {.target = {"127.0.0.1", 2525},
          .connections = 1,
          .messages = 1000,
          .each = 1,
          .size = 2048,
          .users = 100,
          .domain = "example.test"};

static char *body;
static size_t body_len;
static unsigned started, acked, refused, delivered, finished_sessions;
static int epoll_fd;

static void make_body(void)
{
    static const char head[] = "Subject: load\r\nFrom: <load@sender.test>\r\nTo: <users@example.test>\r\n\r\n";
    static const char line[] = "The quick brown fox jumps over the lazy dog, 70 bytes to every line..\r\n";
    body = malloc(plan.size + 300);
    if (body == NULL) {
        err(111, "malloc");
    }
    body_len = 0;
    memcpy(body, head, sizeof head - 1);
    body_len += sizeof head - 1;
    while (body_len < plan.size) {
        memcpy(body + body_len, line, sizeof line - 1);
        body_len += sizeof line - 1;
    }
    memcpy(body + body_len, ".\r\n", 3);
    body_len += 3;
}

static void want(struct connection *c, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll_fd, operation, c->fd, &event) < 0) {
        err(111, "epoll_ctl");
    }
}

static void push(struct connection *c)
{
    while (c->out_done < c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_done, c->out_len - c->out_done, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            want(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            return;
        }
        if (n < 0) {
            err(111, "send");
        }
        c->out_done += (size_t)n;
    }
}

static void say(struct connection *c, const char *bytes, size_t n)
{
    c->out = bytes;
    c->out_len = n;
    c->out_done = 0;
    push(c);
}

static void next_message(struct connection *c)
{
    if (c->left == 0 || started >= plan.messages) {
        c->step = STEP_QUIT;
        say(c, "QUIT\r\n", 6);
        return;
    }
    c->left--;
    int n = snprintf(c->commands, sizeof c->commands, "MAIL FROM:<load@sender.test>\r\nRCPT TO:<u%u@%s>\r\nDATA\r\n",
                     started % plan.users, plan.domain);
    started++;
    c->step = STEP_MAIL;
    say(c, c->commands, (size_t)n);
}

static void open_connection(struct connection *c)
{
    c->fd = load_connect(&plan.target);
    c->step = STEP_GREETING;
    c->left = plan.each;
    c->reply_len = 0;
    c->out_len = c->out_done = 0;
    want(c, EPOLLIN, EPOLL_CTL_ADD);
}

static bool has_work(void)
{
    return plan.each == 0 ? finished_sessions < plan.messages : started < plan.messages;
}

static void close_connection(struct connection *c)
{
    close(c->fd);
    c->fd = -1;
    finished_sessions++;
    if (plan.each == 0) {
        acked++;
        started++;
    }
    if (plan.each == 0 ? started + plan.connections <= plan.messages : has_work()) {
        open_connection(c);
    }
}

/* One whole reply, by its code. */
static void on_reply(struct connection *c, int code)
{
    switch (c->step) {
    case STEP_GREETING:
        c->step = STEP_EHLO;
        say(c, "EHLO load.test\r\n", 16);
        return;
    case STEP_EHLO:
        next_message(c);
        return;
    case STEP_MAIL:
        c->step = STEP_RCPT;
        break;
    case STEP_RCPT:
        c->step = STEP_DATA;
        break;
    case STEP_DATA:
        if (code != 354) {
            errx(1, "DATA was answered %.*s", (int)c->reply_len, c->reply);
        }
        c->step = STEP_BODY;
        say(c, body, body_len);
        return;
    case STEP_BODY:
        if (code == 250) {
            acked++;
        } else {
            refused++;
        }
        next_message(c);
        return;
    case STEP_QUIT:
        return;
    }
    if (code >= 400) {
        errx(1, "refused: %.*s", (int)c->reply_len, c->reply);
    }
}

static void on_input(struct connection *c)
{
    ssize_t n = recv(c->fd, c->reply + c->reply_len, sizeof c->reply - c->reply_len, 0);
    if (n < 0 && errno == EAGAIN) {
        return;
    }
    if (n <= 0) {
        if (c->step != STEP_QUIT) {
            errx(1, "connection closed in step %d", (int)c->step);
        }
        close_connection(c);
        return;
    }
    c->reply_len += (size_t)n;
    for (;;) {
        char *lf = memchr(c->reply, '\n', c->reply_len);
        if (lf == NULL) {
            return;
        }
        size_t line = (size_t)(lf - c->reply) + 1;
        if (line > 3 && c->reply[3] != '-') {
            on_reply(c, atoi(c->reply));
        }
        c->reply_len -= line;
        memmove(c->reply, c->reply + line, c->reply_len);
    }
}

static int watch_folders(void)
{
    if (plan.folders == NULL) {
        return -1;
    }
    char line[500];
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    FILE *list = fopen(plan.folders, "r");
    if (fd < 0 || list == NULL) {
        err(111, "%s", plan.folders);
    }
    while (fgets(line, sizeof line, list) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (inotify_add_watch(fd, line, IN_MOVED_TO | IN_CREATE) < 0) {
            err(111, "watch %s", line);
        }
    }
    fclose(list);
    return fd;
}

static void count_deliveries(int fd)
{
    static char events[65536] __attribute__((aligned(8)));
    ssize_t n;
    while ((n = read(fd, events, sizeof events)) > 0) {
        for (char *p = events; p < events + n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)p;
            if (event->mask & IN_Q_OVERFLOW) {
                errx(1, "inotify queue overflow: raise fs.inotify.max_queued_events");
            }
            delivered++;
            p += sizeof *event + event->len;
        }
    }
}

static void parse(int argc, char **argv)
{
    int letter;
    while ((letter = getopt(argc, argv, "p:c:m:k:s:u:d:w:")) != -1) {
        switch (letter) {
        case 'p':
            plan.target.port = (uint16_t)load_number(optarg);
            break;
        case 'c':
            plan.connections = load_number(optarg);
            break;
        case 'm':
            plan.messages = load_number(optarg);
            break;
        case 'k':
            plan.each = load_number(optarg);
            break;
        case 's':
            plan.size = load_number(optarg);
            break;
        case 'u':
            plan.users = load_number(optarg);
            break;
        case 'd':
            plan.domain = optarg;
            break;
        case 'w':
            plan.folders = optarg;
            break;
        default:
            errx(100, "usage: load_smtp [-p port] [-c connections] [-m messages] [-k each] [-s bytes] [-u users] [-d domain] [-w "
                      "folders]");
        }
    }
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    make_body();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int folders = watch_folders();
    if (folders >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, folders, &event);
    }
    struct connection *all = calloc(plan.connections, sizeof *all);
    uint64_t start = load_now_us(), acked_at = 0;
    for (unsigned i = 0; all != NULL && i < plan.connections; i++) {
        open_connection(&all[i]);
    }
    while (acked + refused < plan.messages || (folders >= 0 && delivered < acked)) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll_fd, events, 64, 60000);
        if (n <= 0) {
            errx(1, "nothing for 60 s: acked %u, delivered %u of %u", acked, delivered, plan.messages);
        }
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c == NULL) {
                count_deliveries(folders);
                continue;
            }
            if (events[i].events & EPOLLOUT) {
                want(c, EPOLLIN, EPOLL_CTL_MOD);
                push(c);
            }
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
                on_input(c);
            }
        }
        if (acked_at == 0 && acked + refused >= plan.messages) {
            acked_at = load_now_us();
        }
    }
    uint64_t end = load_now_us();
    printf("acked %.6f delivered %.6f refused %u cpu %.6f\n", (double)(acked_at - start) / 1e6, (double)(end - start) / 1e6,
           refused, (double)load_cpu_us() / 1e6);
    return refused > 0;
}
