/* SPDX-License-Identifier: ISC */
/* The second half of routing: inside one folder (a domain's, or that of `alias`). route_folder.c reads its .qmail files,
 * route_mailbox.c its vpasswd.cdb. */
#ifndef ROUTE_FOLDER_H
#define ROUTE_FOLDER_H

#include "auth/assign.h"
#include "auth/route.h"
#include "auth/route_reply.h"
#include "lib/dotqmail.h"

/* entry: the answer of users/cdb for out->local. Fills the rest of out. */
void route_in_folder(const struct route_config *config, const struct route_question *question, const struct assign_entry *entry,
                     struct route *out);

/* One look into one folder. */
struct route_visit {
    const struct route_config *config;
    const struct route_question *question;
    const char *folder; /* its name, relative to the home folder where it lies there */
    int fd;             /* the same, open */
    const char *name;   /* what vdelivermail finds in EXT: a mailbox, perhaps with an extension */
    const char *file;   /* the .qmail file at hand, and its line that holds vdelivermail */
    unsigned line;
    bool has_other_lines; /* that file does more: it must be run as it is, also for a mailbox */
    struct route *out;
};
/* A line `| vdelivermail '' ACTION`: the mailbox visit->name, else ACTION. */
void route_to_mailbox(struct route_visit *visit, const struct vdelivermail *action);
/* Verdicts about a file of the folder. */
void route_visit_answer(struct route_visit *visit, enum route_reply reply, const char *file, unsigned line);
void route_visit_accept(struct route_visit *visit, enum route_kind kind, const char *file, unsigned line);

#endif
