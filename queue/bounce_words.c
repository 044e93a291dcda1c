/* SPDX-License-Identifier: ISC */
/* Words that other programs and other hosts noted, made safe: nothing here ends a line, a field or a paragraph on its own. */
#include <string.h>

#include "lib/address.h"
#include "lib/scan.h"
#include "lib/str.h"
#include "queue/bounce_words.h"

enum { WIDTH = 78, WIDTH_MAX = 900 };
#define GIVEN_UP "I'm not going to try again"
#define TOO_LONG GIVEN_UP "; this message has been in the queue too long."

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Length of `d.d{1,3}.d{1,3}` at the start, followed by a blank or the end; 0: none (RFC 3463 section 2). */
static size_t status_len(const char *text, size_t n)
{
    size_t at = 0, parts = 0;
    while (parts < 3) {
        size_t digits = 0;
        while (at < n && digits < 4 && is_digit(text[at])) {
            at++;
            digits++;
        }
        parts++;
        if (digits == 0 || digits > (parts == 1 ? 1 : 3) || (parts < 3 && (at >= n || text[at++] != '.'))) {
            return 0;
        }
    }
    bool is_class = text[0] == '4' || text[0] == '5';
    return is_class && (at == n || text[at] == ' ') ? at : 0;
}

void bounce_words_status(stralloc *out, const struct bounce_recipient *recipient)
{
    size_t n = recipient->has_note ? status_len(recipient->note.text, recipient->note.text_len) : 0;
    if (n > 0) {
        str_cat(out, recipient->note.text, n);
    } else {
        str_cats(out, "5.0.0");
    }
}

static bool contains(const char *bytes, size_t n, const char *what)
{
    return memmem(bytes, n, what, strlen(what)) != NULL;
}

static bool is_expired(const struct bounce_text *text)
{
    uint64_t born = text->file->header.accepted_us / 1000000;
    return text->now >= born && text->now - born >= text->settings->queuelifetime;
}

/* Blanks at the ends dropped, several made one. */
static void append_line(stralloc *out, const char *bytes, size_t n)
{
    size_t begin = out->len;
    for (size_t i = 0; i < n;) {
        size_t word = i;
        while (word < n && bytes[word] == ' ') {
            word++;
        }
        i = word;
        while (i < n && bytes[i] != ' ') {
            i++;
        }
        if (i > word) {
            str_cats(out, out->len > begin ? " " : "");
            str_cat(out, bytes + word, i - word);
        }
    }
}

void bounce_words_reason(stralloc *out, const struct bounce_text *text, const struct bounce_recipient *recipient)
{
    const struct spoolfile_note *note = &recipient->note;
    size_t begin = out->len;
    stralloc words = STRALLOC_ZERO;
    if (recipient->has_note) {
        size_t status = status_len(note->text, note->text_len);
        bounce_words_foreign(&words, note->text + status, note->text_len - status);
        append_line(out, words.s, words.len);
    }
    if (out->len == begin) {
        str_cats(out, "The delivery failed, and the reason is no longer on record.");
    }
    if (!contains(out->s + begin, out->len - begin, "(#")) {
        str_cats(out, " (#");
        bounce_words_status(out, recipient);
        str_cats(out, ")");
    }
    bool is_temporary = recipient->has_note && note->letter == 'Z';
    if (is_temporary && !contains(out->s + begin, out->len - begin, GIVEN_UP)) {
        str_cats(out, is_expired(text) ? " " TOO_LONG : " " GIVEN_UP ".");
    }
    stralloc_free(&words);
}

/* How many bytes of n go on a line that has `room` left before WIDTH. */
static size_t line_len(const char *words, size_t n, size_t room)
{
    if (n <= room) {
        return n;
    }
    const char *blank = memrchr(words, ' ', room + 1);
    if (blank == NULL || blank == words) {
        blank = memchr(words, ' ', n);
    }
    size_t len = blank == NULL ? n : (size_t)(blank - words);
    if (len <= WIDTH_MAX) {
        return len;
    }
    len = WIDTH_MAX;
    while (len > WIDTH_MAX - 4 && ((unsigned char)words[len] & 0xc0) == 0x80) {
        len--; /* not inside a character */
    }
    return len;
}

void bounce_words_wrap(stralloc *out, const char *words, size_t n, const char *indent)
{
    size_t begin = out->len;
    while (begin > 0 && out->s[begin - 1] != '\n') {
        begin--;
    }
    for (;;) {
        size_t used = out->len - begin;
        size_t len = line_len(words, n, used < WIDTH ? WIDTH - used : 0);
        str_cat(out, words, len);
        str_catc(out, '\n');
        if (len < n && words[len] == ' ') {
            len++;
        }
        words += len;
        n -= len;
        if (n == 0) {
            return;
        }
        begin = out->len;
        str_cats(out, indent);
    }
}

void bounce_words_foreign(stralloc *out, const char *bytes, size_t n)
{
    bool is_utf8 = address_is_utf8(bytes, n);
    for (size_t i = 0; i < n; i++) {
        if (is_utf8 && (unsigned char)bytes[i] >= 0x80) {
            str_catc(out, bytes[i]);
        } else {
            str_cat_printable(out, bytes + i, 1);
        }
    }
}

/* The character at p, its length in *len; only for valid UTF-8. */
static unsigned long utf8_value(const char *p, size_t *len)
{
    unsigned char c = (unsigned char)*p;
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    unsigned long value = n == 1 ? c : c & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        value = value << 6 | ((unsigned char)p[i] & 0x3f);
    }
    *len = n;
    return value;
}

static bool is_ascii(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)bytes[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

void bounce_words_address(stralloc *out, const char *address)
{
    size_t n = strlen(address);
    if (is_ascii(address, n) || !address_is_utf8(address, n)) {
        str_cats(out, "rfc822; ");
        str_cat_printable(out, address, n);
        return;
    }
    str_cats(out, "utf-8; ");
    for (size_t i = 0, len; i < n; i += len) {
        unsigned long value = utf8_value(address + i, &len);
        if (value > 0x20 && value < 0x7f && strchr("+=\\", (int)value) == NULL) {
            str_catc(out, (char)value);
        } else {
            str_catf(out, "\\x{%lX}", value);
        }
    }
}

void bounce_words_xtext(stralloc *out, const char *xtext)
{
    for (; *xtext != '\0'; xtext++) {
        uint64_t value;
        bool is_coded = *xtext == '+' && strlen(xtext) > 2 && scan_hex(xtext + 1, 2, &value) && value > 0x20 && value < 0x7f;
        if (is_coded) {
            str_catc(out, (char)value);
            xtext += 2;
        } else {
            str_cat_printable(out, xtext, 1);
        }
    }
}
