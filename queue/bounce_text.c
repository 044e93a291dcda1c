/* SPDX-License-Identifier: ISC */
/* A bounce, piece by piece. For people: who failed and what can be done. For qmail's list managers: QSBMF paragraphs, byte for
 * byte what they look for. For the rest: RFC 3464. It answers automatically (RFC 3834) and is never answered: its sender is
 * empty. */
#include <string.h>

#include "lib/date.h"
#include "lib/str.h"
#include "queue/bounce_words.h"

static const char *or_else(const char *value, const char *otherwise)
{
    return value != NULL && *value != '\0' ? value : otherwise;
}

static bool has_8bit_copy(const struct bounce_text *text)
{
    return (text->file->header.flags & SPOOLFILE_8BIT) != 0;
}

static void put_date(stralloc *out, const char *name, uint64_t seconds)
{
    str_cats(out, name);
    date_append(out, seconds);
    str_catc(out, '\n');
}

static void put_part(stralloc *out, const struct bounce_text *text, const char *type, const char *parameter, bool is_8bit)
{
    str_catf(out, "--%s\nContent-Type: %s%s\n", text->boundary, type, parameter);
    str_cats(out, is_8bit ? "Content-Transfer-Encoding: 8bit\n\n" : "\n");
}

static void put_mail_header(stralloc *out, const struct bounce_text *text)
{
    const struct bounce_settings *settings = text->settings;
    put_date(out, "Date: ", text->now);
    str_catf(out, "From: %s@%s\nTo: <%s>\nSubject: failure notice\n", or_else(settings->bouncefrom, "MAILER-DAEMON"),
             or_else(settings->bouncehost, settings->me), text->to);
    str_catf(out, "Message-ID: <%s.bounce%lu%s@%s>\n", text->id, (unsigned long)text->first, text->is_double ? "d" : "",
             settings->me);
    if (*text->message_id != '\0') {
        str_catf(out, "In-Reply-To: %s\nReferences: %s\n", text->message_id, text->message_id);
    }
    str_cats(out, "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n");
    str_catf(out, "Content-Type: multipart/report; report-type=delivery-status;\n boundary=\"%s\"\n", text->boundary);
    str_cats(out, text->has_8bit_notice || has_8bit_copy(text) ? "Content-Transfer-Encoding: 8bit\n\n" : "\n");
}

void bounce_text_head(stralloc *out, const struct bounce_text *text)
{
    put_mail_header(out, text);
    put_part(out, text, "text/plain", text->has_8bit_notice ? "; charset=utf-8" : "; charset=us-ascii", text->has_8bit_notice);
    str_catf(out, "Hi. This is the stafet-send program at %s.\n", text->settings->me);
    if (text->is_double) {
        str_cats(out, "I tried to deliver a bounce message to this address, but the bounce bounced!\n");
    } else {
        str_cats(out, "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
                      "This is a permanent error; I've given up. Sorry it didn't work out.\n");
    }
    str_catf(out, "This host's log knows the message as %s.\n\n", text->id);
}

void bounce_text_paragraph(stralloc *out, const struct bounce_text *text, const struct bounce_recipient *recipient)
{
    stralloc reason = STRALLOC_ZERO;
    str_catc(out, '<');
    bounce_words_foreign(out, recipient->address, strlen(recipient->address));
    str_cats(out, ">:\n");
    bounce_words_reason(&reason, text, recipient);
    bounce_words_wrap(out, reason.s, reason.len, "");
    str_catc(out, '\n');
    stralloc_free(&reason);
}

bool bounce_text_is_8bit(const struct bounce_recipient *recipient)
{
    stralloc words = STRALLOC_ZERO;
    bounce_words_foreign(&words, recipient->address, strlen(recipient->address));
    if (recipient->has_note) {
        bounce_words_foreign(&words, recipient->note.text, recipient->note.text_len);
    }
    bool is_8bit = false;
    for (size_t i = 0; i < words.len; i++) {
        is_8bit = is_8bit || (unsigned char)words.s[i] >= 0x80;
    }
    stralloc_free(&words);
    return is_8bit;
}

static const char *copy_remark(enum bounce_copy copy)
{
    switch (copy) {
    case BOUNCE_COPY_WHOLE:
        return "";
    case BOUNCE_COPY_ASKED:
        return "Only its header, as its sender asked (RET=HDRS).\n";
    case BOUNCE_COPY_LARGE:
        return "Only its header: it is too large to be sent back whole.\n";
    case BOUNCE_COPY_HUGE:
        break;
    }
    return "Only the beginning of its header: it is too large to be sent back whole.\n";
}

void bounce_text_report(stralloc *out, const struct bounce_text *text)
{
    const char *envid = text->file->envelope.envid;
    str_cats(out, text->is_double ? "--- Below this line is the original bounce.\n"
                                  : "--- Below this line is a copy of the message.\n");
    str_cats(out, copy_remark(text->copy));
    str_catc(out, '\n');
    put_part(out, text, "message/delivery-status", "", false);
    str_catf(out, "Reporting-MTA: dns; %s\n", text->settings->me);
    if (envid != NULL && *envid != '\0') {
        str_cats(out, "Original-Envelope-Id: ");
        bounce_words_xtext(out, envid);
        str_catc(out, '\n');
    }
    put_date(out, "Arrival-Date: ", text->file->header.accepted_us / 1000000);
    str_catf(out, "X-Stafet-Id: %s\n\n", text->id);
}

/* `rfc822;ann@b.test` as ORCPT has it; without a type it is no such field. */
static void put_original(stralloc *out, const char *orcpt)
{
    const char *semicolon = orcpt == NULL ? NULL : strchr(orcpt, ';');
    if (semicolon == NULL || semicolon == orcpt) {
        return;
    }
    str_cats(out, "Original-Recipient: ");
    str_cat_printable(out, orcpt, (size_t)(semicolon - orcpt));
    str_cats(out, "; ");
    bounce_words_xtext(out, semicolon + 1);
    str_catc(out, '\n');
}

void bounce_text_status(stralloc *out, const struct bounce_text *text, const struct bounce_recipient *recipient)
{
    stralloc diagnostic = STRALLOC_ZERO, reason = STRALLOC_ZERO;
    put_original(out, recipient->orcpt);
    str_cats(out, "Final-Recipient: ");
    bounce_words_address(out, recipient->address);
    str_cats(out, "\nAction: failed\nStatus: ");
    bounce_words_status(out, recipient);
    str_catc(out, '\n');
    if (recipient->has_note) {
        bounce_words_reason(&reason, text, recipient);
        str_cat_printable(&diagnostic, reason.s, reason.len);
        str_cats(out, "Diagnostic-Code: X-Stafet; ");
        bounce_words_wrap(out, diagnostic.s, diagnostic.len, " ");
        put_date(out, "Last-Attempt-Date: ", recipient->note.seconds);
    }
    str_catc(out, '\n');
    stralloc_free(&diagnostic);
    stralloc_free(&reason);
}

void bounce_text_copy(stralloc *out, const struct bounce_text *text)
{
    bool is_utf8 = (text->file->header.flags & SPOOLFILE_UTF8) != 0;
    const char *type = text->copy == BOUNCE_COPY_WHOLE ? (is_utf8 ? "message/global" : "message/rfc822")
                                                       : (is_utf8 ? "message/global-headers" : "text/rfc822-headers");
    put_part(out, text, type, "", has_8bit_copy(text));
    str_cats(out, "Return-Path: <");
    bounce_words_foreign(out, text->file->envelope.sender, strlen(text->file->envelope.sender));
    str_cats(out, ">\n");
}

void bounce_text_end(stralloc *out, const struct bounce_text *text)
{
    str_catf(out, "\n--%s--\n", text->boundary);
}
