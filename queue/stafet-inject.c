/* SPDX-License-Identifier: ISC */
/* stafet-inject(8): sendmail, qmail-inject and qmail-queue. Runs as its caller, with no privilege: it reads a message, makes its
 * header whole, and hands it to sockets/inject. Promise: exit code 0 means safe in the queue. */
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/die.h"
#include "lib/msgid.h"
#include "lib/str.h"
#include "queue/inject_header.h"
#include "queue/inject_home.h"
#include "queue/inject_input.h"
#include "queue/inject_queue.h"
#include "queue/inject_send.h"

static void take_argument(const struct inject_options *options, const struct addrlist_hosts *hosts, const char *argument,
                          stralloc *recipients)
{
    struct addrlist list;
    struct addrlist_mailbox mailbox;
    stralloc detail = STRALLOC_ZERO;
    addrlist_start(&list, argument, strlen(argument));
    while (addrlist_next(&list, &mailbox) == 1) {
        if (mailbox.begin < mailbox.end) {
            addrlist_append(recipients, argument, &mailbox, hosts);
            str_catc(recipients, '\0');
        }
    }
    if (list.fault != ADDRLIST_GOOD) {
        str_cats(&detail, argument);
        str_catf(&detail, " (%s)", inject_header_fault(list.fault));
        inject_fail(options->name, &inject_bad_argument, str_text(&detail));
    }
}

static bool wants_header(const struct inject_options *options)
{
    return options->from == INJECT_HEADER || options->from == INJECT_BOTH ||
           (options->from == INJECT_EITHER && options->recipients[0] == NULL);
}

static void take_recipients(const struct inject_options *options, const struct addrlist_hosts *hosts, const stralloc *from_header,
                            stralloc *recipients)
{
    if (options->from != INJECT_HEADER) {
        for (char **argument = options->recipients; *argument != NULL; argument++) {
            take_argument(options, hosts, *argument, recipients);
        }
    }
    str_cat(recipients, from_header->s, from_header->len);
    if (recipients->len == 0) {
        inject_fail(options->name, &inject_no_recipient, NULL);
    }
}

static void take_sender(const struct inject_options *options, const struct inject_header_rules *rules,
                        const struct inject_header_result *written, stralloc *sender)
{
    const char *text = options->sender;
    size_t n = text == NULL ? 0 : strlen(text);
    if (text == NULL && written->has_return_path && !rules->identity->ignores_return_path) {
        text = written->return_path.s;
        n = written->return_path.len;
    }
    if (text == NULL) {
        inject_identity_sender(sender, rules->identity, rules->hosts, rules->now);
    } else if (!inject_identity_parse(sender, text, n, rules->hosts)) {
        inject_fail(options->name, &inject_bad_sender, text);
    }
    str_text(sender);
}

static void inject(int argc, char **argv, enum inject_name name)
{
    static struct inject_input input;
    struct inject_options options;
    struct inject_home home;
    struct inject_identity identity;
    struct inject_header_result written = {.has_return_path = false};
    stralloc sender = STRALLOC_ZERO, recipients = STRALLOC_ZERO;
    char id[MSGID_LEN + 1];
    inject_options_read(argc, argv, name, &options);
    inject_home_enter(name, &home);
    inject_identity_read(&options, &home.hosts, &identity);
    inject_input_read(&input, name);
    uint64_t now_us = clock_wall_us();
    msgid_make(now_us, id);
    struct inject_header_rules rules = {.identity = &identity,
                                        .hosts = &home.hosts,
                                        .id_host = home.id_host,
                                        .id = id,
                                        .now = now_us / 1000000,
                                        .wants_recipients = wants_header(&options)};
    if (!inject_header_write(input.header.s, input.header.len, &rules, &written)) {
        inject_fail(name, &inject_bad_line, written.bad_line.s);
    }
    str_catc(&written.header, '\n');
    str_text(&written.return_path);
    struct inject_letter letter = {.name = name, .notify = options.notify, .ret = options.ret, .envid = options.envid};
    letter.header = &written.header;
    letter.body = &input.body;
    if (options.is_printed) {
        inject_print(&letter);
        return;
    }
    take_sender(&options, &rules, &written, &sender);
    take_recipients(&options, &home.hosts, &written.recipients, &recipients);
    letter.sender = sender.s;
    letter.recipients = &recipients;
    inject_send(&letter);
}

int main(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "";
    program_start("stafet-inject");
    if (strcmp(name, "mailq") == 0) {
        inject_fail(INJECT_SENDMAIL, &inject_show_queue, NULL);
    }
    if (strcmp(name, "newaliases") == 0) {
        return 0; /* aliases are .qmail files, which need no rebuilding */
    }
    if (strcmp(name, "qmail-queue") == 0) {
        inject_queue_run();
    } else {
        inject(argc, argv, strcmp(name, "sendmail") == 0 ? INJECT_SENDMAIL : INJECT_QMAIL_INJECT);
    }
    return 0;
}
