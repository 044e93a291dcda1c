/* SPDX-License-Identifier: ISC */
/* Envelope addresses (RFC 5321 4.1.2, RFC 6531 3.3): pure, one pass a rule, no repair. The faults a person can see (a space, no
 * domain) are named before those of the fine grammar, so that the reply says what to change. */
#include "address.h"
#include "utf8.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { LABEL_MAX = 63, LITERAL_MAX = 64 };

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* atext of RFC 5322 3.2.3, and UTF-8 that has been checked before (RFC 6532 3.2). */
static bool is_atext(unsigned char c)
{
    return is_alnum(c) || c >= 0x80 || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

bool address_is_utf8(const char *bytes, size_t n)
{
    while (n > 0) {
        uint32_t character;
        size_t len = utf8_decode(bytes, n, &character);
        if (len == 0) {
            return false;
        }
        bytes += len;
        n -= len;
    }
    return true;
}

size_t address_domain_at(const char *bytes, size_t n)
{
    const char *at = n ? memrchr(bytes, '@', n) : NULL;
    return at ? (size_t)(at - bytes) : n;
}

static enum address_fault check_bytes(const char *bytes, size_t n, bool utf8)
{
    bool has_space = false;
    bool has_8bit = false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c < 0x20 || c == 0x7f) {
            return ADDRESS_CONTROL;
        }
        has_space = has_space || c == ' ';
        has_8bit = has_8bit || c >= 0x80;
    }
    if (has_8bit && !utf8) {
        return ADDRESS_EIGHT_BIT;
    }
    if (has_8bit && !address_is_utf8(bytes, n)) {
        return ADDRESS_BAD_UTF8;
    }
    return has_space ? ADDRESS_SPACE : ADDRESS_GOOD;
}

/* "…" with quoted pairs; controls and spaces were refused before. */
static bool is_quoted_string(const char *bytes, size_t n)
{
    if (n < 2 || bytes[0] != '"' || bytes[n - 1] != '"') {
        return false;
    }
    size_t i = 1;
    while (i < n - 1) {
        if (bytes[i] == '"') {
            return false;
        }
        i += bytes[i] == '\\' ? 2 : 1;
    }
    return i == n - 1;
}

static bool is_dot_string(const char *bytes, size_t n)
{
    bool after_dot = true;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '.' ? after_dot : !is_atext((unsigned char)bytes[i])) {
            return false;
        }
        after_dot = bytes[i] == '.';
    }
    return !after_dot;
}

/* [192.0.2.1] or [IPv6:2001:db8::1] */
static bool is_literal(const char *bytes, size_t n)
{
    char text[LITERAL_MAX];
    unsigned char address[16];
    if (n < 3 || bytes[n - 1] != ']' || n - 2 >= sizeof text) {
        return false;
    }
    memcpy(text, bytes + 1, n - 2);
    text[n - 2] = '\0';
    if (strncasecmp(text, "IPv6:", 5) == 0) {
        return inet_pton(AF_INET6, text + 5, address) == 1;
    }
    return inet_pton(AF_INET, text, address) == 1;
}

/* One label; the length rule of DNS counts its ASCII form, which we do not make: labels of UTF-8 have the domain's limit only. */
static bool is_label(const char *bytes, size_t n)
{
    bool has_8bit = false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (!is_alnum(c) && c != '-' && c != '_' && c < 0x80) {
            return false;
        }
        has_8bit = has_8bit || c >= 0x80;
    }
    return n > 0 && (n <= LABEL_MAX || has_8bit) && bytes[0] != '-' && bytes[n - 1] != '-';
}

static bool is_domain(const char *bytes, size_t n)
{
    if (n > 0 && bytes[0] == '[') {
        return is_literal(bytes, n);
    }
    for (;;) {
        const char *dot = memchr(bytes, '.', n);
        size_t label = dot ? (size_t)(dot - bytes) : n;
        if (!is_label(bytes, label)) {
            return false;
        }
        if (!dot) {
            return true;
        }
        bytes += label + 1;
        n -= label + 1;
    }
}

enum address_fault address_check(const char *bytes, size_t n, bool utf8)
{
    if (n == 0) {
        return ADDRESS_EMPTY;
    }
    if (n > ADDRESS_MAX) {
        return ADDRESS_TOO_LONG;
    }
    enum address_fault fault = check_bytes(bytes, n, utf8);
    if (fault != ADDRESS_GOOD) {
        return fault;
    }
    size_t at = address_domain_at(bytes, n);
    if (at + 1 >= n) {
        return ADDRESS_NO_DOMAIN;
    }
    if (at == 0) {
        return ADDRESS_NO_LOCAL;
    }
    if (at > ADDRESS_LOCAL_MAX || n - at - 1 > ADDRESS_DOMAIN_MAX) {
        return ADDRESS_TOO_LONG;
    }
    if (!(bytes[0] == '"' ? is_quoted_string(bytes, at) : is_dot_string(bytes, at))) {
        return ADDRESS_BAD_LOCAL;
    }
    return is_domain(bytes + at + 1, n - at - 1) ? ADDRESS_GOOD : ADDRESS_BAD_DOMAIN;
}
