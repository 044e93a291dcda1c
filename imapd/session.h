/* SPDX-License-Identifier: ISC */
/* One client behind its login. A command is read whole, recognised whole, then acts; its handler returns the tagged reply.
 *
 *   input ─▶ dispatch ─▶ cmd_*.c ─▶ reply          untagged.c tells what others changed, where the RFC lets it */
#ifndef IMAPD_SESSION_H
#define IMAPD_SESSION_H

#include "imapd/folder.h"
#include "imapd/input.h"
#include "imapd/parse.h"
#include "imapd/reply.h"
#include "imapd/settings.h"
#include "lib/quota.h"
#include "lib/wire.h"

struct session {
    const struct settings *settings;
    struct input input;
    char sid[16];
    char user[320], home[512], ip[46];
    int root; /* the user's Maildir: INBOX */
    int over; /* domains/D/.full/USER, opened before the session confined itself; -1: none */
    struct quota quota;
    struct mime_summary_work *work; /* parses messages, for every folder */
    stralloc tag;
    stralloc out;  /* replies of this command; session_flush writes it */
    stralloc code; /* [CODE] of the tagged reply, without brackets; "" none */

    struct folder folder;
    bool is_selected;
    stralloc selected;       /* its folder name, "." or ".A.B" */
    bool condstore, qresync; /* enabled (RFC 7162) */
    uint32_t told_exists, told_recent;
    stralloc told_keywords;               /* " $Junk …" */
    uint32_t told_changes;                /* keywords.changes then */
    uint64_t told_modseq, sent_modseq;    /* modseq.c */
    bool has_modseq_code, replies_modseq; /* this command told HIGHESTMODSEQ; its tagged OK shall */
    struct set saved;                     /* $ as UIDs (RFC 5182); n 0: empty */

    bool is_uid;              /* this command came behind UID */
    bool names_numbers;       /* it searches by sequence numbers: they must hold until its end, behind UID, too */
    const char *command_word; /* for the tagged reply */
    bool is_over;
    unsigned errors; /* BADs in a row */
    uint64_t commands;
    struct wire wire; /* last: what a short session writes lies on one page with the buffer's first lines */
};

/* The first words: the tagged OK of the login that the front took, or, with an empty tag, the greeting of a session that needs
 * none. */
void session_welcome(struct session *session, const char *tag);
/* Runs until the client is gone or logged out. */
void session_run(struct session *session);

/* Output. Appending to session->out directly is right, too; call session_room() in loops: it writes when much has gathered. */
void session_put(struct session *session, const char *text);
void session_putf(struct session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));
void session_room(struct session *session);
void session_flush(struct session *session);

/* untagged.c: FLAGS and PERMANENTFLAGS: the names that messages of this mailbox can have. session_tell_names: where they are
 * others than those told; before a FETCH has one of the new (RFC 3501 7.2.6). */
void session_put_names(struct session *session);
void session_tell_names(struct session *session);
/* `* n EXPUNGE` or VANISHED (if `may_expunge`), names, EXISTS and RECENT, FETCH of flags that others changed. */
void session_tell(struct session *session, bool may_expunge);
/* Takes in what others did to the selected folder. False: it is gone (BYE was said). */
bool session_sync(struct session *session, enum folder_depth depth);
/* The same, and tells. */
bool session_look(struct session *session, enum folder_depth depth, bool may_expunge);
/* `* n FETCH (FLAGS (…) UID u MODSEQ (m))`: with UID where the command is a UID one or CONDSTORE is on (RFC 7162 3.2.4). */
void session_put_flags(struct session *session, uint32_t index);
/* (\Seen $Junk …) */
void put_flags(stralloc *out, const struct folder *folder, const struct record *record);
/* UID set as text, ranges joined: 1:3,7 */
void put_uids(stralloc *out, const struct folder_list *uids);

/* modseq.c: a CONDSTORE enabling command (RFC 7162 3.1); the first one with a mailbox selected tells HIGHESTMODSEQ. */
void modseq_enable(struct session *session);
/* A MODSEQ item was sent. */
void modseq_sent(struct session *session, uint64_t modseq);
/* At the end of a command with a mailbox selected: HIGHESTMODSEQ, where the client would take another number for it. */
void modseq_tell(struct session *session);

/* Messages a set means, as spans of indexes, ascending and without overlap; only those that the client knows, but expunged ones
 * are still inside: skip RECORD_IS_GONE. NULL, or the reply that refuses the set (a number beyond EXISTS: BAD). */
struct targets {
    struct folder_span *span;
    uint32_t n, room;
    bool has_expunged; /* a number means one that others expunged, and the client has not been told (RFC 2180 4) */
};
const struct reply *session_targets(struct session *session, const struct set *set, bool is_uid, struct targets *out);
/* The same for a search, where a number beyond EXISTS is one that no message has. False: there were such. */
bool session_targets_there(struct session *session, const struct set *set, bool is_uid, struct targets *out);
void targets_free(struct targets *targets);
/* Their UIDs, ascending, without the expunged. */
void targets_uids(struct session *session, const struct targets *targets, struct folder_list *out);

/* After messages went: maildirsize, and the byte that rcptd reads. */
void session_free_quota(struct session *session, uint64_t freed, uint32_t n);
/* After messages came (bytes: stored) or went. */
void session_take_quota(struct session *session, uint64_t bytes, uint32_t n);
void session_note_quota(struct session *session);
/* Room for so much more? */
bool session_has_room(struct session *session, uint64_t bytes, uint32_t n);

/* on_damage of a folder whose messages the client counts on: BYE, and the end. */
_Noreturn void session_damaged(void);
/* The same for a file that another program cuts short while it is mapped (SIGBUS): BYE and 111, not death by a signal. */
void session_catch_cut_files(void);

/* Commands. The parser stands behind the command's word. */
typedef const struct reply *session_command(struct session *session, struct parser *parser);
session_command cmd_capability, cmd_noop, cmd_logout, cmd_id, cmd_enable, cmd_namespace, cmd_check;
session_command cmd_select, cmd_examine, cmd_close, cmd_unselect, cmd_expunge;
session_command cmd_list, cmd_lsub, cmd_xlist, cmd_status, cmd_create, cmd_delete, cmd_rename, cmd_subscribe, cmd_unsubscribe;
session_command cmd_append, cmd_fetch, cmd_store, cmd_copy, cmd_move, cmd_idle;
session_command cmd_search, cmd_sort, cmd_thread;
/* Runs session->input.command. NULL: nothing to answer (an empty line). */
const struct reply *dispatch(struct session *session);
/* The capabilities, one line without `* CAPABILITY `. */
const char *capabilities(const struct session *session);

#endif
