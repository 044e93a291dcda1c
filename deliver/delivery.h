/* SPDX-License-Identifier: ISC */
/* What the modules of a delivery share: one recipient of one message, and the settings in force.
 *
 *   local_session ─▶ delivery_run ─┬─ loop? locked? ─▶ refused
 *                                  ├─ mailbox, no .qmail ─▶ store_run (Maildir, quota)
 *                                  └─ .qmail file ─▶ instructions_run ─┬─ store_run, mbox_append
 *                                                                     ├─ runner (program lines)
 *                                                                     ├─ vdeliver_run (…/vdelivermail)
 *                                                                     └─ forward_send, last */
#ifndef DELIVERY_H
#define DELIVERY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "deliver/message.h"
#include "deliver/reply.h"
#include "deliver/runner.h"
#include "lib/control.h"

struct delivery_settings {
    const char *me;           /* control/me */
    const char *default_host; /* control/envnoathost: behind forward addresses without @ */
    uint64_t program_seconds; /* control/timeoutprogram */
    uint64_t mbox_seconds;    /* control/timeoutmbox */
    const struct control_list
        *default_delivery;     /* control/defaultdelivery: lines for a folder whose .qmail file is missing or empty */
    bool may_skip_folder_sync; /* ordered_device is a journal that orders renames (CONTRACTS 3.6) */
    dev_t ordered_device;      /* that of domains/ */
    const char *home_folder;   /* absolute name of the working directory, no '/' at its end */
    bool is_anywhere;          /* paths may lead anywhere: vdelivermail under another system's qmail-local */
    const char *queue_socket, *rcpt_socket; /* NULL: there is no house, but … */
    const char *queue_program;              /* … another system's qmail-queue, */
    const char *domain_folder;              /* and this folder's vpasswd.cdb */
};

struct delivery {
    const struct delivery_settings *settings;
    struct message *message;
    struct runner *runner;
    uint64_t n;                            /* recipient number */
    const char *orig;                      /* the recipient's address; local part and host of names and lines */
    const char *kind;                      /* mailbox alias catchall list */
    const char *home;                      /* folder, relative to the working directory */
    const char *quota;                     /* of a mailbox, as in vpasswd */
    const char *user, *local, *dash, *ext; /* qmail-local's meanings */
    uint64_t flags;                        /* of vpasswd */
    bool is_last;                          /* no other recipient of the message waits */
    const char *default_part;              /* DEFAULT: set when a …default file holds; NULL */
    bool is_inside_vdelivermail;
    struct outcome *outcome;
    stralloc prefix; /* Return-Path: and Delivered-To: lines */
};

/* Delivers, and leaves the verdict in outcome. */
void delivery_run(struct delivery *delivery);
/* The first half: makes prefix, and refuses what needs no look into a folder. False: outcome is set. */
bool delivery_begin(struct delivery *delivery);
/* The last component of home: of a mailbox, its name. */
const char *delivery_mailbox_name(const struct delivery *delivery);
/* Host part of orig; "" without one. */
const char *delivery_host(const struct delivery *delivery);
/* `Return-Path: <sender>\n` and `Delivered-To: orig\n`. */
void delivery_append_return_path(stralloc *out, const struct delivery *delivery);
void delivery_append_delivered_to(stralloc *out, const struct delivery *delivery);

#endif
