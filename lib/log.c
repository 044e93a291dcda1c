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
#include "str.h"

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

/* Not by printf: most processes log two lines in their lives, and its pages would be fetched for them alone. */
static void line_put_unsigned(struct line *line, unsigned long long value, unsigned base)
{
    char digits[3 * sizeof value];
    char *first = digits + sizeof digits;
    do {
        *--first = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    line_put(line, first, (size_t)(digits + sizeof digits - first));
}

static void line_put_signed(struct line *line, long long value)
{
    if (value < 0) {
        line_put(line, "-", 1);
    }
    line_put_unsigned(line, value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value, 10);
}

/* One conversion behind its '%'. Returns the byte after it. */
static const char *line_put_conversion(struct line *line, const char *p, va_list *args)
{
    _Static_assert(sizeof(size_t) == sizeof(long), "z is taken as l");
    char text[2];
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
        line_put_signed(line, take_signed(args, longs));
    } else {
        line_put_unsigned(line, take_unsigned(args, longs), *p == 'x' ? 16 : 10);
    }
    return p + 1;
}

static void line_make(struct line *line, const char *event, const char *format, va_list *args)
{
    line->len = 0;
    line->is_cut = false;
    line_put(line, event, strlen(event));
    if (*format != '\0') {
        line_put(line, " ", 1);
    }
    while (*format != '\0') {
        size_t n = strlen(format);
        const char *hole = memchr(format, '%', n);
        line_put(line, format, hole != NULL ? (size_t)(hole - format) : n);
        format = hole != NULL ? line_put_conversion(line, hole + 1, args) : format + n;
    }
    line->bytes[line->len++] = '\n';
}

static void write_bytes(const char *bytes, size_t n)
{
    ssize_t unused = write(2, bytes, n);
    (void)unused;
}

static void line_write(const char *event, const char *format, va_list *args)
{
    int error = errno;
    struct line line;
    line_make(&line, event, format, args);
    write_bytes(line.bytes, line.len);
    errno = error;
}

void log_event(const char *event, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line_write(event, format, &args);
    va_end(args);
}

void log_event_add(stralloc *lines, const char *event, const char *format, ...)
{
    int error = errno;
    struct line line;
    va_list args;
    va_start(args, format);
    line_make(&line, event, format, &args);
    va_end(args);
    str_cat(lines, line.bytes, line.len);
    errno = error;
}

void log_lines(stralloc *lines)
{
    int error = errno;
    write_bytes(lines->s, lines->len);
    lines->len = 0;
    errno = error;
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
