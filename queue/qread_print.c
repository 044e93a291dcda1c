/* SPDX-License-Identifier: ISC */
/* Scripts have read these lines for a long time: ` date GMT  #id  size  <sender> `, then a tab, local or remote, a tab, the
 * address; what is done has `  done` before the tab. Reasons are added with --long only. */
#include "queue/qread_print.h"

#include <string.h>

#include "lib/date.h"
#include "lib/str.h"

static const char *get(const struct verdict *verdict, const char *key)
{
    return fields_get_or(&verdict->fields, key, "");
}

static void put_foreign(stralloc *out, const char *text)
{
    str_cat_printable(out, text, strlen(text));
}

static void put_recipient_json(stralloc *out, const struct verdict *verdict)
{
    str_cats(out, out->len > 0 ? "," : "");
    str_catc(out, '{');
    operator_put_member(out, "to", get(verdict, "to"), false);
    str_catc(out, ',');
    operator_put_member(out, "mark", get(verdict, "mark"), false);
    str_catc(out, ',');
    operator_put_member(out, "site", get(verdict, "site"), false);
    str_catc(out, ',');
    operator_put_member(out, "time", get(verdict, "time"), true);
    str_catc(out, ',');
    operator_put_member(out, "text", verdict->text, false);
    str_catc(out, '}');
}

static void put_recipient_line(stralloc *out, const struct verdict *verdict, bool is_long)
{
    str_cats(out, verdict->letter == 'Z' ? "\t" : "  done\t");
    str_cats(out, strcmp(get(verdict, "site"), "-") == 0 ? "local\t" : "remote\t");
    put_foreign(out, get(verdict, "to"));
    str_catc(out, '\n');
    if (is_long) {
        str_cats(out, "\t\t");
        put_foreign(out, verdict->text);
        str_catc(out, '\n');
    }
}

void qread_print_recipient(struct qread_print *print, const struct verdict *verdict)
{
    if (print->is_json) {
        put_recipient_json(&print->recipients, verdict);
    } else {
        put_recipient_line(&print->recipients, verdict, print->is_long);
    }
}

static void put_message_json(stralloc *out, const struct verdict *verdict)
{
    static const struct {
        const char *key;
        bool is_number;
    } members[] = {{"id", false}, {"size", true},  {"age", true},  {"from", false}, {"tries", true},
                   {"due", true}, {"site", false}, {"why", false}, {"n", true}};
    str_catc(out, '{');
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        operator_put_member(out, members[i].key, get(verdict, members[i].key), members[i].is_number);
        str_catc(out, ',');
    }
    operator_put_member(out, "state", operator_words(verdict->text), false);
}

static void put_date(stralloc *out, uint64_t seconds)
{
    date_append(out, seconds);
    out->len -= strlen("-0000");
    str_cats(out, "GMT");
}

static uint64_t number(const struct verdict *verdict, const char *key)
{
    uint64_t value = 0;
    (void)fields_get_number(&verdict->fields, key, UINT64_MAX, &value);
    return value;
}

static void put_message_line(const struct qread_print *print, const struct verdict *verdict, stralloc *out)
{
    uint64_t age = number(verdict, "age"), due = number(verdict, "due");
    put_date(out, print->now > age ? print->now - age : 0);
    str_cats(out, "  #");
    put_foreign(out, get(verdict, "id"));
    str_cats(out, "  ");
    put_foreign(out, get(verdict, "size"));
    str_cats(out, "  <");
    put_foreign(out, get(verdict, "from"));
    str_cats(out, "> \n");
    if (!print->is_long) {
        return;
    }
    str_catc(out, '\t');
    put_foreign(out, operator_words(verdict->text));
    str_catf(out, "; tries so far: %llu", (unsigned long long)number(verdict, "tries"));
    if (due > print->now) {
        str_cats(out, "; next: ");
        put_date(out, due);
    }
    if (*get(verdict, "why") != '\0') {
        str_cats(out, "; why: ");
        put_foreign(out, get(verdict, "why"));
    }
    str_catc(out, '\n');
}

void qread_print_message(struct qread_print *print, const struct verdict *verdict, stralloc *out)
{
    if (print->is_json) {
        put_message_json(out, verdict);
        str_cats(out, ",\"recipients\":[");
    } else {
        put_message_line(print, verdict, out);
    }
    str_cat(out, print->recipients.s, print->recipients.len);
    str_cats(out, print->is_json ? "]}\n" : "");
    print->recipients.len = 0;
}
