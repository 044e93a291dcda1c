/* SPDX-License-Identifier: ISC */
/* What a recipient's folder says about his mail: .qmail files (dot-qmail), else the Maildir. */
#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H

#include "deliver/delivery.h"

enum { INSTRUCTIONS_FILE_MAX = 1048576, INSTRUCTIONS_LINE_MAX = 4096 };
/* delivery->home is inside the house. Sets delivery->outcome. */
void instructions_run(struct delivery *delivery);
/* The mailbox's Maildir HOME/Maildir, without a .qmail file. */
void instructions_store(struct delivery *delivery);
/* A .qmail file's text, from `file` (for words to people). */
void instructions_run_text(struct delivery *delivery, const char *file, const char *bytes, size_t n);

#endif
