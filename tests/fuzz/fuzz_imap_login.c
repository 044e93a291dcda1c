/* SPDX-License-Identifier: ISC */
/* imapd/login and login_auth: any bytes before a login, any answer of authd. Every reply is well formed, no command has two, and
 * the password is nowhere when the front is done with it. */
#include "imapd/login.h"
#include "tests/fuzz/fuzz_front.h"
#include "tests/fuzz/fuzz_reply.h"

static struct login login;

static void require_wiped(const stralloc *text)
{
    require(text->len == 0);
    for (size_t i = 0; i < text->a; i++) {
        require(fuzz_front.asked == 0 || text->s[i] == '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static stralloc heard;
    static const struct serve_peer peer = {.ip = "192.0.2.7"};
    size_t lines = 1;
    fuzz_front_settings(login_settings_table);
    if (!fuzz_front_begin("imap", data, size)) {
        return 0;
    }
    memset(&login, 0, sizeof login);
    login_run(&login, &peer, peer.ip);
    for (size_t i = 0; i < fuzz_front.client_len; i++) {
        lines += fuzz_front.client[i] == '\n';
    }
    require(login.logins <= login_settings_now()->maxlogins && login.errors <= login_settings_now()->maxerrors);
    fuzz_front_end(login.how == NULL, &heard);
    fuzz_check_replies(heard.s, heard.len, lines);
    require_wiped(&login.password);
    stralloc *texts[] = {&login.tag, &login.out, &login.user, &login.password, &login.told, &login.input.command};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        require(texts[i]->a < (1 << 20));
        stralloc_free(texts[i]);
    }
    return 0;
}
