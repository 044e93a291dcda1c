/* SPDX-License-Identifier: ISC */
/* vpopmail's error numbers as words and as exit codes. */
#include "auth/va.h"

const char *va_words(enum va number)
{
    switch (number) {
#define VA_CASE(symbol, value, words)                                                                                            \
    case VA_##symbol:                                                                                                            \
        return words;
        VA_LIST(VA_CASE)
#undef VA_CASE
    }
    return "Unknown error";
}

int va_exit_code(enum va number)
{
    return (int)number & 0xff;
}

enum va va_from_exit_code(int code)
{
    return (enum va)(code == 0 ? 0 : code - 256);
}
