/* SPDX-License-Identifier: ISC */
/* stafet-qstat(8): how much mail is in the queue, in the lines of qmail-qstat or as JSON. Asks send; never looks into the spool.
 */
#include "lib/die.h"
#include "lib/str.h"
#include "queue/operator.h"

static const char *const keys[] = {"new", "cur", "later", "hold", "bad", "deliveries"};
enum { KEYS = sizeof keys / sizeof keys[0] };

static void put_json(stralloc *out, const struct fields *fields)
{
    for (size_t i = 0; i < KEYS; i++) {
        str_catc(out, i == 0 ? '{' : ',');
        operator_put_member(out, keys[i], fields_get_or(fields, keys[i], "0"), true);
    }
    str_cats(out, "}\n");
}

static void put_lines(stralloc *out, const struct fields *fields, bool is_long)
{
    static const char *const labels[] = {"messages waiting for their first try: ",
                                         "messages being tried: ",
                                         "messages waiting for their next try: ",
                                         "messages held: ",
                                         "damaged files: ",
                                         "deliveries under way: "};
    uint64_t value[KEYS] = {0};
    for (size_t i = 0; i < KEYS; i++) {
        (void)fields_get_number(fields, keys[i], UINT64_MAX, &value[i]);
    }
    uint64_t all = value[0] + value[1] + value[2] + value[3];
    str_catf(out, "messages in queue: %llu\n", (unsigned long long)all);
    str_catf(out, "messages in queue but not yet preprocessed: %llu\n", (unsigned long long)value[0]);
    for (size_t i = 0; is_long && i < KEYS; i++) {
        str_catf(out, "%s%llu\n", labels[i], (unsigned long long)value[i]);
    }
}

int main(int argc, char **argv)
{
    static const char usage[] = "stafet-qstat [-H home] [--json | --long]";
    struct operator_options options;
    struct operator operator= {.each = NULL};
    stralloc out = STRALLOC_ZERO;
    program_start("stafet-qstat");
    operator_options_read(argc, argv, "Hjl", usage, &options);
    if (options.words[0] != NULL) {
        die_permanent("usage: %s", usage);
    }
    operator_call(&operator);
    (void)operator_ask(&operator, "stat", NULL, &options);
    if (options.is_json) {
        put_json(&out, &operator.verdict.fields);
    } else {
        put_lines(&out, &operator.verdict.fields, options.is_long);
    }
    operator_flush(&out);
    call_close(&operator.call);
    stralloc_free(&out);
    return 0;
}
