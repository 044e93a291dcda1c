/* SPDX-License-Identifier: ISC */
/* Counts line ends until TOP has shown enough. Total: every byte string is taken. */
#include "pop3d/top.h"

void top_init(struct top *top, uint64_t lines)
{
    *top = (struct top){.lines_left = lines};
}

static void end_line(struct top *top)
{
    if (top->in_body) {
        top->lines_left--;
    } else {
        top->in_body = !top->in_line;
    }
    top->is_done = top->in_body && top->lines_left == 0;
    top->in_line = false;
}

size_t top_take(struct top *top, const char *bytes, size_t n)
{
    size_t i = 0;
    while (i < n && !top->is_done) {
        char c = bytes[i++];
        bool is_second_half = c == '\n' && top->after_cr;
        top->after_cr = c == '\r';
        if (is_second_half) {
            continue;
        }
        if (c == '\n' || c == '\r') {
            end_line(top);
        } else {
            top->in_line = true;
        }
    }
    return i;
}
