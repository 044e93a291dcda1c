/* SPDX-License-Identifier: ISC */
/* Names of flags to bits. */
#include "imapd/flags.h"

#include <errno.h>

uint8_t flag_bit(struct slice name)
{
    static const struct {
        const char *name;
        uint8_t bit;
    } flags[] = {{"\\Seen", MAILBOX_SEEN},
                 {"\\Answered", MAILBOX_REPLIED},
                 {"\\Flagged", MAILBOX_FLAGGED},
                 {"\\Deleted", MAILBOX_TRASHED},
                 {"\\Draft", MAILBOX_DRAFT}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (slice_is(name, flags[i].name)) {
            return flags[i].bit;
        }
    }
    return 0;
}

static bool take_flag(struct parser *parser, struct flag_names *out)
{
    struct slice name;
    if (!parse_flag(parser, &name)) {
        return false;
    }
    if (name.bytes[0] == '\\') {
        uint8_t bit = flag_bit(name);
        out->flags |= bit;
        return bit != 0;
    }
    if (out->n == FLAG_NAMES_MAX || name.len > KEYWORD_LEN_MAX) {
        return false;
    }
    out->keyword[out->n++] = name;
    return true;
}

bool flags_parse(struct parser *parser, bool may_be_bare, struct flag_names *out)
{
    bool is_list = parse_char(parser, '(');
    out->flags = 0;
    out->n = 0;
    if (!is_list && !may_be_bare) {
        return false;
    }
    if (is_list && parse_char(parser, ')')) {
        return true;
    }
    do {
        if (!take_flag(parser, out)) {
            return false;
        }
    } while (parse_space(parser));
    return !is_list || parse_char(parser, ')');
}

const struct reply *flags_numbers(struct folder *folder, const struct flag_names *names, bool may_make, uint8_t *flags_out,
                                  uint64_t *keywords_out)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < names->n; i++) {
        int number = folder_keyword(folder, names->keyword[i].bytes, names->keyword[i].len, may_make);
        if (number < 0 && may_make) {
            return number == FOLDER_NO_KEYWORD ? &reply_limit_keywords : reply_of_errno(errno);
        }
        bits |= number < 0 ? 0 : UINT64_C(1) << number;
    }
    *flags_out = names->flags;
    *keywords_out = bits;
    return NULL;
}
