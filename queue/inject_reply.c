/* SPDX-License-Identifier: ISC */
/* All words of sendmail, qmail-inject and qmail-queue: what was not done, why, and what to do. */
#include "queue/inject_reply.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/str.h"

/* clang-format off */
#define REPLY(name, end, text) const struct inject_reply inject_##name = {end, text}
#define TELL "stafet-inject(8)"

REPLY(bad_option, INJECT_USAGE, "option % is not known or lacks its value; " TELL " lists them");
REPLY(bad_value, INJECT_USAGE, "option % has a value that cannot be; " TELL " lists them");
REPLY(no_smtp, INJECT_USAGE, "-bs is not offered: a program that speaks SMTP can connect to this host's port 25");
REPLY(no_daemon, INJECT_USAGE, "% is not offered: stafet's services are started by their service folders, see INSTALL");
REPLY(show_queue, INJECT_ABSENT, "the waiting mail is shown by stafet-qread, to root and members of the group stafetop");
REPLY(run_queue, INJECT_ABSENT, "waiting mail is tried again by stafet-qctl retry, for root and members of the group stafetop");
REPLY(no_recipient, INJECT_USAGE, "the message names no recipient; give addresses as arguments, or with -t in To:, Cc: or Bcc:");
REPLY(bad_argument, INJECT_DATA, "5.1.3 a recipient on the command line is no address: %");
REPLY(bad_sender, INJECT_DATA, "5.1.7 the sender is no address: %");
REPLY(bad_line, INJECT_DATA, "5.6.0 a header field is no list of addresses: %");
REPLY(long_header, INJECT_DATA, "5.6.0 the message's header is larger than % bytes; shorten it");
REPLY(long_address, INJECT_LONG, "5.1.3 an address is longer than 900 bytes: %");
REPLY(bad_envelope, INJECT_ENVELOPE, "the envelope on descriptor 1 has to be F sender NUL (T recipient NUL)... NUL");
REPLY(cut_envelope, INJECT_READ, "the envelope on descriptor 1 ended before its last NUL; nothing was sent");
REPLY(unread, INJECT_READ, "the message cannot be read (%); nothing was sent");
REPLY(unkept, INJECT_WRITE, "the message cannot be kept while it is read (%); nothing was sent. Make room in TMPDIR or /tmp");
REPLY(no_home, INJECT_HOME, "stafet's home folder cannot be entered: %. Set STAFET_HOME to it; nothing was sent");
REPLY(no_me, INJECT_CONFIG, "control/me is missing: its administrator has to write this host's name into it. Nothing was sent");
REPLY(bad_control, INJECT_CONFIG, "a control file cannot be read (see above); nothing was sent");
REPLY(refused, INJECT_REFUSED, "%");
REPLY(deferred, INJECT_LATER, "%; nothing was sent");
REPLY(disk, INJECT_WRITE, "%; nothing was sent");
REPLY(service, INJECT_SERVICE, "%; nothing was sent, try again later");
REPLY(unwritten, INJECT_WRITE, "the message cannot be written to descriptor 1 (%)");
/* clang-format on */

static const char *const names[] = {"sendmail", "qmail-inject", "qmail-queue"};

int inject_exit_code(enum inject_name name, enum inject_end end)
{
    static const unsigned char codes[][3] = {
        [INJECT_USAGE] = {64, 100, 100},   [INJECT_DATA] = {65, 100, 31},    [INJECT_LONG] = {65, 100, 11},
        [INJECT_ENVELOPE] = {65, 100, 91}, [INJECT_REFUSED] = {69, 100, 31}, [INJECT_ABSENT] = {69, 100, 100},
        [INJECT_READ] = {75, 111, 54},     [INJECT_WRITE] = {75, 111, 53},   [INJECT_CONFIG] = {75, 111, 55},
        [INJECT_HOME] = {75, 111, 61},     [INJECT_SERVICE] = {75, 111, 74}, [INJECT_LATER] = {75, 111, 71},
    };
    return codes[end][name];
}

void inject_fail(enum inject_name name, const struct inject_reply *reply, const char *detail)
{
    enum { DETAIL_MAX = 600 };
    stralloc text = STRALLOC_ZERO;
    const char *place = strchr(reply->text, '%');
    size_t n = detail == NULL || place == NULL ? 0 : strlen(detail);
    str_cats(&text, names[name]);
    str_cats(&text, ": fatal: ");
    str_cat(&text, reply->text, place == NULL ? strlen(reply->text) : (size_t)(place - reply->text));
    str_cat_printable(&text, detail, n < DETAIL_MAX ? n : DETAIL_MAX);
    str_cats(&text, place == NULL ? "" : place + 1);
    str_catc(&text, '\n');
    (void)!write(2, text.s, text.len);
    exit(inject_exit_code(name, reply->end));
}
