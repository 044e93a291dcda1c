/* SPDX-License-Identifier: ISC */
/* qmail-send's half of routing: is the address one of ours, and by which name does users/cdb know it? Order (qmail): percenthack,
 * locals, virtualdomains (whole address, domain, .suffixes, empty key), else another host. For SMTP without relaying the domain,
 * ours or not, must stand in rcpthosts or morercpthosts; without control/rcpthosts nothing is taken at all. */
#include "auth/route.h"

#include <string.h>
#include <sys/stat.h>

#include "auth/route_folder.h"
#include "auth/route_maps.h"
#include "auth/route_reply.h"
#include "lib/address.h"
#include "lib/log.h"
#include "lib/str.h"

#define ALIAS_FOLDER "alias"

struct slice {
    const char *bytes;
    size_t n;
};

static void clear(struct route *out)
{
    out->file.len = out->home.len = out->user.len = out->local.len = 0;
    out->dash.len = out->ext.len = out->quota.len = out->to.len = 0;
    out->letter = '\0';
    out->text = "";
    out->why = WHY_NONE;
    out->kind = ROUTE_NOWHERE;
    out->line = 0;
    out->flags = 0;
}

/* RFC 5321 4.1.1.3: RCPT TO:<postmaster> needs no domain. In the queue any address may lack one (qmail's envnoathost). True: one
 * was appended. */
static bool complete(const struct route_config *config, const struct route_question *question, stralloc *address)
{
    bool may_lack = question->purpose != ROUTE_SMTP || str_equal_nocase(address->s, address->len, "postmaster", 10);
    if (!may_lack || config->envnoathost == NULL || address->len == 0 ||
        address_domain_at(address->s, address->len) != address->len) {
        return false;
    }
    str_catc(address, '@');
    str_cats(address, config->envnoathost);
    return true;
}

/* user%host@domain becomes user@host while domain stands in control/percenthack; each round is shorter. */
static void unfold_percent(const struct route_config *config, stralloc *address)
{
    for (;;) {
        size_t at = address_domain_at(address->s, address->len);
        if (at == address->len || !control_list_has(&config->percenthack, address->s + at + 1, address->len - at - 1)) {
            return;
        }
        char *percent = memrchr(address->s, '%', at);
        if (percent == NULL) {
            return;
        }
        *percent = '@';
        address->len = at;
    }
}

/* The local part as mailboxes are named: without the quotes of RFC 5321. */
static void append_local_part(stralloc *out, const char *bytes, size_t n)
{
    if (n < 2 || bytes[0] != '"' || bytes[n - 1] != '"') {
        str_cat(out, bytes, n);
        return;
    }
    for (size_t i = 1; i < n - 1; i++) {
        i += bytes[i] == '\\' && i + 2 < n;
        str_catc(out, bytes[i]);
    }
}

/* virtualdomains: the prepend text, "" for an exception (another host), NULL where nothing matches. */
static const char *find_virtual(const struct route_config *config, const stralloc *address, struct slice domain)
{
    const struct control_list *list = &config->virtualdomains;
    const char *prepend = control_list_find(list, address->s, address->len);
    if (prepend == NULL) {
        prepend = control_list_find(list, domain.bytes, domain.n);
    }
    for (size_t i = 1; prepend == NULL && i < domain.n; i++) {
        if (domain.bytes[i] == '.') {
            prepend = control_list_find(list, domain.bytes + i, domain.n - i);
        }
    }
    return prepend != NULL ? prepend : control_list_find(list, "", 0);
}

/* No entry in users/cdb: the user alias has it, as in qmail. */
static void route_to_alias_user(struct route_config *config, const struct route_question *question, struct route *out)
{
    struct stat st;
    struct assign_entry entry = {.user = "alias", .home = ALIAS_FOLDER, .dash = "-"};
    if (stat(ALIAS_FOLDER, &st) < 0 || out->local.len >= sizeof entry.ext) {
        route_answer(out, ROUTE_REPLY_NO_MAILBOX);
        return;
    }
    entry.uid = st.st_uid;
    entry.gid = st.st_gid;
    memcpy(entry.ext, out->local.s, out->local.len);
    route_in_folder(config, question, &entry, out);
}

/* out->local is the name that users/cdb is asked for. */
static void route_local(struct route_config *config, const struct route_question *question, struct route *out)
{
    struct assign_entry entry;
    route_decided_by(out, NULL, "users/cdb", 0);
    int opened = route_open_assign(config);
    if (opened != 1) {
        route_answer(out, opened == 0 ? ROUTE_REPLY_NO_ASSIGN : ROUTE_REPLY_IO);
        return;
    }
    switch (assign_find(&config->assign, out->local.s, out->local.len, &entry)) {
    case 1:
        route_in_folder(config, question, &entry, out);
        return;
    case 0:
        route_to_alias_user(config, question, out);
        return;
    default:
        log_event("alert", "what=%s file=%s", "assignments are damaged", "users/cdb");
        route_answer(out, ROUTE_REPLY_IO);
    }
}

/* SMTP without relaying takes mail for the domains of rcpthosts and morercpthosts only, be they local, virtual or another host's:
 * a domain that was taken out there gets no mail from outside any more. */
static bool is_refused(struct route_config *config, const struct route_question *question, struct slice domain, struct route *out)
{
    route_decided_by(out, NULL, "control/rcpthosts", 0);
    if (question->purpose != ROUTE_SMTP || question->may_relay ||
        control_list_has_domain(&config->rcpthosts, domain.bytes, domain.n)) {
        return false;
    }
    int found = route_morercpthosts_has(config, domain.bytes, domain.n);
    if (found == 0) {
        route_answer(out, ROUTE_REPLY_NOT_OURS);
        return true;
    }
    if (found < 0) {
        route_answer(out, ROUTE_REPLY_IO);
    }
    route_decided_by(out, NULL, "control/morercpthosts.cdb", 0);
    return found < 0;
}

static void route_address(struct route_config *config, const struct route_question *question, stralloc *address,
                          bool was_completed, struct route *out)
{
    size_t at = address_domain_at(address->s, address->len);
    struct slice domain = {address->s + at + 1, address->len - at - 1};
    if (!was_completed && is_refused(config, question, domain, out)) {
        return;
    }
    bool is_local = control_list_has(&config->locals, domain.bytes, domain.n);
    const char *prepend = is_local ? "" : find_virtual(config, address, domain);
    if (!is_local && (prepend == NULL || *prepend == '\0')) {
        if (strcmp(str_text(address), question->to) != 0) {
            str_copy(&out->to, address->s, address->len);
        }
        route_accept(out, ROUTE_TO_REMOTE);
        return;
    }
    str_copys(&out->local, prepend);
    if (!is_local) {
        str_catc(&out->local, '-');
    }
    append_local_part(&out->local, address->s, at);
    route_local(config, question, out);
}

void route_find(struct route_config *config, const struct route_question *question, struct route *out)
{
    static uint64_t last_alert_ms;
    stralloc address = STRALLOC_ZERO;
    clear(out);
    str_copys(&address, question->to);
    bool was_completed = complete(config, question, &address);
    unfold_percent(config, &address);
    enum address_fault fault = address_check(address.s, address.len, true);
    if (question->purpose == ROUTE_SMTP && !config->rcpthosts.is_there) {
        log_event_rarely(&last_alert_ms, "alert", "what=%s file=%s", "control/rcpthosts is missing: no mail is taken for anybody",
                         "control/rcpthosts");
        route_answer(out, ROUTE_REPLY_NO_RCPTHOSTS);
        route_decided_by(out, NULL, "control/rcpthosts", 0);
    } else if (fault != ADDRESS_GOOD) {
        route_answer_fault(out, fault);
    } else {
        route_address(config, question, &address, was_completed, out);
    }
    stralloc_free(&address);
}
