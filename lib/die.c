/* SPDX-License-Identifier: ISC */
/* The start and the end of every program. exit() and not _exit(), so that coverage and leak checks see the end. */
#include "die.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "log.h"

static const char *name = "stafet";

void program_start(const char *program)
{
    name = program;
    int fd;
    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (fd >= 0 && fd <= 2 && fcntl(fd, F_SETFD, 0) == 0);
    if (fd > 2) {
        close(fd);
    }
    signal(SIGPIPE, SIG_IGN);
    umask(007);
}

const char *program_name(void)
{
    return name;
}

static void report(int error, const char *format, va_list args)
{
    char what[600];
    vsnprintf(what, sizeof what, format, args);
    if (error != 0) {
        log_event("fatal", "program=%s what=%s error=%s", name, what, strerror(error));
    } else {
        log_event("fatal", "program=%s what=%s", name, what);
    }
}

void die_temporary(const char *format, ...)
{
    int error = errno;
    va_list args;
    va_start(args, format);
    report(error, format, args);
    va_end(args);
    exit(111);
}

void die_permanent(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(0, format, args);
    va_end(args);
    exit(100);
}

void die_bug(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(0, format, args);
    va_end(args);
    exit(101);
}
