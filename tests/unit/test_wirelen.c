/* SPDX-License-Identifier: ISC */
/* The length that is announced is the length that the encoder sends: every string of up to nine bytes, split at every place. */
#include "lib/dot.h"
#include "lib/wirelen.h"
#include "tests/tap.h"

enum { LONGEST = 9, LETTERS = 3 };

static uint64_t count(const char *bytes, size_t n, size_t split)
{
    struct wirelen wirelen;
    wirelen_init(&wirelen);
    wirelen_add(&wirelen, bytes, split);
    wirelen_add(&wirelen, bytes + split, n - split);
    return wirelen_end(&wirelen);
}

static uint64_t encode(const char *bytes, size_t n)
{
    char out[3 * LONGEST + 8];
    struct dot_encoder encoder;
    dot_encoder_init(&encoder);
    size_t len = dot_encode(&encoder, bytes, n, out);
    return len + dot_encode_end(&encoder, out) - 3;
}

static void every_string_has_the_encoders_length(void)
{
    unsigned wrong = 0;
    unsigned long power = 1;
    for (size_t n = 0; n <= LONGEST; n++) {
        for (unsigned long number = 0; number < power; number++) {
            char bytes[LONGEST + 1];
            unsigned long rest = number;
            for (size_t i = 0; i < n; i++) {
                bytes[i] = "\r\na"[rest % LETTERS];
                rest /= LETTERS;
            }
            for (size_t split = 0; split <= n; split++) {
                wrong += count(bytes, n, split) != encode(bytes, n);
            }
        }
        power *= LETTERS;
    }
    is_number(wrong, 0, "every string over CR, LF and a letter has the encoder's length, however it is split");
}

int main(void)
{
    every_string_has_the_encoders_length();
    is_number((long long)count("Subject: x\n\nbody\n", 17, 5), 20, "each LF counts twice");
    is_number((long long)count("a\r\nb", 4, 2), 6, "a stored CRLF stays, an unfinished line gets its end");
    is_number((long long)count("", 0, 0), 0, "an empty message is empty");
    return done();
}
