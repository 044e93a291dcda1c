/* SPDX-License-Identifier: ISC */
/* Sections of parts, and header fields, by a message's summary. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imapd/fetch.h"
#include "lib/crlf.h"
#include "lib/mime_select.h"
#include "lib/str.h"

static struct mime_field_names names_of(const struct fetch_item *item, struct mime_slice list[FETCH_FIELDS_MAX])
{
    for (unsigned i = 0; i < item->n_fields; i++) {
        list[i] = (struct mime_slice){item->field[i].bytes, item->field[i].len};
    }
    return (struct mime_field_names){.list = list, .n = item->n_fields, .is_not = item->text == TEXT_FIELDS_NOT};
}

void fetch_put_fields(stralloc *out, const struct fetch_item *item, const char *header, size_t n)
{
    struct mime_slice list[FETCH_FIELDS_MAX];
    struct mime_field_names names = names_of(item, list);
    size_t start = out->len;
    mime_select_append(out, header, n, &names);
    crlf_hide_nul(str_text(out) + start, out->len - start);
}

static int open_summary(struct session *session, uint32_t index, struct mime_summary *out)
{
    const char *bytes;
    size_t len;
    if (folder_summary(&session->folder, index, &bytes, &len) < 0) {
        return errno == ENOENT ? 1 : -1;
    }
    if (!mime_summary_open(out, bytes, len)) {
        errno = EUCLEAN;
        return -1;
    }
    return 0;
}

bool fetch_cached_fields(struct session *session, uint32_t index, const struct fetch_item *item, stralloc *out)
{
    struct mime_summary summary;
    struct mime_slice fields;
    for (unsigned i = 0; i < item->n_fields; i++) {
        if (mime_name_of(item->field[i].bytes, item->field[i].len) == MIME_OTHER) {
            return false;
        }
    }
    if (open_summary(session, index, &summary) != 0 || !mime_summary_get(&summary, MIME_FIELDS, &fields)) {
        return false;
    }
    fetch_put_fields(out, item, fields.bytes, fields.n);
    if (!(summary.flags & MIME_SUMMARY_IS_ALL_HEADER)) {
        str_cat(out, "\r\n", 2);
    }
    return true;
}

/* A message that is no multipart is its own part 1, whose header for MIME is the message's. */
static void place_of(const struct mime_part *parts, uint32_t found, const struct fetch_item *item, struct fetch_place *out)
{
    const struct mime_part *part = &parts[found];
    /* HEADER and TEXT belong to messages: of a message/rfc822 they are those of the message inside. */
    bool is_inner =
        item->text == TEXT_HEADER || item->text == TEXT_FIELDS || item->text == TEXT_FIELDS_NOT || item->text == TEXT_TEXT;
    if (is_inner) {
        if (part->kind != MIME_MESSAGE || part->children == 0) {
            return;
        }
        part = &parts[found + 1];
    }
    out->is_there = true;
    bool is_body = item->text == TEXT_WHOLE || item->text == TEXT_TEXT;
    out->at = is_body ? part->body.offset : part->start.offset;
    out->len = is_body ? part->end.offset - part->body.offset : part->body.offset - part->start.offset;
}

int fetch_find_part(struct session *session, uint32_t index, const struct fetch_item *item, struct fetch_place *out)
{
    struct mime_summary summary;
    int result = open_summary(session, index, &summary);
    *out = (struct fetch_place){0};
    if (result != 0) {
        return result;
    }
    struct mime_part *parts = memory_get(summary.parts + 1, sizeof *parts);
    mime_summary_parts(&summary, parts);
    uint32_t found = summary.parts == 0 ? MIME_NONE : mime_find(parts, item->path, item->n_path);
    if (found != MIME_NONE) {
        place_of(parts, found, item, out);
    } else if (item->text == TEXT_WHOLE || item->text == TEXT_MIME) {
        out->is_there = summary.parts > 0 && mime_is_shown_only(parts, item->path, item->n_path); /* and empty */
    }
    free(parts);
    return 0;
}

int fetch_put_long(struct session *session, uint32_t index, enum mime_section section)
{
    struct mime_summary_work *work = session->folder.work;
    int fd = folder_open_message(&session->folder, index, NULL);
    if (fd < 0) {
        return errno == ENOENT ? 1 : -1;
    }
    char piece[65536];
    ssize_t n;
    mime_start(&work->mime);
    while ((n = read(fd, piece, sizeof piece)) > 0) {
        mime_feed(&work->mime, piece, (size_t)n);
    }
    int error = errno;
    close(fd);
    errno = error;
    if (n < 0) {
        return -1;
    }
    mime_end(&work->mime);
    if (section == MIME_ENVELOPE) {
        mime_envelope_append(&session->out, &work->text, &work->mime, 0);
    } else {
        mime_structure_append(&session->out, &work->text, &work->mime, section == MIME_BODYSTRUCTURE);
    }
    return 0;
}
