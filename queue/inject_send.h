/* SPDX-License-Identifier: ISC */
/* A letter for the queue: envelope, header, body; and its way through sockets/inject. */
#ifndef INJECT_SEND_H
#define INJECT_SEND_H

#include "queue/inject_reply.h"
#include "queue/spill.h"

struct inject_letter {
    enum inject_name name;
    const char *sender;         /* "": null */
    const stralloc *recipients; /* NUL behind each */
    const char *notify, *ret, *envid;
    const stralloc *header; /* goes before the body, with its blank line; may be empty */
    const struct spill *body;
    uint64_t patience_ms; /* set by inject_send: until then a queue at its limit is asked again (60 s) */
};
/* Returns when the queue has said K; else fails (inject_fail). The home folder is the working directory. */
void inject_send(const struct inject_letter *letter);
/* Writes header and body to descriptor 1. */
void inject_print(const struct inject_letter *letter);

#endif
