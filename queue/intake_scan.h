/* SPDX-License-Identifier: ISC */
/* What the intake learns of a message while it streams by: hops, lines, 8-bit bytes. Pure; any chunking. */
#ifndef INTAKE_SCAN_H
#define INTAKE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INTAKE_HOPS_MAX = 100, INTAKE_SCAN_NAME = 13 };
struct intake_scan {
    uint32_t lines; /* LFs seen */
    unsigned hops;  /* Received: and Delivered-To: lines of the header */
    bool has_8bit;
    bool is_body;      /* the blank line has gone by */
    unsigned name_len; /* bytes of the line's begin kept in name; INTAKE_SCAN_NAME: enough seen */
    char name[INTAKE_SCAN_NAME];
};
void intake_scan_init(struct intake_scan *scan);
void intake_scan_feed(struct intake_scan *scan, const char *bytes, size_t n);

#endif
