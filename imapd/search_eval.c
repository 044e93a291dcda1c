/* SPDX-License-Identifier: ISC */
/* Three values: yes, no, not looked at. First the keys that the record answers, then those of the summary, then those that open
 * the message; as soon as the whole is decided nothing more is looked at. */
#include <string.h>

#include "imapd/search.h"
#include "lib/clock.h"
#include "lib/str.h"

enum { NO, YES, UNKNOWN };
enum { DAY = 86400 };

static int cost_of(enum search_kind kind)
{
    return kind >= SEARCH_HEADER ? 2 : kind >= SEARCH_SENT_BEFORE ? 1 : 0;
}

static bool is_in(const struct targets *targets, uint32_t index)
{
    uint32_t low = 0;
    uint32_t high = targets->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (targets->span[middle].to <= index) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < targets->n && targets->span[low].from <= index;
}

static bool by_size(struct session *session, const struct search_key *key, uint32_t index)
{
    uint64_t size;
    if (folder_size(&session->folder, index, &size) < 0) {
        return false;
    }
    return key->kind == SEARCH_LARGER ? size > (uint64_t)key->number : size < (uint64_t)key->number;
}

/* The time of day does not count; INTERNALDATE is shown in UTC, and compared so. */
static bool by_day(enum search_kind kind, int64_t day, int64_t wanted)
{
    switch (kind) {
    case SEARCH_BEFORE:
    case SEARCH_SENT_BEFORE:
        return day < wanted;
    case SEARCH_ON:
    case SEARCH_SENT_ON:
        return day == wanted;
    default:
        return day >= wanted;
    }
}

static bool by_arrival(struct session *session, const struct search_key *key, uint32_t index)
{
    uint32_t date;
    return folder_date(&session->folder, index, &date) == 0 && by_day(key->kind, (int64_t)date / DAY * DAY, key->number);
}

static bool by_record(struct session *session, const struct search_key *key, uint32_t index)
{
    const struct record *record = folder_record(&session->folder, index);
    bool is_recent = folder_is_recent(&session->folder, record->uid);
    switch (key->kind) {
    case SEARCH_FLAGS:
        return record->flags & key->flags;
    case SEARCH_NO_FLAGS:
        return !(record->flags & key->flags);
    case SEARCH_KEYWORD:
        return key->keyword >= 0 && record->keywords >> key->keyword & 1;
    case SEARCH_NO_KEYWORD:
        return key->keyword < 0 || !(record->keywords >> key->keyword & 1);
    case SEARCH_RECENT:
        return is_recent;
    case SEARCH_NEW:
        return is_recent && !(record->flags & MAILBOX_SEEN);
    case SEARCH_OLD:
        return !is_recent;
    case SEARCH_BEFORE:
    case SEARCH_ON:
    case SEARCH_SINCE:
        return by_arrival(session, key, index);
    case SEARCH_LARGER:
    case SEARCH_SMALLER:
        return by_size(session, key, index);
    case SEARCH_SEQS:
    case SEARCH_UIDS:
        return is_in(&key->targets, index);
    case SEARCH_MODSEQ:
        return record->modseq >= (uint64_t)key->number;
    default:
        return true;
    }
}

/* The day that the Date field shows, without its zone (RFC 3501 6.4.4). A message without one: no match. */
static bool by_sent(const struct search_key *key, const struct mime_summary *summary)
{
    if (!(summary->flags & MIME_SUMMARY_HAS_DATE)) {
        return false;
    }
    int64_t local = summary->sent + (int64_t)summary->zone * 60;
    int64_t day = local >= 0 ? local / DAY : -((-local + DAY - 1) / DAY);
    return by_day(key->kind, day * DAY, key->number);
}

static bool by_summary(struct session *session, const struct search_key *key, uint32_t index)
{
    static const enum mime_section columns[] = {MIME_SEARCH_FROM, MIME_SEARCH_TO, MIME_SEARCH_CC, MIME_SEARCH_BCC,
                                                MIME_SEARCH_SUBJECT};
    static const char *const fields[] = {"From", "To", "Cc", "Bcc", "Subject"};
    const char *bytes;
    size_t len;
    struct mime_summary summary;
    struct mime_slice text;
    if (folder_summary(&session->folder, index, &bytes, &len) < 0 || !mime_summary_open(&summary, bytes, len)) {
        return false;
    }
    if (key->kind < SEARCH_FROM) {
        return by_sent(key, &summary);
    }
    size_t column = (size_t)(key->kind - SEARCH_FROM);
    if (!mime_summary_get(&summary, columns[column], &text)) {
        struct search_key header = *key;
        header.kind = SEARCH_HEADER;
        header.field = (struct slice){fields[column], strlen(fields[column])};
        return search_in_message(session, index, &header);
    }
    return search_has(text.bytes, text.n, &key->text);
}

/* What opens messages costs a client nothing and us everything: as many keys as there are, times all that lies in the mailbox. */
static bool may_read(struct search *search)
{
    if (search->end_ms > 0 && clock_processor_ms() > search->end_ms) {
        search->trouble = &reply_search_time;
    }
    return search->trouble == NULL;
}

static int judge_key(struct session *session, struct search *search, const struct search_key *key, uint32_t index)
{
    switch (cost_of(key->kind)) {
    case 0:
        return by_record(session, key, index);
    case 1:
        return by_summary(session, key, index);
    default:
        return may_read(search) && search_in_message(session, index, key);
    }
}

static int join(enum search_kind kind, int a, int b)
{
    int decides = kind == SEARCH_OR ? YES : NO;
    if (a == decides || b == decides) {
        return decides;
    }
    return a == UNKNOWN || b == UNKNOWN ? UNKNOWN : 1 - decides;
}

/* Keys up to this cost; known[] keeps what was found for the next round. */
static int judge(struct session *session, struct search *search, uint32_t index, int cost)
{
    uint8_t *known = search->known;
    uint8_t *stack = search->stack;
    unsigned n = 0;
    for (unsigned i = 0; i < search->n; i++) {
        const struct search_key *key = &search->key[i];
        switch (key->kind) {
        case SEARCH_AND:
        case SEARCH_OR:
            n--;
            stack[n - 1] = (uint8_t)join(key->kind, stack[n - 1], stack[n]);
            break;
        case SEARCH_NOT:
            stack[n - 1] = stack[n - 1] == UNKNOWN ? UNKNOWN : (uint8_t)(1 - stack[n - 1]);
            break;
        default:
            if (known[i] == UNKNOWN && cost_of(key->kind) <= cost) {
                known[i] = (uint8_t)judge_key(session, search, key, index);
            }
            stack[n++] = known[i];
            break;
        }
    }
    return stack[0];
}

static bool matches(struct session *session, struct search *search, uint32_t index)
{
    memset(search->known, UNKNOWN, search->n);
    int result = UNKNOWN;
    for (int cost = 0; cost <= 2 && result == UNKNOWN; cost++) {
        result = judge(session, search, index, cost);
    }
    return result == YES;
}

void search_run(struct session *session, struct search *search, struct folder_list *out)
{
    struct folder *folder = &session->folder;
    search->known = memory_get(search->n + 1, 1);
    search->stack = memory_get(search->n + 1, 1);
    uint64_t seconds = session->settings->searchtime;
    search->end_ms = seconds == 0 ? 0 : clock_processor_ms() + seconds * 1000;
    for (uint32_t i = folder_first(folder); i < folder->told_end && search->trouble == NULL; i = folder_next(folder, i)) {
        if (matches(session, search, i)) {
            folder_list_add(out, i);
        }
    }
    folder_cache_flush(folder);
}
