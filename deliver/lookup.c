/* SPDX-License-Identifier: ISC */
/* Asking for mailboxes. Where rcptd runs this program never opens a file that holds hashes. The cdb's records are vpopmail's:
 * password:uid:flags:name:folder:quota[:clear text], keyed by the mailbox's name. */
#include "deliver/lookup.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/cdbmap.h"
#include "lib/scan.h"
#include "lib/str.h"

enum { LOOKUP_SECONDS = 30, FLAG_BOUNCE_MAIL = 0x10, FLAGS_AT = 2, FOLDER_AT = 4, QUOTA_AT = 5 };

static void ask(struct lookup *lookup, const struct delivery *delivery, const char *address)
{
    lookup->is_call = true;
    (void)!call_open(&lookup->call, delivery->settings->rcpt_socket, LOOKUP_SECONDS);
    stralloc *question = &lookup->call.channel.outbox;
    size_t start = frame_begin(question, 'Q');
    field_put(question, "op", "rcpt");
    field_put(question, "sid", delivery->message->id);
    field_put(question, "from", delivery->message->sender);
    field_put(question, "to", address);
    field_put(question, "for", "mailbox");
    frame_end(question, start);
    call_finish(&lookup->call, &lookup->verdict);
}

static void begin_answer(struct lookup *lookup, const char *text)
{
    str_copys(&lookup->answer, text);
    str_catc(&lookup->answer, '\0');
}

static void end_answer(struct lookup *lookup, char letter)
{
    (void)!verdict_parse(letter, lookup->answer.s, lookup->answer.len, &lookup->verdict);
}

static void answer_why(struct lookup *lookup, char letter, const char *text, enum why why)
{
    begin_answer(lookup, text);
    field_put(&lookup->answer, "why", why_word(why));
    end_answer(lookup, letter);
}

/* Field `at` (from 0) of a record. False: it has no such field. */
static bool take_field(const char *value, size_t n, unsigned at, stralloc *out)
{
    const char *end = value + n;
    for (; at > 0; at--) {
        const char *colon = memchr(value, ':', (size_t)(end - value));
        if (colon == NULL) {
            return false;
        }
        value = colon + 1;
    }
    const char *colon = memchr(value, ':', (size_t)(end - value));
    str_copy(out, value, colon == NULL ? (size_t)(end - value) : (size_t)(colon - value));
    return memchr(out->s, '\0', out->len) == NULL;
}

static void answer_record(struct lookup *lookup, const char *value, size_t n, const char *name)
{
    stralloc folder = STRALLOC_ZERO;
    stralloc quota = STRALLOC_ZERO;
    stralloc number = STRALLOC_ZERO;
    uint64_t flags = 0;
    bool is_good = take_field(value, n, FLAGS_AT, &number) && scan_decimal(number.s, number.len, UINT32_MAX, &flags) &&
                   take_field(value, n, FOLDER_AT, &folder) && folder.len > 0 && take_field(value, n, QUOTA_AT, &quota);
    if (!is_good) {
        answer_why(lookup, 'Z', "4.3.0 the mailbox's record in vpasswd.cdb is damaged", WHY_io);
    } else if ((flags & FLAG_BOUNCE_MAIL) && strcmp(name, "postmaster") != 0) {
        answer_why(lookup, 'D', "5.2.1 the mailbox takes no mail", WHY_disabled);
    } else {
        begin_answer(lookup, "2.1.5 mailbox");
        field_put(&lookup->answer, "kind", "mailbox");
        field_put(&lookup->answer, "home", str_text(&folder));
        field_put(&lookup->answer, "quota", str_text(&quota));
        field_put_number(&lookup->answer, "flags", flags);
        field_put(&lookup->answer, "dash", "-");
        field_put(&lookup->answer, "ext", name);
        end_answer(lookup, 'K');
    }
    stralloc_free(&folder);
    stralloc_free(&quota);
    stralloc_free(&number);
}

/* joe-a-b belongs to joe-a-b, else to joe-a, else to joe. */
static void find_name(struct lookup *lookup, struct cdbmap *map, const char *name)
{
    const char *value;
    size_t value_len;
    size_t n = strlen(name);
    while (n > 0) {
        int found = cdbmap_find(map, name, n, &value, &value_len);
        if (found < 0) {
            answer_why(lookup, 'Z', "4.3.0 vpasswd.cdb is damaged", WHY_io);
            return;
        }
        if (found > 0) {
            answer_record(lookup, value, value_len, name);
            return;
        }
        const char *dash = memrchr(name, '-', n);
        n = dash == NULL ? 0 : (size_t)(dash - name);
    }
    answer_why(lookup, 'D', "5.1.1 no mailbox here by that name", WHY_no_mailbox);
}

static void read_cdb(struct lookup *lookup, const struct delivery *delivery, const char *address)
{
    struct cdbmap map;
    stralloc name = STRALLOC_ZERO;
    lookup->is_call = false;
    str_copy(&name, address, address_domain_at(address, strlen(address)));
    str_lower(name.s, name.len);
    int folder = open(delivery->settings->domain_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || cdbmap_open(&map, folder, "vpasswd.cdb") < 0) {
        answer_why(lookup, 'Z', "4.3.0 the domain's folder has no vpasswd.cdb that can be read", WHY_no_cdb);
    } else {
        find_name(lookup, &map, str_text(&name));
        cdbmap_close(&map);
    }
    if (folder >= 0) {
        close(folder);
    }
    stralloc_free(&name);
}

void lookup_mailbox(struct lookup *lookup, const struct delivery *delivery, const char *address)
{
    lookup->answer = (stralloc)STRALLOC_ZERO;
    if (delivery->settings->rcpt_socket != NULL) {
        ask(lookup, delivery, address);
    } else {
        read_cdb(lookup, delivery, address);
    }
}

void lookup_end(struct lookup *lookup)
{
    if (lookup->is_call) {
        call_close(&lookup->call);
    }
    stralloc_free(&lookup->answer);
}
