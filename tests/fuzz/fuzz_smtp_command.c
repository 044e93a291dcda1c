/* SPDX-License-Identifier: ISC */
/* smtpd/command: a line into verb and argument, paths, parameters, BDAT. */
#include "smtpd/command.h"
#include "tests/fuzz/fuzz.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void try_parameters(struct slice rest)
{
    struct slice all = rest;
    struct parameter parameter;
    size_t rounds = 0;
    while (command_next_parameter(&rest, &parameter) == 1) {
        require(fuzz_lies_in(parameter.key.bytes, parameter.key.len, all.bytes, all.len));
        require(parameter.key.len > 0 && memchr(parameter.key.bytes, '=', parameter.key.len) == NULL);
        require(!parameter.has_value || (fuzz_lies_in(parameter.value.bytes, parameter.value.len, all.bytes, all.len) &&
                                         parameter.value.bytes[-1] == '='));
        require(fuzz_lies_in(rest.bytes, rest.len, all.bytes, all.len));
        require(++rounds <= all.len);
    }
}

static void try_path(struct slice argument, const char *keyword)
{
    struct path path;
    if (command_parse_path(argument, keyword, &path) == PATH_SYNTAX) {
        return;
    }
    require(fuzz_lies_in(path.address.bytes, path.address.len, argument.bytes, argument.len));
    require(fuzz_lies_in(path.parameters.bytes, path.parameters.len, argument.bytes, argument.len));
    require(path.parameters.len == 0 || path.parameters.bytes >= path.address.bytes + path.address.len);
    try_parameters(path.parameters);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = fuzz_copy(data, size);
    struct command_line words;
    uint64_t length = 42;
    bool is_last = true;
    command_split(line, size, &words);
    require(fuzz_lies_in(words.verb.bytes, words.verb.len, line, size));
    require(fuzz_lies_in(words.argument.bytes, words.argument.len, line, size));
    for (size_t i = 0; i < words.verb.len; i++) {
        require(!is_blank(words.verb.bytes[i]));
    }
    if (words.argument.len > 0) {
        require(!is_blank(words.argument.bytes[0]) && !is_blank(words.argument.bytes[words.argument.len - 1]));
        require(words.argument.bytes > words.verb.bytes + words.verb.len);
    }
    try_path(words.argument, "FROM:");
    try_path(words.argument, "TO:");
    if (!command_parse_bdat(words.argument, &length, &is_last)) {
        require(length == 42 && is_last); /* nothing is stored on false */
    }
    free(line);
    return 0;
}
