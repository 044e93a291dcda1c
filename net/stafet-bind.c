/* SPDX-License-Identifier: ISC */
/* stafet-bind [-b BACKLOG] [ADDRESS:]PORT PROGRAM…
 *
 * Binds a TCP port, listens, puts the socket on fd 0 and becomes PROGRAM: the only thing of a TCP service that needs root.
 * Reads nothing, speaks with nobody. Without an address it listens on all of IPv6 and IPv4 (one socket), on IPv4 alone where the
 * kernel has no IPv6. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lib/die.h"
#include "lib/scan.h"

enum { BACKLOG_DEFAULT = 1024, BACKLOG_MAX = 65535, PORT_MAX = 65535 };

struct place {
    struct sockaddr_storage address;
    socklen_t len;
    bool is_any; /* no address was given */
};

static void set_ipv4(struct place *place, struct in_addr ip, uint16_t port)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&place->address;
    memset(&place->address, 0, sizeof place->address);
    in->sin_family = AF_INET;
    in->sin_addr = ip;
    in->sin_port = htons(port);
    place->len = sizeof *in;
}

static void set_ipv6(struct place *place, struct in6_addr ip, uint16_t port)
{
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)&place->address;
    memset(&place->address, 0, sizeof place->address);
    in->sin6_family = AF_INET6;
    in->sin6_addr = ip;
    in->sin6_port = htons(port);
    place->len = sizeof *in;
}

/* PORT, A.B.C.D:PORT, IPV6:PORT or [IPV6]:PORT. */
static bool parse_place(const char *text, struct place *out)
{
    const char *colon = strrchr(text, ':');
    const char *digits = colon ? colon + 1 : text;
    size_t n = colon ? (size_t)(colon - text) : 0;
    uint64_t port;
    if (!scan_decimal_text(digits, PORT_MAX, &port) || port == 0) {
        return false;
    }
    out->is_any = !colon;
    if (!colon) {
        set_ipv6(out, in6addr_any, (uint16_t)port);
        return true;
    }
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    char address[INET6_ADDRSTRLEN];
    if (n == 0 || n >= sizeof address) {
        return false;
    }
    memcpy(address, text, n);
    address[n] = 0;
    struct in_addr ip4;
    struct in6_addr ip6;
    if (inet_pton(AF_INET, address, &ip4) == 1) {
        set_ipv4(out, ip4, (uint16_t)port);
    } else if (inet_pton(AF_INET6, address, &ip6) == 1) {
        set_ipv6(out, ip6, (uint16_t)port);
    } else {
        return false;
    }
    return true;
}

/* A socket of the place's family; IPv4 instead where all addresses are meant and there is no IPv6. */
static int open_socket(struct place *place)
{
    int fd = socket(place->address.ss_family, SOCK_STREAM, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && place->is_any) {
        uint16_t port = ntohs(((struct sockaddr_in6 *)&place->address)->sin6_port);
        set_ipv4(place, (struct in_addr){htonl(INADDR_ANY)}, port);
        fd = socket(AF_INET, SOCK_STREAM, 0);
    }
    return fd;
}

static int listen_at(struct place *place, int backlog)
{
    int on = 1, only_ipv6 = place->is_any ? 0 : 1;
    int fd = open_socket(place);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) {
        return -1;
    }
    if (place->address.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, sizeof only_ipv6) < 0) {
        return -1;
    }
    if (bind(fd, (struct sockaddr *)&place->address, place->len) < 0 || listen(fd, backlog) < 0) {
        return -1;
    }
    return fd;
}

int main(int argc, char **argv)
{
    uint64_t backlog = BACKLOG_DEFAULT;
    struct place place;
    program_start("stafet-bind");
    int option;
    while ((option = getopt(argc, argv, "+b:")) != -1) {
        if (option != 'b' || !scan_decimal_text(optarg, BACKLOG_MAX, &backlog) || backlog == 0) {
            die_permanent("usage: stafet-bind [-b BACKLOG] [ADDRESS:]PORT PROGRAM...");
        }
    }
    if (argc - optind < 2) {
        die_permanent("usage: stafet-bind [-b BACKLOG] [ADDRESS:]PORT PROGRAM...");
    }
    if (!parse_place(argv[optind], &place)) {
        die_permanent("%s is not [ADDRESS:]PORT with an address in digits and a port from 1 to 65535", argv[optind]);
    }
    int fd = listen_at(&place, (int)backlog);
    if (fd < 0) {
        die_temporary("cannot listen at %s", argv[optind]);
    }
    if (fd != 0 && (dup2(fd, 0) < 0 || close(fd) < 0)) {
        die_temporary("cannot move the socket to descriptor 0");
    }
    execvp(argv[optind + 1], argv + optind + 1);
    die_temporary("cannot run %s", argv[optind + 1]);
}
