/* SPDX-License-Identifier: ISC */
/* What a front hears before it knows the client, and an authd that answers whatever the input says. An input: the length of the
 * answer (0: authd is not there), the answer's bytes, then all that the client sends. Asserted for each question: it is one that
 * authd understands, it brings the connection, and what the client sent behind its password, byte for byte. */
#ifndef FUZZ_FRONT_H
#define FUZZ_FRONT_H

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/control.h"
#include "lib/serve.h"
#include "lib/str.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_quiet.h"

static struct {
    const char *service;
    char *answer, *client;
    size_t answer_len, client_len;
    int authd;      /* its end of the call that is open; -1 */
    off_t said;     /* bytes that the client had heard when authd was asked */
    unsigned asked; /* questions of this input */
} fuzz_front = {.authd = -1};

static inline void fuzz_check_question(const char *payload, size_t n, uint64_t *early_out)
{
    struct fields fields;
    require(fields_parse(payload, n, &fields));
    require(strcmp(fields_get_or(&fields, "op", ""), "auth") == 0 && strcmp(fields_get_or(&fields, "mech", ""), "PLAIN") == 0);
    require(strcmp(fields_get_or(&fields, "service", ""), fuzz_front.service) == 0);
    require(strlen(fields_get_or(&fields, "sid", "")) == SERVE_SID_LEN);
    require(fields_get(&fields, "user") != NULL && fields_get(&fields, "pass") != NULL);
    require(fields_get_number(&fields, "early", FRAME_LEN_MAX - 1, early_out));
}

/* What authd was asked, once the front has closed the call. */
static inline void fuzz_end_call(void)
{
    struct channel channel;
    struct frame frame;
    uint64_t early = 0;
    if (fuzz_front.authd < 0) {
        return;
    }
    channel_init(&channel, fuzz_front.authd, fuzz_front.authd);
    fuzz_front.authd = -1;
    require(channel_read(&channel, &frame) == CHANNEL_FRAME && frame.type == 'Q');
    fuzz_check_question(frame.payload, frame.len, &early);
    int connection = channel_take_fd(&channel);
    require(connection >= 0 && channel_take_fd(&channel) < 0);
    close(connection);
    require(early <= fuzz_front.client_len);
    if (early > 0) {
        const char *rest = fuzz_front.client + fuzz_front.client_len - early;
        require(channel_read(&channel, &frame) == CHANNEL_FRAME && frame.type == 'M');
        require(fuzz_equal(frame.payload, frame.len, rest, (size_t)early));
    }
    require(channel_read(&channel, &frame) == CHANNEL_EOF);
    channel_close(&channel);
}

/* Instead of the C library's: the answer lies there already when the question is asked. */
int connect(int fd, const struct sockaddr *address, socklen_t n)
{
    int pair[2];
    (void)address;
    (void)n;
    fuzz_end_call();
    fuzz_front.asked++;
    fuzz_front.said = lseek(1, 0, SEEK_CUR);
    if (fuzz_front.answer_len == 0) {
        errno = EACCES;
        return -1;
    }
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    require(dup3(pair[0], fd, O_CLOEXEC) == fd);
    require(send(pair[1], fuzz_front.answer, fuzz_front.answer_len, MSG_NOSIGNAL) == (ssize_t)fuzz_front.answer_len);
    require(shutdown(pair[1], SHUT_WR) == 0);
    close(pair[0]);
    fuzz_front.authd = pair[1];
    return 0;
}

/* The numbers of a control table have their defaults. */
static inline void fuzz_front_settings(const struct control_entry *table)
{
    for (; table->name != NULL; table++) {
        if (table->type == CONTROL_NUMBER) {
            *(uint64_t *)table->where = strtoull(table->otherwise, NULL, 10);
        }
    }
}

/* Descriptors 0 and 1 are the client, rewound. False: the input is none. */
static inline bool fuzz_front_begin(const char *service, const uint8_t *data, size_t size)
{
    static bool is_open;
    if (!is_open) {
        int in = memfd_create("in", MFD_CLOEXEC);
        int out = memfd_create("out", MFD_CLOEXEC);
        require(in > 1 && out > 1 && dup2(in, 0) == 0 && dup2(out, 1) == 1);
        is_open = true;
    }
    if (size == 0 || data[0] > size - 1) {
        return false;
    }
    fuzz_front.service = service;
    fuzz_front.asked = 0;
    fuzz_front.said = 0;
    fuzz_front.answer_len = data[0];
    fuzz_front.client_len = size - 1 - data[0];
    fuzz_front.answer = fuzz_copy(data + 1, fuzz_front.answer_len);
    fuzz_front.client = fuzz_copy(data + 1 + data[0], fuzz_front.client_len);
    require(ftruncate(0, 0) == 0 && pwrite(0, fuzz_front.client, fuzz_front.client_len, 0) == (ssize_t)fuzz_front.client_len);
    require(ftruncate(1, 0) == 0 && lseek(0, 0, SEEK_SET) == 0 && lseek(1, 0, SEEK_SET) == 0);
    return true;
}

/* A K is among the answer's frames: nothing else may hand the client over. */
static inline bool fuzz_front_is_let_in(void)
{
    struct frame frame;
    struct verdict verdict;
    size_t used;
    for (size_t at = 0; frame_parse(fuzz_front.answer + at, fuzz_front.answer_len - at, &frame, &used) == FRAME_WHOLE;
         at += used) {
        if (frame.type == 'K' && verdict_parse('K', frame.payload, frame.len, &verdict)) {
            return true;
        }
    }
    return false;
}

/* What the client heard. Once it is handed over, that is not a byte more than before the question. */
static inline void fuzz_front_end(bool is_handed_over, stralloc *heard)
{
    fuzz_end_call();
    off_t n = lseek(1, 0, SEEK_CUR);
    require(n > 0 && (!is_handed_over || (fuzz_front_is_let_in() && fuzz_front.asked > 0 && n == fuzz_front.said)));
    heard->len = 0;
    require(pread(1, str_room(heard, (size_t)n), (size_t)n, 0) == n);
    heard->len = (size_t)n;
    free(fuzz_front.answer);
    free(fuzz_front.client);
}

#endif
