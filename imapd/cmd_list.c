/* SPDX-License-Identifier: ISC */
/* LIST, LSUB, XLIST (RFC 3501 6.3.8, 5258, 5819, 6154, 3348). */
#include <errno.h>
#include <string.h>

#include "imapd/folderlist.h"
#include "imapd/mailboxes.h"
#include "imapd/pattern.h"
#include "imapd/session.h"
#include "imapd/status.h"
#include "lib/str.h"

enum { PATTERNS_MAX = 64 };
enum { BY_SUBSCRIBED = 1, BY_RECURSIVE = 2, BY_SPECIAL = 4, BY_REMOTE = 8 };
enum { RETURN_SUBSCRIBED = 1, RETURN_CHILDREN = 2, RETURN_SPECIAL = 4, RETURN_STATUS = 8 };
enum list_verb { VERB_LIST, VERB_LSUB, VERB_XLIST };

struct request {
    enum list_verb verb;
    bool is_extended;
    unsigned by, returns, status;
    struct slice reference;
    unsigned n;
    struct slice pattern[PATTERNS_MAX];
};

/* (SUBSCRIBED RECURSIVEMATCH …) SP; nothing is right, too. */
static bool parse_selection(struct parser *parser, struct request *out)
{
    static const struct {
        const char *word;
        unsigned bit;
    } words[] = {
        {"SUBSCRIBED", BY_SUBSCRIBED}, {"RECURSIVEMATCH", BY_RECURSIVE}, {"SPECIAL-USE", BY_SPECIAL}, {"REMOTE", BY_REMOTE}};
    if (!parse_char(parser, '(')) {
        return true;
    }
    out->is_extended = true;
    while (!parse_char(parser, ')')) {
        bool is_known = false;
        if (out->by != 0 && !parse_space(parser)) {
            return false;
        }
        for (size_t i = 0; i < sizeof words / sizeof *words && !is_known; i++) {
            is_known = parse_word(parser, words[i].word);
            out->by |= is_known ? words[i].bit : 0;
        }
        if (!is_known) {
            return false;
        }
    }
    /* RECURSIVEMATCH needs something to be matched (RFC 5258 3.1). */
    bool is_alone = out->by & BY_RECURSIVE && !(out->by & (BY_SUBSCRIBED | BY_SPECIAL));
    return !is_alone && parse_space(parser);
}

static bool parse_patterns(struct parser *parser, struct request *out)
{
    bool is_list = parse_char(parser, '(');
    out->is_extended = out->is_extended || is_list;
    do {
        if (out->n == PATTERNS_MAX || !parse_list_mailbox(parser, &out->pattern[out->n])) {
            return false;
        }
        out->n++;
    } while (is_list && parse_space(parser));
    return !is_list || parse_char(parser, ')');
}

static bool parse_return(struct parser *parser, struct request *out)
{
    if (parse_end(parser)) {
        return true;
    }
    out->is_extended = true;
    if (!parse_space(parser) || !parse_word(parser, "RETURN") || !parse_space(parser) || !parse_char(parser, '(')) {
        return false;
    }
    bool is_first = true;
    while (!parse_char(parser, ')')) {
        if (!is_first && !parse_space(parser)) {
            return false;
        }
        is_first = false;
        if (parse_word(parser, "SUBSCRIBED")) {
            out->returns |= RETURN_SUBSCRIBED;
        } else if (parse_word(parser, "CHILDREN")) {
            out->returns |= RETURN_CHILDREN;
        } else if (parse_word(parser, "SPECIAL-USE")) {
            out->returns |= RETURN_SPECIAL;
        } else if (parse_word(parser, "STATUS") && parse_space(parser) && status_parse(parser, &out->status)) {
            out->returns |= RETURN_STATUS;
        } else {
            return false;
        }
    }
    return parse_end(parser);
}

static bool parse_request(struct parser *parser, struct request *out)
{
    if (!parse_space(parser)) {
        return false;
    }
    if (out->verb != VERB_LIST) {
        return parse_astring(parser, &out->reference) && parse_space(parser) &&
               parse_list_mailbox(parser, &out->pattern[out->n++]) && parse_end(parser);
    }
    return parse_selection(parser, out) && parse_astring(parser, &out->reference) && parse_space(parser) &&
           parse_patterns(parser, out) && parse_return(parser, out);
}

/* Reference and pattern together, against the name as the client sees it. */
static bool matches(const struct session *session, const struct request *request, const stralloc *name)
{
    char separator = mailboxes_separator(session->settings);
    stralloc whole = STRALLOC_ZERO;
    bool is_match = false;
    for (unsigned i = 0; i < request->n && !is_match; i++) {
        str_copy(&whole, request->reference.bytes, request->reference.len);
        str_cat(&whole, request->pattern[i].bytes, request->pattern[i].len);
        is_match = pattern_matches((struct slice){whole.s, whole.len}, (struct slice){name->s, name->len}, separator);
    }
    stralloc_free(&whole);
    return is_match;
}

static bool name_matches(const struct session *session, const struct request *request, const char *folder)
{
    stralloc name = STRALLOC_ZERO;
    mailboxes_name_append(session->settings, folder, &name);
    bool is_match = matches(session, request, &name);
    stralloc_free(&name);
    return is_match;
}

/* INBOX/A is .INBOX.A, so that .INBOX, which nobody can select, is INBOX by another name. With a prefix it is a name of its own.
 */
static bool is_under_inbox(const char *folder, char next)
{
    static const char name[] = ".INBOX";
    size_t n = sizeof name - 1;
    return strlen(folder) >= n && str_equal_nocase(folder, n, name, n) && folder[n] == next;
}

static void join_inbox(const struct session *session, struct folderlist *list)
{
    struct folderlist_item *inbox = &list->item[0];
    for (uint32_t i = 1; i < list->n && session->settings->prefix[0] == '\0'; i++) {
        if (is_under_inbox(folderlist_name(list, i), '\0')) {
            inbox->flags |= list->item[i].flags & (FOLDERS_HAS_CHILDREN | FOLDERS_CHILD_SUBSCRIBED);
            list->item[i] = (struct folderlist_item){.name_at = list->item[i].name_at};
        }
    }
}

/* Does it meet the selection criteria? */
static bool meets(const struct request *request, const struct folderlist_item *item)
{
    if (!(request->by & (BY_SUBSCRIBED | BY_SPECIAL))) {
        return item->flags & (FOLDERS_EXISTS | FOLDERS_HAS_CHILDREN);
    }
    return (!(request->by & BY_SUBSCRIBED) || item->flags & FOLDERS_SUBSCRIBED) &&
           (!(request->by & BY_SPECIAL) || item->special != SPECIAL_NONE);
}

/* Does something below this folder meet the criteria? is_hidden: something that the patterns leave out. */
static bool has_child(const struct session *session, const struct request *request, const struct folderlist *list,
                      uint32_t parent, bool is_hidden)
{
    const char *above = folderlist_name(list, parent);
    bool is_inbox = strcmp(above, ".") == 0;
    size_t n = strlen(above);
    bool has = false;
    if (!(request->by & BY_RECURSIVE) || !(list->item[parent].flags & (FOLDERS_HAS_CHILDREN | FOLDERS_CHILD_SUBSCRIBED)) ||
        (request->by & BY_SUBSCRIBED && !(list->item[parent].flags & FOLDERS_CHILD_SUBSCRIBED))) {
        return false;
    }
    for (uint32_t i = parent + 1; i < list->n && !has; i++) {
        const char *name = folderlist_name(list, i);
        bool is_below = is_inbox ? is_under_inbox(name, '.') : strncmp(name, above, n) == 0 && name[n] == '.';
        has = is_below && meets(request, &list->item[i]) && (!is_hidden || !name_matches(session, request, name));
    }
    return has;
}

static void put_attribute(struct session *session, const char *word)
{
    if (session->out.s[session->out.len - 1] != '(') {
        session_put(session, " ");
    }
    session_put(session, word);
}

static void put_attributes(struct session *session, const struct request *request, const struct folderlist_item *item,
                           bool is_inbox)
{
    bool exists = item->flags & FOLDERS_EXISTS;
    session_put(session, "(");
    if (request->verb == VERB_LSUB) {
        if (!(item->flags & FOLDERS_SUBSCRIBED)) {
            put_attribute(session, "\\Noselect");
        }
        session_put(session, ")");
        return;
    }
    if (!exists) {
        put_attribute(session, request->is_extended ? "\\NonExistent" : "\\Noselect");
    }
    put_attribute(session, item->flags & FOLDERS_HAS_CHILDREN ? "\\HasChildren" : "\\HasNoChildren");
    if (item->flags & FOLDERS_SUBSCRIBED && (request->by & BY_SUBSCRIBED || request->returns & RETURN_SUBSCRIBED)) {
        put_attribute(session, "\\Subscribed");
    }
    if (is_inbox && request->verb == VERB_XLIST) {
        put_attribute(session, "\\Inbox");
    }
    if (item->special != SPECIAL_NONE) {
        put_attribute(session, special_name(item->special));
    }
    session_put(session, ")");
}

static const char *const verbs[] = {"LIST", "LSUB", "XLIST"};

static void put_item(struct session *session, const struct request *request, const struct folderlist_item *item,
                     const stralloc *name, bool is_parent)
{
    session_putf(session, "* %s ", verbs[request->verb]);
    put_attributes(session, request, item, slice_is((struct slice){name->s, name->len}, "INBOX"));
    session_putf(session, " \"%c\" ", mailboxes_separator(session->settings));
    mailboxes_put_astring(&session->out, name->s, name->len);
    if (is_parent && request->verb == VERB_LIST) {
        session_put(session, " (\"CHILDINFO\" (");
        session_put(session, request->by & BY_SUBSCRIBED ? "\"SUBSCRIBED\"" : "");
        session_put(session, request->by & BY_SUBSCRIBED && request->by & BY_SPECIAL ? " " : "");
        session_put(session, request->by & BY_SPECIAL ? "\"SPECIAL-USE\"" : "");
        session_put(session, "))");
    }
    session_put(session, "\r\n");
    session_room(session);
}

static const struct reply *list_all(struct session *session, const struct request *request)
{
    struct folderlist list;
    stralloc name = STRALLOC_ZERO;
    if (folderlist_read(&list, session->root) < 0) {
        return reply_of_errno(errno);
    }
    join_inbox(session, &list);
    for (uint32_t i = 0; i < list.n; i++) {
        const struct folderlist_item *item = &list.item[i];
        bool is_meant = meets(request, item);
        name.len = 0;
        mailboxes_name_append(session->settings, folderlist_name(&list, i), &name);
        /* What stands there for its children only is left out where all of them are told (RFC 5258 3.5). */
        if (!matches(session, request, &name) || (!is_meant && !has_child(session, request, &list, i, true))) {
            continue;
        }
        put_item(session, request, item, &name, has_child(session, request, &list, i, false));
        if (request->returns & RETURN_STATUS && is_meant && item->flags & FOLDERS_EXISTS) {
            (void)status_put(session, folderlist_name(&list, i), request->status); /* one that cannot be read has none */
        }
    }
    stralloc_free(&name);
    folderlist_free(&list);
    return &reply_done;
}

static const struct reply *list(struct session *session, struct parser *parser, enum list_verb verb)
{
    struct request request = {.verb = verb, .by = verb == VERB_LSUB ? BY_SUBSCRIBED | BY_RECURSIVE : 0U};
    if (!parse_request(parser, &request)) {
        return &reply_syntax;
    }
    if (request.n == 1 && request.pattern[0].len == 0 && !request.is_extended) {
        session_putf(session, "* %s (\\Noselect) \"%c\" \"\"\r\n", verbs[verb], mailboxes_separator(session->settings));
        return &reply_done;
    }
    return list_all(session, &request);
}

const struct reply *cmd_list(struct session *session, struct parser *parser)
{
    return list(session, parser, VERB_LIST);
}

const struct reply *cmd_lsub(struct session *session, struct parser *parser)
{
    return list(session, parser, VERB_LSUB);
}

const struct reply *cmd_xlist(struct session *session, struct parser *parser)
{
    return list(session, parser, VERB_XLIST);
}
