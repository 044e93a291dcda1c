/* SPDX-License-Identifier: ISC */
/* A message file in words. Everything that came from outside is escaped. */
#include <string.h>

#include "lib/date.h"
#include "lib/str.h"
#include "queue/qcheck_file.h"

static void put_foreign(stralloc *out, const char *label, const char *value)
{
    if (value != NULL) {
        str_cats(out, label);
        str_cat_printable(out, value, strlen(value));
        str_catc(out, '\n');
    }
}

static void put_date(stralloc *out, uint64_t seconds)
{
    date_append(out, seconds);
}

static void put_flags(stralloc *out, uint32_t flags)
{
    static const struct {
        uint32_t bit;
        const char *word;
    } words[] = {{SPOOLFILE_8BIT, " 8bit"},
                 {SPOOLFILE_UTF8, " utf8"},
                 {SPOOLFILE_BOUNCE, " bounce"},
                 {SPOOLFILE_REQUIRETLS, " requiretls"}};
    str_cats(out, "flags      ");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (flags & words[i].bit) {
            str_cats(out, words[i].word + 1);
            str_catc(out, ' ');
        }
    }
    str_cats(out, flags == 0 ? "none\n" : "\n");
}

static void put_header(stralloc *out, const struct spoolfile_header *h)
{
    str_cats(out, "accepted   ");
    put_date(out, h->accepted_us / 1000000);
    str_catf(out, "\nmessage    %llu bytes, %lu lines, at byte %d, sum %08lx\n", (unsigned long long)h->mlen,
             (unsigned long)h->lines, SPOOLFILE_HEADER, (unsigned long)h->message_crc);
    str_catf(out, "envelope   %llu bytes at byte %llu, sum %08lx\n", (unsigned long long)h->elen,
             (unsigned long long)spoolfile_envelope_at(h), (unsigned long)h->envelope_crc);
    put_flags(out, h->flags);
}

static void put_envelope(stralloc *out, const struct spoolfile_envelope *e)
{
    put_foreign(out, "sender     ", *e->sender == 0 ? "(none: a bounce)" : e->sender);
    put_foreign(out, "uid        ", e->uid);
    put_foreign(out, "greeting   ", e->helo);
    put_foreign(out, "address    ", e->ip);
    put_foreign(out, "login      ", e->login);
    put_foreign(out, "tls        ", e->tls);
    put_foreign(out, "envid      ", e->envid);
    put_foreign(out, "return     ", e->ret);
    put_foreign(out, "extra      ", e->extra);
}

static const char *mark_word(char mark)
{
    switch (mark) {
    case '.':
        return "waiting";
    case 'K':
        return "delivered";
    case 'D':
        return "failed";
    case 'B':
        return "reported";
    default:
        return "(bad mark)";
    }
}

static void put_recipients(stralloc *out, const struct qcheck_file *file, size_t at)
{
    struct spoolfile_recipient r;
    const char *marks = file->tail.s + file->header.elen;
    str_catf(out, "recipients %lu: %lu waiting, %lu delivered, %lu failed, %lu reported\n", (unsigned long)file->header.n,
             (unsigned long)file->waiting, (unsigned long)file->delivered, (unsigned long)file->failed,
             (unsigned long)file->reported);
    for (uint32_t i = 0; spoolfile_recipient_next(file->tail.s, (size_t)file->header.elen, &at, &r) == 1 && i < file->header.n;
         i++) {
        str_catf(out, "  %-5lu %-10s ", (unsigned long)i, mark_word(marks[i]));
        str_cat_printable(out, r.address, strlen(r.address));
        str_cats(out, r.notify != NULL ? " notify=" : "");
        str_cat_printable(out, r.notify, r.notify != NULL ? strlen(r.notify) : 0);
        str_cats(out, r.orcpt != NULL ? " orcpt=" : "");
        str_cat_printable(out, r.orcpt, r.orcpt != NULL ? strlen(r.orcpt) : 0);
        str_catc(out, '\n');
    }
}

static void put_notes(stralloc *out, const struct qcheck_file *file)
{
    struct spoolfile_note note;
    size_t at = (size_t)file->header.elen + file->header.n;
    const char *label = "notes\n";
    while (spoolfile_note_next(file->tail.s, file->tail.len, &at, &note) == 1) {
        str_cats(out, label);
        label = "";
        str_cats(out, "  ");
        put_date(out, note.seconds);
        str_catf(out, "  recipient %lu  %c  ", (unsigned long)note.n, note.letter);
        str_cat_printable(out, note.site, note.site_len);
        str_cats(out, "  ");
        str_cat_printable(out, note.text, note.text_len);
        str_catc(out, '\n');
    }
}

void qcheck_file_print(stralloc *out, struct qcheck_file *file, const char *name)
{
    static const char *const verdicts[] = {"good", "TORN", "DAMAGED", "UNREADABLE"};
    struct spoolfile_envelope envelope;
    size_t at;
    str_cat_printable(out, name, strlen(name));
    str_catf(out, ": %s\n", verdicts[file->verdict]);
    put_foreign(out, "trouble    ", file->why.len > 0 ? str_text(&file->why) : NULL);
    put_foreign(out, "remark     ", file->remark.len > 0 ? str_text(&file->remark) : NULL);
    if (!file->has_header) {
        return;
    }
    put_header(out, &file->header);
    if (spoolfile_envelope_read(file->tail.s, (size_t)file->header.elen, &envelope, &at)) {
        put_envelope(out, &envelope);
        put_recipients(out, file, at);
    }
    put_notes(out, file);
}
