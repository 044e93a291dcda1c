/* SPDX-License-Identifier: ISC */
/* Takes a folder away: first its name (to `.` `.deleted` and a number, which no client can see), then its files. */
#ifndef IMAPD_REMOVAL_H
#define IMAPD_REMOVAL_H

#include <stdint.h>

/* 0, and what its messages held (by ,S= or file); -1 errno. What an interrupted removal left is removed by the next one. */
int removal_run(int root, const char *folder, uint64_t *bytes_out, uint32_t *n_out);

#endif
