/* SPDX-License-Identifier: ISC */
/* Status code, cause, and what comes next. */
#include "queue/send_reply.h"

#define TRIED_AGAIN              " The message is kept and tried again."
#define REPLY(name, why, text)   const struct send_reply send_##name = {'Z', why, text}
#define REFUSAL(name, why, text) const struct send_reply send_##name = {'D', why, text}

REPLY(no_route, WHY_no_route,
      "4.4.4 This system does not yet send to other hosts. (#4.4.4) The message waits here and is tried again until its time in "
      "the queue is over; only addresses of this system's own domains can be reached.");
REPLY(rcpt_down, WHY_service, "4.3.0 service rcpt does not answer (#4.3.0)." TRIED_AGAIN);
REPLY(rcpt_late, WHY_service, "4.3.0 service rcpt did not answer in time (#4.3.0)." TRIED_AGAIN);
REPLY(rcpt_closed, WHY_service, "4.3.0 service rcpt closed the connection without an answer (#4.3.0)." TRIED_AGAIN);
REPLY(rcpt_strange, WHY_service, "4.3.0 service rcpt answered something that is not understood (#4.3.0)." TRIED_AGAIN);
REPLY(local_down, WHY_service, "4.3.0 service local does not answer (#4.3.0)." TRIED_AGAIN);
REPLY(local_late, WHY_service, "4.3.0 service local did not end the delivery in time (#4.3.0)." TRIED_AGAIN);
REPLY(local_closed, WHY_service, "4.3.0 service local ended in the middle of the delivery (#4.3.0)." TRIED_AGAIN);
REPLY(local_strange, WHY_service, "4.3.0 service local: report mangled, will defer (#4.3.0)." TRIED_AGAIN);
REPLY(unreadable, WHY_io, "4.3.0 the message file cannot be opened (#4.3.0)." TRIED_AGAIN);

REFUSAL(given_up, WHY_policy, "5.7.0 The administrator of this system has given this message up. (#5.7.0)");

REFUSAL(not_allowed, WHY_policy, "5.7.1 only root and members of the group stafetop may ask here");
REFUSAL(not_a_question, WHY_bad_request,
        "5.5.4 not a question that send understands; the fields are do, id, from, to, site, why");
REFUSAL(not_a_command, WHY_bad_request, "5.5.1 not a command of this server");
REFUSAL(no_message, WHY_bad_request, "5.5.4 no message with this id is in the queue");
REFUSAL(say_which, WHY_bad_request, "5.5.4 say which messages: id, from, to, site or why");

const char send_too_long[] = " I'm not going to try again; this message has been in the queue too long.";
