/* SPDX-License-Identifier: ISC */
/* Tells a sender what became of the recipients that failed (RFC 3464 multipart/report; its first part is a QSBMF notice). Runs in
 * a child that send forked, on a message file that is open for reading; the notice goes into the queue like any other message.
 *
 *   sender         the notice goes to                         its own sender
 *   ann@b.test     ann@b.test ("single bounce")               (null)
 *   l-@b.test-@[]  l-@b.test (a VERP sender)                  (null)
 *   (null)         doublebounceto@doublebouncehost            #@[]
 *   #@[]           nobody: logged as triple-bounce            -
 */
#ifndef BOUNCE_H
#define BOUNCE_H

#include <stdint.h>

enum {
    BOUNCE_COPY_MAX = 65536,   /* without RET: a longer message comes back as its header */
    BOUNCE_FULL_MAX = 1048576, /* with RET=FULL too */
    BOUNCE_HEADER_MAX = 65536  /* a longer header is cut behind its last whole line */
};
enum bounce_result {
    BOUNCE_SENT,    /* the notice is safe in the queue, or nobody wants one (NOTIFY=NEVER): the marks D may become B */
    BOUNCE_DROPPED, /* a triple bounce; logged */
    BOUNCE_LATER    /* the file could not be read or the queue did not take it (logged): ask again */
};
struct bounce_settings {
    const char *me;               /* the host's name */
    const char *bouncefrom;       /* NULL: MAILER-DAEMON */
    const char *bouncehost;       /* NULL: me */
    const char *doublebounceto;   /* NULL: postmaster */
    const char *doublebouncehost; /* NULL: me */
    uint64_t queuelifetime;       /* seconds; an older message's temporary failure is told as given up */
};
/* Reports all recipients whose mark is D, each with its last note. The caller keeps them so until BOUNCE_SENT: the marks are read
 * three times. */
enum bounce_result bounce_send(int fd, const char *id, const struct bounce_settings *settings);

#endif
