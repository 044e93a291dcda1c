/* SPDX-License-Identifier: ISC */
/* The records of a message file and of its name: envelope, notes, later/ names, the trigger's line. Pure; what is read comes back
 * as slices of the input, what is written is appended. A note carries its own length and sum, so a torn one is seen and cut off.
 */
#include <stdio.h>
#include <string.h>

#include "lib/crc32c.h"
#include "lib/msgid.h"
#include "lib/scan.h"
#include "lib/spoolfile.h"
#include "lib/str.h"

/* ---- envelope ---- */

/* The text behind the letter of the record at `at`; *at moves behind its NUL. NULL: no NUL in sight. */
static const char *take_record(const char *bytes, size_t n, size_t *at)
{
    const char *end = memchr(bytes + *at, 0, n - *at);
    if (end == NULL) {
        return NULL;
    }
    const char *text = bytes + *at + 1;
    *at = (size_t)(end - bytes) + 1;
    return text;
}

static const char **envelope_place(struct spoolfile_envelope *envelope, char letter)
{
    switch (letter) {
    case 'S':
        return &envelope->sender;
    case 'U':
        return &envelope->uid;
    case 'V':
        return &envelope->envid;
    case 'R':
        return &envelope->ret;
    case 'H':
        return &envelope->helo;
    case 'I':
        return &envelope->ip;
    case 'A':
        return &envelope->login;
    case 'L':
        return &envelope->tls;
    case 'X':
        return &envelope->extra;
    default:
        return NULL;
    }
}

bool spoolfile_envelope_read(const char *bytes, size_t n, struct spoolfile_envelope *out, size_t *used_out)
{
    struct spoolfile_envelope envelope = {0};
    size_t at = 0;
    while (at < n && bytes[at] != 'T' && bytes[at] != 0) {
        const char **place = envelope_place(&envelope, bytes[at]);
        bool is_first = at == 0;
        if (place == NULL || *place != NULL || is_first != (bytes[at] == 'S')) {
            return false;
        }
        *place = take_record(bytes, n, &at);
        if (*place == NULL) {
            return false;
        }
    }
    if (at >= n || envelope.sender == NULL || envelope.uid == NULL) {
        return false;
    }
    *out = envelope;
    *used_out = at;
    return true;
}

int spoolfile_recipient_next(const char *bytes, size_t n, size_t *at, struct spoolfile_recipient *out)
{
    size_t next = *at;
    if (next >= n) {
        return -1;
    }
    if (bytes[next] == 0) {
        if (next + 1 != n) {
            return -1;
        }
        *at = n;
        return 0;
    }
    struct spoolfile_recipient recipient = {0};
    while (next < n && bytes[next] != 0 && (recipient.address == NULL || bytes[next] != 'T')) {
        char letter = bytes[next];
        const char **place = letter == 'T' ? &recipient.address : letter == 'N' ? &recipient.notify : &recipient.orcpt;
        if ((letter != 'T' && letter != 'N' && letter != 'O') || *place != NULL || (letter != 'T' && recipient.address == NULL)) {
            return -1;
        }
        *place = take_record(bytes, n, &next);
        if (*place == NULL) {
            return -1;
        }
    }
    if (next >= n) {
        return -1;
    }
    *at = next;
    *out = recipient;
    return 1;
}

static void append_record(stralloc *out, char letter, const char *text)
{
    if (text != NULL) {
        str_catc(out, letter);
        str_cat(out, text, strlen(text) + 1);
    }
}

void spoolfile_envelope_append(stralloc *out, const struct spoolfile_envelope *envelope)
{
    append_record(out, 'S', envelope->sender == NULL ? "" : envelope->sender);
    append_record(out, 'U', envelope->uid == NULL ? "" : envelope->uid);
    append_record(out, 'V', envelope->envid);
    append_record(out, 'R', envelope->ret);
    append_record(out, 'H', envelope->helo);
    append_record(out, 'I', envelope->ip);
    append_record(out, 'A', envelope->login);
    append_record(out, 'L', envelope->tls);
    append_record(out, 'X', envelope->extra);
}

void spoolfile_recipient_append(stralloc *out, const struct spoolfile_recipient *recipient)
{
    append_record(out, 'T', recipient->address);
    append_record(out, 'N', recipient->notify);
    append_record(out, 'O', recipient->orcpt);
}

void spoolfile_envelope_end(stralloc *out)
{
    str_catc(out, 0);
}

/* ---- notes ---- */

enum { NOTE_HEAD = 14, NOTE_MAX = 2047, NOTE_SITE_MAX = 255 };

/* A text that may hold any byte: what would end the note or a field becomes a blank. */
static void append_foreign(stralloc *out, const char *bytes, size_t n, bool is_word)
{
    for (size_t i = 0; i < n; i++) {
        bool is_bad = bytes[i] == '\n' || bytes[i] == 0;
        bool is_gap = is_word && bytes[i] == ' ';
        str_catc(out, is_gap || (is_bad && is_word) ? '_' : is_bad ? ' ' : bytes[i]);
    }
}

void spoolfile_note_append(stralloc *out, const struct spoolfile_note *note)
{
    size_t start = out->len;
    (void)str_room(out, NOTE_HEAD);
    out->len += NOTE_HEAD;
    str_catn(out, note->seconds);
    str_catc(out, ' ');
    str_catn(out, note->n);
    str_catc(out, ' ');
    str_catc(out, note->letter);
    str_catc(out, ' ');
    if (note->site_len == 0) {
        str_catc(out, '-');
    }
    append_foreign(out, note->site, note->site_len < NOTE_SITE_MAX ? note->site_len : NOTE_SITE_MAX, true);
    str_catc(out, ' ');
    size_t room = NOTE_MAX - 1 - (out->len - start);
    append_foreign(out, note->text, note->text_len < room ? note->text_len : room, false);
    str_catc(out, '\n');
    size_t body = out->len - start - NOTE_HEAD;
    char head[NOTE_HEAD + 1];
    (void)snprintf(head, sizeof head, "%04x %08x ", (unsigned)body, (unsigned)crc32c(0, out->s + start + NOTE_HEAD, body));
    memcpy(out->s + start, head, NOTE_HEAD);
}

/* The word before the next blank; *p moves behind the blank. */
static bool take_word(const char **p, const char *end, const char **word, size_t *len)
{
    const char *blank = memchr(*p, ' ', (size_t)(end - *p));
    if (blank == NULL || blank == *p) {
        return false;
    }
    *word = *p;
    *len = (size_t)(blank - *p);
    *p = blank + 1;
    return true;
}

static bool parse_note_body(const char *p, const char *end, struct spoolfile_note *out)
{
    const char *word;
    size_t len;
    uint64_t n;
    if (!take_word(&p, end, &word, &len) || !scan_decimal(word, len, UINT64_MAX, &out->seconds) ||
        !take_word(&p, end, &word, &len) || !scan_decimal(word, len, UINT32_MAX, &n) || !take_word(&p, end, &word, &len) ||
        len != 1 || !take_word(&p, end, &out->site, &out->site_len)) {
        return false;
    }
    out->n = (uint32_t)n;
    out->letter = *word;
    out->text = p;
    out->text_len = (size_t)(end - p) - 1;
    return end[-1] == '\n' && memchr(p, '\n', out->text_len) == NULL;
}

int spoolfile_note_next(const char *bytes, size_t n, size_t *at, struct spoolfile_note *out)
{
    if (*at >= n) {
        return 0;
    }
    const char *head = bytes + *at;
    uint64_t len, crc;
    if (n - *at < NOTE_HEAD || head[4] != ' ' || head[13] != ' ' || !scan_hex(head, 4, &len) || !scan_hex(head + 5, 8, &crc)) {
        return -1;
    }
    struct spoolfile_note note;
    if (len == 0 || len > n - *at - NOTE_HEAD || crc != crc32c(0, head + NOTE_HEAD, (size_t)len) ||
        !parse_note_body(head + NOTE_HEAD, head + NOTE_HEAD + len, &note)) {
        return -1;
    }
    *at += NOTE_HEAD + (size_t)len;
    *out = note;
    return 1;
}

/* ---- names ---- */

static bool is_site(const char *text, size_t n)
{
    uint64_t sum;
    return (n == 1 && (*text == '+' || *text == '-')) || (n == 8 && scan_hex(text, n, &sum));
}

static bool is_word(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] != '-' && (text[i] < 'a' || text[i] > 'z')) {
            return false;
        }
    }
    return n > 0 && n < sizeof((struct spoolfile_later *)0)->why;
}

/* As str_catn writes it: no leading zero, or the name could not be told again. */
static bool take_tries(const char *text, size_t n, uint64_t *out)
{
    return (n == 1 || text[0] != '0') && scan_decimal(text, n, UINT32_MAX, out);
}

bool spoolfile_later_parse(const char *name, struct spoolfile_later *out)
{
    struct spoolfile_later later = {0};
    size_t len = strlen(name);
    if (len < MSGID_LEN + 1 || name[MSGID_LEN] != '.' || !msgid_is_valid(name, MSGID_LEN)) {
        return false;
    }
    const char *tries = name + MSGID_LEN + 1, *end = name + len;
    const char *site = memchr(tries, '.', (size_t)(end - tries));
    const char *why = site == NULL ? NULL : memchr(site + 1, '.', (size_t)(end - site - 1));
    uint64_t n;
    if (why == NULL || !take_tries(tries, (size_t)(site - tries), &n) || !is_site(site + 1, (size_t)(why - site - 1)) ||
        !is_word(why + 1, (size_t)(end - why - 1))) {
        return false;
    }
    memcpy(later.id, name, MSGID_LEN);
    later.tries = (uint32_t)n;
    memcpy(later.site, site + 1, (size_t)(why - site - 1));
    memcpy(later.why, why + 1, (size_t)(end - why - 1));
    *out = later;
    return true;
}

void spoolfile_later_append(stralloc *out, const struct spoolfile_later *later)
{
    str_cats(out, later->id);
    str_catc(out, '.');
    str_catn(out, later->tries);
    str_catc(out, '.');
    str_cats(out, later->site);
    str_catc(out, '.');
    str_cats(out, later->why);
}

void spoolfile_trigger_record(const char *id, char out[SPOOLFILE_TRIGGER])
{
    memcpy(out, id, MSGID_LEN);
    memset(out + MSGID_LEN, ' ', SPOOLFILE_TRIGGER - MSGID_LEN - 1);
    out[SPOOLFILE_TRIGGER - 1] = '\n';
}
