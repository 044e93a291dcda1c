/* SPDX-License-Identifier: ISC */
/* Parts of vchkpw that decide something and touch nothing. The bytes of descriptor 3 are a stranger's, given on by the program
 * that speaks with him. */
#include "auth/checkpassword.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"

ssize_t checkpassword_read(int fd, unsigned seconds, char out[CHECKPASSWORD_MAX])
{
    uint64_t deadline_ms = clock_monotonic_ms() + seconds * 1000ULL;
    size_t used = 0;
    for (;;) {
        char more[256];
        int ready = poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, clock_poll_timeout(deadline_ms));
        if (ready == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        ssize_t n = ready < 0 ? -1 : read(fd, more, sizeof more);
        if (n == 0) {
            return (ssize_t)used;
        }
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return -1;
        }
        size_t got = n < 0 ? 0 : (size_t)n;
        if (got > CHECKPASSWORD_MAX - used) {
            errno = EFBIG;
            return -1;
        }
        memcpy(out + used, more, got);
        used += got;
        explicit_bzero(more, got);
    }
}

bool checkpassword_parse(const char *bytes, size_t n, const char **login_out, const char **password_out)
{
    const char *end = bytes + n;
    const char *login_end = memchr(bytes, '\0', n);
    const char *password = login_end == NULL ? end : login_end + 1;
    const char *password_end = memchr(password, '\0', (size_t)(end - password));
    if (password_end == NULL || memchr(password_end + 1, '\0', (size_t)(end - password_end) - 1) == NULL) {
        return false;
    }
    *login_out = bytes;
    *password_out = password;
    return true;
}

const char *checkpassword_service(unsigned port, const char *program)
{
    switch (port) {
    case 25:
    case 465:
    case 587:
        return "smtp";
    case 143:
    case 993:
        return "imap";
    case 110:
    case 995:
        return "pop3";
    default:
        break;
    }
    if (strstr(program, "true") != NULL) {
        return "smtp";
    }
    return strstr(program, "imap") != NULL ? "imap" : "pop3";
}

bool checkpassword_may_run_as(uid_t uid, const char *name)
{
    return uid != 0 && strncmp(name, "stafet", 6) != 0;
}
