# SPDX-License-Identifier: ISC
"""Clients that cost little: they read whatever comes until the end of the answer."""

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


class Pop3:
    def __init__(self, port, user, password):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.until(b"\r\n")
        self.ask(f"USER {user}")
        self.ask(f"PASS {password}")

    def until(self, end):
        """Reads to the end of an answer; only its beginning and its end are looked at."""
        tail = self.socket.recv(1 << 20)
        if not tail.startswith(b"+OK"):
            raise RuntimeError(tail.decode(errors="replace"))
        while not tail.endswith(end):
            data = self.socket.recv(1 << 20)
            if not data:
                raise RuntimeError("the server closed the connection")
            tail = tail[-8:] + data

    def ask(self, command, end=b"\r\n"):
        self.socket.sendall(command.encode() + b"\r\n")
        self.until(end)

    def listing(self, command):
        self.ask(command, b"\r\n.\r\n")

    def quit(self):
        self.ask("QUIT")
        self.close()

    def close(self):
        self.socket.close()
