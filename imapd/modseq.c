/* SPDX-License-Identifier: ISC */
/* What a client of CONDSTORE takes for HIGHESTMODSEQ (RFC 7162 6): the last code that said so, else the highest MODSEQ of the
 * command's FETCH responses. As long as an expunge is held back that must stay below the expunge's own number (3.2): who loses
 * the connection then would never hear of it. */
#include "imapd/session.h"
#include "lib/str.h"

static void say(struct session *session, uint64_t modseq)
{
    session_putf(session, "* OK [HIGHESTMODSEQ %llu] as far as it has been told\r\n", (unsigned long long)modseq);
    session->told_modseq = modseq;
    session->has_modseq_code = true;
}

/* All numbers up to here stand for changes that the client has heard of. */
static uint64_t settled(struct session *session)
{
    struct folder *folder = &session->folder;
    uint64_t lowest = folder->modseq;
    if (folder->ghosts.n > 0) {
        return session->told_modseq; /* they have no numbers any more */
    }
    for (uint32_t i = 0; i < folder->pending.n; i++) {
        uint64_t modseq = folder_record(folder, folder->pending.item[i])->modseq - 1;
        lowest = modseq < lowest ? modseq : lowest;
    }
    return lowest;
}

void modseq_enable(struct session *session)
{
    if (!session->condstore && session->is_selected) {
        say(session, settled(session));
    }
    session->condstore = true;
}

void modseq_sent(struct session *session, uint64_t modseq)
{
    bool counts = modseq > session->sent_modseq && !session->has_modseq_code;
    session->sent_modseq = counts ? modseq : session->sent_modseq;
}

void modseq_tell(struct session *session)
{
    uint64_t sent = session->sent_modseq > session->told_modseq ? session->sent_modseq : session->told_modseq;
    uint64_t right = settled(session);
    session->sent_modseq = 0;
    if (session->replies_modseq) {
        session->told_modseq = right;
        str_catf(&session->code, "HIGHESTMODSEQ %llu", (unsigned long long)right);
    } else if (session->condstore && sent != right) {
        say(session, right);
    } else {
        session->told_modseq = sent;
    }
}
