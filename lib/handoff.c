/* SPDX-License-Identifier: ISC */
/* One call to authd. Whatever goes wrong is a verdict Z, and the client stays ours. */
#include "lib/handoff.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lib/die.h"
#include "lib/sandbox.h"
#include "lib/why.h"

void handoff_confine(void)
{
    struct stat in;
    struct stat out;
    if (fstat(0, &in) < 0 || fstat(1, &out) < 0 || in.st_dev != out.st_dev || in.st_ino != out.st_ino) {
        die_permanent("descriptors 0 and 1 must be one connection, which a session can take over; two pipes are none");
    }
    sandbox_limit(&(struct sandbox_limits){.file_size = UINT64_MAX, .no_fork = true});
    sandbox_paths_or_die(NULL, 0);
}

static void put_question(const struct handoff *handoff, stralloc *out)
{
    size_t start = frame_begin(out, 'Q');
    field_put(out, "op", "auth");
    field_put(out, "sid", handoff->sid);
    field_put(out, "service", handoff->service);
    field_put(out, "mech", "PLAIN");
    field_put(out, "user", handoff->user);
    field_put(out, "pass", handoff->password);
    field_put(out, "ip", handoff->ip);
    field_put(out, "lip", handoff->local_ip);
    field_put_number(out, "lport", handoff->local_port);
    field_put(out, "tls", "");
    field_put(out, "tag", handoff->tag);
    field_put_number(out, "early", handoff->early_len);
    frame_end(out, start);
    if (handoff->early_len > 0) {
        frame_put(out, 'M', handoff->early, handoff->early_len);
    }
}

void handoff_look_again(struct call *call, struct verdict *verdict)
{
    struct frame frame;
    enum why why = why_from_word(fields_get(&verdict->fields, "why"));
    if (verdict->letter != 'Z' || why != WHY_service || call->channel.in < 0) {
        return;
    }
    (void)shutdown(call->channel.in, SHUT_RD);
    channel_set_deadline(&call->channel, 0);
    if (channel_read(&call->channel, &frame) == CHANNEL_FRAME) {
        (void)verdict_parse(frame.type, frame.payload, frame.len, verdict);
    }
}

void handoff_ask(const struct handoff *handoff, struct call *call, struct verdict *out)
{
    bool is_open = call_open(call, "sockets/auth", HANDOFF_SECONDS) == 0;
    stralloc *outbox = &call->channel.outbox;
    call->channel.is_brief = true;
    put_question(handoff, outbox);
    if (is_open) {
        channel_attach_fd(&call->channel, handoff->connection);
    }
    call_finish(call, out);
    explicit_bzero(outbox->s, outbox->a);
    handoff_look_again(call, out);
}
