/* SPDX-License-Identifier: ISC */
/* The grammar is qmail-send's, word for word (multilog users' scripts parse it); the queue id stands in a line of its own whose
 * second word is new to them. Foreign bytes become '_', as there. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/str.h"
#include "queue/send_log.h"

enum { TEXT_MAX = 900 };

static void cat_safe(stralloc *out, const char *text)
{
    size_t n = strlen(text);
    n = n > TEXT_MAX ? TEXT_MAX : n;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        str_catc(out, c == '\n' ? '/' : c < 33 || c > 126 || c == '%' ? '_' : c);
    }
}

static void extra(struct send_log *log, const struct send_log_message *message)
{
    str_catf(&log->out, "extra msg %u: id=%s recipients=%u tries=%u\n", message->number, message->id, message->recipients,
             message->tries);
}

void send_log_message(struct send_log *log, const struct send_log_message *message)
{
    stralloc *out = &log->out;
    str_catf(out, "new msg %u\ninfo msg %u: bytes %llu from <", message->number, message->number,
             (unsigned long long)message->bytes);
    cat_safe(out, message->sender);
    str_cats(out, "> qp 0 uid ");
    cat_safe(out, message->uid);
    str_catc(out, '\n');
    extra(log, message);
}

void send_log_again(struct send_log *log, const struct send_log_message *message)
{
    extra(log, message);
}

void send_log_starting(struct send_log *log, uint32_t delivery, uint32_t number, const char *channel, const char *address)
{
    str_catf(&log->out, "starting delivery %u: msg %u to %s ", delivery, number, channel);
    cat_safe(&log->out, address);
    str_catc(&log->out, '\n');
}

void send_log_delivery(struct send_log *log, uint32_t delivery, char letter, const char *text)
{
    const char *word = letter == 'K' ? "success" : letter == 'D' ? "failure" : "deferral";
    str_catf(&log->out, "delivery %u: %s: ", delivery, word);
    cat_safe(&log->out, text);
    str_cats(&log->out, "/\n");
}

void send_log_bounce(struct send_log *log, uint32_t number, long pid)
{
    str_catf(&log->out, "bounce msg %u qp %ld\n", number, pid);
}

void send_log_triple(struct send_log *log, uint32_t number)
{
    str_catf(&log->out, "triple bounce: discarding bounce/%u\n", number);
}

void send_log_end(struct send_log *log, uint32_t number)
{
    str_catf(&log->out, "end msg %u\n", number);
}

void send_log_exiting(struct send_log *log)
{
    send_log_flush(log);
    str_cats(&log->out, "status: exiting\n");
}

/* Where a piece of at most PIPE_BUF bytes ends: behind a line, so that other writers of the pipe cannot cut one. */
static size_t piece(const char *bytes, size_t n)
{
    if (n <= PIPE_BUF) {
        return n;
    }
    const char *end = memrchr(bytes, '\n', PIPE_BUF);
    return end == NULL ? PIPE_BUF : (size_t)(end - bytes) + 1;
}

void send_log_flush(struct send_log *log)
{
    if (log->local != log->told_local || log->local_limit != log->told_limit) {
        log->told_local = log->local;
        log->told_limit = log->local_limit;
        str_catf(&log->out, "status: local %u/%u remote 0/%u\n", log->local, log->local_limit, log->remote_limit);
    }
    for (size_t at = 0, n; at < log->out.len; at += n) {
        n = piece(log->out.s + at, log->out.len - at);
        ssize_t unused = write(2, log->out.s + at, n);
        (void)unused;
    }
    log->out.len = 0;
}
