/* SPDX-License-Identifier: ISC */
/* Encoded words: =?charset?B?text?= and =?charset?Q?text?=. White space between two of them is dropped (RFC 2047 6.2). */
#include "mime_words.h"
#include "mime_decode.h"
#include "scan.h"
#include "str.h"

#include <string.h>

struct word {
    const char *charset, *text;
    size_t charset_len, text_len;
    char encoding; /* b or q */
    const char *end;
};

/* The encoded word at p. */
static bool read_word(const char *p, const char *end, struct word *out)
{
    if (end - p < 8 || p[0] != '=' || p[1] != '?') {
        return false;
    }
    const char *charset = p + 2;
    const char *mark = memchr(charset, '?', (size_t)(end - charset));
    if (mark == NULL || mark == charset || end - mark < 5 || mark[2] != '?' ||
        memchr(charset, ' ', (size_t)(mark - charset)) != NULL) {
        return false;
    }
    char encoding = (char)(mark[1] | 0x20);
    if (encoding != 'b' && encoding != 'q') {
        return false;
    }
    const char *text = mark + 3;
    const char *stop = memmem(text, (size_t)(end - text), "?=", 2);
    if (stop == NULL) {
        return false;
    }
    *out = (struct word){.charset = charset,
                         .charset_len = (size_t)(mark - charset),
                         .text = text,
                         .text_len = (size_t)(stop - text),
                         .encoding = encoding,
                         .end = stop + 2};
    return true;
}

static void decode_q(const struct word *word, stralloc *out)
{
    for (size_t i = 0; i < word->text_len; i++) {
        char c = word->text[i];
        bool is_code = c == '=' && word->text_len - i > 2;
        int high = is_code ? scan_hex_digit(word->text[i + 1]) : -1;
        int low = is_code ? scan_hex_digit(word->text[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '_') {
            c = ' ';
        }
        str_catc(out, c);
    }
}

static void decode(struct mime_words *words, const struct word *word)
{
    words->bytes.len = 0;
    if (word->encoding == 'q') {
        decode_q(word, &words->bytes);
        return;
    }
    mime_decoder_start(&words->decoder, MIME_BASE64);
    mime_decoder_add(&words->decoder, word->text, word->text_len, &words->bytes);
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_white(const char *p, const char *end)
{
    while (p < end && is_white(*p)) {
        p++;
    }
    return p;
}

/* The words at p, with only white space between them; returns behind the last one. */
static const char *append_words(stralloc *out, struct mime_words *words, struct word word, const char *end)
{
    struct charset_stream stream = {.charset = NULL};
    const char *p;
    do {
        struct charset *charset = charsets_find(&words->charsets, word.charset, word.charset_len);
        if (stream.charset != charset) {
            if (stream.charset != NULL) {
                charset_end(&stream, out);
            }
            charset_start(&stream, charset);
        }
        decode(words, &word);
        charset_add(&stream, words->bytes.s, words->bytes.len, out);
        p = word.end;
    } while (read_word(skip_white(p, end), end, &word));
    charset_end(&stream, out);
    return p;
}

/* Behind the last "?=": no word ends later, so none is looked for (the text may be long). */
static const char *last_word_end(const char *start, const char *end)
{
    const char *p = end;
    while (p - start >= 2 && (p[-1] != '=' || p[-2] != '?')) {
        p--;
    }
    return p - start >= 2 ? p : start;
}

void mime_words_append(stralloc *out, struct mime_words *words, const char *bytes, size_t n)
{
    if (n == 0) {
        return; /* bytes may be NULL */
    }
    const char *p = bytes;
    const char *end = bytes + n;
    const char *last = last_word_end(bytes, end);
    while (p < end) {
        struct word word;
        const char *mark = memmem(p, (size_t)(end - p), "=?", 2);
        const char *stop = mark != NULL ? mark : end;
        str_cat(out, p, (size_t)(stop - p));
        p = stop;
        if (mark != NULL && p < last && read_word(p, last, &word)) {
            p = append_words(out, words, word, last);
        } else if (mark != NULL) {
            str_cat(out, p, 2);
            p += 2;
        }
    }
}
