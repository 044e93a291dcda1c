/* SPDX-License-Identifier: ISC */
/* Where an address goes: qmail-send's rewriting (locals, virtualdomains), qmail-lspawn's users/cdb, qmail-local's .qmail search
 * and vdelivermail's mailboxes, in one look. Reads only: control values that the program loaded, users/cdb, and in a domain's
 * folder vpasswd.cdb, .qmail files and .full/. An address never becomes a path: folders come out of a cdb's record (a .qmail name
 * is one component without '/'). */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>
#include <stdint.h>
#include <skalibs/stralloc.h>
#include "auth/assign.h"
#include "lib/cdbmap.h"
#include "lib/control.h"
#include "lib/why.h"

enum route_for {
    ROUTE_SMTP,        /* may this host take it? rcpthosts, no-mailbox, full */
    ROUTE_DELIVER,     /* whose folder? Room in the mailbox is local's matter: it knows the message, and mends a stale .full */
    ROUTE_MAILBOX_ONLY /* of a vdelivermail line: the mailbox by that name, no .qmail file of the domain's folder */
};
struct route_question {
    const char *to;
    enum route_for purpose;
    bool may_relay;
    uint64_t size; /* of the message, 0: not known */
};

enum route_kind { ROUTE_NOWHERE, ROUTE_TO_MAILBOX, ROUTE_TO_ALIAS, ROUTE_TO_CATCHALL, ROUTE_TO_LIST, ROUTE_TO_REMOTE };
/* An answer: K with kind, or D or Z with why and text (begins with the enhanced status code). Reused: route_find clears it. */
struct route {
    char letter;
    enum why why;
    const char *text;
    enum route_kind kind;
    stralloc file; /* the file that decided; "": the address itself */
    unsigned line; /* 0: a cdb, or no line of the file */
    /* K but remote: qmail-local's words. home is relative to the home folder where it lies there. alias, catchall, list: the
     * first
     * `.qmail` dash ext (or …default) in home is run. mailbox: home is the mailbox's folder, its last part the mailbox's name;
     * ext is that name, or the name, '-' and an extension: `.qmail-EXTENSION` or `.qmail` in home, else home/Maildir/. */
    stralloc home, user, local, dash, ext;
    stralloc quota; /* mailbox: as in vpasswd */
    uint32_t flags;
    stralloc to; /* remote: the address after percenthack, where it is another one than was asked for */
};

/* Everything that lasts from one question to the next. Control values are filled by the table in the program; the cdbs are opened
 * when first needed and again when the name shows another file. */
struct route_config {
    struct control_list locals, virtualdomains, rcpthosts, percenthack;
    const char *envnoathost;
    bool full_is_permanent;
    const char *home;    /* absolute name of the home folder, to strip from what cdbs hold; "" */
    int64_t mailbox_uid; /* vmail's: only its folders are served; -1: not known */
    bool is_assign_open, is_morercpthosts_open;
    struct assign assign;
    struct cdbmap morercpthosts;
};
/* home and mailbox_uid: from getcwd() and the owner of domains/. */
void route_config_start(struct route_config *config);

void route_find(struct route_config *config, const struct route_question *question, struct route *out);

/* Word of the kind= field. */
const char *route_kind_word(enum route_kind kind);

#endif
