/* SPDX-License-Identifier: ISC */
/* stafet-call [-m] [-t SECONDS] SOCKET key=value… [-r key=value…]… [3<file [4<file]]
 *
 * The shell's way into the call protocol, for operators, scripts and tests: one call, its verdict in words. It knows no service:
 * what the fields mean is the server's business, and what the caller may ask is decided there by its uid. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/call.h"
#include "lib/die.h"
#include "lib/scan.h"
#include "lib/str.h"

enum { SECONDS_DEFAULT = 30, SECONDS_MAX = 86400, FIRST_FD = 3, FDS_MAX = 2, CHUNK = 32768, KEY_MAX = 16 };
enum { EXIT_GO_ON = 99, EXIT_NEVER = 100, EXIT_NOT_NOW = 111 };
static const char usage[] = "usage: stafet-call [-m] [-t SECONDS] SOCKET key=value... [-r key=value...]... [3<file]";

struct plan {
    bool has_message; /* -m: M frames from descriptor 0 */
    bool has_end;     /* -m or -r: an E frame ends the request */
    unsigned seconds;
};

static bool is_key(const char *key, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!(key[i] == '-' || (key[i] >= 'a' && key[i] <= 'z') || (key[i] >= '0' && key[i] <= '9'))) {
            return false;
        }
    }
    return n > 0 && n <= KEY_MAX;
}

static void put_field(stralloc *out, const char *word)
{
    const char *equal = strchr(word, '=');
    size_t n = equal ? (size_t)(equal - word) : 0;
    char key[KEY_MAX + 1];
    if (!equal || !is_key(word, n) || strlen(equal + 1) > FIELD_VALUE_MAX) {
        die_permanent("%s is not key=value with a key of a-z 0-9 - (16 at most) and a value of at most 4096 bytes", word);
    }
    memcpy(key, word, n);
    key[n] = 0;
    field_put(out, key, equal + 1);
}

/* Q, and an R for each -r. */
static void put_request(stralloc *out, char *const *word, struct plan *plan)
{
    size_t start = frame_begin(out, 'Q');
    for (; *word; word++) {
        if (strcmp(*word, "-r") == 0) {
            frame_end(out, start);
            start = frame_begin(out, 'R');
            plan->has_end = true;
        } else {
            put_field(out, *word);
        }
        if (out->len - start > FRAME_LEN_MAX) {
            die_permanent("a request or recipient has more than %d bytes", FRAME_LEN_MAX);
        }
    }
    frame_end(out, start);
}

static void send_message(struct call *call)
{
    char bytes[CHUNK];
    for (;;) {
        ssize_t n = read(0, bytes, sizeof bytes);
        if (n == 0) {
            return;
        }
        if (n < 0 && errno != EINTR) {
            die_temporary("cannot read the message");
        }
        if (n > 0) {
            frame_put(&call->channel.outbox, 'M', bytes, (size_t)n);
            if (call_flush(call) < 0) {
                return; /* call_finish says what happened */
            }
        }
    }
}

static void print_verdict(const char *before, const struct verdict *verdict)
{
    stralloc out = STRALLOC_ZERO;
    str_cats(&out, before);
    str_catc(&out, verdict->letter);
    str_catc(&out, ' ');
    str_cat_printable(&out, verdict->text, strlen(verdict->text));
    str_catc(&out, '\n');
    for (unsigned i = 0; i < verdict->fields.n; i++) {
        const struct field *field = &verdict->fields.field[i];
        str_cats(&out, before);
        str_cat(&out, field->key, field->key_len);
        str_catc(&out, '=');
        str_cat_printable(&out, field->value, field->value_len);
        str_catc(&out, '\n');
    }
    if (fwrite(out.s, 1, out.len, stdout) != out.len) {
        die_temporary("cannot write");
    }
    stralloc_free(&out);
}

static void print_numbered(void *ctx, uint64_t number, const struct verdict *verdict)
{
    char before[32];
    (void)ctx;
    (void)snprintf(before, sizeof before, "%llu: ", (unsigned long long)number);
    print_verdict(before, verdict);
}

static int exit_code(char letter)
{
    switch (letter) {
    case 'K':
        return 0;
    case 'C':
        return EXIT_GO_ON;
    case 'D':
        return EXIT_NEVER;
    default:
        return EXIT_NOT_NOW;
    }
}

/* Options by hand: getopt would take the -r of the recipients. Returns the socket's place in argv. */
static char *const *parse_options(char *const *word, struct plan *plan)
{
    uint64_t seconds = SECONDS_DEFAULT;
    for (word++; *word && **word == '-'; word++) {
        if (strcmp(*word, "-m") == 0) {
            plan->has_message = plan->has_end = true;
        } else if (strcmp(*word, "-t") == 0 && word[1] && scan_decimal_text(word[1], SECONDS_MAX, &seconds) && seconds > 0) {
            word++;
        } else {
            die_permanent("%s", usage);
        }
    }
    if (!word[0] || !word[1]) {
        die_permanent("%s", usage);
    }
    plan->seconds = (unsigned)seconds;
    return word;
}

int main(int argc, char **argv)
{
    struct plan plan = {0};
    struct call call;
    struct verdict verdict;
    int n_fds = 0;
    while (n_fds < FDS_MAX && fcntl(FIRST_FD + n_fds, F_GETFD) >= 0) { /* before anything of ours is opened there */
        n_fds++;
    }
    program_start("stafet-call");
    (void)argc;
    char *const *word = parse_options(argv, &plan);
    if (call_open(&call, word[0], plan.seconds) == 0) {
        for (int i = 0; i < n_fds; i++) {
            channel_attach_fd(&call.channel, FIRST_FD + i);
        }
        put_request(&call.channel.outbox, word + 1, &plan);
        if (plan.has_message) {
            send_message(&call);
        }
        if (plan.has_end) {
            frame_put(&call.channel.outbox, 'E', "", 0);
        }
    }
    call_finish_each(&call, &verdict, print_numbered, NULL);
    print_verdict("", &verdict);
    if (fflush(stdout) != 0) {
        die_temporary("cannot write");
    }
    int code = exit_code(verdict.letter);
    call_close(&call);
    return code;
}
