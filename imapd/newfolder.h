/* SPDX-License-Identifier: ISC */
/* A new folder of a Maildir++: whole under a name that nobody lists, then named, so that no crash leaves half of one. */
#ifndef IMAPD_NEWFOLDER_H
#define IMAPD_NEWFOLDER_H

#define NEWFOLDER_PREFIX "..new"

/* folder: ".A.B". Something that has its name already (half a folder of another program) becomes whole. Durable. 0; -1 errno. */
int newfolder_make(int root, const char *folder);

#endif
