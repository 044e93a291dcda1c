/* SPDX-License-Identifier: ISC */
/* Address lists of header fields (RFC 5322 3.4 with the obs- forms, RFC 6532): pure, no I/O, slices of the input, any bytes.
 *
 *   struct addrlist list; struct addrlist_mailbox mailbox;
 *   addrlist_start(&list, bytes, n);
 *   while (addrlist_next(&list, &mailbox) == 1) … addrlist_append(out, bytes, &mailbox, &hosts);
 *   if (list.fault != ADDRLIST_GOOD) … list.at is where
 *
 * Lenient beyond the RFC: what stands before a <…> may be any words, also dots, @ and [ ]; a list may have empty elements; 8-bit
 * bytes are letters. Everything else is refused, never repaired. */
#ifndef ADDRLIST_H
#define ADDRLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <skalibs/stralloc.h>

enum addrlist_fault {
    ADDRLIST_GOOD,
    ADDRLIST_BYTE,    /* a control byte, or a ) > ; : or \ where none may stand */
    ADDRLIST_COMMENT, /* a ( without its ) */
    ADDRLIST_QUOTE,   /* a " without its " */
    ADDRLIST_LITERAL, /* a [ without its ] */
    ADDRLIST_ANGLE,   /* a < without its > */
    ADDRLIST_GROUP,   /* a group without its ; */
    ADDRLIST_WORDS,   /* words that are no address, and no <…> behind them */
    ADDRLIST_DOMAIN   /* no name behind an @, or before it */
};
struct addrlist {
    const char *bytes;
    size_t n, at; /* at: next byte; after a fault: where it was seen */
    bool is_in_group;
    enum addrlist_fault fault;
};
struct addrlist_mailbox {
    size_t begin, end; /* the address itself, without name, <> and what surrounds it; equal: <> */
    size_t domain;     /* where its domain begins; end: it has none */
};
/* A qmail host's rules for unfinished addresses (qmail-header(5)): `joe` gets @host; a domain without dot .domain; one that ends
 * with + has that replaced by .plus. */
struct addrlist_hosts {
    const char *host, *domain, *plus;
};
void addrlist_start(struct addrlist *list, const char *bytes, size_t n);
/* 1: the next mailbox, in a group or not; 0: the end; -1: a fault. */
int addrlist_next(struct addrlist *list, struct addrlist_mailbox *out);
/* Nothing would be added to it. */
bool addrlist_is_finished(const char *bytes, const struct addrlist_mailbox *mailbox);
/* Appends the bare address as envelopes have it: no comments or blanks, quoted only where it must be, finished by `hosts`. */
void addrlist_append(stralloc *out, const char *bytes, const struct addrlist_mailbox *mailbox,
                     const struct addrlist_hosts *hosts);
/* Appends a local part, in quotes where it needs them. */
void addrlist_append_local(stralloc *out, const char *bytes, size_t n);
/* Appends all bytes, with the addresses that are not finished replaced by finished ones. False: a fault, out is as it was. */
bool addrlist_append_list(stralloc *out, const char *bytes, size_t n, const struct addrlist_hosts *hosts);

#endif
