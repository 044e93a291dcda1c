/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/call.h"
#include "lib/log.h"
#include "queue/send_service.h"

enum { PAUSE_MS = 100 };

int service_connect(struct service *service, uint64_t now_ms)
{
    if (now_ms < service->next_try_ms) {
        return -1;
    }
    int fd = call_connect(service->path);
    if (fd < 0) {
        service->next_try_ms = now_ms + PAUSE_MS;
        if (service->down_since_ms == 0) {
            service->down_since_ms = now_ms;
            log_event("service-down", "service=%s error=%s", service->name, strerror(errno));
        }
        return -1;
    }
    service->next_try_ms = 0;
    if (service->down_since_ms != 0) {
        log_event("service-up", "service=%s after-ms=%llu", service->name, (unsigned long long)(now_ms - service->down_since_ms));
        service->came_back = now_ms - service->down_since_ms >= SERVICE_PATIENCE_MS;
        service->down_since_ms = 0;
    }
    return fd;
}

uint64_t service_wait_ms(const struct service *service, uint64_t now_ms)
{
    return service->next_try_ms > now_ms ? service->next_try_ms - now_ms : UINT64_MAX;
}

uint64_t service_stale_before(const struct service *service, uint64_t now_ms)
{
    if (service->down_since_ms == 0 || now_ms - service->down_since_ms < SERVICE_PATIENCE_MS) {
        return 0;
    }
    return now_ms - SERVICE_PATIENCE_MS;
}

void service_disconnect(struct channel *channel)
{
    if (channel->in >= 0) {
        close(channel->in);
    }
    service_use(channel, -1);
}

void service_use(struct channel *channel, int fd)
{
    channel->in = channel->out = fd;
    channel->inbox.len = channel->outbox.len = channel->taken = 0;
    channel->n_attached = 0;
    while (channel->n_fds > 0) {
        close(channel->fds[--channel->n_fds]);
    }
}
