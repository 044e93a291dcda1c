/* SPDX-License-Identifier: ISC */
/* stafet-rcptd: answers op=rcpt of stafet-call(5): is there such a mailbox, has it room, whose folder is it? Runs as stafeta. Its
 * callers (smtpd, send, local) are trusted to ask, not in what they ask: every address is a stranger's. It only reads, and never
 * inside a mailbox. */
#include <fcntl.h>
#include <string.h>

#include "auth/route.h"
#include "lib/channel.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/serve.h"
#include "lib/str.h"

enum { CALLER_SECONDS = 5, MEMBERS = 8, MEMORY_MAX = 512 << 20 };

static struct route_config config;
static const struct control_entry controls[] = {
    {"locals", CONTROL_LIST, "=me", 0, 0, &config.locals},
    {"virtualdomains", CONTROL_LIST, NULL, 0, 0, &config.virtualdomains},
    {"rcpthosts", CONTROL_LIST, NULL, 0, 0, &config.rcpthosts},
    {"percenthack", CONTROL_LIST, NULL, 0, 0, &config.percenthack},
    {"envnoathost", CONTROL_TEXT, "=me", 0, 0, &config.envnoathost},
    {"fullpermanent", CONTROL_EXISTS, NULL, 0, 0, &config.full_is_permanent},
    {0},
};
static struct channel channel;
static struct route route;

static void prepare(void)
{
    static const struct sandbox_path paths[] = {
        {"control", SANDBOX_READ},
        {"users", SANDBOX_READ},
        {"domains", SANDBOX_READ},
        {"alias", SANDBOX_READ},
        {VPOPMAIL_HOME "/domains", SANDBOX_READ},
    };
    route_config_start(&config);
    sandbox_limit(&(struct sandbox_limits){.memory = MEMORY_MAX, .files = 64, .file_size = UINT64_MAX});
    sandbox_paths_or_die(paths, sizeof paths / sizeof *paths);
    sandbox_calls(SANDBOX_RPATH | SANDBOX_SERVE | SANDBOX_FORK | SANDBOX_KILL);
}

static void put_text(const char *key, stralloc *value)
{
    field_put(&channel.outbox, key, str_text(value));
}

static void put_folder(void)
{
    put_text("home", &route.home);
    put_text("user", &route.user);
    put_text("local", &route.local);
    put_text("dash", &route.dash);
    put_text("ext", &route.ext);
    if (route.kind == ROUTE_TO_MAILBOX) {
        put_text("quota", &route.quota);
        field_put_number(&channel.outbox, "flags", route.flags);
    }
}

static void put_answer(const struct route_question *question)
{
    size_t start = verdict_begin(&channel.outbox, route.letter, route.text);
    if (route.letter == 'K') {
        field_put(&channel.outbox, "kind", route_kind_word(route.kind));
    } else {
        field_put(&channel.outbox, "why", why_word(route.why));
    }
    if (route.kind == ROUTE_TO_REMOTE && route.to.len > 0) {
        put_text("to", &route.to);
    } else if (route.letter == 'K' && route.kind != ROUTE_TO_REMOTE && question->purpose != ROUTE_SMTP) {
        put_folder();
    }
    if (route.file.len > 0) {
        str_catc(&route.file, ':');
        str_catn(&route.file, route.line);
        put_text("file", &route.file);
    }
    frame_end(&channel.outbox, start);
}

/* False: not a question of ours. */
static bool read_question(const struct fields *fields, struct route_question *out)
{
    static const char *const known[] = {"op", "sid", "from", "to", "size", "relay", "for", NULL};
    const char *purpose = fields_get_or(fields, "for", "smtp");
    const char *relay = fields_get_or(fields, "relay", "0");
    *out = (struct route_question){.to = fields_get(fields, "to"), .may_relay = strcmp(relay, "1") == 0};
    if (strcmp(purpose, "deliver") == 0) {
        out->purpose = ROUTE_DELIVER;
    } else if (strcmp(purpose, "mailbox") == 0) {
        out->purpose = ROUTE_MAILBOX_ONLY;
    } else if (strcmp(purpose, "smtp") != 0) {
        return false;
    }
    if (fields_get(fields, "size") != NULL && !fields_get_number(fields, "size", UINT64_MAX, &out->size)) {
        return false;
    }
    return fields_are_known(fields, known) && strcmp(fields_get_or(fields, "op", ""), "rcpt") == 0 && fields_get(fields, "sid") &&
           fields_get(fields, "from") && out->to && (out->may_relay || strcmp(relay, "0") == 0);
}

static void answer(const struct frame *frame)
{
    struct fields fields;
    struct route_question question;
    if (channel_answers_probe(&channel, frame)) {
        return;
    }
    if (frame->type != 'Q' || !fields_parse(frame->payload, frame->len, &fields) || !read_question(&fields, &question)) {
        size_t start = verdict_begin(&channel.outbox, 'D', "5.5.4 not a question that rcptd understands");
        field_put(&channel.outbox, "why", why_word(WHY_bad_request));
        frame_end(&channel.outbox, start);
        log_event("refused", "why=%s", why_word(WHY_bad_request));
        return;
    }
    route_find(&config, &question, &route);
    put_answer(&question);
    if (route.letter != 'K') {
        log_event("refused", "sid=%s from=%s to=%s verdict=%c why=%s file=%s", fields_get(&fields, "sid"),
                  fields_get(&fields, "from"), question.to, route.letter, why_word(route.why), str_text(&route.file));
    }
}

static void session(const struct serve_peer *peer)
{
    struct frame frame;
    channel_init(&channel, 0, 1);
    channel_set_deadline(&channel, CALLER_SECONDS);
    enum channel_result result = channel_read(&channel, &frame);
    if (result == CHANNEL_FRAME) {
        answer(&frame);
        if (channel_flush(&channel) < 0) {
            log_event("lost", "uid=%u error=%s", (unsigned)peer->uid, "the caller is gone");
        }
    } else if (result != CHANNEL_EOF) {
        log_event("refused", "uid=%u error=%s", (unsigned)peer->uid,
                  result == CHANNEL_TIMEOUT ? "the caller is silent" : "the caller does not speak the call protocol");
    }
    channel_close(&channel);
}

int main(int argc, char **argv)
{
    program_start("rcptd");
    static const struct serve server = {
        .name = "rcptd", .members = MEMBERS, .controls = controls, .prepare = prepare, .session = session};
    return serve(argc, argv, &server);
}
