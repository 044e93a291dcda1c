/* SPDX-License-Identifier: ISC */
/* pop3d/front and talk: any bytes before a login, any answer of authd. Every reply is lines under 512 bytes that begin with +OK
 * or -ERR (CAPA's list apart), and no line of the client has two. */
#include "pop3d/front.h"
#include "tests/fuzz/fuzz_front.h"

static struct front front;

static void check_replies(const char *bytes, size_t n, size_t lines_in)
{
    const char *end = bytes + n;
    size_t replies = 0;
    bool is_list = false;
    for (const char *at = bytes, *lf; at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        require(lf != NULL && lf > at && lf[-1] == '\r' && lf - at < 512);
        require(memchr(at, '\r', (size_t)(lf - at)) == lf - 1 && memchr(at, '\0', (size_t)(lf - at)) == NULL);
        if (is_list) {
            is_list = at[0] != '.';
            continue;
        }
        bool is_good = memcmp(at, "+OK", 3) == 0;
        require(is_good || memcmp(at, "-ERR", 4) == 0);
        is_list = is_good && memmem(at, (size_t)(lf - at), "can do", 6) != NULL;
        replies++;
    }
    require(!is_list && replies <= lines_in + 2); /* the greeting, and the last word at a limit */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static stralloc heard;
    static const struct serve_peer peer = {.ip = "192.0.2.7"};
    size_t lines = 0;
    fuzz_front_settings(settings_of_login);
    if (!fuzz_front_begin("pop3", data, size)) {
        return 0;
    }
    memset(&front, 0, sizeof front);
    front_run(&front, &peer, peer.ip);
    for (size_t i = 0; i < fuzz_front.client_len; i++) {
        lines += fuzz_front.client[i] == '\n';
    }
    require(front.logins <= front.settings->maxlogins);
    fuzz_front_end(front.talk.how == NULL, &heard);
    check_replies(heard.s, heard.len, lines);
    stralloc_free(&front.user);
    stralloc_free(&front.told);
    stralloc_free(&front.talk.line);
    return 0;
}
