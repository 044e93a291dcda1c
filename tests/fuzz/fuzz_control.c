/* SPDX-License-Identifier: ISC */
/* lib/control: lists of control files. Every line is found again, and nothing that stands in no line. */
#include "lib/control.h"
#include "tests/fuzz/fuzz.h"

static void try_line(const struct control_list *list, const char *line)
{
    size_t n = strlen(line);
    require(n > 0 && line[0] != '#' && strchr(line, '\n') == NULL && line[n - 1] != ' ' && line[n - 1] != '\t');
    require(control_list_has(list, line, n));
    const char *colon = strchr(line, ':');
    if (colon != NULL) {
        require(control_list_find(list, line, (size_t)(colon - line)) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char absent[] = "\x01 not there";
    char *bytes = fuzz_copy(data, size);
    struct control_list list;
    memset(&list, 0, sizeof list);
    control_list_parse(bytes, size, &list);
    require(list.n <= size);
    for (size_t i = 0; i < list.n; i++) {
        try_line(&list, list.line[i]);
    }
    bool may_be_there = memmem(bytes, size, absent + 1, sizeof absent - 2) != NULL;
    require(may_be_there || !control_list_has(&list, absent, sizeof absent - 1));
    if (size > 0) {
        (void)control_list_has_domain(&list, bytes, size < 300 ? size : 300);
        (void)control_list_find(&list, bytes, size < 300 ? size : 300);
    }
    control_list_free(&list);
    free(bytes);
    return 0;
}
