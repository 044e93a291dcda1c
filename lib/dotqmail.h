/* SPDX-License-Identifier: ISC */
/* The rules of .qmail files (dot-qmail(5)) that rcptd and local must see alike: which file holds for a name, what each of its
 * lines is, and what a vdelivermail line asks for. Pure: no file is opened here.
 *
 *   struct dotqmail_search search;
 *   char name[DOTQMAIL_NAME_SIZE];
 *   for (dotqmail_search_start(&search, "-", "joe-list"); dotqmail_search_next(&search, name);) { … the first that exists holds …
 * } */
#ifndef DOTQMAIL_H
#define DOTQMAIL_H

#include <stdbool.h>
#include <stddef.h>

enum { DOTQMAIL_NAME_SIZE = 256 };
struct dotqmail_search {
    const char *dash, *ext;
    size_t ext_len;
    size_t cut;      /* bytes of ext that stand before "default" in the name given last */
    bool is_default; /* the name given last ends with "default": DEFAULT is ext + cut */
    bool is_started, is_done;
};
/* Both texts live as long as the search. */
void dotqmail_search_start(struct dotqmail_search *search, const char *dash, const char *ext);
/* `.qmail` dash ext, then with …default at each '-' of ext from the right, last `.qmail` dash `default`. In the name, ext is in
 * lower case and '.' is ':'. Names that cannot be one file of the folder ('/' inside, over 255 bytes) are left out. False: no
 * more. */
bool dotqmail_search_next(struct dotqmail_search *search, char name_out[DOTQMAIL_NAME_SIZE]);

enum dotqmail_kind {
    DOTQMAIL_BLANK, /* as line 1: the file is refused (4.2.1); elsewhere nothing */
    DOTQMAIL_COMMENT,
    DOTQMAIL_PROGRAM, /* text: the command */
    DOTQMAIL_MAILDIR, /* text: the path with its '/' at the end */
    DOTQMAIL_MBOX,
    DOTQMAIL_FORWARD,      /* text: the address */
    DOTQMAIL_FORWARD_ONLY, /* +list: no program and no file from here on */
    DOTQMAIL_IGNORED       /* any other line that begins with '+' */
};
struct dotqmail_line {
    enum dotqmail_kind kind;
    unsigned number;  /* from 1 */
    const char *text; /* without the first letter where it only marks the kind, without blanks at the end */
    size_t len;
};
struct dotqmail_reader {
    const char *bytes;
    size_t n, at;
    unsigned number;
};
void dotqmail_read_start(struct dotqmail_reader *reader, const char *bytes, size_t n);
/* The last line may lack its LF. False: no more. */
bool dotqmail_read_next(struct dotqmail_reader *reader, struct dotqmail_line *out);

struct dotqmail_word {
    const char *text; /* without its quotes */
    size_t len;
};
/* One word of a plain command at *at, which moves behind it: bare, or wholly in '…' or "…". 1; 0 at the end; -1 where a shell
 * would do more than split. */
int dotqmail_next_word(const char *command, size_t n, size_t *at, struct dotqmail_word *out);

enum vdelivermail_kind {
    VDELIVERMAIL_BOUNCE,  /* bounce-no-mailbox */
    VDELIVERMAIL_DELETE,  /* delete, delete-no-mailbox */
    VDELIVERMAIL_FOLDER,  /* text: a user's folder (its .qmail, else Maildir/) */
    VDELIVERMAIL_FORWARD, /* text: an address */
    VDELIVERMAIL_LINE,    /* text: a .qmail line (`|program`, `#`) */
    VDELIVERMAIL_BAD      /* not exactly two arguments: never guess, answer "not now" */
};
struct vdelivermail {
    enum vdelivermail_kind kind;
    const char *text;
    size_t len;
};
/* Is a program line's command `…/vdelivermail ARG ACTION`, so plain that no shell is needed? The arguments may stand in '…' or
 * "…". */
bool dotqmail_parse_vdelivermail(const char *command, size_t n, struct vdelivermail *out);
/* ACTION alone, as the program vdelivermail finds it in argv[2]. */
void dotqmail_parse_action(const char *action, size_t n, struct vdelivermail *out);

#endif
