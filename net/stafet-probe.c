/* SPDX-License-Identifier: ISC */
/* stafet-probe [-t SECONDS] ADDRESS PORT
 *
 * Does a mail service answer? Connects, prints the first line of its greeting, says QUIT (LOGOUT, where it greets as IMAP does)
 * and waits for the end.
 * Trusts nobody: one line of at most 512 bytes, one deadline over all. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lib/clock.h"
#include "lib/die.h"
#include "lib/scan.h"
#include "lib/str.h"
#include "lib/wire.h"

enum { SECONDS_DEFAULT = 5, SECONDS_MAX = 3600, LINE_MAX_BYTES = 512 };
static const char usage[] = "usage: stafet-probe [-t SECONDS] ADDRESS PORT";

static int connect_to(const char *address, const char *port, unsigned seconds)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (getaddrinfo(address, port, &hints, &found) != 0) {
        die_permanent("%s %s is not an address in digits and a port", address, port);
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval timeout = {.tv_sec = (time_t)seconds};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0) {
        die_temporary("cannot make a socket");
    }
    int result = connect(fd, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (result < 0) {
        die_temporary("cannot connect to %s port %s", address, port);
    }
    return fd;
}

static void print_line(const char *line, size_t n)
{
    stralloc out = STRALLOC_ZERO;
    str_cat_printable(&out, line, n);
    str_catc(&out, '\n');
    if (write(1, out.s, out.len) != (ssize_t)out.len) {
        die_temporary("cannot write");
    }
}

int main(int argc, char **argv)
{
    uint64_t seconds = SECONDS_DEFAULT;
    static struct wire wire;
    char *line;
    size_t n;
    program_start("stafet-probe");
    int option;
    while ((option = getopt(argc, argv, "t:")) != -1) {
        if (option != 't' || !scan_decimal_text(optarg, SECONDS_MAX, &seconds) || seconds == 0) {
            die_permanent("%s", usage);
        }
    }
    if (argc - optind != 2) {
        die_permanent("%s", usage);
    }
    uint64_t end = clock_monotonic_ms() + seconds * 1000;
    int fd = connect_to(argv[optind], argv[optind + 1], (unsigned)seconds);
    wire_init(&wire, fd, fd, (unsigned)seconds);
    wire.end_ms = end;
    if (wire_read_line(&wire, LINE_MAX_BYTES, false, &line, &n) != WIRE_LINE) {
        errno = 0;
        die_temporary("no greeting from %s port %s within %u seconds", argv[optind], argv[optind + 1], (unsigned)seconds);
    }
    bool is_imap = n > 0 && line[0] == '*';
    print_line(line, n);
    wire_puts(&wire, is_imap ? "a LOGOUT\r\n" : "QUIT\r\n");
    enum wire_result result;
    do {
        result = wire_read_line(&wire, LINE_MAX_BYTES, false, &line, &n);
    } while (result == WIRE_LINE || result == WIRE_LONG || result == WIRE_BARE);
    return 0;
}
