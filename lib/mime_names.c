/* SPDX-License-Identifier: ISC */
/* The names of header fields that somebody asks for: those that lib reads, and those in the lists of Thunderbird, Apple Mail,
 * K-9, mutt, mbsync, Evolution and Roundcube, and all List-*. By length, so that most fields of a header need no comparison. */
#include "mime_header.h"
#include "str.h"

enum { LENGTHS = 32, SAME_LENGTH = 10 };
static const struct name {
    const char *text; /* small letters, digits and - */
    enum mime_name name;
} names[LENGTHS][SAME_LENGTH] = {
    [2] = {{"to", MIME_TO}, {"cc", MIME_CC}},
    [3] = {{"bcc", MIME_BCC}},
    [4] = {{"date", MIME_DATE}, {"from", MIME_FROM}},
    [5] = {{"lines", MIME_LISTED}},
    [6] = {{"sender", MIME_SENDER}, {"x-tuid", MIME_LISTED}, {"x-loop", MIME_LISTED}, {"x-list", MIME_LISTED}},
    [7] = {{"subject", MIME_SUBJECT}, {"x-label", MIME_LISTED}},
    [8] = {{"reply-to", MIME_REPLY_TO}, {"priority", MIME_LISTED}, {"x-mailer", MIME_LISTED}, {"keywords", MIME_LISTED}},
    [9] = {{"errors-to", MIME_LISTED}},
    [10] = {{"message-id", MIME_MESSAGE_ID},
            {"references", MIME_REFERENCES},
            {"content-id", MIME_CONTENT_ID},
            {"x-priority", MIME_LISTED},
            {"importance", MIME_LISTED},
            {"newsgroups", MIME_LISTED},
            {"user-agent", MIME_LISTED},
            {"originator", MIME_LISTED},
            {"precedence", MIME_LISTED}},
    [11] = {{"in-reply-to", MIME_IN_REPLY_TO},
            {"content-md5", MIME_CONTENT_MD5},
            {"followup-to", MIME_LISTED},
            {"x-beenthere", MIME_LISTED},
            {"return-path", MIME_LISTED},
            {"envelope-to", MIME_LISTED},
            {"resent-from", MIME_LISTED},
            {"x-spam-flag", MIME_LISTED}},
    [12] = {{"mime-version", MIME_MIME_VERSION},
            {"content-type", MIME_CONTENT_TYPE},
            {"mailing-list", MIME_LISTED},
            {"delivered-to", MIME_LISTED},
            {"x-draft-info", MIME_LISTED}},
    [13] = {{"mail-reply-to", MIME_LISTED}, {"x-spam-status", MIME_LISTED}, {"bimi-location", MIME_LISTED}},
    [14] = {{"x-mailing-list", MIME_LISTED}, {"auto-submitted", MIME_LISTED}, {"bimi-indicator", MIME_LISTED}},
    [15] = {{"x-envelope-from", MIME_LISTED}},
    [16] = {{"content-language", MIME_CONTENT_LANGUAGE},
            {"content-location", MIME_CONTENT_LOCATION},
            {"mail-followup-to", MIME_LISTED}},
    [17] = {{"return-receipt-to", MIME_LISTED}, {"x-k9mail-identity", MIME_LISTED}},
    [19] = {{"content-description", MIME_CONTENT_DESCRIPTION}, {"content-disposition", MIME_CONTENT_DISPOSITION}},
    [20] = {{"x-mozilla-draft-info", MIME_LISTED}},
    [25] = {{"content-transfer-encoding", MIME_CONTENT_ENCODING}, {"x-uniform-type-identifier", MIME_LISTED}},
    [27] = {{"disposition-notification-to", MIME_LISTED}},
    [31] = {{"x-universally-unique-identifier", MIME_LISTED}},
};

static bool is_equal(const char *name, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (name[i] != text[i] && ((name[i] | 0x20) != text[i] || text[i] < 'a')) {
            return false;
        }
    }
    return true;
}

enum mime_name mime_name_of(const char *name, size_t n)
{
    if (n > 5 && str_equal_nocase(name, 5, "list-", 5)) {
        return MIME_LISTED;
    }
    if (n == 0 || n >= LENGTHS) {
        return MIME_OTHER;
    }
    for (const struct name *one = names[n]; one->text != NULL; one++) {
        if ((name[n - 1] | 0x20) == one->text[n - 1] && is_equal(name, one->text, n)) {
            return one->name;
        }
    }
    return MIME_OTHER;
}
