/* SPDX-License-Identifier: ISC */
/* Control files as in qmail (control(5)): control/NAME, one value or a list. One table a program:
 *
 *   static const struct control_entry controls[] = {
 *       {"databytes", CONTROL_NUMBER, "10485760", 0, UINT32_MAX, &databytes},
 *       {"rcpthosts", CONTROL_LIST, NULL, 0, 0, &rcpthosts}, {0}};
 *
 * Value files: first line, trailing space and tab dropped. Lists: a value a line, `#` comments, blank lines and lines with a NUL
 * dropped. A default of "=me" is the value of control/me. A file that is there and cannot be read, or a number out of range, is
 * an error.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum control_type {
    CONTROL_TEXT,   /* where: const char **, NULL without file and default */
    CONTROL_NUMBER, /* where: uint64_t * */
    CONTROL_LIST,   /* where: struct control_list *; is_there tells missing from empty */
    CONTROL_EXISTS  /* where: bool * */
};
struct control_entry {
    const char *name;
    enum control_type type;
    const char *otherwise; /* default, in the file's form */
    uint64_t min, max;
    void *where;
};
struct control_list {
    bool is_there;
    size_t n;
    char **line;   /* in file order, NUL-terminated */
    char **sorted; /* by lower-case key (bytes before the first ':') */
    char *bytes;
};

/* Reads every file of the table. 0; -1 with errno and a log line that names the file: the old values stay. */
int control_load(const struct control_entry *table);
/* Looks, at most once a second (always when `now`), whether any file of the table changed (mtime, size, inode) and loads again. 1
 * changed, 0 not, -1 as load. */
int control_refresh(const struct control_entry *table, bool now);
/* NAME, value in force, default, range: for PROGRAM -T. */
void control_print(const struct control_entry *table);
/* A line equal to key without case. */
bool control_list_has(const struct control_list *list, const char *key, size_t n);
/* `key:value` lines: the value of the first line with that key, without case; NULL: none. */
const char *control_list_find(const struct control_list *list, const char *key, size_t n);
/* qmail's domain rule: the domain itself, then each `.suffix`. */
bool control_list_has_domain(const struct control_list *list, const char *domain, size_t n);
void control_list_parse(const char *bytes, size_t n, struct control_list *out); /* for tests and other files in this form */
void control_list_free(struct control_list *list);

#endif
