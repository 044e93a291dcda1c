# SPDX-License-Identifier: ISC
"""An IMAP client that costs little: it reads whatever comes until the tagged line."""

import select
import socket


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""
        self.line()

    def raw(self, data):
        self.socket.sendall(data)

    def send(self, command):
        self.raw(b"x " + command.encode() + b"\r\n")

    def has_input(self, seconds):
        return bool(self.rest) or bool(select.select([self.socket], [], [], seconds)[0])

    def receive(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise RuntimeError("the server closed the connection")
        return data

    def line(self):
        while b"\n" not in self.rest:
            self.rest += self.receive()
        line, self.rest = self.rest.split(b"\n", 1)
        return line

    def until_tagged(self, must=True):
        """Reads to the line that begins with the tag; only the end of what comes is looked at."""
        tail, self.rest = b"\n" + self.rest, b""
        while True:
            at = tail.find(b"\nx ")
            end = tail.find(b"\n", at + 1) if at >= 0 else -1
            if end >= 0:
                if must and not tail.startswith(b"\nx OK", at):
                    raise RuntimeError(tail[at + 1:end].decode(errors="replace"))
                self.rest = tail[end + 1:]
                return
            if at < 0 and len(tail) > 65536:
                tail = tail[-4096:]
            tail += self.receive()

    def ask(self, command, must=True):
        self.send(command)
        self.until_tagged(must)

    def append(self, box, message):
        self.raw(b"x APPEND %s {%d+}\r\n" % (box.encode(), len(message)) + message + b"\r\n")
        self.until_tagged()

    def close(self):
        self.socket.close()
