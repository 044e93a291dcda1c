# SPDX-License-Identifier: ISC
"""A call server with rules instead of a program: what `service` lines of a dialogue start."""
import fnmatch
import os
import select
import socket
import threading
from . import frames

ASKED_WITH_E = ("queue", "deliver", "relay")


class Rule:
    """`key=glob … LETTER TEXT|key=value…`; LETTER may be `close` (no verdict), `silent` (never one), or P: `P N LETTER TEXT|…`
    verdicts before the final one, all joined by ` + `."""

    def __init__(self, words):
        for i, word in enumerate(words):
            if word in ("K", "Z", "D", "C", "P", "close", "silent"):
                self.match = [w.split("=", 1) for w in words[:i] if w != "*"]
                self.letter = word
                self.spec = " ".join(words[i + 1:])
                return
        raise ValueError("service line without a verdict")

    def fits(self, fields):
        return all(key in fields and fnmatch.fnmatchcase(fields[key], glob) for key, glob in self.match)


class FakeService:
    """Listens at path until stop(); self.calls holds the fields of each call (to= joins the recipients, message= the bytes)."""

    def __init__(self, path):
        self.rules, self.calls, self.lock = [], [], threading.Lock()
        self.wake_read, self.wake_write = os.pipe()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o777)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        os.close(self.wake_write)

    def _accept(self):
        while True:
            ready, _, _ = select.select([self.listener, self.wake_read], [], [])
            if self.wake_read in ready:
                self.listener.close()
                os.close(self.wake_read)
                return
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with client:
                client.settimeout(60)
                self._call(client)
        except (OSError, ValueError):
            pass

    def _call(self, client):
        data, fds, call, recipients = b"", 0, None, []
        while True:
            got = frames.parse_frame(data)
            if got is None:
                more, received, _, _ = socket.recv_fds(client, 65536, 4)
                fds += len(received)
                for fd in received:
                    os.close(fd)
                if not more:
                    self._note(call, fds, unfinished=True)
                    return
                data += more
                continue
            kind, payload, used = got
            data = data[used:]
            if kind == "Q":
                call = frames.parse_fields(payload)
            elif call is None:
                return
            elif kind == "R":
                recipients.append(frames.parse_fields(payload))
                call["to"] = ",".join(r.get("to", r.get("orig", "")) for r in recipients)
            elif kind == "M":
                call["message"] = call.get("message", "") + frames.text(payload)
            if kind == "E" or (call.get("op") not in ASKED_WITH_E and not (kind == "Q" and call.get("early", "0") not in ("0", ""))):
                self._note(call, fds)
                self._answer(client, call, recipients)
                if call.get("op") != "ctl":
                    return
                call, recipients = None, []

    def _note(self, call, fds, unfinished=False):
        if call is None:
            return
        with self.lock:
            self.calls.append(dict(call, fds=str(fds), **({"unfinished": "1"} if unfinished else {})))

    def _answer(self, client, call, recipients):
        numbered = call.get("op") in ("deliver", "relay")
        for recipient in recipients if numbered else []:
            letter, spec = self._verdict({**call, **recipient})
            if letter == "silent":
                client.recv(1)
            if letter in ("silent", "close"):
                return
            payload = recipient.get("n", "0").encode() + b"\0" + letter.encode() + frames.verdict_payload(spec)
            client.sendall(frames.frame("P", payload))
        letter, spec = ("K", "2.0.0 done") if numbered else self._verdict(call)
        while letter == "P":
            number, letter, numbered_spec = spec.split(" + ")[0].removeprefix("P ").split(" ", 2)
            client.sendall(frames.frame("P", number.encode() + b"\0" + letter.encode() + frames.verdict_payload(numbered_spec)))
            spec = spec.split(" + ", 1)[1]
            letter, spec = spec.split(" ", 1)
        if letter == "silent":
            client.recv(1)
        elif letter != "close":
            client.sendall(frames.frame(letter, frames.verdict_payload(spec)))

    def _verdict(self, fields):
        for rule in self.rules:
            if rule.fits(fields):
                return rule.letter, rule.spec
        return "Z", "4.3.0 no rule of the dialogue fits|why=service"
