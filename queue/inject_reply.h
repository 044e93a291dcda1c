/* SPDX-License-Identifier: ISC */
/* How stafet-inject ends when it does not take a message: words for the person, and the exit code that its name promises. */
#ifndef INJECT_REPLY_H
#define INJECT_REPLY_H

enum inject_name { INJECT_SENDMAIL, INJECT_QMAIL_INJECT, INJECT_QMAIL_QUEUE };
enum inject_end {                  /*  sendmail  qmail-inject  qmail-queue */
                  INJECT_USAGE,    /*  64        100           100         */
                  INJECT_DATA,     /*  65        100           31          */
                  INJECT_LONG,     /*  65        100           11          */
                  INJECT_ENVELOPE, /*  65        100           91          */
                  INJECT_REFUSED,  /*  69        100           31          */
                  INJECT_ABSENT,   /*  69        100           100         */
                  INJECT_READ,     /*  75        111           54          */
                  INJECT_WRITE,    /*  75        111           53          */
                  INJECT_CONFIG,   /*  75        111           55          */
                  INJECT_HOME,     /*  75        111           61          */
                  INJECT_SERVICE,  /*  75        111           74          */
                  INJECT_LATER     /*  75        111           71          */
};
struct inject_reply {
    enum inject_end end;
    const char *text; /* one % stands for the detail */
};
extern const struct inject_reply inject_bad_option, inject_bad_value, inject_no_smtp, inject_no_daemon, inject_show_queue,
    inject_run_queue, inject_no_recipient, inject_bad_argument, inject_bad_sender, inject_bad_line, inject_long_header,
    inject_long_address, inject_bad_envelope, inject_cut_envelope, inject_unread, inject_unkept, inject_no_home, inject_no_me,
    inject_bad_control, inject_refused, inject_deferred, inject_disk, inject_service, inject_unwritten;

int inject_exit_code(enum inject_name name, enum inject_end end);
/* Writes `NAME: fatal: text` to fd 2 (detail escaped, NULL: none), exits. */
_Noreturn void inject_fail(enum inject_name name, const struct inject_reply *reply, const char *detail);

#endif
