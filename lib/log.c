/* SPDX-License-Identifier: ISC */
/* Log lines. The formatter is our own so that every foreign byte is escaped here and nowhere else. */
#include "log.h"
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"

enum { LOG_LINE = 1000, LOG_RESERVE = 8 };

struct line {
    size_t len;
    bool is_cut;
    char bytes[LOG_LINE];
};

static void line_put(struct line *line, const char *bytes, size_t n)
{
    if (line->is_cut) {
        return;
    }
    if (n > LOG_LINE - LOG_RESERVE - line->len) {
        line->is_cut = true;
        memcpy(line->bytes + line->len, "...", 3);
        line->len += 3;
        return;
    }
    memcpy(line->bytes + line->len, bytes, n);
    line->len += n;
}

static void line_put_escaped(struct line *line, unsigned char c)
{
    char text[5];
    if (c == '"' || c == '\\') {
        text[0] = '\\';
        text[1] = (char)c;
        line_put(line, text, 2);
    } else if (c < 0x20 || c > 0x7e) {
        snprintf(text, sizeof text, "\\x%02x", c);
        line_put(line, text, 4);
    } else {
        text[0] = (char)c;
        line_put(line, text, 1);
    }
}

static bool is_plain(const char *value)
{
    for (const char *p = value; *p != '\0'; p++) {
        if (*p <= 0x20 || *p > 0x7e || *p == '"' || *p == '\\' || *p == '=') {
            return false;
        }
    }
    return *value != '\0';
}

static void line_put_value(struct line *line, const char *value)
{
    if (value == NULL) {
        value = "";
    }
    if (is_plain(value)) {
        line_put(line, value, strlen(value));
        return;
    }
    line_put(line, "\"", 1);
    for (const char *p = value; *p != '\0'; p++) {
        line_put_escaped(line, (unsigned char)*p);
    }
    line_put(line, "\"", 1);
}

static unsigned long long take_unsigned(va_list *args, unsigned longs)
{
    if (longs == 0) {
        return va_arg(*args, unsigned);
    }
    return longs == 1 ? va_arg(*args, unsigned long) : va_arg(*args, unsigned long long);
}

static long long take_signed(va_list *args, unsigned longs)
{
    if (longs == 0) {
        return va_arg(*args, int);
    }
    return longs == 1 ? va_arg(*args, long) : va_arg(*args, long long);
}

/* One conversion behind its '%'. Returns the byte after it. */
static const char *line_put_conversion(struct line *line, const char *p, va_list *args)
{
    _Static_assert(sizeof(size_t) == sizeof(long), "z is taken as l");
    char text[32];
    unsigned longs = 0;
    for (; *p == 'l' || *p == 'z'; p++) {
        longs++;
    }
    if (*p == 's') {
        line_put_value(line, va_arg(*args, const char *));
        return p + 1;
    }
    if (*p == 'c') {
        text[0] = (char)va_arg(*args, int);
        text[1] = '\0';
        line_put_value(line, text);
        return p + 1;
    }
    if (*p == 'd' || *p == 'i') {
        snprintf(text, sizeof text, "%lld", take_signed(args, longs));
    } else {
        snprintf(text, sizeof text, *p == 'x' ? "%llx" : "%llu", take_unsigned(args, longs));
    }
    line_put(line, text, strlen(text));
    return p + 1;
}

static void line_write(const char *event, const char *format, va_list *args)
{
    int error = errno;
    struct line line = {.len = 0};
    line_put(&line, event, strlen(event));
    if (*format != '\0') {
        line_put(&line, " ", 1);
    }
    for (const char *p = format; *p != '\0';) {
        if (*p == '%') {
            p = line_put_conversion(&line, p + 1, args);
        } else {
            line_put(&line, p++, 1);
        }
    }
    line.bytes[line.len++] = '\n';
    ssize_t unused = write(2, line.bytes, line.len);
    (void)unused;
    errno = error;
}

void log_event(const char *event, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line_write(event, format, &args);
    va_end(args);
}

void log_event_rarely(uint64_t *last_ms, const char *event, const char *format, ...)
{
    uint64_t now = clock_monotonic_ms();
    if (*last_ms != 0 && now - *last_ms < 60000) {
        return;
    }
    *last_ms = now;
    va_list args;
    va_start(args, format);
    line_write(event, format, &args);
    va_end(args);
}
