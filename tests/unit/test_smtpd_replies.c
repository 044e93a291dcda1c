/* SPDX-License-Identifier: ISC */
/* smtpd/reply: the form of each reply, and that each one is spoken in a dialogue script (run from the root of the tree). */
#include "smtpd/reply.h"
#include "lib/str.h"
#include "tests/scripts.h"
#include "tests/tap.h"

#include <stdlib.h>

enum { REPLY_LINE_MAX = 512 };

/* The last line of the reply, as a script expects it. */
static bool is_spoken(const stralloc *scripts, const struct reply *reply)
{
    const char *newline = strrchr(reply->text, '\n');
    char wanted[SCRIPTS_LINE_MAX];
    int n = snprintf(wanted, sizeof wanted, "%u %s", reply->code, newline ? newline + 1 : reply->text);
    return scripts_speak(scripts, wanted, (size_t)n);
}

/* The status code's class is that of the reply (RFC 2034); 220, 354 and the answers to a hello have none. */
static bool has_status(const struct reply *reply)
{
    char digit = (char)('0' + reply->code / 100);
    for (const char *line = reply->text; line != NULL; line = strchr(line, '\n')) {
        line += line[0] == '\n';
        bool is_told = strncmp(line, "%t", 2) == 0;
        if (!is_told && !(line[0] == digit && line[1] == '.' && line[3] == '.' && line[5] == ' ')) {
            return false;
        }
    }
    return true;
}

static void needs_no_more_than_512_bytes(void)
{
    static char long_detail[900];
    memset(long_detail, 'a', sizeof long_detail);
    const struct reply_detail detail = {long_detail, sizeof long_detail, UINT64_MAX, "4.3.0 the mail system is out of order"};
    for (int i = 0; i < REPLY_COUNT; i++) {
        stralloc line = STRALLOC_ZERO;
        reply_append(&line, reply((enum reply_name)i), &detail);
        const char *at = line.s;
        bool fits = true;
        for (size_t left = line.len; left > 0;) {
            size_t n = (size_t)((const char *)memchr(at, '\n', left) - at) + 1;
            fits = fits && n <= REPLY_LINE_MAX;
            at += n;
            left -= n;
        }
        if (!ok(fits, "stays under 512 bytes a line")) {
            printf("# %u %s\n", replies[i].code, replies[i].cause);
        }
        stralloc_free(&line);
    }
}

static void each_fault_of_an_address_has_its_reply(void)
{
    for (int fault = ADDRESS_EMPTY; fault <= ADDRESS_BAD_UTF8; fault++) {
        const struct reply *rcpt = reply_recipient_fault((enum address_fault)fault);
        ok(rcpt->code == 553 && strstr(rcpt->text, "recipient") != NULL, rcpt->text);
        if (fault != ADDRESS_EMPTY) {
            const struct reply *sender = reply_sender_fault((enum address_fault)fault);
            ok(sender->code == 553 && strstr(sender->text, "sender") != NULL, sender->text);
        }
    }
}

int main(void)
{
    stralloc scripts = STRALLOC_ZERO;
    stralloc page = STRALLOC_ZERO;
    scripts_read("tests/dialog/stafet-smtpd/*.talk", &scripts);
    scripts_read("smtpd/stafet-smtpd.8", &page);
    (void)str_text(&page);
    ok(scripts.len > 0, "there are scripts in tests/dialog/stafet-smtpd");
    for (int i = 0; i < REPLY_COUNT; i++) {
        bool is_exempt = i == REPLY_GREETING || i == REPLY_HELO || i == REPLY_EHLO || i == REPLY_GO_AHEAD;
        ok(is_exempt || has_status(&replies[i]), "has an enhanced status code");
        ok((replies[i].code >= 400) == (replies[i].cause != NULL), "a refusal has a cause, and nothing else has");
        if (!ok(is_spoken(&scripts, &replies[i]), "is spoken in a dialogue")) {
            printf("# %u %s\n", replies[i].code, replies[i].text);
        }
        if (!ok(replies[i].cause == NULL || strstr(page.s, replies[i].cause) != NULL, "the page has its cause")) {
            printf("# %s\n", replies[i].cause);
        }
    }
    needs_no_more_than_512_bytes();
    each_fault_of_an_address_has_its_reply();
    return done();
}
