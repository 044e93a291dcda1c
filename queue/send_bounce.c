/* SPDX-License-Identifier: ISC */
/* Forks bounce.c's work. The child gives away everything of send's first: the lock of the spool above all, so that it cannot keep
 * a new send out when this one dies. Its exit code is its answer; any other end of it means: ask again later. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "queue/bounce.h"
#include "queue/send_bounce.h"
#include "queue/send_end.h"

enum { EXIT_SENT = 0, EXIT_DROPPED = 99, EXIT_LATER = 111, CHILD_SECONDS = 600, FILE_FD = 3 };

_Noreturn static void child(const struct scheduler *scheduler, const struct message *message, int fd)
{
    const struct send_settings *settings = &scheduler->settings;
    struct bounce_settings bounce = {.me = settings->me,
                                     .bouncefrom = settings->bouncefrom,
                                     .bouncehost = settings->bouncehost,
                                     .doublebounceto = settings->doublebounceto,
                                     .doublebouncehost = settings->doublebouncehost,
                                     .queuelifetime = settings->queuelifetime};
    static const int ours[] = {SIGTERM, SIGHUP, SIGALRM, SIGCHLD};
    sigset_t none;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        (void)signal(ours[i], SIG_DFL);
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(fd, FILE_FD) < 0 || dup2(fd, 0) < 0 || close_range(FILE_FD + 1, ~0U, 0) < 0) {
        _exit(EXIT_LATER);
    }
    (void)alarm(CHILD_SECONDS);
    switch (bounce_send(FILE_FD, message->id, &bounce)) {
    case BOUNCE_SENT:
        _exit(EXIT_SENT);
    case BOUNCE_DROPPED:
        _exit(EXIT_DROPPED);
    case BOUNCE_LATER:
        break;
    }
    _exit(EXIT_LATER);
}

static void start(struct scheduler *scheduler, int index)
{
    struct message *message = &scheduler->messages[index];
    scheduler->n_reporting--;
    send_log_flush(&scheduler->log); /* or the child would hold a copy */
    pid_t pid = fork();
    if (pid == 0) {
        child(scheduler, message, message->fd);
    }
    if (pid < 0) {
        log_event("alert", "id=%s error=%s reason=%s", message->id, strerror(errno), "no child for the bounce; it is sent later");
        end_reported(scheduler, index, false);
        return;
    }
    message->state = MESSAGE_BOUNCING;
    message->bounce = pid;
    scheduler->n_bounces++;
    send_log_bounce(&scheduler->log, message->number, (long)pid);
}

void send_bounce_pump(struct scheduler *scheduler)
{
    for (int i = 0; scheduler->n_reporting > 0 && scheduler->n_bounces < BOUNCES_MAX && i < MESSAGES_MAX; i++) {
        if (scheduler->is_stopping) {
            return;
        }
        if (scheduler->messages[i].state == MESSAGE_REPORTING) {
            start(scheduler, i);
        }
    }
}

static void ended(struct scheduler *scheduler, int index, int status)
{
    struct message *message = &scheduler->messages[index];
    bool is_sent = WIFEXITED(status) && (WEXITSTATUS(status) == EXIT_SENT || WEXITSTATUS(status) == EXIT_DROPPED);
    if (is_sent && WEXITSTATUS(status) == EXIT_DROPPED) {
        send_log_triple(&scheduler->log, message->number);
    }
    if (!is_sent) {
        log_event("bounce-late", "id=%s status=%d reason=%s", message->id, status,
                  "the bounce could not be sent; it is tried again");
    }
    end_reported(scheduler, index, is_sent);
}

void send_bounce_reap(struct scheduler *scheduler)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (int i = 0; i < MESSAGES_MAX; i++) {
            if (scheduler->messages[i].state == MESSAGE_BOUNCING && scheduler->messages[i].bounce == pid) {
                scheduler->n_bounces--;
                ended(scheduler, i, status);
                break;
            }
        }
    }
}
