/* SPDX-License-Identifier: ISC */
/* A program line from its owner's .qmail file. The command is the owner's; of the message nothing but environment values,
 * escaped, and fd 0 reaches it. */
#include "deliver/program.h"

#include <stdio.h>
#include <string.h>

#include "deliver/forward.h"
#include "deliver/mbox.h"
#include "lib/address.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"

#define PROGRAM_PATH "/usr/local/bin:/usr/bin:/bin:/var/qmail/bin"

enum program_verdict program_judge(int code)
{
    static const int never[] = {100, 64, 65, 70, 76, 77, 78, 112};
    if (code == 0) {
        return PROGRAM_DONE;
    }
    if (code == 99) {
        return PROGRAM_STOP;
    }
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        if (code == never[i]) {
            return PROGRAM_NEVER;
        }
    }
    return PROGRAM_LATER;
}

void program_append_variable(stralloc *out, const char *name, const char *value, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";
    str_cats(out, name);
    str_catc(out, '=');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)value[i];
        bool is_line_end = c == '\n' && i + 1 == n;
        bool is_function = i == 0 && n > 1 && c == '(' && value[1] == ')';
        if ((c >= 0x20 && c < 0x7f && !is_function) || is_line_end) {
            str_catc(out, (char)c);
        } else {
            str_catc(out, '%');
            str_catc(out, hex[c >> 4]);
            str_catc(out, hex[c & 15]);
        }
    }
    str_catc(out, '\0');
}

static void append_text(stralloc *out, const char *name, const char *value)
{
    program_append_variable(out, name, value, strlen(value));
}

/* HOST2: the host without its last label, HOST3 without its last two … ; nothing left: empty. */
static void append_hosts(stralloc *out, const char *host)
{
    size_t n = strlen(host);
    append_text(out, "HOST", host);
    for (unsigned i = 2; i <= 4; i++) {
        char name[8];
        const char *dot = memrchr(host, '.', n);
        n = dot == NULL ? 0 : (size_t)(dot - host);
        snprintf(name, sizeof name, "HOST%u", i);
        program_append_variable(out, name, host, n);
    }
}

/* EXT2: behind the first '-', EXT3 behind the second … */
static void append_extensions(stralloc *out, const char *ext)
{
    append_text(out, "EXT", ext);
    for (unsigned i = 2; i <= 4; i++) {
        char name[8];
        const char *dash = strchr(ext, '-');
        ext = dash == NULL ? ext + strlen(ext) : dash + 1;
        snprintf(name, sizeof name, "EXT%u", i);
        append_text(out, name, ext);
    }
}

/* What vdelivermail's programs expect in EXT: for a mailbox the whole local part, else what the .qmail file was looked for by. */
static void append_local(stralloc *out, const struct delivery *delivery)
{
    stralloc ext = STRALLOC_ZERO;
    bool is_mailbox = strcmp(delivery->kind, "mailbox") == 0;
    if (is_mailbox) {
        str_cat(&ext, delivery->orig, address_domain_at(delivery->orig, strlen(delivery->orig)));
    } else {
        str_copys(&ext, delivery->ext);
    }
    str_text(&ext);
    append_text(out, "LOCAL", delivery->local[0] != '\0' ? delivery->local : ext.s);
    append_extensions(out, ext.s);
    if (delivery->default_part != NULL || is_mailbox) {
        append_text(out, "DEFAULT", delivery->default_part != NULL ? delivery->default_part : ext.s);
    }
    stralloc_free(&ext);
}

/* RECIPIENT: LOCAL@HOST, with the prefix of a virtual domain, as qmail-local has it. */
static void append_recipient(stralloc *out, const struct delivery *delivery)
{
    stralloc recipient = STRALLOC_ZERO;
    if (delivery->local[0] != '\0') {
        str_catf(&recipient, "%s@%s", delivery->local, delivery_host(delivery));
    } else {
        str_copys(&recipient, delivery->orig);
    }
    append_text(out, "RECIPIENT", str_text(&recipient));
    stralloc_free(&recipient);
}

static void append_lines(stralloc *out, const struct delivery *delivery, uint64_t seconds)
{
    stralloc line = STRALLOC_ZERO;
    delivery_append_delivered_to(&line, delivery);
    program_append_variable(out, "DTLINE", line.s, line.len);
    line.len = 0;
    delivery_append_return_path(&line, delivery);
    program_append_variable(out, "RPLINE", line.s, line.len);
    line.len = 0;
    mbox_append_from_line(&line, delivery->message->sender, seconds);
    program_append_variable(out, "UFLINE", line.s, line.len);
    stralloc_free(&line);
}

void program_append_environment(stralloc *out, const struct delivery *delivery, uint64_t seconds)
{
    struct forward forward;
    stralloc home = STRALLOC_ZERO;
    forward_start(&forward, delivery);
    if (delivery->home[0] != '/') {
        str_copys(&home, delivery->settings->home_folder);
        str_catc(&home, '/');
    }
    str_cats(&home, delivery->home);
    append_text(out, "PATH", PROGRAM_PATH);
    append_text(out, "SENDER", delivery->message->sender);
    append_text(out, "NEWSENDER", forward.sender.s);
    append_recipient(out, delivery);
    append_text(out, "USER", delivery->user);
    append_text(out, "HOME", str_text(&home));
    append_hosts(out, delivery_host(delivery));
    append_local(out, delivery);
    append_lines(out, delivery, seconds);
    forward_free(&forward);
    stralloc_free(&home);
}

static void set_exit(struct delivery *delivery, const struct runner_result *result)
{
    const stralloc *output = &result->output;
    switch (program_judge(result->code)) {
    case PROGRAM_STOP:
        delivery->outcome->is_stop = true;
        outcome_set(delivery->outcome, &reply_delivered);
        break;
    case PROGRAM_DONE:
        outcome_set(delivery->outcome, &reply_delivered);
        break;
    case PROGRAM_NEVER:
        outcome_set_own_words(delivery->outcome, &reply_program_refused, output->s, output->len);
        break;
    case PROGRAM_LATER:
        outcome_set_own_words(delivery->outcome, &reply_program_failed, output->s, output->len);
        break;
    }
}

static void set_outcome(struct delivery *delivery, const struct runner_result *result)
{
    switch (result->end) {
    case RUNNER_EXIT:
        set_exit(delivery, result);
        break;
    case RUNNER_SIGNAL:
        outcome_set(delivery->outcome, &reply_program_signal);
        break;
    case RUNNER_DEADLINE:
        outcome_set(delivery->outcome, &reply_program_deadline);
        break;
    case RUNNER_NOT_STARTED:
        outcome_set_errno(delivery->outcome, &reply_program_start, result->code);
        break;
    case RUNNER_LOST:
        outcome_set(delivery->outcome, &reply_program_start);
        break;
    }
}

void program_run(struct delivery *delivery, const char *command, size_t n)
{
    struct runner_result result = {.end = RUNNER_LOST};
    stralloc line = STRALLOC_ZERO;
    stralloc environment = STRALLOC_ZERO;
    str_cat(&line, command, n);
    program_append_environment(&environment, delivery, clock_wall_us() / 1000000);
    struct runner_job job = {.command = str_text(&line),
                             .folder = delivery->home,
                             .environment = &environment,
                             .message = message_sealed_copy(delivery->message),
                             .seconds = (unsigned)delivery->settings->program_seconds};
    if (job.message < 0) {
        outcome_set(delivery->outcome, &reply_read_error);
    } else {
        runner_run(delivery->runner, &job, &result);
        set_outcome(delivery, &result);
        log_event("program", "id=%s n=%llu home=%s end=%d code=%d", delivery->message->id, (unsigned long long)delivery->n,
                  delivery->home, (int)result.end, result.code);
    }
    stralloc_free(&line);
    stralloc_free(&environment);
    stralloc_free(&result.output);
}
