/* SPDX-License-Identifier: ISC */
/* lib/serve_peer: who is at the other end, by the socket and by the environment. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/serve_peer.h"
#include "tests/tap.h"

/* A connection over the loopback of this family; the accepted end, the other in *other_out. */
static int connect_over(int family, int *other_out, unsigned *port_out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
    struct sockaddr_in got;
    struct sockaddr_in6 got6;
    int listener = socket(family, SOCK_STREAM, 0);
    socklen_t n = family == AF_INET ? sizeof got : sizeof got6;
    struct sockaddr *name = family == AF_INET ? (struct sockaddr *)&got : (struct sockaddr *)&got6;
    int off = 0;
    if (family == AF_INET6) {
        (void)setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    int bound =
        family == AF_INET ? bind(listener, (struct sockaddr *)&v4, sizeof v4) : bind(listener, (struct sockaddr *)&v6, sizeof v6);
    if (bound < 0 || listen(listener, 1) < 0 || getsockname(listener, name, &n) < 0) {
        return -1;
    }
    v4.sin_port = family == AF_INET ? got.sin_port : got6.sin6_port; /* a client of IPv4 in both cases */
    *port_out = ntohs(v4.sin_port);
    *other_out = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(*other_out, (struct sockaddr *)&v4, sizeof v4) < 0) {
        return -1;
    }
    int accepted = accept(listener, NULL, NULL);
    close(listener);
    return accepted;
}

static void over_ip(int family, const char *name)
{
    struct serve_peer peer;
    struct sockaddr_in theirs;
    socklen_t n = sizeof theirs;
    int other = -1;
    unsigned port = 0;
    int fd = connect_over(family, &other, &port);
    printf("# %s\n", name);
    if (!ok(fd >= 0 && getsockname(other, (struct sockaddr *)&theirs, &n) == 0, "a_connection")) {
        return;
    }
    ok(serve_peer_of_socket(fd, &peer), "has_a_peer");
    is(peer.ip, "127.0.0.1", "with_its_address");
    is_number(peer.port, ntohs(theirs.sin_port), "and_its_port");
    ok(!peer.is_unix && !peer.is_checked && peer.uid == (uid_t)-1 && peer.local_ip[0] == '\0', "and_nothing_else");
    serve_peer_add_local(fd, &peer);
    is(peer.local_ip, "127.0.0.1", "our_own_address");
    is_number(peer.local_port, port, "and_port");
    close(fd);
    close(other);
}

static void over_unix(void)
{
    struct serve_peer peer;
    int pair[2];
    int pipes[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || pipe(pipes) < 0) {
        exit(111);
    }
    ok(serve_peer_of_socket(pair[0], &peer) && peer.is_unix && peer.is_checked, "a_unix_socket");
    ok(peer.uid == getuid() && peer.gid == getgid() && peer.pid == getpid(), "tells_who_connected");
    is(peer.ip, "", "and_has_no_address");
    serve_peer_add_local(pair[0], &peer);
    is(peer.local_ip, "", "nor_a_local_one");
    memset(&peer, 'x', sizeof peer);
    struct serve_peer before = peer;
    int lone = socket(AF_INET, SOCK_STREAM, 0);
    ok(!serve_peer_of_socket(pipes[0], &peer) && !serve_peer_of_socket(lone, &peer) && !serve_peer_of_socket(-1, &peer),
       "a_pipe_and_what_is_not_connected_have_no_peer");
    ok(memcmp(&peer, &before, sizeof peer) == 0, "and_nothing_is_stored");
}

static void by_environment(const char *ip, const char *port, const char *want_ip, unsigned want_port)
{
    struct serve_peer peer;
    (void)(ip != NULL ? setenv("TCPREMOTEIP", ip, 1) : unsetenv("TCPREMOTEIP"));
    (void)(port != NULL ? setenv("TCPREMOTEPORT", port, 1) : unsetenv("TCPREMOTEPORT"));
    (void)setenv("TCPLOCALIP", ip != NULL ? ip : "", 1);
    (void)setenv("TCPLOCALPORT", port != NULL ? port : "", 1);
    serve_peer_of_environment(&peer);
    is(peer.ip, want_ip, ip != NULL ? ip : "no address");
    is(peer.local_ip, want_ip, "the_local_one_too");
    ok(peer.port == want_port && peer.local_port == want_port && !peer.is_checked && peer.uid == (uid_t)-1, "the_ports_too");
}

int main(void)
{
    over_ip(AF_INET, "IPv4");
    over_ip(AF_INET6, "IPv4 to a socket of IPv6");
    over_unix();
    by_environment("192.0.2.7", "25", "192.0.2.7", 25);
    by_environment("2001:db8::1", "65535", "2001:db8::1", 65535);
    by_environment("::ffff:192.0.2.7", "0", "192.0.2.7", 0);
    by_environment("::ffff:1.2.3", "65536", "", 0);
    by_environment("192.0.2.7 ", "25x", "", 0);
    by_environment("host.example", "-1", "", 0);
    by_environment("192.0.2.7\n", "", "", 0);
    by_environment("", " 25", "", 0);
    by_environment(NULL, NULL, "", 0);
    return done();
}
