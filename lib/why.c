/* SPDX-License-Identifier: ISC */
/* Words of why=, both ways. */
#include "why.h"
#include <string.h>

static const char *const words[] = {"",
#define WHY_WORD(symbol, word) word,
                                    WHY_LIST(WHY_WORD)
#undef WHY_WORD
};

enum why why_from_word(const char *word)
{
    if (word == NULL) {
        return WHY_NONE;
    }
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            return (enum why)i;
        }
    }
    return WHY_UNKNOWN;
}

const char *why_word(enum why why)
{
    return (unsigned)why < sizeof words / sizeof words[0] ? words[why] : "unknown";
}
