/* SPDX-License-Identifier: ISC */
/* Who sends: qmail-inject's environment (qmail-inject(8)), and the addresses and the From: line made of it. */
#ifndef INJECT_IDENTITY_H
#define INJECT_IDENTITY_H

#include <stdint.h>
#include "queue/addrlist.h"
#include "queue/inject_options.h"

struct inject_identity {
    const char *user, *host; /* QMAILUSER MAILUSER USER LOGNAME, else of the uid; QMAILHOST MAILHOST, else defaulthost */
    const char *full_name;   /* -F QMAILNAME MAILNAME NAME; NULL: none */
    const char *sender_user, *sender_host; /* QMAILSUSER QMAILSHOST, else the above */
    bool has_comment_style;                /* QMAILINJECT c: user@host (name) */
    bool ignores_return_path;              /* s */
    bool drops_from;                       /* f */
    bool drops_message_id;                 /* i */
    bool has_verp;                         /* r: user-@host-@[] */
    bool has_message_verp;                 /* m: user-TIME.PID@host */
};
void inject_identity_read(const struct inject_options *options, const struct addrlist_hosts *hosts, struct inject_identity *out);
/* Appends `From: …` (or another name) with LF. */
void inject_identity_from(stralloc *out, const char *field, const struct inject_identity *identity,
                          const struct addrlist_hosts *hosts);
/* Appends the envelope's sender where neither -f nor Return-Path: named one. */
void inject_identity_sender(stralloc *out, const struct inject_identity *identity, const struct addrlist_hosts *hosts,
                            uint64_t now);
/* Appends one address given as text (-f, Return-Path:): bare, finished; "" and <> are the null sender, `-@[]` at the end stays.
 * False: no address. */
bool inject_identity_parse(stralloc *out, const char *text, size_t n, const struct addrlist_hosts *hosts);

#endif
