/* SPDX-License-Identifier: ISC */
/* The words of stafet-queue. A caller shows them to a person (smtpd behind its own code, sendmail on stderr), so each says what
 * was refused, why, and what to do. */
#include <errno.h>
#include <string.h>

#include "lib/frame.h"
#include "lib/str.h"
#include "queue/intake_reply.h"

const struct intake_reply intake_bad_frames = {'D', "5.5.2 the call is not made of frames (stafet-call(5))", WHY_bad_request};
const struct intake_reply intake_bad_order = {'D', "5.5.1 frame % is out of order: a call is Q R... M... E (stafet-call(5))",
                                              WHY_bad_request};
const struct intake_reply intake_bad_field = {
    'D', "5.5.4 field % is missing, unknown, or has a value that cannot be (stafet-call(5))", WHY_bad_request};
const struct intake_reply intake_no_recipient = {'D', "5.5.1 the message names no recipient; name at least one", WHY_bad_request};
const struct intake_reply intake_many_recipients = {
    'D', "5.5.3 more than % recipients in one message (control/maxrecipients); send it in parts", WHY_size};
const struct intake_reply intake_too_big = {'D', "5.3.4 the message is larger than % bytes (control/databytes); send it smaller",
                                            WHY_size};
const struct intake_reply intake_loop = {
    'D', "5.4.6 the message has passed % hosts or mailboxes and is looping; look for a forward that leads back", WHY_loop};
const struct intake_reply intake_disk_low = {
    'Z', "4.3.1 the mail system's disk is nearly full (control/spoolreserve); try again later", WHY_disk};
const struct intake_reply intake_disk_full = {'Z', "4.3.1 the mail system's disk is full; try again later", WHY_disk};
const struct intake_reply intake_io = {'Z', "4.3.0 the mail system cannot write to its disk (%); try again later", WHY_io};
const struct intake_reply intake_busy = {'Z', "4.3.2 too many connections to the queue at once; ask again", WHY_too_often};

#define ADDRESS_REPLIES(code, kind)                                                                                              \
    {                                                                                                                            \
        [ADDRESS_EMPTY] = {'D', code kind " is empty", WHY_bad_address},                                                         \
        [ADDRESS_TOO_LONG] = {'D', code kind " <%> is too long (900 bytes; 640 before the @, 255 behind it)", WHY_bad_address},  \
        [ADDRESS_CONTROL] = {'D', code kind " <%> holds a control byte; leave it out", WHY_bad_address},                         \
        [ADDRESS_SPACE] = {'D', code kind " <%> holds a space; leave it out", WHY_bad_address},                                  \
        [ADDRESS_NO_DOMAIN] = {'D', code kind " <%> has no domain; write it as name@domain", WHY_bad_address},                   \
        [ADDRESS_NO_LOCAL] = {'D', code kind " <%> has nothing before the @; write it as name@domain", WHY_bad_address},         \
        [ADDRESS_BAD_LOCAL] = {'D', code kind " <%> has a dot or another byte before the @ where none may be", WHY_bad_address}, \
        [ADDRESS_BAD_DOMAIN] = {'D', code kind " <%> has no valid domain behind the @", WHY_bad_address},                        \
        [ADDRESS_EIGHT_BIT] = {'D', code kind " <%> has letters beyond ASCII; send it with SMTPUTF8 (utf8=1)", WHY_bad_address}, \
        [ADDRESS_BAD_UTF8] = {'D', code kind " <%> is not valid UTF-8", WHY_bad_address},                                        \
    }

static const struct intake_reply senders[] = ADDRESS_REPLIES("5.1.7 ", "sender");
static const struct intake_reply recipients[] = ADDRESS_REPLIES("5.1.3 ", "recipient");

const struct intake_reply *intake_reply_sender(enum address_fault fault)
{
    return &senders[fault];
}

const struct intake_reply *intake_reply_recipient(enum address_fault fault)
{
    return &recipients[fault];
}

const struct intake_reply *intake_reply_errno(int error)
{
    return error == ENOSPC || error == EDQUOT ? &intake_disk_full : &intake_io;
}

void intake_reply_put(stralloc *out, const struct intake_reply *reply, const char *detail)
{
    enum { DETAIL_MAX = 100 };
    stralloc text = STRALLOC_ZERO;
    const char *place = strchr(reply->text, '%');
    if (place == NULL) {
        str_copys(&text, reply->text);
    } else {
        size_t n = detail == NULL ? 0 : strlen(detail);
        str_copy(&text, reply->text, (size_t)(place - reply->text));
        str_cat_printable(&text, detail, n < DETAIL_MAX ? n : DETAIL_MAX);
        str_cats(&text, place + 1);
    }
    size_t start = verdict_begin(out, reply->letter, str_text(&text));
    field_put(out, "why", why_word(reply->why));
    frame_end(out, start);
    stralloc_free(&text);
}

void intake_reply_put_accepted(stralloc *out, const char *id, uint64_t bytes)
{
    size_t start = verdict_begin(out, 'K', "2.0.0 ok");
    field_put(out, "id", id);
    field_put_number(out, "bytes", bytes);
    frame_end(out, start);
}
