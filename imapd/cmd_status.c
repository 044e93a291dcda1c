/* SPDX-License-Identifier: ISC */
/* STATUS (RFC 3501 6.3.10, 8438, 7162). The counts stand in the index's header and journal: no message is touched. */
#include "imapd/status.h"

#include <errno.h>

#include "imapd/mailboxes.h"
#include "lib/str.h"

static const struct {
    const char *word;
    unsigned item;
} items_known[] = {{"MESSAGES", STATUS_MESSAGES},           {"RECENT", STATUS_RECENT},  {"UIDNEXT", STATUS_UIDNEXT},
                   {"UIDVALIDITY", STATUS_UIDVALIDITY},     {"UNSEEN", STATUS_UNSEEN},  {"SIZE", STATUS_SIZE},
                   {"HIGHESTMODSEQ", STATUS_HIGHESTMODSEQ}, {"DELETED", STATUS_DELETED}};

static unsigned item_of(struct slice word)
{
    for (size_t i = 0; i < sizeof items_known / sizeof *items_known; i++) {
        if (slice_is(word, items_known[i].word)) {
            return items_known[i].item;
        }
    }
    return 0;
}

bool status_parse(struct parser *parser, unsigned *items_out)
{
    struct slice word;
    *items_out = 0;
    if (!parse_char(parser, '(')) {
        return false;
    }
    do {
        if (!parse_atom(parser, &word) || item_of(word) == 0) {
            return false;
        }
        *items_out |= item_of(word);
    } while (parse_space(parser));
    return parse_char(parser, ')');
}

/* Files that nobody has looked at yet are looked at, once. */
static uint64_t sum_sizes(struct folder *folder)
{
    uint64_t sum = 0;
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        uint64_t size;
        sum += folder_size(folder, i, &size) < 0 ? 0 : size; /* else it went */
    }
    folder_cache_flush(folder);
    return sum;
}

static uint32_t count_recent(struct folder *folder)
{
    uint32_t n = 0;
    uint32_t i = folder_index_at_uid(folder, folder->first_recent);
    for (; i < folder_end(folder); i++) {
        n += !(folder_record(folder, i)->state & RECORD_IS_GONE);
    }
    return n;
}

static void put_items(struct session *session, struct folder *folder, unsigned items)
{
    const uint64_t values[] = {
        folder->n_live,   items & STATUS_RECENT ? count_recent(folder) : 0, folder->uidnext, folder->head.uidvalidity,
        folder->n_unseen, items & STATUS_SIZE ? sum_sizes(folder) : 0,      folder->modseq,  folder->n_deleted};
    const char *before = " (";
    for (size_t i = 0; i < sizeof items_known / sizeof *items_known; i++) {
        if (items & items_known[i].item) {
            session_putf(session, "%s%s %llu", before, items_known[i].word, (unsigned long long)values[i]);
            before = " ";
        }
    }
    session_put(session, ")\r\n");
}

struct look {
    struct session *session;
    const char *name;
    unsigned items;
    struct folder folder;
};

static int put_line(void *ctx)
{
    struct look *look = ctx;
    struct session *session = look->session;
    if (folder_sync(&look->folder, FOLDER_LOOK) < 0) {
        return -1;
    }
    stralloc shown = STRALLOC_ZERO;
    mailboxes_name_append(session->settings, look->name, &shown);
    session_put(session, "* STATUS ");
    mailboxes_put_astring(&session->out, shown.s, shown.len);
    put_items(session, &look->folder, look->items);
    stralloc_free(&shown);
    return 0;
}

static int look_once(struct look *look)
{
    if (folder_open(&look->folder, look->session->root, look->name, FOLDER_READ) < 0) {
        return -1;
    }
    size_t said = look->session->out.len;
    look->folder.work = look->session->work;
    int result = folder_guarded(&look->folder, put_line, look);
    int error = errno;
    if (result < 0) {
        look->session->out.len = said;
    } else {
        folder_tidy_late(&look->folder);
    }
    folder_close(&look->folder);
    errno = error;
    return result;
}

const struct reply *status_put(struct session *session, const char *name, unsigned items)
{
    struct look look = {.session = session, .name = name, .items = items};
    int result = look_once(&look);
    if (result < 0 && errno == EUCLEAN) {
        result = look_once(&look);
    }
    return result < 0 ? reply_of_errno(errno) : NULL;
}

const struct reply *cmd_status(struct session *session, struct parser *parser)
{
    struct slice name;
    unsigned items;
    if (!parse_space(parser) || !parse_astring(parser, &name) || !parse_space(parser) || !status_parse(parser, &items) ||
        !parse_end(parser)) {
        return &reply_syntax;
    }
    stralloc folder = STRALLOC_ZERO;
    const struct reply *reply = &reply_no_folder;
    if (mailboxes_folder(session->settings, name, &folder) && mailboxes_exists(session->root, folder.s)) {
        reply = status_put(session, folder.s, items);
    }
    if (items & STATUS_HIGHESTMODSEQ) {
        modseq_enable(session);
    }
    stralloc_free(&folder);
    return reply != NULL ? reply : &reply_done;
}
