/* SPDX-License-Identifier: ISC */
/* Who is at the other end of a connection: for lib/serve. */
#ifndef SERVE_PEER_H
#define SERVE_PEER_H

#include "serve.h"

/* Fills peer from the socket: SO_PEERCRED on a unix socket, else address and port. False: fd is no connected socket. */
bool serve_peer_of_socket(int fd, struct serve_peer *peer_out);
/* For a client on pipes: TCPREMOTEIP, TCPREMOTEPORT, TCPLOCALIP and TCPLOCALPORT of the environment, where they are addresses and
 * numbers. */
void serve_peer_of_environment(struct serve_peer *peer_out);
/* Local address and port of an internet socket. */
void serve_peer_add_local(int fd, struct serve_peer *peer);

#endif
