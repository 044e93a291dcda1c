/* SPDX-License-Identifier: ISC */
/* The checkpassword interface: what comes on descriptor 3, which service is meant, and as whom a program may be run. */
#ifndef CHECKPASSWORD_H
#define CHECKPASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The interface says 512 bytes; more leaves room for long passwords. */
enum { CHECKPASSWORD_FD = 3, CHECKPASSWORD_MAX = 2048, CHECKPASSWORD_SECONDS = 60 };

/* Everything up to the end of file. Bytes read; -1 errno: EFBIG over CHECKPASSWORD_MAX, ETIMEDOUT after that many seconds. */
ssize_t checkpassword_read(int fd, unsigned seconds, char out[CHECKPASSWORD_MAX]);
/* Pure. `login NUL password NUL timestamp NUL …`: two texts into `bytes`. False: not of that form. */
bool checkpassword_parse(const char *bytes, size_t n, const char **login_out, const char **password_out);
/* pop3, imap or smtp: by the local port, else by the program's name as vpopmail's vchkpw does ("true": smtp, "imap": imap). */
const char *checkpassword_service(unsigned port, const char *program);
/* Never root, never one of the house's own users. `name`: of that uid, "" where it has none. */
bool checkpassword_may_run_as(uid_t uid, const char *name);

#endif
