/* SPDX-License-Identifier: ISC */
/* Program lines of .qmail files (qmail-command): environment, and what the end of the program means. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "deliver/delivery.h"

/* Runs `command` with the message on fd 0 in delivery->home, and sets delivery->outcome (is_stop: it ended with 99). */
void program_run(struct delivery *delivery, const char *command, size_t n);
/* Appends NAME=value NUL for each variable of qmail-command, built from nothing. */
void program_append_environment(stralloc *out, const struct delivery *delivery, uint64_t seconds);
/* One value: bytes outside 0x20-0x7e become %HH (LF at the end of *LINE values stays), and a value that a shell could take for a
 * function loses its first byte to %28. Pure. */
void program_append_variable(stralloc *out, const char *name, const char *value, size_t n);

enum program_verdict { PROGRAM_DONE, PROGRAM_STOP, PROGRAM_NEVER, PROGRAM_LATER };
/* Exit codes: 0; 99; 100 64 65 70 76 77 78 112; any other. Pure. */
enum program_verdict program_judge(int code);

#endif
