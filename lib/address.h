/* SPDX-License-Identifier: ISC */
/* One rule for envelope addresses (RFC 5321 4.1.2, RFC 6531): used by smtpd to explain, by queue to refuse, by rcptd before a
 * look-up. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

enum { ADDRESS_MAX = 900, ADDRESS_LOCAL_MAX = 640, ADDRESS_DOMAIN_MAX = 255 };
enum address_fault {
    ADDRESS_GOOD,
    ADDRESS_EMPTY, /* "" (a null sender is the caller's business) */
    ADDRESS_TOO_LONG,
    ADDRESS_CONTROL,    /* NUL, CR, LF or another control byte */
    ADDRESS_SPACE,      /* a space inside or at an end */
    ADDRESS_NO_DOMAIN,  /* no @, or nothing behind it */
    ADDRESS_NO_LOCAL,   /* nothing before the @ */
    ADDRESS_BAD_LOCAL,  /* dot at an end or doubled, or a byte that no atom has, outside quotes */
    ADDRESS_BAD_DOMAIN, /* not LDH labels of 1-63 (underscore allowed), nor an [address literal] */
    ADDRESS_EIGHT_BIT,  /* 8-bit bytes without SMTPUTF8 */
    ADDRESS_BAD_UTF8    /* with SMTPUTF8: not valid UTF-8 (RFC 3629: no overlong form, no surrogate) */
};
/* `bytes` is the bare address: no <>, no quotes around all; the domain is what follows the last @. A quoted local part ("a b"@d)
 * is good syntax, but ADDRESS_SPACE where it holds a space: no mailbox of this house has one. */
enum address_fault address_check(const char *bytes, size_t n, bool utf8);
/* Position of the last @, n when there is none. */
size_t address_domain_at(const char *bytes, size_t n);
/* RFC 3629 */
bool address_is_utf8(const char *bytes, size_t n);

#endif
