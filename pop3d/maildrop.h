/* SPDX-License-Identifier: ISC */
/* A Maildir as POP3 shows it: messages by number (from 0 here), sizes on the wire, unique names, deletion at the end. It holds
 * the names and 32 bytes a message (lib/mailbox.h), nothing else grows with the mailbox. */
#ifndef MAILDROP_H
#define MAILDROP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mailbox.h"
#include "lib/quota.h"

enum { MAILDROP_UIDL_MAX = 70 };

struct maildrop {
    struct mailbox box;
    uint32_t n_deleted;
    struct quota quota;
    int full; /* .full/USER, open for writing; -1: none */
};

/* Opens the folders; a Maildir that is missing in a home that is there is made. 0; -1 errno. */
int maildrop_open(struct maildrop *drop, const char *path) __attribute__((warn_unused_result));
/* Reads the names. 0; -1 errno. */
int maildrop_read(struct maildrop *drop) __attribute__((warn_unused_result));
/* The quota that stands in maildirsize, for a session that was not told any. */
void maildrop_take_quota_of_file(struct maildrop *drop);

/* Bytes that RETR sends, without doubled dots and the final dot. `,W=` of the name is believed; else the file is read, once. A
 * file that cannot be read counts with its `,S=`, or 0. */
uint64_t maildrop_size(struct maildrop *drop, uint32_t i);
/* Messages and octets that are not marked deleted. */
uint32_t maildrop_count(const struct maildrop *drop);
uint64_t maildrop_octets(struct maildrop *drop);
/* The file name up to ':'; where that is over 70 bytes or holds others than 0x21-0x7e, 32 hex digits of its hash; where two files
 * have it, each has a hash of it and of its inode. */
size_t maildrop_uidl(const struct maildrop *drop, uint32_t i, char out[MAILDROP_UIDL_MAX + 1]);

bool maildrop_is_deleted(const struct maildrop *drop, uint32_t i);
void maildrop_delete(struct maildrop *drop, uint32_t i); /* one that is not marked yet */
void maildrop_reset(struct maildrop *drop);

struct maildrop_update {
    uint32_t removed, failed;
    int error; /* errno of the last failure */
};
/* QUIT: removes what is marked, moves the others from new/ to cur/ (as qmail-pop3d), brings maildirsize and .full/USER up to
 * date. One that another session removed counts as removed. */
struct maildrop_update maildrop_update(struct maildrop *drop, uint64_t now_seconds);

#endif
