/* SPDX-License-Identifier: ISC */
/* .qmail files, the part without I/O. Written by people and by qmailadmin; read before a message is accepted (rcptd) and when it
 * is delivered (local). Both must come to one answer, so both ask here. */
#include "lib/dotqmail.h"

#include <string.h>

#include "lib/str.h"

void dotqmail_search_start(struct dotqmail_search *search, const char *dash, const char *ext)
{
    *search = (struct dotqmail_search){.dash = dash, .ext = ext, .ext_len = strlen(ext)};
}

/* Moves to the next place to cut at: behind a '-', last the front of ext. */
static void move_cut(struct dotqmail_search *search)
{
    if (!search->is_started) {
        search->is_started = true;
        search->cut = search->ext_len;
        return;
    }
    if (!search->is_default) {
        search->is_default = true; /* ext may end with '-': then the first cut is its whole length */
    } else if (search->cut == 0) {
        search->is_done = true;
        return;
    } else {
        search->cut--;
    }
    while (search->cut > 0 && search->ext[search->cut - 1] != '-') {
        search->cut--;
    }
}

/* False where dash, ext and "default" make no name of a single file. */
static bool make_name(const struct dotqmail_search *search, char name[DOTQMAIL_NAME_SIZE])
{
    const char *tail = search->is_default ? "default" : "";
    size_t dash_len = strlen(search->dash), tail_len = strlen(tail);
    if (dash_len >= DOTQMAIL_NAME_SIZE || search->cut >= DOTQMAIL_NAME_SIZE ||
        6 + dash_len + search->cut + tail_len >= DOTQMAIL_NAME_SIZE || memchr(search->ext, '/', search->cut) != NULL ||
        strchr(search->dash, '/') != NULL) {
        return false;
    }
    memcpy(name, ".qmail", 6);
    memcpy(name + 6, search->dash, dash_len);
    char *ext = name + 6 + dash_len;
    memcpy(ext, search->ext, search->cut);
    str_lower(ext, search->cut);
    for (size_t i = 0; i < search->cut; i++) {
        ext[i] = ext[i] == '.' ? ':' : ext[i];
    }
    memcpy(ext + search->cut, tail, tail_len + 1);
    return true;
}

bool dotqmail_search_next(struct dotqmail_search *search, char name_out[DOTQMAIL_NAME_SIZE])
{
    while (!search->is_done) {
        move_cut(search);
        if (!search->is_done && make_name(search, name_out)) {
            return true;
        }
    }
    return false;
}

void dotqmail_read_start(struct dotqmail_reader *reader, const char *bytes, size_t n)
{
    *reader = (struct dotqmail_reader){.bytes = bytes, .n = n};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static enum dotqmail_kind kind_of(const char *text, size_t len)
{
    if (len == 0) {
        return DOTQMAIL_BLANK;
    }
    switch (text[0]) {
    case '#':
        return DOTQMAIL_COMMENT;
    case '|':
        return DOTQMAIL_PROGRAM;
    case '.':
    case '/':
        return text[len - 1] == '/' ? DOTQMAIL_MAILDIR : DOTQMAIL_MBOX;
    case '+':
        return len == 5 && memcmp(text, "+list", 5) == 0 ? DOTQMAIL_FORWARD_ONLY : DOTQMAIL_IGNORED;
    default:
        return DOTQMAIL_FORWARD;
    }
}

bool dotqmail_read_next(struct dotqmail_reader *reader, struct dotqmail_line *out)
{
    if (reader->at >= reader->n) {
        return false;
    }
    const char *text = reader->bytes + reader->at;
    const char *end = memchr(text, '\n', reader->n - reader->at);
    size_t len = end == NULL ? reader->n - reader->at : (size_t)(end - text);
    reader->at += len + 1;
    reader->number++;
    while (len > 0 && is_blank(text[len - 1])) {
        len--;
    }
    *out = (struct dotqmail_line){.kind = kind_of(text, len), .number = reader->number, .text = text, .len = len};
    if (out->kind == DOTQMAIL_PROGRAM || (out->kind == DOTQMAIL_FORWARD && text[0] == '&')) {
        out->text++;
        out->len--;
    }
    return true;
}

int dotqmail_next_word(const char *command, size_t n, size_t *at, struct dotqmail_word *out)
{
    size_t i = *at;
    while (i < n && is_blank(command[i])) {
        i++;
    }
    if (i == n) {
        return 0;
    }
    char quote = command[i] == '\'' || command[i] == '"' ? command[i] : '\0';
    size_t start = quote ? ++i : i;
    const char *stops = quote == '\'' ? "'" : quote == '"' ? "\"$`\\" : " \t'\"$`\\;&|<>()*?[]{}~!#\r";
    while (i < n && (command[i] != '\0' && strchr(stops, command[i]) == NULL)) {
        i++;
    }
    size_t end = i;
    if (quote && (i == n || command[i++] != quote)) {
        return -1;
    }
    if (i < n && !is_blank(command[i])) {
        return -1;
    }
    *out = (struct dotqmail_word){command + start, end - start};
    *at = i;
    return 1;
}

static bool word_is(const char *text, size_t n, const char *wanted)
{
    return n == strlen(wanted) && memcmp(text, wanted, n) == 0;
}

void dotqmail_parse_action(const char *action, size_t n, struct vdelivermail *out)
{
    *out = (struct vdelivermail){.kind = VDELIVERMAIL_FORWARD, .text = action, .len = n};
    if (n == 0) {
        out->kind = VDELIVERMAIL_BAD;
    } else if (word_is(action, n, "bounce-no-mailbox")) {
        out->kind = VDELIVERMAIL_BOUNCE;
    } else if (word_is(action, n, "delete") || word_is(action, n, "delete-no-mailbox")) {
        out->kind = VDELIVERMAIL_DELETE;
    } else if (action[0] == '/') {
        out->kind = VDELIVERMAIL_FOLDER;
    } else if (action[0] == '|' || action[0] == '#') {
        out->kind = VDELIVERMAIL_LINE;
    } else if (action[0] == '&') {
        out->text++;
        out->len--;
        out->kind = n == 1 ? VDELIVERMAIL_BAD : VDELIVERMAIL_FORWARD;
    }
}

bool dotqmail_parse_vdelivermail(const char *command, size_t n, struct vdelivermail *out)
{
    size_t at = 0;
    struct dotqmail_word program, word[2];
    if (dotqmail_next_word(command, n, &at, &program) != 1) {
        return false;
    }
    const char *slash = memrchr(program.text, '/', program.len);
    const char *name = slash == NULL ? program.text : slash + 1;
    if (!word_is(name, program.len - (size_t)(name - program.text), "vdelivermail")) {
        return false;
    }
    unsigned words = 0;
    int got = 1;
    while (words < 2 && (got = dotqmail_next_word(command, n, &at, &word[words])) == 1) {
        words++;
    }
    struct dotqmail_word rest;
    int more = got == 1 ? dotqmail_next_word(command, n, &at, &rest) : 0;
    if (got < 0 || more < 0) {
        return false; /* the shell's business: the program vdelivermail will see what comes out */
    }
    if (words < 2 || more == 1) {
        *out = (struct vdelivermail){.kind = VDELIVERMAIL_BAD};
        return true;
    }
    dotqmail_parse_action(word[1].text, word[1].len, out);
    return true;
}
