/* SPDX-License-Identifier: ISC */
/* All words of local and vdelivermail in one place. A refusal says what, why, and who can change it. */
#include "deliver/reply.h"

#include <string.h>

#include "lib/str.h"

enum { DETAIL_MAX = 1000 };

/* clang-format off */
#define REPLY(name, letter, why, status, words, explanation) const struct reply reply_##name = {letter, why, status, words, explanation}

REPLY(delivered, 'K', WHY_NONE, "2.1.5", "delivered", "");
REPLY(discarded, 'K', WHY_NONE, "2.1.5", "discarded, as the mailbox's settings say", "");
REPLY(already, 'K', WHY_NONE, "2.1.5", "delivered by an earlier try", "");

REPLY(no_mailbox, 'D', WHY_no_mailbox, "5.1.1", "Sorry, no mailbox here by that name. (#5.1.1)",
      "Please check the address for spelling; the domain's postmaster knows which addresses exist.");
REPLY(locked, 'D', WHY_disabled, "5.2.1", "account is locked, email bounced (#5.2.1)",
      "The domain's postmaster has switched this mailbox off and can switch it on again.");
REPLY(over_quota, 'D', WHY_full, "5.2.2", "user is over quota (#5.2.2)",
      "The mailbox has no room for this message. Its owner can delete mail, the domain's postmaster can raise the quota; then send it again.");
REPLY(looping, 'D', WHY_loop, "5.4.6", "This message is looping: it already has my Delivered-To line. (#5.4.6)",
      "A forward sends this address's mail back to itself; the owner of the mailbox or the domain's postmaster can take that forward out.");

REPLY(no_folder, 'Z', WHY_io, "4.2.0", "the mailbox's folder cannot be opened or made", "The host's administrator has to look at it; the message is kept and tried again.");
REPLY(link, 'Z', WHY_config, "4.2.0", "the mailbox's folder is a symbolic link or no folder", "Links are not followed there; the host's administrator has to put a real folder in its place. The message is kept and tried again.");
REPLY(disk_full, 'Z', WHY_disk, "4.3.1", "the disk of the mailboxes is full", "The host's administrator has to make room; the message is kept and tried again.");
REPLY(write_error, 'Z', WHY_io, "4.3.0", "the message cannot be written to the mailbox", "The message is kept and tried again; the host's administrator finds the cause in the system's log.");
REPLY(read_error, 'Z', WHY_io, "4.3.0", "the message cannot be read from the queue", "It is tried again; the host's administrator finds the cause in the system's log.");
REPLY(changing, 'Z', WHY_io, "4.2.0", "the mailbox's quota cannot be read", "The message is kept and tried again; the host's administrator finds the cause in the system's log.");

REPLY(home_writable, 'Z', WHY_config, "4.7.0", "home directory is writable by others (#4.7.0)", "Nobody's .qmail file is believed there. Its owner has to take that right away (chmod o-w); the message is kept and tried again.");
REPLY(home_sticky, 'Z', WHY_config, "4.2.1", "home directory is sticky: its owner is editing the .qmail file (#4.2.1)", "Mail waits until the sticky bit is taken off (chmod -t).");
REPLY(home_missing, 'Z', WHY_config, "4.3.0", "unable to switch to the home directory (#4.3.0)", "The mailbox's folder is missing or closed to us; the host's administrator has to look at it. The message is kept and tried again.");
REPLY(home_outside, 'Z', WHY_config, "4.3.5", "a path leads outside the folder domains/", "Deliveries write only below it. The host's administrator has to move the mailbox or change the line; the message is kept and tried again.");
REPLY(no_home, 'Z', WHY_bad_request, "4.3.5", "the recipient came without a home folder", "This is a fault between two programs of this host; the message is kept and tried again.");

REPLY(file_writable, 'Z', WHY_config, "4.7.0", ".qmail file is writable by others (#4.7.0)", "It is not believed until its owner takes that right away (chmod o-w); the message is kept and tried again.");
REPLY(file_foreign, 'Z', WHY_config, "4.7.0", ".qmail file belongs to another user or is not a regular file", "It is not believed; the host's administrator has to set it right. The message is kept and tried again.");
REPLY(file_unreadable, 'Z', WHY_io, "4.3.0", "unable to read the .qmail file (#4.3.0)", "The host's administrator has to set its rights right; the message is kept and tried again.");
REPLY(file_blank, 'Z', WHY_config, "4.2.1", "first line of .qmail file is blank (#4.2.1)", "Mail waits until that line is filled in or taken out by the file's owner.");
REPLY(file_long, 'Z', WHY_config, "4.2.1", ".qmail file is larger than 1 MB, or one of its lines longer than 4096 bytes", "The file's owner has to shorten it; the message is kept and tried again.");
REPLY(file_nul, 'Z', WHY_config, "4.2.1", ".qmail file holds a NUL byte", "The file's owner has to write it anew as text; the message is kept and tried again.");
REPLY(forward_only_program, 'Z', WHY_config, "4.7.0", ".qmail file has prog delivery but has x bit set (#4.7.0)", "The x bit or a +list line allows forwards only; the file's owner has to take out one of both. The message is kept and tried again.");
REPLY(forward_only_file, 'Z', WHY_config, "4.7.0", ".qmail file has file delivery but has x bit set (#4.7.0)", "The x bit or a +list line allows forwards only; the file's owner has to take out one of both. The message is kept and tried again.");
REPLY(bad_address, 'Z', WHY_config, "4.2.1", ".qmail file forwards to something that is no address", "The file's owner has to mend that line; the message is kept and tried again.");
REPLY(bad_path, 'Z', WHY_config, "4.2.1", ".qmail file has a path that cannot be used", "The file's owner has to mend that line; the message is kept and tried again.");
REPLY(bad_vdelivermail, 'Z', WHY_config, "4.3.5", "invalid syntax in .qmail-default file", "The line has to be: | /path/vdelivermail '' ACTION, where ACTION is bounce-no-mailbox, delete, a folder or an address. The domain's postmaster can mend it; the message is kept and tried again.");
REPLY(nested_vdelivermail, 'Z', WHY_config, "4.3.5", "a vdelivermail line leads to another vdelivermail line", "The domain's postmaster has to take one of both out; the message is kept and tried again.");

REPLY(program_refused, 'D', WHY_program, "5.3.0", "a program of the mailbox's owner refused the message", "Its words, if it had any, stand before this; the owner of the mailbox can change the program.");
REPLY(program_failed, 'Z', WHY_program, "4.3.0", "a program of the mailbox's owner failed", "The message is kept and tried again.");
REPLY(program_signal, 'Z', WHY_program, "4.3.0", "a program of the mailbox's owner crashed (#4.3.0)", "The message is kept and tried again.");
REPLY(program_deadline, 'Z', WHY_program, "4.3.0", "a program of the mailbox's owner took too long and was ended", "The message is kept and tried again; the limit is control/timeoutprogram.");
REPLY(program_start, 'Z', WHY_program, "4.3.0", "a program of the mailbox's owner cannot be started", "The message is kept and tried again.");

REPLY(mbox_busy, 'Z', WHY_in_use, "4.2.1", "the mailbox file is locked by another program (#4.2.1)", "The message is kept and tried again.");
REPLY(queue_refused, 'D', WHY_policy, "5.3.0", "the forwarded message was refused by this host's queue", "The owner of the mailbox can change where it forwards to.");
REPLY(queue_deferred, 'Z', WHY_service, "4.3.0", "the forwarded message could not be queued", "It is kept and tried again.");
REPLY(lookup_deferred, 'Z', WHY_service, "4.3.0", "it could not be found out whether the mailbox exists", "The message is kept and tried again.");
/* clang-format on */

void outcome_clear(struct outcome *out)
{
    out->letter = 0;
    out->why = WHY_NONE;
    out->text.len = out->where.len = 0;
    out->is_stop = false;
}

static void start(struct outcome *out, const struct reply *reply)
{
    out->letter = reply->letter;
    out->why = reply->why;
    out->text.len = 0;
    str_cats(&out->text, reply->status);
    str_catc(&out->text, ' ');
}

/* Behind the words, as a sentence of its own; a code in brackets has ended theirs. */
static void explain(struct outcome *out, const struct reply *reply)
{
    char last = out->text.s[out->text.len - 1];
    if (reply->explanation[0] != '\0') {
        str_cats(&out->text, last == ')' || last == '.' ? " " : ". ");
        str_cats(&out->text, reply->explanation);
    }
    str_text(&out->text);
}

/* Foreign lines become one line of printable bytes, no space at its ends or doubled. */
static void cat_one_line(stralloc *out, const char *words, size_t n)
{
    bool needs_space = false;
    for (size_t i = 0; i < n && i < DETAIL_MAX; i++) {
        if (words[i] == ' ' || (words[i] >= '\t' && words[i] <= '\r')) {
            needs_space = true;
            continue;
        }
        if (needs_space && out->len > 0 && out->s[out->len - 1] != ' ') {
            str_catc(out, ' ');
        }
        needs_space = false;
        str_cat_printable(out, words + i, 1);
    }
}

void outcome_set(struct outcome *out, const struct reply *reply)
{
    start(out, reply);
    str_cats(&out->text, reply->words);
    explain(out, reply);
}

void outcome_set_detail(struct outcome *out, const struct reply *reply, const char *detail, size_t n)
{
    start(out, reply);
    str_cats(&out->text, reply->words);
    str_cats(&out->text, ": ");
    cat_one_line(&out->text, detail, n);
    str_catc(&out->text, '.');
    explain(out, reply);
}

void outcome_set_own_words(struct outcome *out, const struct reply *reply, const char *words, size_t n)
{
    start(out, reply);
    size_t before = out->text.len;
    cat_one_line(&out->text, words, n);
    if (out->text.len == before) {
        outcome_set(out, reply);
        return;
    }
    str_text(&out->text);
    if (strstr(out->text.s + before, "(#") == NULL) {
        str_cats(&out->text, " (#");
        str_cats(&out->text, reply->status);
        str_catc(&out->text, ')');
    }
    explain(out, reply);
}

void outcome_set_errno(struct outcome *out, const struct reply *reply, int error)
{
    const char *words = strerror(error);
    outcome_set_detail(out, reply, words, strlen(words));
}

void outcome_set_counts(struct outcome *out, unsigned files, unsigned forwards, unsigned programs)
{
    out->letter = 'K';
    out->why = WHY_NONE;
    out->text.len = 0;
    str_catf(&out->text, "2.1.5 did %u+%u+%u", files, forwards, programs);
    str_text(&out->text);
}
