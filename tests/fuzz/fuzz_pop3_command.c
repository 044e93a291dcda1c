/* SPDX-License-Identifier: ISC */
/* pop3d/command: a line into a verb and its form. */
#include "pop3d/command.h"
#include "tests/fuzz/fuzz.h"

static bool takes_text(enum command_verb verb)
{
    return verb == COMMAND_USER || verb == COMMAND_PASS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = fuzz_copy(data, size);
    struct command command;
    memset(&command, 0, sizeof command);
    enum command_result result = command_parse(line, size, &command);
    require(fuzz_lies_in(command.word, command.word_len, line, size));
    for (size_t i = 0; i < command.word_len; i++) {
        require(command.word[i] != ' ');
    }
    if (result == COMMAND_GOOD) {
        require(command.n_numbers <= 2 && command_form(command.verb) != NULL);
        require(!takes_text(command.verb) || (command.text_len > 0 && fuzz_lies_in(command.text, command.text_len, line, size)));
        require(command.verb != COMMAND_PASS || command.text + command.text_len == line + size);
        require(command.verb != COMMAND_TOP || command.n_numbers == 2);
        require((command.verb != COMMAND_RETR && command.verb != COMMAND_DELE) || command.n_numbers == 1);
        require(command.n_numbers == 0 || !takes_text(command.verb));
    }
    free(line);
    return 0;
}
