/* SPDX-License-Identifier: ISC */
/* Connections of operators. Trusts the kernel for who they are, and them for nothing that would need more than the rights that
 * their group has. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/serve_peer.h"
#include "lib/str.h"
#include "queue/send_ctl.h"
#include "queue/send_service.h"

enum { QUESTION_MS = 5000, READER_MS = 60000, OUTBOX = 65536, GROUPS_MAX = 256 };

void ctl_init(struct scheduler *scheduler)
{
    int listens = 0;
    socklen_t n = sizeof listens;
    const struct group *group = getgrnam("stafetop");
    scheduler->operators_gid = group == NULL ? NOTHING : (int)group->gr_gid;
    scheduler->has_ctl = getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) == 0 && listens != 0;
    if (scheduler->has_ctl) {
        (void)fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
    }
    for (int i = 0; i < CTL_MAX; i++) {
        channel_init(&scheduler->ctl[i].channel, -1, -1);
        scheduler->ctl[i].shown.fd = scheduler->ctl[i].shown.write_fd = -1;
    }
}

static bool is_operator(const struct scheduler *scheduler, int fd, const struct serve_peer *peer)
{
    gid_t groups[GROUPS_MAX];
    socklen_t size = sizeof groups;
    if (peer->uid == 0 || peer->uid == geteuid()) {
        return true;
    }
    if (scheduler->operators_gid == NOTHING) {
        return false;
    }
    bool is_member = peer->gid == (gid_t)scheduler->operators_gid;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
        for (size_t i = 0; i < size / sizeof groups[0]; i++) {
            is_member = is_member || groups[i] == (gid_t)scheduler->operators_gid;
        }
    }
    return is_member;
}

void ctl_put_reply(struct ctl *ctl, const struct send_reply *reply)
{
    size_t start = verdict_begin(&ctl->channel.outbox, reply->letter, reply->text);
    field_put(&ctl->channel.outbox, "why", why_word(reply->why));
    frame_end(&ctl->channel.outbox, start);
    ctl->what = CTL_IDLE;
}

void ctl_put_count(struct ctl *ctl)
{
    size_t start = verdict_begin(&ctl->channel.outbox, 'K', "2.0.0 done");
    field_put_number(&ctl->channel.outbox, "n", ctl->count);
    frame_end(&ctl->channel.outbox, start);
    ctl->what = CTL_IDLE;
}

static void end_connection(struct scheduler *scheduler, struct ctl *ctl)
{
    service_disconnect(&ctl->channel);
    stralloc_free(&ctl->channel.inbox);
    stralloc_free(&ctl->channel.outbox);
    stralloc_free(&ctl->notes);
    ctl_close_shown(ctl);
    ctl_act_give_back(scheduler, ctl);
    ctl->items = memory_grow(ctl->items, 0, sizeof *ctl->items);
    ctl->what = CTL_IDLE;
    scheduler->n_ctl--;
}

static void accept_one(struct scheduler *scheduler)
{
    struct serve_peer peer = {.uid = (uid_t)-1};
    int fd = accept4(0, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return;
    }
    struct ctl *ctl = scheduler->ctl;
    while (ctl->channel.in >= 0) {
        ctl++;
    }
    service_use(&ctl->channel, fd);
    scheduler->n_ctl++;
    ctl->what = CTL_IDLE;
    ctl->is_ending = false;
    ctl->deadline_ms = scheduler->now_ms + QUESTION_MS;
    if (!serve_peer_of_socket(fd, &peer) || !is_operator(scheduler, fd, &peer)) {
        log_event("refused", "service=%s uid=%u", "ctl", (unsigned)peer.uid);
        ctl_put_reply(ctl, &send_not_allowed);
        ctl->is_ending = true;
    }
}

static void put_stat(struct scheduler *scheduler, struct ctl *ctl)
{
    stralloc *out = &ctl->channel.outbox;
    size_t start = verdict_begin(out, 'K', "2.0.0 the queue");
    field_put_number(out, "new", scheduler->fresh.n);
    field_put_number(out, "cur", scheduler->n_messages + scheduler->again.n);
    field_put_number(out, "later", scheduler->later.n);
    field_put_number(out, "hold", scheduler->spool.n_hold);
    field_put_number(out, "bad", scheduler->spool.n_bad);
    field_put_number(out, "deliveries", scheduler->n_busy);
    frame_end(out, start);
}

static enum ctl_do read_do(const char *word)
{
    static const char *const words[] = {"", "list", "show", "retry", "hold", "release", "delete", "bounce"};
    for (unsigned i = 1; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            return (enum ctl_do)i;
        }
    }
    return CTL_IDLE;
}

/* False: it was answered already. */
static bool begin(struct scheduler *scheduler, struct ctl *ctl, const struct fields *fields)
{
    const char *word = fields_get_or(fields, "do", "");
    ctl->filter = (struct ctl_filter){.id = fields_get(fields, "id"),
                                      .from = fields_get(fields, "from"),
                                      .to = fields_get(fields, "to"),
                                      .site = fields_get(fields, "site"),
                                      .why = fields_get(fields, "why")};
    const struct ctl_filter *filter = &ctl->filter;
    bool is_any = filter->id == NULL && filter->from == NULL && filter->to == NULL && filter->site == NULL && filter->why == NULL;
    if (strcmp(word, "stat") == 0) {
        put_stat(scheduler, ctl);
        return false;
    }
    ctl->what = read_do(word);
    ctl->at = ctl->count = 0;
    ctl->is_acting = false;
    if (ctl->what == CTL_IDLE) {
        ctl_put_reply(ctl, &send_not_a_command);
    } else if (filter->id != NULL && !msgid_is_valid(filter->id, strlen(filter->id))) {
        ctl_put_reply(ctl, &send_no_message);
    } else if ((ctl->what >= CTL_HOLD && is_any) || (ctl->what == CTL_SHOW && filter->id == NULL)) {
        ctl_put_reply(ctl, &send_say_which);
    } else {
        return true;
    }
    return false;
}

static void take_question(struct scheduler *scheduler, struct ctl *ctl, const struct frame *frame)
{
    static const char *const known[] = {"op", "do", "id", "from", "to", "site", "why", NULL};
    struct fields fields;
    str_copy(&ctl->question, frame->payload, frame->len);
    if (!fields_parse(ctl->question.s, ctl->question.len, &fields) || !fields_are_known(&fields, known) ||
        strcmp(fields_get_or(&fields, "op", "ctl"), "ctl") != 0) {
        ctl_put_reply(ctl, &send_not_a_question);
        return;
    }
    if (!begin(scheduler, ctl, &fields)) {
        return;
    }
    if (ctl->what != CTL_LIST && ctl->what != CTL_SHOW) {
        log_event("operator", "do=%s id=%s from=%s to=%s site=%s why=%s", fields_get(&fields, "do"), ctl->filter.id,
                  ctl->filter.from, ctl->filter.to, ctl->filter.site, ctl->filter.why);
    }
    ctl_collect(scheduler, ctl);
    if (ctl->what == CTL_SHOW) {
        ctl_view_begin(scheduler, ctl);
    }
}

/* E frames say nothing here; anything else ends the connection. */
static void take_frames(struct scheduler *scheduler, struct ctl *ctl)
{
    struct frame frame;
    while (ctl->what == CTL_IDLE && !ctl->is_ending) {
        enum channel_result result = channel_next(&ctl->channel, &frame);
        if (result == CHANNEL_FRAME && frame.type == 'Q') {
            take_question(scheduler, ctl, &frame);
        } else if (result == CHANNEL_BAD || (result == CHANNEL_FRAME && frame.type != 'E')) {
            ctl_put_reply(ctl, &send_not_a_question);
            ctl->is_ending = true;
        } else if (result != CHANNEL_FRAME) {
            return;
        }
    }
}

static void make_answer(struct scheduler *scheduler, struct ctl *ctl)
{
    if (ctl->what == CTL_IDLE || ctl->channel.outbox.len > OUTBOX) {
        return;
    }
    if (ctl->what == CTL_LIST || ctl->what == CTL_SHOW) {
        ctl_view_step(scheduler, ctl);
    } else {
        ctl_act_step(scheduler, ctl);
    }
    ctl->deadline_ms = scheduler->now_ms + READER_MS;
}

unsigned ctl_poll(const struct scheduler *scheduler, struct pollfd *list, int *which)
{
    unsigned n = 0;
    if (!scheduler->has_ctl) {
        return 0;
    }
    if (scheduler->n_ctl < CTL_MAX && !scheduler->is_stopping) {
        which[n] = NOTHING;
        list[n++] = (struct pollfd){.fd = 0, .events = POLLIN};
    }
    for (int i = 0; scheduler->n_ctl > 0 && i < CTL_MAX; i++) {
        const struct ctl *ctl = &scheduler->ctl[i];
        if (ctl->channel.in >= 0) {
            bool speaks = ctl->what != CTL_IDLE || ctl->channel.outbox.len > 0;
            which[n] = i;
            list[n++] = (struct pollfd){.fd = ctl->channel.in, .events = speaks ? POLLOUT : POLLIN};
        }
    }
    return n;
}

void ctl_ready(struct scheduler *scheduler, int which)
{
    if (which == NOTHING) {
        accept_one(scheduler);
        return;
    }
    struct ctl *ctl = &scheduler->ctl[which];
    bool is_over = false;
    if (ctl->what == CTL_IDLE && ctl->channel.outbox.len == 0) {
        enum channel_result result = channel_fill_now(&ctl->channel);
        is_over = result != CHANNEL_FRAME && result != CHANNEL_TIMEOUT;
    }
    if (!is_over) {
        take_frames(scheduler, ctl);
        make_answer(scheduler, ctl);
        is_over = channel_flush_now(&ctl->channel) < 0 || (ctl->is_ending && ctl->channel.outbox.len == 0);
    }
    if (is_over) {
        end_connection(scheduler, ctl);
    }
}

void ctl_expire(struct scheduler *scheduler)
{
    for (int i = 0; scheduler->n_ctl > 0 && i < CTL_MAX; i++) {
        struct ctl *ctl = &scheduler->ctl[i];
        if (ctl->channel.in >= 0 && ctl->deadline_ms <= scheduler->now_ms) {
            end_connection(scheduler, ctl);
        }
    }
}
