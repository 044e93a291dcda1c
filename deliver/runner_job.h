/* SPDX-License-Identifier: ISC */
/* The runner's own side: one program after the other. */
#ifndef RUNNER_JOB_H
#define RUNNER_JOB_H

/* Serves jobs on the socket until it closes. */
void runner_serve(int fd);

#endif
