/* SPDX-License-Identifier: ISC */
/* Peers out of sockets and, for pipes, out of the UCSPI environment. Addresses are checked by inet_pton before they are believed.
 */
#include "serve_peer.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "scan.h"

static bool put_address(const struct sockaddr_storage *address, char ip_out[46], unsigned *port_out)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        *port_out = ntohs(v4->sin_port);
        return inet_ntop(AF_INET, &v4->sin_addr, ip_out, 46) != NULL;
    }
    if (address->ss_family != AF_INET6) {
        return false;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    *port_out = ntohs(v6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        return inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, ip_out, 46) != NULL;
    }
    return inet_ntop(AF_INET6, &v6->sin6_addr, ip_out, 46) != NULL;
}

bool serve_peer_of_socket(int fd, struct serve_peer *peer_out)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t n = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &n) < 0) {
        return false;
    }
    struct serve_peer peer = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    if (address.ss_family == AF_UNIX) {
        struct ucred credentials;
        socklen_t size = sizeof credentials;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
            return false;
        }
        peer.is_unix = peer.is_checked = true;
        peer.uid = credentials.uid;
        peer.gid = credentials.gid;
        peer.pid = credentials.pid;
    } else if (!put_address(&address, peer.ip, &peer.port)) {
        return false;
    }
    *peer_out = peer;
    return true;
}

static void take_ip(const char *name, char ip_out[46])
{
    const char *value = getenv(name);
    unsigned char binary[16];
    if (value == NULL) {
        return;
    }
    if (strncmp(value, "::ffff:", 7) == 0 && inet_pton(AF_INET, value + 7, binary) == 1) {
        value += 7;
    } else if (inet_pton(AF_INET, value, binary) != 1 && inet_pton(AF_INET6, value, binary) != 1) {
        return;
    }
    size_t n = strlen(value);
    if (n < 46) {
        memcpy(ip_out, value, n + 1);
    }
}

static unsigned take_port(const char *name)
{
    const char *value = getenv(name);
    uint64_t port = 0;
    (void)(value != NULL && scan_decimal_text(value, 65535, &port));
    return (unsigned)port;
}

void serve_peer_of_environment(struct serve_peer *peer_out)
{
    struct serve_peer peer = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    take_ip("TCPREMOTEIP", peer.ip);
    take_ip("TCPLOCALIP", peer.local_ip);
    peer.port = take_port("TCPREMOTEPORT");
    peer.local_port = take_port("TCPLOCALPORT");
    *peer_out = peer;
}

void serve_peer_add_local(int fd, struct serve_peer *peer)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t n = sizeof address;
    if (!peer->is_unix && getsockname(fd, (struct sockaddr *)&address, &n) == 0) {
        (void)put_address(&address, peer->local_ip, &peer->local_port);
    }
}
