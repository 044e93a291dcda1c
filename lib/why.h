/* SPDX-License-Identifier: ISC */
/* The closed list of words behind why= (stafet-call(5)): one line a word. The words for people are made from them in each room's
 * reply.c. */
#ifndef WHY_H
#define WHY_H

#include <stdbool.h>

#define WHY_LIST(X)                                                                                                              \
    X(no_mailbox, "no-mailbox")                                                                                                  \
    X(disabled, "disabled")                                                                                                      \
    X(bad_address, "bad-address")                                                                                                \
    X(full, "full")                                                                                                              \
    X(no_cdb, "no-cdb")                                                                                                          \
    X(io, "io")                                                                                                                  \
    X(other_user, "other-user")                                                                                                  \
    X(bad_password, "bad-password")                                                                                              \
    X(no_service, "no-service")                                                                                                  \
    X(too_often, "too-often")                                                                                                    \
    X(need_tls, "need-tls")                                                                                                      \
    X(in_use, "in-use")                                                                                                          \
    X(disk, "disk")                                                                                                              \
    X(size, "size")                                                                                                              \
    X(loop, "loop")                                                                                                              \
    X(bad_request, "bad-request")                                                                                                \
    X(service, "service")                                                                                                        \
    X(no_host, "no-host")                                                                                                        \
    X(no_mail_record, "no-mail-record")                                                                                          \
    X(null_mx, "null-mx")                                                                                                        \
    X(dns, "dns")                                                                                                                \
    X(handshake, "handshake")                                                                                                    \
    X(name, "name")                                                                                                              \
    X(expired, "expired")                                                                                                        \
    X(no_common, "no-common")                                                                                                    \
    X(no_route, "no-route")                                                                                                      \
    X(program, "program")                                                                                                        \
    X(config, "config")                                                                                                          \
    X(policy, "policy")                                                                                                          \
    X(hold, "hold")

enum why {
    WHY_NONE,
#define WHY_ENUM(symbol, word) WHY_##symbol,
    WHY_LIST(WHY_ENUM)
#undef WHY_ENUM
        WHY_UNKNOWN
};
/* WHY_NONE for NULL and "", WHY_UNKNOWN for a word that is not in the list. */
enum why why_from_word(const char *word);
const char *why_word(enum why why); /* "" for WHY_NONE */

#endif
