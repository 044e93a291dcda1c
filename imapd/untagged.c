/* SPDX-License-Identifier: ISC */
/* What others changed, told to the client: expunges only where sequence numbers may move (RFC 3501 7.4.1, 5.5), then new keywords
 * and EXISTS, then flags. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/session.h"
#include "lib/str.h"

static const struct {
    uint8_t flag;
    const char *name;
} names[] = {{MAILBOX_REPLIED, "\\Answered"},
             {MAILBOX_FLAGGED, "\\Flagged"},
             {MAILBOX_TRASHED, "\\Deleted"},
             {MAILBOX_SEEN, "\\Seen"},
             {MAILBOX_DRAFT, "\\Draft"}};

static void put_word(stralloc *out, size_t start, const char *word, size_t n)
{
    if (out->len > start) {
        str_catc(out, ' ');
    }
    str_cat(out, word, n);
}

void put_flags(stralloc *out, const struct folder *folder, const struct record *record)
{
    str_catc(out, '(');
    size_t start = out->len;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (record->flags & names[i].flag) {
            put_word(out, start, names[i].name, strlen(names[i].name));
        }
    }
    if (folder->n_recent > 0 && folder_is_recent(folder, record->uid)) {
        put_word(out, start, "\\Recent", 7);
    }
    for (uint64_t bits = record->keywords; bits != 0; bits &= bits - 1) {
        unsigned number = (unsigned)__builtin_ctzll(bits);
        if (folder->keywords.len[number] > 0) {
            put_word(out, start, folder->keywords.text.s + folder->keywords.at[number], folder->keywords.len[number]);
        }
    }
    str_catc(out, ')');
}

static void put_keywords(stralloc *out, const struct keywords *keywords)
{
    for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
        if (keywords->len[i] > 0) {
            str_catc(out, ' ');
            str_cat(out, keywords->text.s + keywords->at[i], keywords->len[i]);
        }
    }
}

void session_put_names(struct session *session)
{
    static const char flags[] = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";
    const struct keywords *keywords = &session->folder.keywords;
    session->told_changes = keywords->changes;
    session->told_keywords.len = 0;
    put_keywords(&session->told_keywords, keywords);
    const char *told = str_text(&session->told_keywords);
    session_putf(session, "* FLAGS (%s%s)\r\n* OK [PERMANENTFLAGS (", flags, told);
    if (session->folder.mode == FOLDER_WRITE) {
        session_putf(session, "%s%s%s", flags, told, keywords_free_number(keywords) >= 0 ? " \\*" : "");
    }
    session_put(session, ")] flags that stay\r\n");
}

void session_tell_names(struct session *session)
{
    const struct keywords *keywords = &session->folder.keywords;
    if (keywords->changes == session->told_changes) {
        return;
    }
    session->told_changes = keywords->changes; /* a new base counts as a change, mostly without one */
    stralloc now = STRALLOC_ZERO;
    put_keywords(&now, keywords);
    bool is_same = now.len == session->told_keywords.len && memcmp(str_text(&now), session->told_keywords.s, now.len) == 0;
    stralloc_free(&now);
    if (!is_same) {
        session_put_names(session);
    }
}

void put_uids(stralloc *out, const struct folder_list *uids)
{
    for (uint32_t i = 0; i < uids->n;) {
        uint32_t last = i;
        while (last + 1 < uids->n && uids->item[last + 1] == uids->item[last] + 1) {
            last++;
        }
        str_catf(out, i > 0 ? ",%u" : "%u", uids->item[i]);
        if (last > i) {
            str_catf(out, ":%u", uids->item[last]);
        }
        i = last + 1;
    }
}

void session_put_flags(struct session *session, uint32_t index)
{
    struct folder *folder = &session->folder;
    const struct record *record = folder_record(folder, index);
    session_putf(session, "* %u FETCH (FLAGS ", folder_seq(folder, index));
    put_flags(&session->out, folder, record);
    if (session->is_uid || session->condstore) {
        session_putf(session, " UID %u", record->uid);
    }
    if (session->condstore) {
        session_putf(session, " MODSEQ (%llu)", (unsigned long long)record->modseq);
        modseq_sent(session, record->modseq);
    }
    session_put(session, ")\r\n");
    session_room(session);
}

static void tell_expunge(void *ctx, uint32_t seq, uint32_t uid)
{
    struct session *session = ctx;
    (void)uid;
    session_putf(session, "* %u EXPUNGE\r\n", seq);
    session_room(session);
}

static void gather_vanished(void *ctx, uint32_t seq, uint32_t uid)
{
    (void)seq;
    folder_list_add(ctx, uid);
}

static int compare_uids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void tell_expunges(struct session *session)
{
    if (!session->qresync) {
        folder_tell_expunges(&session->folder, tell_expunge, session);
        return;
    }
    struct folder_list gone = {0};
    folder_tell_expunges(&session->folder, gather_vanished, &gone);
    if (gone.n > 0) {
        qsort(gone.item, gone.n, sizeof *gone.item, compare_uids);
        session_put(session, "* VANISHED ");
        put_uids(&session->out, &gone);
        session_put(session, "\r\n");
    }
    folder_list_free(&gone);
}

static uint32_t count_recent(struct folder *folder)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < folder->n_recent; i++) {
        uint32_t index = folder_index_at_uid(folder, folder->recent[i].from);
        for (; index < folder_end(folder) && folder_record(folder, index)->uid < folder->recent[i].to; index++) {
            n += !(folder_record(folder, index)->state & RECORD_IS_GONE);
        }
    }
    return n;
}

static void tell_changed(struct session *session)
{
    struct folder *folder = &session->folder;
    if (folder->changed.n > 1) {
        qsort(folder->changed.item, folder->changed.n, sizeof *folder->changed.item, compare_uids);
    }
    for (uint32_t i = 0; i < folder->changed.n; i++) {
        uint32_t index = folder->changed.item[i];
        bool is_repeated = i > 0 && index == folder->changed.item[i - 1];
        if (!is_repeated && index < folder->told_end && !(folder_record(folder, index)->state & RECORD_IS_GONE)) {
            session_put_flags(session, index);
        }
    }
    folder->changed.n = 0;
}

void session_tell(struct session *session, bool may_expunge)
{
    struct folder *folder = &session->folder;
    if (may_expunge) {
        tell_expunges(session);
    }
    session_tell_names(session);
    bool has_new = folder->told_end < folder_end(folder);
    if (has_new) {
        session->told_exists = folder_tell_exists(folder);
        session->told_recent = count_recent(folder);
        session_putf(session, "* %u EXISTS\r\n* %u RECENT\r\n", session->told_exists, session->told_recent);
    }
    tell_changed(session);
}

bool session_sync(struct session *session, enum folder_depth depth)
{
    if (session->is_selected && folder_sync(&session->folder, depth) < 0) {
        const struct reply *reply = reply_of_errno(errno);
        session_putf(session, "* BYE [%s] the mailbox cannot be read any more; log in again\r\n", reply->code);
        session->is_over = true;
        return false;
    }
    return true;
}

bool session_look(struct session *session, enum folder_depth depth, bool may_expunge)
{
    if (!session_sync(session, depth)) {
        return false;
    }
    if (session->is_selected) {
        session_tell(session, may_expunge);
        modseq_tell(session);
    }
    return true;
}
