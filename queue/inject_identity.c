/* SPDX-License-Identifier: ISC */
/* The environment is the caller's own: it may say who he is, the queue writes his uid beside it. */
#include "queue/inject_identity.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/str.h"

/* The first of the variables that is set and not empty; NULL: none. */
static const char *first_of(const char *const *names)
{
    for (; *names != NULL; names++) {
        const char *value = getenv(*names);
        if (value != NULL && *value != '\0') {
            return value;
        }
    }
    return NULL;
}

static const char *login_name(void)
{
    const struct passwd *entry = getpwuid(getuid());
    return entry == NULL || entry->pw_name[0] == '\0' ? "anonymous" : entry->pw_name;
}

void inject_identity_read(const struct inject_options *options, const struct addrlist_hosts *hosts, struct inject_identity *out)
{
    static const char *const users[] = {"QMAILUSER", "MAILUSER", "USER", "LOGNAME", NULL};
    static const char *const mail_hosts[] = {"QMAILHOST", "MAILHOST", NULL};
    static const char *const names[] = {"QMAILNAME", "MAILNAME", "NAME", NULL};
    static const char *const sender_users[] = {"QMAILSUSER", NULL}, *const sender_hosts[] = {"QMAILSHOST", NULL};
    const char *flags = getenv("QMAILINJECT");
    *out = (struct inject_identity){.user = first_of(users), .host = first_of(mail_hosts), .full_name = options->full_name};
    out->user = out->user != NULL ? out->user : login_name();
    out->host = out->host != NULL ? out->host : hosts->host;
    out->full_name = out->full_name != NULL ? out->full_name : first_of(names);
    out->sender_user = first_of(sender_users);
    out->sender_user = out->sender_user != NULL ? out->sender_user : out->user;
    out->sender_host = first_of(sender_hosts);
    out->sender_host = out->sender_host != NULL ? out->sender_host : out->host;
    flags = flags != NULL ? flags : "";
    out->has_comment_style = strchr(flags, 'c') != NULL;
    out->ignores_return_path = strchr(flags, 's') != NULL;
    out->drops_from = strchr(flags, 'f') != NULL;
    out->drops_message_id = strchr(flags, 'i') != NULL;
    out->has_verp = strchr(flags, 'r') != NULL;
    out->has_message_verp = strchr(flags, 'm') != NULL;
}

/* user@host, quoted and finished. What is no address stays as it is: the queue says what is wrong with it. */
static void append_address(stralloc *out, const char *user, const char *host, const struct addrlist_hosts *hosts)
{
    struct addrlist list;
    struct addrlist_mailbox mailbox;
    stralloc text = STRALLOC_ZERO;
    addrlist_append_local(&text, user, strlen(user));
    str_catc(&text, '@');
    str_cats(&text, host);
    addrlist_start(&list, text.s, text.len);
    if (addrlist_next(&list, &mailbox) == 1) {
        addrlist_append(out, text.s, &mailbox, hosts);
    } else {
        str_cat(out, text.s, text.len);
    }
    stralloc_free(&text);
}

/* ---- From: ---- */

static bool is_plain_name(const char *name)
{
    for (; *name != '\0'; name++) {
        bool is_alnum = (*name >= '0' && *name <= '9') || (*name >= 'A' && *name <= 'Z') || (*name >= 'a' && *name <= 'z');
        if (!is_alnum && strchr(" -_'!*+/=?", *name) == NULL) {
            return false;
        }
    }
    return true;
}

static bool needs_coding(const char *name)
{
    for (; *name != '\0'; name++) {
        if ((unsigned char)*name >= 0x80 || (unsigned char)*name < 0x20 || *name == 0x7f) {
            return true;
        }
    }
    return false;
}

/* RFC 2047 with Q: words of at most 75 characters, cut between characters. */
static void append_coded(stralloc *out, const char *name)
{
    enum { WORD_ROOM = 60 };
    size_t used = 0;
    str_cats(out, "=?utf-8?Q?");
    for (; *name != '\0'; name++) {
        unsigned char c = (unsigned char)*name;
        if (used > WORD_ROOM - 12 && (c & 0xc0) != 0x80) {
            str_cats(out, "?= =?utf-8?Q?");
            used = 0;
        }
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        size_t before = out->len;
        if (is_alnum || c == ' ') {
            str_catc(out, c == ' ' ? '_' : (char)c);
        } else {
            str_catf(out, "=%02X", c);
        }
        used += out->len - before;
    }
    str_cats(out, "?=");
}

static void append_name(stralloc *out, const char *name, const char *escaped)
{
    for (; *name != '\0'; name++) {
        str_cats(out, strchr(escaped, *name) != NULL ? "\\" : "");
        str_catc(out, *name);
    }
}

void inject_identity_from(stralloc *out, const char *field, const struct inject_identity *identity,
                          const struct addrlist_hosts *hosts)
{
    const char *name = identity->full_name;
    bool has_name = name != NULL && *name != '\0', is_coded = has_name && needs_coding(name);
    bool is_comment = has_name && identity->has_comment_style;
    str_cats(out, field);
    str_cats(out, ": ");
    if (has_name && !is_comment) {
        bool is_quoted = !is_coded && !is_plain_name(name);
        str_cats(out, is_quoted ? "\"" : "");
        if (is_coded) {
            append_coded(out, name);
        } else {
            append_name(out, name, "\"\\");
        }
        str_cats(out, is_quoted ? "\" <" : " <");
    }
    append_address(out, identity->user, identity->host, hosts);
    if (is_comment) {
        str_cats(out, " (");
        if (is_coded) {
            append_coded(out, name);
        } else {
            append_name(out, name, "()\\");
        }
        str_catc(out, ')');
    } else if (has_name) {
        str_catc(out, '>');
    }
    str_catc(out, '\n');
}

/* ---- the sender ---- */

void inject_identity_sender(stralloc *out, const struct inject_identity *identity, const struct addrlist_hosts *hosts,
                            uint64_t now)
{
    stralloc user = STRALLOC_ZERO;
    str_cats(&user, identity->sender_user);
    if (identity->has_message_verp) {
        str_catf(&user, "-%llu.%ld", (unsigned long long)now, (long)getpid());
    }
    if (identity->has_verp) {
        str_catc(&user, '-');
    }
    append_address(out, str_text(&user), identity->sender_host, hosts);
    str_cats(out, identity->has_verp ? "-@[]" : "");
    stralloc_free(&user);
}

bool inject_identity_parse(stralloc *out, const char *text, size_t n, const struct addrlist_hosts *hosts)
{
    struct addrlist list;
    struct addrlist_mailbox mailbox, other;
    bool has_verp = n > 4 && memcmp(text + n - 4, "-@[]", 4) == 0;
    size_t before = out->len;
    addrlist_start(&list, text, has_verp ? n - 4 : n);
    int got = addrlist_next(&list, &mailbox);
    if (got == 1) {
        addrlist_append(out, text, &mailbox, hosts);
        str_cats(out, has_verp ? "-@[]" : "");
        got = addrlist_next(&list, &other);
    }
    if (got != 0) {
        out->len = before;
    }
    return got == 0;
}
