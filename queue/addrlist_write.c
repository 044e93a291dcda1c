/* SPDX-License-Identifier: ISC */
/* From a parsed mailbox to the address of an envelope, and a list with its addresses finished. */
#include <string.h>

#include "lib/str.h"
#include "queue/addrlist_token.h"

/* The bytes that a quoted string or a literal stands for: no backslashes, no line ends. */
static void append_inner(stralloc *out, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\\' && i + 1 < n) {
            i++;
        }
        if (bytes[i] != '\r' && bytes[i] != '\n') {
            str_catc(out, bytes[i]);
        }
    }
}

static bool needs_quotes(const char *bytes, size_t n)
{
    bool after_dot = true;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '.' ? after_dot : !addrlist_is_atext(bytes[i])) {
            return true;
        }
        after_dot = bytes[i] == '.';
    }
    return after_dot;
}

void addrlist_append_local(stralloc *out, const char *bytes, size_t n)
{
    if (!needs_quotes(bytes, n)) {
        str_cat(out, bytes, n);
        return;
    }
    str_catc(out, '"');
    for (size_t i = 0; i < n; i++) {
        str_cats(out, bytes[i] == '"' || bytes[i] == '\\' ? "\\" : "");
        str_catc(out, bytes[i]);
    }
    str_catc(out, '"');
}

static void append_quoted(stralloc *out, const char *bytes, size_t n)
{
    stralloc inner = STRALLOC_ZERO;
    append_inner(&inner, bytes, n);
    addrlist_append_local(out, inner.s, inner.len);
    stralloc_free(&inner);
}

/* All tokens of [begin, end) one behind the other. They were seen to be good. */
static void append_tokens(stralloc *out, const char *bytes, size_t begin, size_t end)
{
    struct addrlist_token token;
    while (addrlist_token_next(bytes, end, &begin, &token) == ADDRLIST_GOOD && token.kind != TOKEN_END) {
        const char *text = bytes + token.begin;
        size_t n = token.end - token.begin;
        if (token.kind == TOKEN_QUOTED) {
            append_quoted(out, text + 1, n - 2);
        } else if (token.kind == TOKEN_LITERAL) {
            str_catc(out, '[');
            append_inner(out, text + 1, n - 2);
            str_catc(out, ']');
        } else {
            str_cat(out, text, n);
        }
    }
}

/* Finishes the domain that begins at `begin` of out. */
static void finish_domain(stralloc *out, size_t begin, const struct addrlist_hosts *hosts)
{
    size_t n = out->len - begin;
    if (n == 0 || out->s[begin] == '[') {
        return;
    }
    if (out->s[out->len - 1] == '+') {
        out->len--;
        str_cats(out, n > 1 ? "." : "");
        str_cats(out, hosts->plus);
    } else if (memchr(out->s + begin, '.', n) == NULL) {
        str_catc(out, '.');
        str_cats(out, hosts->domain);
    }
}

bool addrlist_is_finished(const char *bytes, const struct addrlist_mailbox *mailbox)
{
    size_t n = mailbox->end - mailbox->domain;
    const char *domain = bytes + mailbox->domain;
    if (mailbox->begin == mailbox->end) {
        return true;
    }
    return n > 0 && (domain[0] == '[' || (memchr(domain, '.', n) != NULL && domain[n - 1] != '+'));
}

void addrlist_append(stralloc *out, const char *bytes, const struct addrlist_mailbox *mailbox, const struct addrlist_hosts *hosts)
{
    bool has_domain = mailbox->domain < mailbox->end;
    if (mailbox->begin == mailbox->end) {
        return;
    }
    append_tokens(out, bytes, mailbox->begin, mailbox->domain);
    size_t begin = out->len;
    if (has_domain) {
        append_tokens(out, bytes, mailbox->domain, mailbox->end);
    } else {
        str_catc(out, '@');
        begin = out->len;
        str_cats(out, hosts->host);
    }
    finish_domain(out, begin, hosts);
}

bool addrlist_append_list(stralloc *out, const char *bytes, size_t n, const struct addrlist_hosts *hosts)
{
    struct addrlist list;
    struct addrlist_mailbox mailbox;
    size_t before = out->len, copied = 0;
    addrlist_start(&list, bytes, n);
    while (addrlist_next(&list, &mailbox) == 1) {
        if (!addrlist_is_finished(bytes, &mailbox)) {
            str_cat(out, bytes + copied, mailbox.begin - copied);
            addrlist_append(out, bytes, &mailbox, hosts);
            copied = mailbox.end;
        }
    }
    str_cat(out, bytes + copied, n - copied);
    if (list.fault != ADDRLIST_GOOD) {
        out->len = before;
        return false;
    }
    return true;
}
