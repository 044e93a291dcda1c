/* SPDX-License-Identifier: ISC */
/* What the load generators share: a reply reader and small numbers off the command line. */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>

struct load_target {
    const char *host;
    uint16_t port;
};
uint64_t load_now_us(void);
/* Blocking = false: connect in progress. -1 ends the program. */
int load_connect(const struct load_target *target);
unsigned load_number(const char *text);
/* User and system time of this process, microseconds. */
uint64_t load_cpu_us(void);

#endif
