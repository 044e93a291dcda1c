/* SPDX-License-Identifier: ISC */
/* What SORT and THREAD compare (RFC 5256): base subjects, message ids. Pure. */
#ifndef MIME_SORT_H
#define MIME_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

/* Appends the base subject (RFC 5256 2.1) of a subject whose words are decoded. True: it was a reply or a forward. */
bool mime_base_subject_append(stralloc *out, const char *subject, size_t n);

/* The message ids of a Message-ID, References or In-Reply-To: moves *at behind the next one and puts it into *out as RFC 5256
 * compares it, without <>, quotes and white space. One that is no address, like <abc>, or longer than 1000 bytes, is taken as it
 * stands. False: no more. */
bool mime_id_next(const char **at, const char *end, stralloc *out);
/* How summaries keep ids: FNV-1a, 64 bits; never 0. */
uint64_t mime_id_hash(const char *id, size_t n);

#endif
