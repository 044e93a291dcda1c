/* SPDX-License-Identifier: ISC */
/* stafet-qctl(8): acts on messages of the queue, through send. */
#include <stdio.h>
#include <string.h>

#include "lib/die.h"
#include "lib/msgid.h"
#include "lib/str.h"
#include "queue/operator.h"

enum { EXIT_NONE = 1 };
static const char usage[] =
    "stafet-qctl [-H home] [--json] [--dry-run] retry|hold|release|delete|bounce [--from A] [--to A] [--site S] "
    "[--why W] [id ...]";

static bool is_command(const char *word)
{
    static const char *const words[] = {"retry", "hold", "release", "delete", "bounce"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_filter(const struct operator_options *options)
{
    return options->from != NULL || options->to != NULL || options->site != NULL || options->why != NULL;
}

static uint64_t count_of(const struct verdict *verdict)
{
    uint64_t n = 0;
    (void)fields_get_number(&verdict->fields, "n", UINT64_MAX, &n);
    return n;
}

/* A message that --dry-run found. */
static void put_found(void *ctx, uint64_t n, const struct verdict *verdict)
{
    stralloc *out = ctx;
    const char *id = fields_get_or(&verdict->fields, "id", ""), *from = fields_get_or(&verdict->fields, "from", "");
    (void)n;
    str_cat_printable(out, id, strlen(id));
    str_cats(out, " <");
    str_cat_printable(out, from, strlen(from));
    str_cats(out, "> ");
    str_cats(out, operator_words(verdict->text));
    str_catc(out, '\n');
}

static uint64_t act(struct operator* operator, const struct operator_options * options, const char *id)
{
    const char *what = options->is_dry ? "list" : options->words[0];
    return operator_ask(operator, what, id, options) ? count_of(&operator->verdict) : 0;
}

static void put_result(stralloc *out, const struct operator_options *options, uint64_t n)
{
    const char *command = options->words[0];
    if (options->is_json) {
        str_catf(out, "{\"do\":\"%s\",\"dry\":%s,\"n\":%llu}\n", command, options->is_dry ? "true" : "false",
                 (unsigned long long)n);
    } else {
        str_catf(out, "%s%s: %llu message%s\n", options->is_dry ? "would " : "", command, (unsigned long long)n,
                 n == 1 ? "" : "s");
    }
}

int main(int argc, char **argv)
{
    struct operator_options options;
    stralloc out = STRALLOC_ZERO;
    struct operator operator= {.ctx = &out};
    uint64_t n = 0;
    program_start("stafet-qctl");
    operator_options_read(argc, argv, "Hjdftsw", usage, &options);
    if (options.words[0] == NULL || !is_command(options.words[0])) {
        die_permanent("usage: %s", usage);
    }
    char **ids = options.words + 1;
    for (char **id = ids; *id != NULL; id++) {
        if (!msgid_is_valid(*id, strlen(*id))) {
            die_permanent("%s is no message's id: 22 characters 0-9 a-v", *id);
        }
    }
    if (options.is_dry && ids[0] == NULL && !has_filter(&options) && strcmp(options.words[0], "retry") != 0) {
        die_permanent("say which messages: ids, --from, --to, --site or --why");
    }
    operator.each = options.is_dry && !options.is_json ? put_found : NULL;
    operator_call(&operator);
    for (char **id = ids; *id != NULL; id++) {
        n += act(&operator, & options, *id);
    }
    if (ids[0] == NULL) {
        n = act(&operator, & options, NULL);
    }
    put_result(&out, &options, n);
    operator_flush(&out);
    call_close(&operator.call);
    stralloc_free(&out);
    return n > 0 ? 0 : EXIT_NONE;
}
