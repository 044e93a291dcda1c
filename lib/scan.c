/* SPDX-License-Identifier: ISC */
/* Whole-slice numbers with overflow checks. */
#include "scan.h"
#include <string.h>

bool scan_decimal(const char *bytes, size_t n, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (n == 0 || n > 20) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] < '0' || bytes[i] > '9') {
            return false;
        }
        if (__builtin_mul_overflow(value, 10U, &value) || __builtin_add_overflow(value, (uint64_t)(bytes[i] - '0'), &value)) {
            return false;
        }
    }
    if (value > max) {
        return false;
    }
    *out = value;
    return true;
}

bool scan_decimal_text(const char *text, uint64_t max, uint64_t *out)
{
    return scan_decimal(text, strlen(text), max, out);
}

bool scan_signed(const char *bytes, size_t n, int64_t *out)
{
    uint64_t magnitude;
    bool is_negative = n > 0 && bytes[0] == '-';
    if (!scan_decimal(bytes + is_negative, n - is_negative, INT64_MAX, &magnitude)) {
        return false;
    }
    *out = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

int scan_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

bool scan_hex(const char *bytes, size_t n, uint64_t *out)
{
    uint64_t value = 0;
    if (n == 0 || n > 16) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        int digit = scan_hex_digit(bytes[i]);
        if (digit < 0) {
            return false;
        }
        value = value << 4 | (uint64_t)digit;
    }
    *out = value;
    return true;
}
