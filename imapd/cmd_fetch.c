/* SPDX-License-Identifier: ISC */
/* FETCH: messages one after the other, each item by memcpy where the index or its cache has it. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "imapd/fetch.h"
#include "imapd/qresync.h"
#include "lib/mime_summary.h"
#include "lib/str.h"

/* A decimal number at `to`; where it ends. */
static char *put_number(char *to, uint64_t n)
{
    char digits[20];
    unsigned k = 0;
    do {
        digits[k++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    while (k > 0) {
        *to++ = digits[--k];
    }
    return to;
}

#define PUT(out, text) str_cat((out), (text), sizeof(text) - 1)

/* "01-Feb-2026 12:13:14 +0000" */
static void put_date(stralloc *out, uint32_t seconds)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t time = (time_t)seconds;
    struct tm tm;
    (void)gmtime_r(&time, &tm);
    str_catf(out, "\"%02d-%s-%04d %02d:%02d:%02d +0000\"", tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
             tm.tm_min, tm.tm_sec);
}

/* The same flags stand one after the other mostly: their text is made once. */
struct flags_memo {
    bool is_there, is_recent;
    uint8_t flags;
    uint64_t keywords;
    stralloc text;
};

static void make_flags(struct session *session, const struct record *record, struct flags_memo *memo)
{
    bool is_recent = session->folder.n_recent > 0 && folder_is_recent(&session->folder, record->uid);
    if (memo->is_there && memo->flags == record->flags && memo->keywords == record->keywords && memo->is_recent == is_recent) {
        return;
    }
    memo->is_there = true;
    memo->is_recent = is_recent;
    memo->flags = record->flags;
    memo->keywords = record->keywords;
    memo->text.len = 0;
    PUT(&memo->text, "FLAGS ");
    put_flags(&memo->text, &session->folder, record);
}

/* ENVELOPE, BODY, BODYSTRUCTURE. 0; 1 gone; -1 errno. */
static int put_summary(struct session *session, uint32_t index, enum fetch_kind kind)
{
    const char *bytes;
    size_t len;
    struct mime_summary summary;
    if (folder_summary(&session->folder, index, &bytes, &len) < 0) {
        return errno == ENOENT ? 1 : -1;
    }
    struct mime_slice text;
    enum mime_section section = kind == FETCH_ENVELOPE ? MIME_ENVELOPE : kind == FETCH_BODY ? MIME_BODY : MIME_BODYSTRUCTURE;
    if (!mime_summary_open(&summary, bytes, len)) {
        errno = EUCLEAN;
        return -1;
    }
    str_cats(&session->out, kind == FETCH_ENVELOPE ? "ENVELOPE " : kind == FETCH_BODY ? "BODY " : "BODYSTRUCTURE ");
    if (mime_summary_get(&summary, section, &text)) {
        str_cat(&session->out, text.bytes, text.n);
        return 0;
    }
    return fetch_put_long(session, index, section);
}

/* A word and a number, by one look at the room. */
static void put_pair(stralloc *out, const char *word, size_t n, uint64_t number, const char *end)
{
    char *room = str_room(out, n + 32);
    char *to = room;
    memcpy(to, word, n);
    to = put_number(to + n, number);
    while (*end != '\0') {
        *to++ = *end++;
    }
    out->len += (size_t)(to - room);
}

#define PUT_PAIR(out, word, number, end) put_pair((out), (word), sizeof(word) - 1, (number), (end))

static int put_item(struct session *session, uint32_t index, const struct fetch_item *item, struct flags_memo *memo)
{
    const struct record *record = folder_record(&session->folder, index);
    stralloc *out = &session->out;
    uint64_t size;
    uint32_t date;
    switch (item->kind) {
    case FETCH_UID:
        PUT_PAIR(out, "UID ", record->uid, "");
        return 0;
    case FETCH_FLAGS:
        make_flags(session, record, memo);
        str_cat(out, memo->text.s, memo->text.len);
        return 0;
    case FETCH_SIZE:
        if (folder_size(&session->folder, index, &size) < 0) {
            return errno == ENOENT ? 1 : -1;
        }
        PUT_PAIR(out, "RFC822.SIZE ", size, "");
        return 0;
    case FETCH_DATE:
        if (folder_date(&session->folder, index, &date) < 0) {
            return errno == ENOENT ? 1 : -1;
        }
        PUT(out, "INTERNALDATE ");
        put_date(out, date);
        return 0;
    case FETCH_MODSEQ:
        PUT_PAIR(out, "MODSEQ (", record->modseq, ")");
        modseq_sent(session, record->modseq);
        return 0;
    case FETCH_SECTION:
        return fetch_put_section(session, index, item);
    case FETCH_ENVELOPE:
    case FETCH_BODY:
    case FETCH_STRUCTURE:
        break;
    }
    return put_summary(session, index, item->kind);
}

/* What goes along unasked: UID of UID FETCH, MODSEQ of CHANGEDSINCE, FLAGS that this command has changed, and then UID and MODSEQ
 * as well (RFC 7162 3.2.4). */
struct extra {
    bool uid, modseq, flags;
    bool holds; /* several items are read from the file */
};

/* One message. 0; 1 it went: what was said of it is taken back where it can be; -1 errno. */
static int put_message(struct session *session, uint32_t index, const struct fetch *fetch, struct extra extra,
                       struct flags_memo *memo)
{
    static const struct fetch_item uid = {.kind = FETCH_UID};
    static const struct fetch_item modseq = {.kind = FETCH_MODSEQ};
    static const struct fetch_item flags = {.kind = FETCH_FLAGS};
    const struct fetch_item *more[] = {extra.uid ? &uid : NULL, extra.modseq ? &modseq : NULL, extra.flags ? &flags : NULL};
    stralloc *out = &session->out;
    session_room(session);
    size_t start = out->len;
    if (extra.holds) {
        folder_hold(&session->folder);
    }
    PUT_PAIR(out, "* ", folder_seq(&session->folder, index), " FETCH (");
    bool is_first = true;
    for (size_t i = 0; i < 3 + (size_t)fetch->n; i++) {
        const struct fetch_item *item = i < 3 ? more[i] : &fetch->item[i - 3];
        if (item == NULL) {
            continue;
        }
        if (!is_first) {
            str_catc(out, ' ');
        }
        is_first = false;
        int result = put_item(session, index, item, memo);
        if (result != 0) {
            /* Large sections may be on their way: then there is no going back. */
            session->wire.is_broken = session->wire.is_broken || out->len < start;
            out->len = out->len < start ? out->len : start;
            folder_release(&session->folder);
            return result;
        }
    }
    folder_release(&session->folder);
    PUT(out, ")\r\n");
    return 0;
}

static bool has_item(const struct fetch *fetch, enum fetch_kind kind)
{
    for (unsigned i = 0; i < fetch->n; i++) {
        if (fetch->item[i].kind == kind) {
            return true;
        }
    }
    return false;
}

static bool needs_file_twice(const struct fetch *fetch)
{
    unsigned n = 0;
    for (unsigned i = 0; i < fetch->n; i++) {
        enum fetch_kind kind = fetch->item[i].kind;
        n += kind == FETCH_SIZE || kind >= FETCH_ENVELOPE;
    }
    return n > 1;
}

/* Is the UID in the list? UIDs are asked for in ascending order: *at goes on with them. */
static bool has_next(const struct folder_list *uids, uint32_t *at, uint32_t uid)
{
    while (*at < uids->n && uids->item[*at] < uid) {
        ++*at;
    }
    return *at < uids->n && uids->item[*at] == uid;
}

static const struct reply *put_all(struct session *session, const struct fetch *fetch, const struct targets *targets,
                                   const struct folder_list *seen)
{
    struct folder *folder = &session->folder;
    struct flags_memo memo = {.text = STRALLOC_ZERO};
    const struct reply *reply = targets->has_expunged ? &reply_expunge_issued : NULL;
    uint32_t at_seen = 0;
    bool has_flags = has_item(fetch, FETCH_FLAGS);
    bool has_modseq = has_item(fetch, FETCH_MODSEQ);
    bool has_uid = has_item(fetch, FETCH_UID);
    struct extra extra = {.holds = needs_file_twice(fetch)};
    session_tell_names(session);
    for (uint32_t k = 0; k < targets->n; k++) {
        for (uint32_t i = targets->span[k].from; i < targets->span[k].to && !session->wire.is_broken; i++) {
            const struct record *record = folder_record(folder, i);
            if (record->state & RECORD_IS_GONE || (fetch->has_since && record->modseq <= fetch->since)) {
                continue;
            }
            bool is_seen_now = has_next(seen, &at_seen, record->uid);
            bool is_told = is_seen_now && session->condstore;
            extra.uid = !has_uid && (session->is_uid || is_told);
            extra.flags = !has_flags && is_seen_now;
            extra.modseq = !has_modseq && (fetch->has_since || is_told);
            int result = put_message(session, i, fetch, extra, &memo);
            if (result < 0) {
                reply = reply_of_errno(errno);
            } else if (result > 0) {
                reply = &reply_expunge_issued;
            }
        }
    }
    stralloc_free(&memo.text);
    folder_cache_flush(folder);
    return reply;
}

/* Sections without PEEK set \Seen, before they are sent: one store for all. */
static const struct reply *mark_seen(struct session *session, const struct fetch *fetch, struct targets *targets,
                                     struct folder_list *seen)
{
    struct folder *folder = &session->folder;
    struct folder_store store = {.how = STORE_ADD, .flags = MAILBOX_SEEN};
    for (uint32_t k = 0; k < targets->n; k++) {
        for (uint32_t i = targets->span[k].from; i < targets->span[k].to; i++) {
            const struct record *record = folder_record(folder, i);
            if (!(record->flags & MAILBOX_SEEN) && !(record->state & RECORD_IS_GONE)) {
                folder_list_add(seen, record->uid);
            }
        }
    }
    if (seen->n == 0) {
        return NULL;
    }
    if (folder_store(folder, seen, &store, NULL) < 0) {
        return reply_of_errno(errno);
    }
    targets_free(targets);
    return session_targets(session, &fetch->set, session->is_uid, targets); /* the store may have renumbered */
}

static const struct reply *run(struct session *session, struct fetch *fetch)
{
    struct targets targets = {0};
    struct folder_list seen = {0};
    if (fetch->has_vanished && (!fetch->has_since || !session->is_uid || !session->qresync)) {
        return &reply_bad_modifier;
    }
    const struct reply *reply = session_targets(session, &fetch->set, session->is_uid, &targets);
    if (reply == NULL && (fetch->has_since || has_item(fetch, FETCH_MODSEQ))) {
        modseq_enable(session);
    }
    if (reply == NULL && fetch->sets_seen && session->folder.mode == FOLDER_WRITE) {
        reply = mark_seen(session, fetch, &targets, &seen);
    }
    if (reply == NULL && fetch->has_vanished) {
        qresync_put_vanished(session, fetch->since, fetch->set.is_saved ? &session->saved : &fetch->set, 0);
    }
    if (reply == NULL) {
        reply = put_all(session, fetch, &targets, &seen);
    }
    targets_free(&targets);
    folder_list_free(&seen);
    return reply != NULL ? reply : &reply_done;
}

const struct reply *cmd_fetch(struct session *session, struct parser *parser)
{
    struct fetch fetch = {0};
    const struct reply *reply = fetch_parse(parser, &fetch) ? run(session, &fetch) : &reply_syntax;
    fetch_free(&fetch);
    return reply;
}
