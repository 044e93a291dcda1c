/* SPDX-License-Identifier: ISC */
/* CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE (RFC 3501 6.3.3-6.3.7, 6154 3). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/folderlist.h"
#include "imapd/mailboxes.h"
#include "imapd/newfolder.h"
#include "imapd/removal.h"
#include "imapd/session.h"
#include "lib/str.h"

/* One more name than a mailbox: NULL, or what is wrong with it. */
static const struct reply *take_name(struct session *session, struct parser *parser, stralloc *folder)
{
    struct slice name;
    if (!parse_space(parser) || !parse_astring(parser, &name)) {
        return &reply_syntax;
    }
    return mailboxes_folder(session->settings, name, folder) ? NULL : &reply_bad_name;
}

/* [SP (USE (\Sent …))] */
static bool parse_use(struct parser *parser, enum special *special_out, bool *is_unknown_out)
{
    struct slice word;
    if (!parse_space(parser)) {
        return true;
    }
    if (!parse_char(parser, '(') || !parse_word(parser, "USE") || !parse_space(parser) || !parse_char(parser, '(')) {
        return false;
    }
    bool is_done = parse_char(parser, ')');
    while (!is_done) {
        if (!parse_flag(parser, &word) || word.bytes[0] != '\\') {
            return false;
        }
        *is_unknown_out = *is_unknown_out || *special_out != SPECIAL_NONE || special_of(word) == SPECIAL_NONE;
        *special_out = special_of(word);
        is_done = !parse_space(parser);
        if (is_done && !parse_char(parser, ')')) {
            return false;
        }
    }
    return parse_char(parser, ')');
}

static const struct reply *create(struct session *session, const char *folder, enum special special)
{
    if (strcmp(folder, ".") == 0 || mailboxes_exists(session->root, folder)) {
        return &reply_already_exists;
    }
    if (special != SPECIAL_NONE && special_set(session->root, folder, special, NULL) < 0) {
        return errno == EEXIST ? &reply_no_special_use : reply_of_errno(errno);
    }
    if (newfolder_make(session->root, folder) < 0) {
        int error = errno;
        (void)special_set(session->root, folder, SPECIAL_NONE, NULL);
        return reply_of_errno(error);
    }
    return &reply_done;
}

const struct reply *cmd_create(struct session *session, struct parser *parser)
{
    stralloc folder = STRALLOC_ZERO;
    enum special special = SPECIAL_NONE;
    bool is_unknown = false;
    const struct reply *reply = take_name(session, parser, &folder);
    if (reply == NULL) {
        bool is_good = parse_use(parser, &special, &is_unknown) && parse_end(parser);
        reply = !is_good ? &reply_syntax : is_unknown ? &reply_no_special_use : create(session, folder.s, special);
    }
    stralloc_free(&folder);
    return reply;
}

/* The selected mailbox goes: the session has none any more. */
static void forget_selected(struct session *session, const char *folder)
{
    if (session->is_selected && strcmp(session->selected.s, folder) == 0) {
        folder_close(&session->folder);
        session->is_selected = false;
    }
}

static const struct reply *remove_folder(struct session *session, const char *folder)
{
    if (strcmp(folder, ".") == 0) {
        return &reply_is_inbox;
    }
    if (!mailboxes_exists(session->root, folder)) {
        return &reply_no_folder;
    }
    uint64_t bytes;
    uint32_t n;
    forget_selected(session, folder);
    if (removal_run(session->root, folder, &bytes, &n) < 0) {
        return reply_of_errno(errno);
    }
    session_free_quota(session, bytes, n);
    (void)special_set(session->root, folder, SPECIAL_NONE, NULL);
    return &reply_done;
}

const struct reply *cmd_delete(struct session *session, struct parser *parser)
{
    stralloc folder = STRALLOC_ZERO;
    const struct reply *reply = take_name(session, parser, &folder);
    if (reply == NULL) {
        reply = parse_end(parser) ? remove_folder(session, folder.s) : &reply_syntax;
    }
    stralloc_free(&folder);
    return reply;
}

static int rename_one(struct session *session, const char *name, const char *target)
{
    stralloc source = STRALLOC_ZERO;
    mailboxes_directory(session->root, name, &source);
    int result = renameat2(session->root, source.s, session->root, target, RENAME_NOREPLACE);
    if (result == 0) {
        if (session->is_selected && strcmp(session->selected.s, name) == 0) { /* it is the same mailbox still */
            str_copys(&session->selected, target);
            (void)str_text(&session->selected);
        }
        (void)special_set(session->root, name, SPECIAL_NONE, target);
    }
    stralloc_free(&source);
    return result;
}

/* each() for the folder and all below it, .A.B and .A.B.*, with the name that it shall have; until one fails. */
static int each_renamed(struct session *session, const struct folderlist *list, const char *from, const char *to,
                        int (*each)(struct session *session, const char *name, const char *target))
{
    size_t from_len = strlen(from);
    stralloc target = STRALLOC_ZERO;
    int result = 0;
    for (uint32_t i = 0; i < list->n && result == 0; i++) {
        const char *name = folderlist_name(list, i);
        bool is_below = strncmp(name, from, from_len) == 0 && (name[from_len] == '.' || name[from_len] == '\0');
        if (is_below && list->item[i].flags & FOLDERS_EXISTS) {
            target.len = 0;
            str_cats(&target, to);
            str_cats(&target, name + from_len);
            result = each(session, name, str_text(&target));
        }
    }
    int error = errno;
    stralloc_free(&target);
    errno = error;
    return result;
}

static int may_be_renamed(struct session *session, const char *name, const char *target)
{
    (void)name;
    bool is_short = strlen(target) <= FOLDER_NAME_MAX;
    errno = is_short ? EEXIST : ENAMETOOLONG;
    return !is_short || mailboxes_exists(session->root, target) ? -1 : 0;
}

/* All or nothing: looked at before the first one moves. */
static int rename_tree(struct session *session, const char *from, const char *to)
{
    struct folderlist list;
    if (folderlist_read(&list, session->root) < 0) {
        return -1;
    }
    int result = each_renamed(session, &list, from, to, may_be_renamed);
    if (result == 0) {
        result = each_renamed(session, &list, from, to, rename_one);
    }
    int error = errno;
    folderlist_free(&list);
    errno = error;
    return result;
}

/* RFC 3501 6.3.5: the messages move, INBOX stays and is empty. */
static int move_inbox(struct session *session, const char *to)
{
    struct folder inbox;
    struct folder target;
    struct folder_list which = {0};
    struct folder_list sources = {0};
    struct folder_list uids = {0};
    if (newfolder_make(session->root, to) < 0 || folder_open(&inbox, session->root, ".", FOLDER_WRITE) < 0) {
        return -1;
    }
    inbox.on_damage = session_damaged;
    int result = folder_sync(&inbox, FOLDER_LOOK);
    for (uint32_t i = folder_first(&inbox); i < folder_end(&inbox) && result == 0; i = folder_next(&inbox, i)) {
        folder_list_add(&which, folder_record(&inbox, i)->uid);
    }
    if (result == 0) {
        result = folder_open(&target, session->root, to, FOLDER_WRITE);
    }
    if (result == 0) {
        result = folder_move(&inbox, &which, &target, &sources, &uids);
        folder_close(&target);
    }
    int error = errno;
    folder_list_free(&which);
    folder_list_free(&sources);
    folder_list_free(&uids);
    folder_close(&inbox);
    errno = error;
    return result;
}

static bool has_tree(struct session *session, const char *folder)
{
    struct folderlist list;
    bool has = false;
    if (folderlist_read(&list, session->root) < 0) {
        return false;
    }
    for (uint32_t i = 0; i < list.n; i++) {
        has = has ||
              (strcmp(folderlist_name(&list, i), folder) == 0 && list.item[i].flags & (FOLDERS_EXISTS | FOLDERS_HAS_CHILDREN));
    }
    folderlist_free(&list);
    return has;
}

static const struct reply *rename_folder(struct session *session, const char *from, const char *to)
{
    size_t from_len = strlen(from);
    bool is_inbox = strcmp(from, ".") == 0;
    if (!has_tree(session, from)) {
        return &reply_no_folder;
    }
    if (strcmp(to, ".") == 0 || mailboxes_exists(session->root, to)) {
        return &reply_already_exists;
    }
    if (!is_inbox && strncmp(to, from, from_len) == 0 && to[from_len] == '.') {
        return &reply_bad_name; /* below itself */
    }
    int result = is_inbox ? move_inbox(session, to) : rename_tree(session, from, to);
    if (result < 0) {
        return errno == EEXIST ? &reply_already_exists : errno == ENAMETOOLONG ? &reply_bad_name : reply_of_errno(errno);
    }
    return &reply_done;
}

const struct reply *cmd_rename(struct session *session, struct parser *parser)
{
    stralloc from = STRALLOC_ZERO;
    stralloc to = STRALLOC_ZERO;
    const struct reply *reply = take_name(session, parser, &from);
    if (reply == NULL) {
        reply = take_name(session, parser, &to);
    }
    if (reply == NULL) {
        reply = parse_end(parser) ? rename_folder(session, from.s, to.s) : &reply_syntax;
    }
    stralloc_free(&from);
    stralloc_free(&to);
    return reply;
}

static const struct reply *subscribe(struct session *session, struct parser *parser, bool is_subscribed)
{
    stralloc folder = STRALLOC_ZERO;
    const struct reply *reply = take_name(session, parser, &folder);
    if (reply == NULL && !parse_end(parser)) {
        reply = &reply_syntax;
    }
    if (reply == NULL && is_subscribed && !mailboxes_exists(session->root, folder.s)) {
        reply = &reply_no_folder;
    }
    if (reply == NULL) {
        reply = subscriptions_set(session->root, folder.s, is_subscribed) < 0 ? reply_of_errno(errno) : &reply_done;
    }
    stralloc_free(&folder);
    return reply;
}

const struct reply *cmd_subscribe(struct session *session, struct parser *parser)
{
    return subscribe(session, parser, true);
}

const struct reply *cmd_unsubscribe(struct session *session, struct parser *parser)
{
    return subscribe(session, parser, false);
}
