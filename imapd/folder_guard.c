/* SPDX-License-Identifier: ISC */
/* Damage is found deep inside, where a sum is wrong. Of the selected mailbox it ends the session: what the client was told holds
 * no more. Of a mailbox that a command only visits it ends that command: the index is gone, the next opening makes it anew. */
#include "imapd/folder_inner.h"

#include <errno.h>

int folder_guarded(struct folder *folder, int (*step)(void *ctx), void *ctx)
{
    jmp_buf here;
    jmp_buf *volatile before = folder->guard;
    if (setjmp(here) != 0) {
        folder->guard = before;
        folder->is_own = folder->is_replaying = false;
        if (folder->is_locked) {
            folder_unlock(folder);
        }
        errno = EUCLEAN;
        return -1;
    }
    folder->guard = &here;
    int result = step(ctx);
    folder->guard = before;
    return result;
}
