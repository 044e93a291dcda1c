/* SPDX-License-Identifier: ISC */
/* Forwarding: the message, with our Delivered-To line before it so that a loop is seen, goes back into the queue. The queue's K
 * means it is safe there; whatever else it says ends this delivery, and nothing has been forwarded. */
#include "deliver/forward.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "deliver/handover.h"
#include "lib/address.h"
#include "lib/call.h"
#include "lib/dotqmail.h"
#include "lib/log.h"
#include "lib/str.h"

enum { QUEUE_SECONDS = 300, CHUNK = 60000, FORWARDS_MAX = 50000 };

/* Is there a file .qmail DASH EXT TAIL? */
static bool has_file(const struct delivery *delivery, const char *tail)
{
    struct dotqmail_search search;
    char name[DOTQMAIL_NAME_SIZE];
    stralloc ext = STRALLOC_ZERO;
    stralloc path = STRALLOC_ZERO;
    str_copys(&ext, delivery->ext);
    str_cats(&ext, tail);
    dotqmail_search_start(&search, delivery->dash, str_text(&ext));
    bool is_there = false;
    if (dotqmail_search_next(&search, name) && !search.is_default) {
        str_copys(&path, delivery->home);
        str_catc(&path, '/');
        str_cats(&path, name);
        is_there = access(str_text(&path), F_OK) == 0;
    }
    stralloc_free(&ext);
    stralloc_free(&path);
    return is_there;
}

/* LOCAL of the address that people know: without the prefix of a virtual domain. */
static void cat_local_part(stralloc *out, const struct delivery *delivery)
{
    size_t n = strlen(delivery->orig);
    str_cat(out, delivery->orig, address_domain_at(delivery->orig, n));
}

void forward_start(struct forward *forward, const struct delivery *delivery)
{
    const char *sender = delivery->message->sender;
    *forward = (struct forward){.n = 0};
    bool may_change = sender[0] != '\0' && strcmp(sender, "#@[]") != 0 && strcmp(delivery->kind, "mailbox") != 0;
    if (may_change && has_file(delivery, "-owner")) {
        forward->is_verp = has_file(delivery, "-owner-default");
        cat_local_part(&forward->sender, delivery);
        str_cats(&forward->sender, forward->is_verp ? "-owner-@" : "-owner@");
        str_cats(&forward->sender, delivery_host(delivery));
        str_cats(&forward->sender, forward->is_verp ? "-@[]" : "");
    } else {
        str_copys(&forward->sender, sender);
    }
    str_text(&forward->sender);
}

bool forward_add(struct forward *forward, const struct delivery *delivery, const char *address, size_t n)
{
    stralloc whole = STRALLOC_ZERO;
    str_cat(&whole, address, n);
    if (address_domain_at(address, n) == n) {
        str_catc(&whole, '@');
        str_cats(&whole, delivery->settings->default_host);
    }
    bool is_good = forward->n < FORWARDS_MAX && address_check(whole.s, whole.len, true) == ADDRESS_GOOD;
    if (is_good) {
        str_cat(&forward->addresses, str_text(&whole), whole.len + 1);
        forward->n++;
    }
    stralloc_free(&whole);
    return is_good;
}

void forward_verp_sender(stralloc *out, const char *prefix, const char *host, const char *recipient)
{
    size_t n = strlen(recipient);
    size_t at = address_domain_at(recipient, n);
    str_cats(out, prefix);
    str_cat(out, recipient, at);
    str_catc(out, '=');
    str_cats(out, at < n ? recipient + at + 1 : "");
    str_catc(out, '@');
    str_cats(out, host);
}

static void put_envelope(stralloc *out, const struct delivery *delivery, const char *sender, uint64_t size)
{
    const struct message *message = delivery->message;
    size_t start = frame_begin(out, 'Q');
    field_put(out, "op", "queue");
    field_put(out, "sid", message->id);
    field_put(out, "proto", "local");
    field_put(out, "from", sender);
    field_put(out, "body", message->body);
    field_put(out, "utf8", message->utf8);
    field_put_number(out, "size", size);
    frame_end(out, start);
}

static void put_recipients(struct call *call, const char *addresses, size_t n)
{
    for (const char *at = addresses; at < addresses + n; at += strlen(at) + 1) {
        size_t start = frame_begin(&call->channel.outbox, 'R');
        field_put(&call->channel.outbox, "to", at);
        frame_end(&call->channel.outbox, start);
        if (call->channel.outbox.len > CHUNK) {
            (void)!call_flush(call); /* its trouble comes back as the verdict */
        }
    }
}

/* 0; -1: the message cannot be read, errno. */
static int put_message(struct call *call, struct delivery *delivery, const stralloc *head)
{
    struct message *message = delivery->message;
    frame_put(&call->channel.outbox, 'M', head->s, head->len);
    for (uint64_t at = 0; at < message->length;) {
        const char *bytes;
        size_t n;
        if (message_read(message, at, &bytes, &n) < 0) {
            return -1;
        }
        n = n < CHUNK ? n : CHUNK;
        frame_put(&call->channel.outbox, 'M', bytes, n);
        (void)!call_flush(call);
        at += n;
    }
    frame_put(&call->channel.outbox, 'E', "", 0);
    return 0;
}

static void take_verdict(struct delivery *delivery, const struct verdict *verdict)
{
    if (verdict->letter == 'K') {
        log_event("forwarded", "id=%s n=%llu as=%s", delivery->message->id, (unsigned long long)delivery->n,
                  fields_get_or(&verdict->fields, "id", ""));
        return;
    }
    const struct reply *reply = verdict->letter == 'D' ? &reply_queue_refused : &reply_queue_deferred;
    outcome_set_detail(delivery->outcome, reply, verdict->text, strlen(verdict->text));
    enum why why = why_from_word(fields_get(&verdict->fields, "why"));
    delivery->outcome->why = why == WHY_NONE || why == WHY_UNKNOWN ? reply->why : why;
}

/* One envelope and the message. */
struct copy {
    struct delivery *delivery;
    const char *sender, *addresses;
    size_t n; /* bytes of addresses */
    stralloc head;
};

static void call_queue(const struct copy *copy)
{
    struct call call;
    struct verdict verdict;
    struct delivery *delivery = copy->delivery;
    (void)!call_open(&call, delivery->settings->queue_socket, QUEUE_SECONDS);
    put_envelope(&call.channel.outbox, delivery, copy->sender, delivery->message->length + copy->head.len);
    put_recipients(&call, copy->addresses, copy->n);
    if (put_message(&call, delivery, &copy->head) < 0) {
        outcome_set(delivery->outcome, &reply_read_error);
    } else {
        call_finish(&call, &verdict);
        take_verdict(delivery, &verdict);
    }
    call_close(&call);
}

static void run_queue(const struct copy *copy)
{
    struct handover handover = {.program = copy->delivery->settings->queue_program,
                                .sender = copy->sender,
                                .addresses = copy->addresses,
                                .addresses_len = copy->n,
                                .head = copy->head.s,
                                .head_len = copy->head.len};
    int code;
    char words[32];
    enum handover_result result = handover_run(&handover, copy->delivery->message, &code);
    if (result != HANDOVER_DONE) {
        snprintf(words, sizeof words, "qmail-queue exit code %d", code);
        const struct reply *reply = result == HANDOVER_NEVER ? &reply_queue_refused : &reply_queue_deferred;
        outcome_set_detail(copy->delivery->outcome, reply, words, strlen(words));
    }
}

static void send_copy(struct delivery *delivery, const char *sender, const char *addresses, size_t n)
{
    struct copy copy = {.delivery = delivery, .sender = sender, .addresses = addresses, .n = n};
    delivery_append_delivered_to(&copy.head, delivery);
    if (delivery->settings->queue_socket != NULL) {
        call_queue(&copy);
    } else {
        run_queue(&copy);
    }
    stralloc_free(&copy.head);
}

/* One envelope a recipient, so that its bounce names him. */
static void send_verp(struct forward *forward, struct delivery *delivery)
{
    stralloc prefix = STRALLOC_ZERO;
    stralloc sender = STRALLOC_ZERO;
    cat_local_part(&prefix, delivery);
    str_cats(&prefix, "-owner-");
    str_text(&prefix);
    const char *end = forward->addresses.s + forward->addresses.len;
    for (const char *at = forward->addresses.s;
         at < end && delivery->outcome->letter != 'Z' && delivery->outcome->letter != 'D';) {
        size_t n = strlen(at) + 1;
        sender.len = 0;
        forward_verp_sender(&sender, prefix.s, delivery_host(delivery), at);
        send_copy(delivery, str_text(&sender), at, n);
        at += n;
    }
    stralloc_free(&prefix);
    stralloc_free(&sender);
}

void forward_send(struct forward *forward, struct delivery *delivery)
{
    if (forward->is_verp) {
        send_verp(forward, delivery);
    } else {
        send_copy(delivery, forward->sender.s, forward->addresses.s, forward->addresses.len);
    }
}

void forward_free(struct forward *forward)
{
    stralloc_free(&forward->addresses);
    stralloc_free(&forward->sender);
}
