/* SPDX-License-Identifier: ISC */
/* Base subjects and message ids. */
#include "mime_sort.h"
#include "header_lexer.h"
#include "mime_header.h"
#include "str.h"

#include <string.h>

/* An id that is longer is one without structure: else each `<` before a comment that never ends would cost all that follows. */
enum { ID_PARSED_MAX = 1000 };

struct view {
    const char *p, *end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct view *view)
{
    while (view->p < view->end && is_blank(*view->p)) {
        view->p++;
    }
}

static bool begins_with(const struct view *view, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(view->end - view->p) >= n && str_equal_nocase(view->p, n, word, n);
}

/* subj-trailer: blanks and "(fwd)"s; true: a "(fwd)" was there */
static bool cut_trailers(struct view *view)
{
    bool is_forward = false;
    for (;;) {
        while (view->end > view->p && is_blank(view->end[-1])) {
            view->end--;
        }
        if (view->end - view->p < 5 || !str_equal_nocase(view->end - 5, 5, "(fwd)", 5)) {
            return is_forward;
        }
        view->end -= 5;
        is_forward = true;
    }
}

/* subj-blob: "[" anything but brackets "]" blanks */
static bool skip_blob(struct view *view)
{
    if (view->p == view->end || *view->p != '[') {
        return false;
    }
    for (const char *p = view->p + 1; p < view->end && *p != '['; p++) {
        if (*p == ']') {
            view->p = p + 1;
            skip_blanks(view);
            return true;
        }
    }
    return false;
}

/* subj-refwd: "re" or "fw" or "fwd", blanks, [blob], ":" */
static bool skip_reply(struct view *view)
{
    struct view at = *view;
    if (begins_with(&at, "fwd")) {
        at.p += 3;
    } else if (begins_with(&at, "re") || begins_with(&at, "fw")) {
        at.p += 2;
    } else {
        return false;
    }
    skip_blanks(&at);
    (void)skip_blob(&at);
    if (at.p == at.end || *at.p != ':') {
        return false;
    }
    view->p = at.p + 1;
    return true;
}

/* Cuts blanks, blobs and a reply mark in front (subj-leader). Blobs that no mark follows are cut too, but the last one where
 * nothing stands behind it. True: there was a mark, and more may follow. */
static bool cut_front(struct view *view)
{
    skip_blanks(view);
    struct view at = *view;
    const char *last_blob = at.p;
    for (const char *blob = at.p; skip_blob(&at); blob = at.p) {
        last_blob = blob;
    }
    bool is_reply = skip_reply(&at);
    view->p = is_reply || at.p < at.end ? at.p : last_blob;
    return is_reply;
}

/* "[fwd:" … "]" */
static bool cut_forward(struct view *view)
{
    if (!begins_with(view, "[fwd:") || view->end[-1] != ']') {
        return false;
    }
    view->p += 5;
    view->end--;
    return true;
}

bool mime_base_subject_append(stralloc *out, const char *subject, size_t n)
{
    struct view view = {subject, subject + n};
    bool is_reply = false;
    do {
        is_reply |= cut_trailers(&view);
        while (cut_front(&view)) {
            is_reply = true;
        }
    } while (cut_forward(&view) && (is_reply = true));
    mime_collapse(out, view.p, (size_t)(view.end - view.p));
    return is_reply;
}

/* local-part "@" domain ">" behind a `<` */
static bool read_id(struct lexer *lexer, stralloc *out)
{
    if (lexer_skip_space(lexer) != LEXED_MORE) {
        return false;
    }
    if ((*lexer->p == '"' ? lexer_quoted(lexer, out) : lexer_dot_atom(lexer, out)) != LEXED_MORE || *lexer->p != '@') {
        return false;
    }
    str_catc(out, '@');
    if (lexer_domain(lexer, out) != LEXED_MORE || *lexer->p != '>') {
        return false;
    }
    lexer->p++;
    return true;
}

/* Whatever stands up to the `>`, without white space. None: nothing behind can be an id. */
static bool read_raw_id(const char **at, const char *end, stralloc *out)
{
    const char *close = memchr(*at, '>', (size_t)(end - *at));
    if (close == NULL) {
        *at = end;
        return false;
    }
    out->len = 0;
    for (const char *p = *at; p < close; p++) {
        if (!is_blank(*p) && *p != '\r' && *p != '\n') {
            str_catc(out, *p);
        }
    }
    *at = close + 1;
    return out->len > 0;
}

bool mime_id_next(const char **at, const char *end, stralloc *out)
{
    const char *open;
    while (*at < end && (open = memchr(*at, '<', (size_t)(end - *at))) != NULL) {
        struct lexer lexer;
        *at = open + 1;
        out->len = 0;
        size_t left = (size_t)(end - *at);
        lexer_start(&lexer, *at, left < ID_PARSED_MAX ? left : ID_PARSED_MAX, NULL);
        if (read_id(&lexer, out)) {
            *at = lexer.p;
            return true;
        }
        if (read_raw_id(at, end, out)) {
            return true;
        }
    }
    *at = end;
    return false;
}

uint64_t mime_id_hash(const char *id, size_t n)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ (unsigned char)id[i]) * 0x100000001b3;
    }
    return hash != 0 ? hash : 1;
}
