/* SPDX-License-Identifier: ISC */
/* What the modules of stafet-send share: one struct of arrays that are indexed by number. A *message* is one file that is being
 * tried; a *job* is one of its recipients on its way through rcpt and local. */
#ifndef SEND_H
#define SEND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <skalibs/stralloc.h>
#include "lib/channel.h"
#include "lib/msgid.h"
#include "lib/spoolfile.h"
#include "lib/why.h"
#include "queue/send_known.h"
#include "queue/send_log.h"
#include "queue/send_spool.h"
#include "queue/send_waiting.h"

enum {
    NOTHING = -1,        /* an index that points nowhere */
    MESSAGES_MAX = 1024, /* tried at once */
    JOBS_MAX = 4096,     /* recipients in memory, of all messages */
    JOBS_A_MESSAGE = 40, /* of one: a mailing is read by window */
    WORKERS_MAX = 500,   /* connections to local; its own -c is 500 */
    ROUTES_MAX = 16,     /* questions to rcptd at once */
    BATCH_MAX = 20,      /* recipients of one call, where a message has many */
    BOUNCES_MAX = 4,     /* children that write reports */
    CTL_MAX = 16         /* operators at once */
};

struct send_settings {
    const char *me, *bouncefrom, *bouncehost, *doublebouncehost, *doublebounceto, *spoolsync;
    uint64_t concurrencylocal, concurrencyremote, queuelifetime, timeoutlocal;
};

enum message_state {
    MESSAGE_FREE,
    MESSAGE_TRYING,    /* jobs are on their way */
    MESSAGE_REPORTING, /* all jobs are done, some failed: a bounce is to be sent */
    MESSAGE_BOUNCING   /* its child runs */
};
/* What an operator wants done with it when its try ends. */
enum wish { WISH_NONE, WISH_HOLD, WISH_DELETE, WISH_FAIL };
struct message {
    enum message_state state;
    enum wish wish;
    int next; /* free list */
    char id[MSGID_LEN + 1];
    int fd;       /* read-only, with a shared flock */
    int write_fd; /* -1 until a mark or note is written */
    struct spoolfile_header header;
    uint32_t number; /* of the log */
    uint32_t tries;  /* before this one */
    bool is_old;     /* no new mail: gives way to it */
    bool is_read;    /* the envelope was read to its end */
    bool is_damaged;
    bool is_dirty;       /* marks are not synced */
    bool is_report_late; /* the bounce could not be sent */
    uint64_t dirty_ms;
    stralloc sender;
    uint64_t at;        /* in the file: the next recipient's record */
    uint32_t next_n;    /* its number */
    uint32_t waiting;   /* marks `.` */
    uint32_t failed;    /* marks D */
    unsigned jobs;      /* in memory */
    uint64_t notes_end; /* 0: not known yet */
    enum why why;       /* of the first deferral of this try */
    enum waiting_site site_kind;
    uint32_t site;
    pid_t bounce;
    uint64_t began_s; /* wall clock */
};

struct job {
    int message, next;
    uint32_t n;
    uint32_t delivery; /* of the log; 0: not started */
    bool is_second;    /* given to a second worker: the first had ended */
    uint64_t since_ms; /* in its queue */
    stralloc address;
    stralloc frame; /* R for local, once it is routed */
};
/* Jobs in line, by index. New mail's and old mail's wait apart: who is next, job_queue_take decides. */
struct job_line {
    int first, last;
    unsigned n;
};
enum { LINE_FRESH, LINE_OLD, LINES };
struct job_queue {
    struct job_line line[LINES];
    unsigned taken; /* every fourth is an old one */
};

/* A socket of another room that may be down. */
struct service {
    const char *path, *name;
    uint64_t down_since_ms, next_try_ms; /* 0: it is up */
    bool came_back;
};

struct route_call {
    struct channel channel;
    int job; /* NOTHING: free */
    uint64_t deadline_ms;
};
struct worker {
    struct channel channel; /* in < 0: free */
    int message;            /* NOTHING: idle */
    bool is_old;
    unsigned n_jobs;
    int jobs[BATCH_MAX]; /* NOTHING: answered */
    unsigned deliveries;
    int message_fd;       /* own descriptor for this call, -1: the message's */
    uint64_t deadline_ms; /* of the next answer; idle: when it is closed */
};

/* An operator's connection (sockets/ctl). */
struct ctl_item {
    struct waiting entry;
    enum spool_place place;
    bool is_taken; /* off the list of those that wait: it must go on, or back */
};
struct ctl_filter {
    const char *id, *from, *to, *site, *why; /* NULL: any; slices of the question */
};
enum ctl_do { CTL_IDLE, CTL_LIST, CTL_SHOW, CTL_RETRY, CTL_HOLD, CTL_RELEASE, CTL_DELETE, CTL_BOUNCE };
struct ctl {
    struct channel channel; /* in < 0: free */
    uint64_t deadline_ms;
    enum ctl_do what;
    bool is_ending; /* closed as soon as its answer is out */
    bool is_acting; /* items are those that fit */
    stralloc question;
    struct ctl_filter filter;
    struct ctl_item *items; /* as they were when the question came */
    size_t n_items, at, count;
    struct message shown;
    stralloc notes;
};

struct scheduler {
    struct send_settings settings;
    struct send_log log;
    struct spool spool;
    struct waiting_list later;
    struct id_queue fresh; /* in new/ */
    struct id_queue again; /* in cur/: found at the start */
    uint64_t now_ms;       /* monotonic, of this pass */
    uint64_t now_s;        /* wall clock */

    struct message *messages;
    int free_message;
    unsigned n_messages, n_old, messages_limit, n_dirty, taken;
    struct job *jobs;
    int free_job;
    unsigned n_jobs;
    struct job_queue unrouted, routed;

    struct service rcpt, local;
    struct known *known; /* answers of the last second */
    struct route_call routes[ROUTES_MAX];
    unsigned n_routes;
    struct worker *workers;
    int idle[WORKERS_MAX]; /* stack: the one used last is used next */
    unsigned n_idle, n_workers, n_busy, n_busy_old;
    unsigned n_bounces, n_reporting;
    bool has_ctl; /* descriptor 0 is a listening socket */
    int operators_gid;
    struct ctl ctl[CTL_MAX];
    unsigned n_ctl;

    uint32_t next_number, next_delivery;
    bool is_stopping, needs_two_syncs;
    uint64_t expired_ms;
    uint64_t pause_ms; /* no new tries before: descriptors or disk ran out */
    char window[SPOOLFILE_WINDOW];
    char marks[4096];
};

#endif
