/* SPDX-License-Identifier: ISC */
/* SELECT … (CONDSTORE) and (QRESYNC (uidvalidity modseq [known-uids [(seqs uids)]])): RFC 7162 3.1.8, 3.2.5. */
#ifndef IMAPD_QRESYNC_H
#define IMAPD_QRESYNC_H

#include "imapd/session.h"

struct qresync_request {
    bool is_condstore, is_there;
    uint32_t uidvalidity;
    uint64_t modseq;
    bool has_known;
    struct set known, seqs, uids;
};
/* What may stand behind the mailbox; nothing is right. NULL, or the reply that refuses it. */
const struct reply *qresync_parse(struct session *session, struct parser *parser, struct qresync_request *out);
/* VANISHED (EARLIER) and FETCH of what changed since. */
void qresync_answer(struct session *session, struct qresync_request *request);
void qresync_free(struct qresync_request *request);
/* VANISHED (EARLIER) for UIDs of `known` (NULL: all) above one that went after modseq. */
void qresync_put_vanished(struct session *session, uint64_t modseq, const struct set *known, uint32_t above);

#endif
