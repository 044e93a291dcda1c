/* SPDX-License-Identifier: ISC */
/* The header of a message on its way in (qmail-header(5)): recipients out of it, addresses finished, what is missing added, what
 * is not for the recipients (Bcc, Return-Path, Content-Length) taken out. Pure: bytes in, bytes out. */
#ifndef INJECT_HEADER_H
#define INJECT_HEADER_H

#include "queue/inject_identity.h"

enum inject_header_line {
    INJECT_LINE_FIELD, /* begins a field, or goes on with one */
    INJECT_LINE_BLANK, /* ends the header */
    INJECT_LINE_MBOX,  /* `From ` as the first line: dropped */
    INJECT_LINE_BODY   /* no header line: the body begins here */
};
/* `line` with its LF; is_first: no field has been seen. */
enum inject_header_line inject_header_judge(const char *line, size_t n, bool is_first);

struct inject_header_result {
    stralloc header;      /* as it will be sent, without the blank line */
    stralloc recipients;  /* NUL behind each; only when they are wanted */
    stralloc return_path; /* value of the last Return-Path: */
    bool has_return_path;
    stralloc bad_line; /* when it is false: the first line of the field, and what is wrong with it */
};
struct inject_header_rules {
    const struct inject_identity *identity;
    const struct addrlist_hosts *hosts;
    const char *id_host; /* for Message-ID: */
    const char *id;      /* and what stands before its @ */
    uint64_t now;        /* seconds */
    bool wants_recipients;
};
/* False: a recipient field that is no list of addresses, and recipients are wanted. Other fields that cannot be read stay as they
 * are. */
bool inject_header_write(const char *header, size_t n, const struct inject_header_rules *rules, struct inject_header_result *out);
/* Words for an addrlist_fault. */
const char *inject_header_fault(enum addrlist_fault fault);

#endif
