/* SPDX-License-Identifier: ISC */
/* stafet-qread(8): the messages of the queue and their recipients. Lists first, then asks for each; what has gone meanwhile is
 * left out. */
#include <string.h>

#include "lib/clock.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/msgid.h"
#include "lib/str.h"
#include "queue/qread_print.h"

enum { EXIT_NONE = 1, FLUSH_AT = 65536 };

static void keep_id(void *ctx, uint64_t number, const struct verdict *verdict)
{
    stralloc *ids = ctx;
    const char *id = fields_get_or(&verdict->fields, "id", "");
    (void)number;
    str_cat(ids, id, strlen(id) + 1);
}

static void take_recipient(void *ctx, uint64_t number, const struct verdict *verdict)
{
    (void)number;
    qread_print_recipient(ctx, verdict);
}

/* True when it is there. */
static bool show(struct operator* operator, const char * id, struct qread_print *print, stralloc *out)
{
    static const struct operator_options any = {.home = NULL};
    operator->each = take_recipient;
    operator->ctx = print;
    if (!operator_ask(operator, "show", id, &any)) {
        print->recipients.len = 0;
        return false;
    }
    qread_print_message(print, &operator->verdict, out);
    if (out->len > FLUSH_AT) {
        operator_flush(out);
    }
    return true;
}

int main(int argc, char **argv)
{
    static const char usage[] = "stafet-qread [-H home] [--json | --long] [--from A] [--to A] [--site S] [--why W] [id ...]";
    struct operator_options options;
    stralloc ids = STRALLOC_ZERO, out = STRALLOC_ZERO;
    struct operator operator= {.each = keep_id, .ctx = &ids};
    int code = 0;
    program_start("stafet-qread");
    operator_options_read(argc, argv, "Hjlftsw", usage, &options);
    struct qread_print print = {.is_json = options.is_json, .is_long = options.is_long, .now = clock_wall_us() / 1000000};
    operator_call(&operator);
    for (char **word = options.words; *word != NULL; word++) {
        bool is_there = msgid_is_valid(*word, strlen(*word)) && show(&operator, * word, &print, &out);
        if (!is_there) {
            operator_flush(&out);
            log_event("absent", "id=%s reason=%s", *word, "no message with this id is in the queue");
            code = EXIT_NONE;
        }
    }
    if (options.words[0] == NULL) {
        (void)operator_ask(&operator, "list", NULL, &options);
        for (size_t at = 0; at < ids.len; at += strlen(ids.s + at) + 1) {
            (void)show(&operator, ids.s + at, &print, &out);
        }
    }
    operator_flush(&out);
    call_close(&operator.call);
    stralloc_free(&ids);
    stralloc_free(&out);
    stralloc_free(&print.recipients);
    return code;
}
