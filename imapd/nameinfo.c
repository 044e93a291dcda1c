/* SPDX-License-Identifier: ISC */
/* Letters of a name, both ways. */
#include "imapd/nameinfo.h"

#include <string.h>

#include "imapd/keywords.h"
#include "lib/str.h"

static const char letters[] = "DFPRST"; /* in the order of lib/mailbox.h's bits */

void nameinfo_append(stralloc *out, uint8_t flags, uint64_t keywords)
{
    str_cats(out, ":2,");
    for (unsigned bit = 0; letters[bit] != '\0'; bit++) {
        if (flags >> bit & 1) {
            str_catc(out, letters[bit]);
        }
    }
    for (unsigned bit = 0; bit < KEYWORDS_LETTERS; bit++) {
        if (keywords >> bit & 1) {
            str_catc(out, (char)('a' + bit));
        }
    }
}

void nameinfo_parse(const char *info, size_t n, struct nameinfo *out)
{
    *out = (struct nameinfo){.is_ours = n >= 3 && memcmp(info, ":2,", 3) == 0};
    if (!out->is_ours) {
        return;
    }
    int last = -1;
    for (size_t i = 3; i < n; i++) {
        const char *at = info[i] == '\0' ? NULL : strchr(letters, info[i]);
        int place = -1;
        if (at != NULL) {
            place = (int)(at - letters);
            out->flags |= (uint8_t)(1U << place);
        } else if (info[i] >= 'a' && info[i] <= 'z') {
            place = 10 + (info[i] - 'a');
            out->keywords |= UINT64_C(1) << (info[i] - 'a');
        }
        out->is_ours = out->is_ours && place > last;
        last = place;
    }
}
