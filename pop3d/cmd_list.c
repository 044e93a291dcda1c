/* SPDX-License-Identifier: ISC */
/* STAT, LIST, UIDL. Messages that are marked deleted do not show; one that another session removed meanwhile still does, since
 * numbers and sums must not change within a session (RFC 1939 5). */
#include "lib/str.h"
#include "pop3d/session.h"

static void put_size(struct session *session, uint32_t i)
{
    str_catn(&session->words, (uint64_t)i + 1);
    str_catc(&session->words, ' ');
    str_catn(&session->words, maildrop_size(&session->drop, i));
}

static void put_uidl(struct session *session, uint32_t i)
{
    char uidl[MAILDROP_UIDL_MAX + 1];
    size_t n = maildrop_uidl(&session->drop, i, uidl);
    str_catn(&session->words, (uint64_t)i + 1);
    str_catc(&session->words, ' ');
    str_cat(&session->words, uidl, n);
}

const struct reply *cmd_stat(struct session *session, const struct command *command)
{
    (void)command;
    session->words.len = 0;
    str_catn(&session->words, maildrop_count(&session->drop));
    str_catc(&session->words, ' ');
    str_catn(&session->words, maildrop_octets(&session->drop));
    return talk_reply(&session->talk, REPLY_ANSWER, session->words.s, session->words.len);
}

/* One line, or all of them. */
static const struct reply *list(struct session *session, const struct command *command,
                                void (*put)(struct session *session, uint32_t i))
{
    uint32_t wanted;
    struct wire *wire = &session->talk.wire;
    session->words.len = 0;
    if (command->n_numbers > 0) {
        const struct reply *refusal = session_find(session, command, &wanted);
        if (refusal != NULL) {
            return refusal;
        }
        put(session, wanted);
        return talk_reply(&session->talk, REPLY_ANSWER, session->words.s, session->words.len);
    }
    talk_say(&session->talk, talk_reply_number(&session->talk, REPLY_LIST, maildrop_count(&session->drop)));
    for (uint32_t i = 0; i < session->drop.box.n && !wire->is_broken; i++) {
        if (!maildrop_is_deleted(&session->drop, i)) {
            session->words.len = 0;
            put(session, i);
            str_cats(&session->words, "\r\n");
            wire_put(wire, session->words.s, session->words.len);
        }
    }
    wire_puts(wire, ".\r\n");
    return NULL;
}

const struct reply *cmd_list(struct session *session, const struct command *command)
{
    return list(session, command, put_size);
}

const struct reply *cmd_uidl(struct session *session, const struct command *command)
{
    return list(session, command, put_uidl);
}
