/* SPDX-License-Identifier: ISC */
/* The serving loop: forks and members, limits, allowed peers, SIGTERM. The server under test is a fork of this program. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/tap.h"
#include "lib/die.h"
#include "lib/serve.h"

static char folder[] = "/tmp/stafet-test-serve.XXXXXX";
static char path[100];

/* Says who the peer is and echoes until the client closes. */
static void echo(const struct serve_peer *peer)
{
    char line[200], byte;
    int n = snprintf(line, sizeof line, "%s %s %d %d\n", peer->is_unix ? "unix" : peer->ip, peer->local_ip, peer->uid == getuid(),
                     (int)getpid());
    (void)!write(1, line, (size_t)n);
    while (read(0, &byte, 1) == 1) {
        (void)!write(1, &byte, 1);
    }
}

static void say_busy(const struct serve_peer *peer, int fd)
{
    (void)peer;
    (void)!write(fd, "busy\n", 5);
}

static const struct serve forking = {.name = "test", .session = echo, .refuse = say_busy};
static const struct serve growing = {.name = "test", .session = echo, .grows = true};

static int listen_unix(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 20) < 0) {
        exit(1);
    }
    return fd;
}

static int listen_tcp(struct sockaddr_in *address_out)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) < 0 || listen(fd, 20) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n) < 0) {
        exit(1);
    }
    *address_out = address;
    return fd;
}

static pid_t start_server(const struct serve *server, int listener, const char *options[4])
{
    pid_t pid = fork();
    if (pid == 0) {
        char words[5][30];
        char *argv[] = {words[0], words[1], words[2], words[3], words[4], NULL};
        int n = 1;
        snprintf(words[0], sizeof words[0], "test");
        for (; n < 5 && options[n - 1] != NULL; n++) {
            snprintf(words[n], sizeof words[n], "%s", options[n - 1]);
        }
        argv[n] = NULL;
        int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(quiet, 1);
        dup2(quiet, 2);
        dup2(listener, 0);
        close(listener);
        exit(serve(n, argv, server));
    }
    close(listener);
    return pid;
}

static pid_t start(int listener, const char *option, const char *value)
{
    const char *options[4] = {option, value};
    return start_server(&forking, listener, options);
}

static int connect_unix(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    return connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -1 : fd;
}

/* The first line the server sends, without its LF; "" at the end of the connection. */
static const char *first_line(int fd)
{
    static char line[200];
    size_t n = 0;
    while (n < sizeof line - 1 && read(fd, line + n, 1) == 1 && line[n] != '\n') {
        n++;
    }
    line[n] = '\0';
    return line;
}

static int stop(pid_t pid)
{
    int status = 0;
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    return status;
}

static void test_forking(void)
{
    pid_t pid = start(listen_unix(), "-c", "2");
    int a = connect_unix(), b, c;
    char byte = 0;
    ok(strncmp(first_line(a), "unix  1 ", 8) == 0, "a_unix_peer_has_a_uid");
    ok(write(a, "x", 1) == 1 && read(a, &byte, 1) == 1 && byte == 'x', "descriptors_0_and_1_are_the_client");
    b = connect_unix();
    ok(strncmp(first_line(b), "unix", 4) == 0, "a_second_connection_is_served_beside_it");
    c = connect_unix();
    is(first_line(c), "busy", "the_third_is_refused_at_the_limit");
    close(c);
    close(b);
    for (int i = 0; i < 50; i++) {
        usleep(20000);
        c = connect_unix();
        if (strncmp(first_line(c), "unix", 4) == 0) {
            break;
        }
        close(c);
    }
    ok(write(c, "y", 1) == 1 && read(c, &byte, 1) == 1 && byte == 'y', "when_one_is_gone_there_is_a_place_again");
    kill(pid, SIGTERM);
    usleep(50000);
    ok(write(a, "z", 1) == 1 && read(a, &byte, 1) == 1 && byte == 'z', "after_sigterm_sessions_go_on");
    close(a);
    close(c);
    int status = 1;
    waitpid(pid, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "and_then_it_exits_0");
}

/* Children of pid, by their parent in /proc. */
static unsigned count_children(pid_t pid)
{
    char name[64], line[100] = "";
    unsigned n = 0;
    snprintf(name, sizeof name, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    int fd = open(name, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    for (ssize_t i = 0; i < got; i++) {
        n += line[i] == ' ';
    }
    close(fd);
    return n;
}

/* Nobody connects any more, and nothing else wakes the parent. */
static void test_burial(void)
{
    pid_t pid = start(listen_unix(), "-c", "5");
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = connect_unix();
        (void)first_line(fds[i]);
    }
    is_number(count_children(pid), 3, "three_are_served");
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
    }
    for (int i = 0; i < 1000 && count_children(pid) > 0; i++) {
        usleep(10000);
    }
    is_number(count_children(pid), 0, "the_ended_are_buried_though_nobody_comes");
    ok(stop(pid) == 0, "and_sigterm_ends_an_idle_server");
}

static void test_members(void)
{
    pid_t pid = start(listen_unix(), "-p", "2");
    char pids[6][20];
    unsigned fresh = 0;
    for (int i = 0; i < 6; i++) {
        int fd = connect_unix();
        snprintf(pids[i], sizeof pids[i], "%s", strrchr(first_line(fd), ' ') + 1);
        close(fd);
        bool is_new = true;
        for (int k = 0; k < i; k++) {
            is_new = is_new && strcmp(pids[k], pids[i]) != 0;
        }
        fresh += is_new;
    }
    ok(fresh <= 2, "two_members_serve_six_calls");
    pid_t member = (pid_t)atoi(pids[0]);
    kill(member, SIGKILL);
    while (kill(member, 0) == 0) { /* until it is reaped: what a dying member has just accepted is lost */
        usleep(1000);
    }
    int fd = connect_unix();
    ok(strncmp(first_line(fd), "unix", 4) == 0, "a_killed_member_does_not_stop_the_service");
    close(fd);
    ok(stop(pid) == 0, "sigterm_ends_members_and_parent");
    ok(connect_unix() == -1, "nobody_listens_any_more");
}

static bool is_served(int fd)
{
    return strncmp(first_line(fd), "unix", 4) == 0;
}

static void test_growing(void)
{
    const char *options[4] = {"-p", "1", "-c", "3"};
    pid_t pid = start_server(&growing, listen_unix(), options);
    int a = connect_unix(), b, c, d;
    char byte = 0;
    ok(is_served(a), "one_member_serves");
    b = connect_unix();
    ok(is_served(b), "a_second_call_has_a_member_though_the_first_goes_on");
    c = connect_unix();
    ok(is_served(c), "and_a_third");
    d = connect_unix();
    struct timeval moment = {.tv_usec = 200000};
    setsockopt(d, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
    ok(recv(d, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN, "the_fourth_waits_at_the_limit");
    close(a);
    moment.tv_sec = 20;
    setsockopt(d, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
    ok(is_served(d), "until_one_is_gone");
    close(b);
    close(c);
    close(d);
    for (int i = 0; i < 1000 && count_children(pid) != 1; i++) {
        usleep(10000);
    }
    is_number(count_children(pid), 1, "those_beyond_p_leave_when_the_rush_is_over");
    a = connect_unix();
    ok(is_served(a), "the_one_that_stays_serves");
    close(a);
    ok(stop(pid) == 0, "and_sigterm_ends_them");
}

static void test_allowed(void)
{
    char name[20];
    snprintf(name, sizeof name, "1,%u", getuid());
    pid_t pid = start(listen_unix(), "-u", name);
    int fd = connect_unix();
    ok(strncmp(first_line(fd), "unix", 4) == 0, "an_allowed_uid_is_served");
    close(fd);
    stop(pid);
    pid = start(listen_unix(), "-u", "65533");
    fd = connect_unix();
    is(first_line(fd), "", "another_uid_is_closed");
    close(fd);
    stop(pid);
}

static void test_tcp(void)
{
    struct sockaddr_in address;
    pid_t pid = start(listen_tcp(&address), "-C", "1");
    int a = socket(AF_INET, SOCK_STREAM, 0), b = socket(AF_INET, SOCK_STREAM, 0);
    ok(connect(a, (struct sockaddr *)&address, sizeof address) == 0 && strncmp(first_line(a), "127.0.0.1 127.0.0.1 0", 21) == 0,
       "a_tcp_peer_has_addresses_and_no_uid");
    ok(connect(b, (struct sockaddr *)&address, sizeof address) == 0 && strcmp(first_line(b), "busy") == 0,
       "one_connection_an_address");
    close(a);
    close(b);
    stop(pid);
}

static void test_single(void)
{
    int pair[2];
    char word[] = "test";
    char *argv[] = {word, NULL};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        exit(1);
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[1]);
        dup2(pair[0], 0);
        dup2(pair[0], 1);
        close(pair[0]);
        exit(serve(1, argv, &forking));
    }
    close(pair[0]);
    ok(strncmp(first_line(pair[1]), "unix  1", 7) == 0, "a_connected_descriptor_is_served_once");
    close(pair[1]);
    int status = 1;
    waitpid(pid, &status, 0);
    ok(status == 0, "and_the_program_exits");
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    alarm(60);
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    snprintf(path, sizeof path, "%s/socket", folder);
    test_forking();
    test_burial();
    test_members();
    test_growing();
    test_allowed();
    test_tcp();
    test_single();
    unlink(path);
    rmdir(folder);
    return done();
}
