/* SPDX-License-Identifier: ISC */
/* The runner: a process that executes the program lines of .qmail files. The worker forks it before it confines itself, so that
 * the owner's programs run without the worker's Landlock and seccomp, and the worker itself never execs. One job at a time, over
 * a socket pair, in the frames of lib/frame:
 *
 *   Q command= folder= seconds= output=   (+ the message's descriptor)     R env=NAME=value …     E
 *   K text end=exit|signal|deadline|start code=N output=BYTES */
#ifndef RUNNER_H
#define RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <skalibs/stralloc.h>
#include "lib/channel.h"

enum { RUNNER_COMMAND_MAX = 4096, RUNNER_OUTPUT_MAX = 2000 };
struct runner {
    pid_t pid; /* 0: not started, or lost */
    struct channel channel;
};
struct runner_job {
    const char *command;         /* behind the '|' */
    const char *folder;          /* working directory of the program */
    const stralloc *environment; /* NAME=value NUL, any number */
    int message;                 /* becomes fd 0 */
    unsigned seconds;            /* then the whole process group is killed */
};
enum runner_end {
    RUNNER_EXIT,   /* code: exit code */
    RUNNER_SIGNAL, /* code: signal number */
    RUNNER_DEADLINE,
    RUNNER_NOT_STARTED, /* code: errno */
    RUNNER_LOST         /* the runner itself is gone */
};
struct runner_result {
    enum runner_end end;
    int code;
    stralloc output; /* what it wrote to fd 1 and 2, at most RUNNER_OUTPUT_MAX bytes */
};
/* Forks. 0; -1 errno. */
int runner_start(struct runner *runner) __attribute__((warn_unused_result));
void runner_run(struct runner *runner, const struct runner_job *job, struct runner_result *out);
/* It ends when its socket closes; a program that runs is finished first. */
void runner_end(struct runner *runner);

#endif
