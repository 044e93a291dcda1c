/* SPDX-License-Identifier: ISC */
/* Lists by index in one array: no allocation but the byte strings, which are used again. */
#include "lib/str.h"
#include "queue/send_job.h"

enum { OLD_SHARE = 4 };

void job_init(struct scheduler *scheduler)
{
    scheduler->jobs = memory_get(JOBS_MAX, sizeof *scheduler->jobs);
    for (int i = 0; i < JOBS_MAX; i++) {
        scheduler->jobs[i].next = i + 1 < JOBS_MAX ? i + 1 : NOTHING;
    }
    scheduler->free_job = 0;
    for (int i = 0; i < LINES; i++) {
        scheduler->unrouted.line[i] = scheduler->routed.line[i] = (struct job_line){.first = NOTHING, .last = NOTHING};
    }
}

int job_new(struct scheduler *scheduler, int message, uint32_t n, const char *address)
{
    int index = scheduler->free_job;
    if (index == NOTHING) {
        return NOTHING;
    }
    struct job *job = &scheduler->jobs[index];
    scheduler->free_job = job->next;
    scheduler->n_jobs++;
    scheduler->messages[message].jobs++;
    job->message = message;
    job->next = NOTHING;
    job->n = n;
    job->delivery = 0;
    job->is_second = false;
    job->frame.len = 0;
    str_copys(&job->address, address);
    (void)str_text(&job->address);
    return index;
}

void job_free(struct scheduler *scheduler, int job)
{
    scheduler->messages[scheduler->jobs[job].message].jobs--;
    scheduler->n_jobs--;
    scheduler->jobs[job].next = scheduler->free_job;
    scheduler->free_job = job;
}

static struct job_line *line_of(const struct scheduler *scheduler, struct job_queue *queue, int job)
{
    return &queue->line[scheduler->messages[scheduler->jobs[job].message].is_old ? LINE_OLD : LINE_FRESH];
}

void job_queue_put(struct scheduler *scheduler, struct job_queue *queue, int job)
{
    struct job_line *line = line_of(scheduler, queue, job);
    scheduler->jobs[job].since_ms = scheduler->now_ms;
    scheduler->jobs[job].next = NOTHING;
    if (line->first == NOTHING) {
        line->first = job;
    } else {
        scheduler->jobs[line->last].next = job;
    }
    line->last = job;
    line->n++;
}

void job_queue_put_back(struct scheduler *scheduler, struct job_queue *queue, int job)
{
    struct job_line *line = line_of(scheduler, queue, job);
    scheduler->jobs[job].next = line->first;
    if (line->first == NOTHING) {
        line->last = job;
    }
    line->first = job;
    line->n++;
}

static int take_first(struct scheduler *scheduler, struct job_line *line)
{
    int job = line->first;
    if (job != NOTHING) {
        line->first = scheduler->jobs[job].next;
        line->last = line->first == NOTHING ? NOTHING : line->last;
        line->n--;
    }
    return job;
}

int job_queue_take(struct scheduler *scheduler, struct job_queue *queue, bool may_be_old)
{
    struct job_line *fresh = &queue->line[LINE_FRESH], *old = &queue->line[LINE_OLD];
    bool is_old_turn = fresh->n == 0 || queue->taken % OLD_SHARE == OLD_SHARE - 1;
    if (old->n > 0 && may_be_old && is_old_turn) {
        queue->taken = 0;
        return take_first(scheduler, old);
    }
    queue->taken += fresh->n > 0 && old->n > 0;
    return take_first(scheduler, fresh);
}

int job_queue_take_same(struct scheduler *scheduler, struct job_queue *queue, int message)
{
    struct job_line *line = &queue->line[scheduler->messages[message].is_old ? LINE_OLD : LINE_FRESH];
    if (line->first == NOTHING || scheduler->jobs[line->first].message != message) {
        return NOTHING;
    }
    return take_first(scheduler, line);
}

int job_queue_take_stale(struct scheduler *scheduler, struct job_queue *queue, uint64_t before_ms)
{
    for (int i = 0; i < LINES; i++) {
        int job = queue->line[i].first;
        if (job != NOTHING && scheduler->jobs[job].since_ms <= before_ms) {
            return take_first(scheduler, &queue->line[i]);
        }
    }
    return NOTHING;
}
