# SPDX-License-Identifier: ISC
"""Plays one test of a dialogue: a scratch home, a program on fd 0/1, and the lines of the script."""
import fnmatch
import glob
import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from . import fake, frames

PASSED_ON = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "GCOV_PREFIX", "GCOV_PREFIX_STRIP", "LLVM_PROFILE_FILE")
SANITIZER = re.compile(rb"ERROR: (Address|Leak|Undefined\w*)Sanitizer|runtime error:|DEADLYSIGNAL")


class Failure(Exception):
    """What was expected and what came."""


class Talk:
    """One conversation: our end of a socket, with what was read and not yet expected."""

    def __init__(self, sock):
        self.sock, self.data, self.ended, self.line_end = sock, b"", False, None
        sock.setblocking(False)

    def read_some(self):
        try:
            more = self.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        self.ended = self.ended or not more
        self.data += more


class Player:
    def __init__(self, test, bin_folder, seconds):
        self.test, self.bin = test, bin_folder
        self.deadline = time.monotonic() + seconds
        self.base = tempfile.mkdtemp(prefix="talk.", dir="/tmp")
        self.home = os.path.join(self.base, "home")
        os.mkdir(self.home)
        self.argv = [test.program]
        self.env = {"TCPREMOTEIP": "192.0.2.7", "TCPLOCALIP": "192.0.2.1", "PROTO": "TCP"}
        self.env.update({k: os.environ[k] for k in PASSED_ON if k in os.environ})
        self.env["PATH"] = bin_folder + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        self.talks, self.current, self.process = {}, None, None
        self.fakes, self.called, self.reals, self.attached, self.inputs = {}, {}, [], [], {}
        self.last_out = b""

    # ---- the frame around a test

    def play(self):
        """None when all lines hold, else the explanation."""
        trouble = None
        try:
            for number, line in self.test.lines:
                try:
                    self.line(line)
                except (Failure, ValueError, OSError, subprocess.SubprocessError) as e:
                    trouble = "%s:%d: %s\n%s" % (self.test.file, number, line, e)
                    break
        finally:
            self.close()
            alarm = self.sanitizer_report()
            if trouble is None and alarm:
                trouble = "a sanitizer spoke"
            if trouble is not None:
                trouble += "\n" + self.stderr_tail()
            shutil.rmtree(self.base, ignore_errors=True)
        return trouble

    def close(self):
        for talk in self.talks.values():
            talk.sock.close()
        if self.process:
            try:
                self.process.wait(0.3)  # its client has gone: mostly it ends by itself, and coverage sees that
            except subprocess.TimeoutExpired:
                pass
        for process in self.reals + ([self.process] if self.process else []):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(3 if process in self.reals else 0.3)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except OSError:
                pass
        for service in self.fakes.values():
            service.stop()
        self.kill_leftovers()

    def kill_leftovers(self):
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    if os.readlink("/proc/%s/cwd" % entry).startswith(self.base + "/"):
                        os.kill(int(entry), signal.SIGKILL)
                except OSError:
                    pass

    def stderr(self):
        out = b""
        for name in sorted(glob.glob(self.base + "/stderr*")):
            with open(name, "rb") as f:
                out += f.read()
        return out

    def sanitizer_report(self):
        return SANITIZER.search(self.stderr()) is not None

    def stderr_tail(self):
        lines = self.stderr().decode("utf-8", "backslashreplace").splitlines()[-25:]
        return "\n".join("stderr: " + line for line in lines)

    def left(self):
        rest = self.deadline - time.monotonic()
        if rest <= 0:
            raise Failure("the test's time is over")
        return rest

    # ---- lines

    def line(self, line):
        verb, _, rest = line.partition(" ")
        if verb == "S...":
            return self.expect_until(rest)
        method = {"C:": "send_line", "C-": "send_raw", "C*": "send_times", "S:": "expect_line", "S~": "expect_match",
                  "S*": "skip", "S-": "expect_bytes"}.get(verb)
        if method is None:
            method = "verb_" + verb.replace("-", "_").replace("~", "_match")
        if not hasattr(self, method):
            raise Failure("unknown verb " + verb)
        return getattr(self, method)(rest)

    # ---- before the start

    def command(self, text):
        words = shlex.split(text)
        for i, word in enumerate(words[:-1]):
            if word == "-u":
                names = words[i + 1].split(",")
                words[i + 1] = ",".join(str(os.getuid()) if n == "self" else n for n in names)
        path = os.path.join(self.bin, words[0])
        if "/" not in words[0] and os.path.exists(path):
            words[0] = path
        return words

    def path(self, name):
        return os.path.join(self.home, name)

    def verb_run(self, rest):
        self.argv = rest

    def verb_env(self, rest):
        if rest.startswith("-"):
            self.env.pop(rest[1:], None)
        else:
            name, _, value = rest.partition("=")
            self.env[name] = value

    def verb_file(self, rest):
        name, _, content = rest.partition(" ")
        mode, _, tail = content.partition(" ")
        octal = re.fullmatch(r"0[0-7]{3,4}", mode) is not None
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(frames.unescape(tail if octal else content))
        os.chmod(path, int(mode, 8) if octal else 0o644)

    def verb_dir(self, rest):
        name, _, mode = rest.partition(" ")
        os.makedirs(self.path(name), exist_ok=True)
        if mode:
            os.chmod(self.path(name), int(mode, 8))

    def verb_exec(self, rest):
        self.execute(0, rest)

    def verb_fails(self, rest):
        code, _, command = rest.partition(" ")
        self.execute(int(code), command)

    def execute(self, wanted, command):
        argv = self.with_inputs(self.command(command))
        with open(self.base + "/stderr.exec", "ab") as err:
            done = subprocess.run(argv, cwd=self.home, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=self.left())
            err.write(done.stderr)
        self.last_out = done.stdout + done.stderr
        if done.returncode != wanted:
            raise Failure("exit %d, wanted %d; it said: %s" % (done.returncode, wanted, frames.show(self.last_out[-2000:])))

    def verb_out(self, rest):
        if not re.search(rest.removeprefix("~"), frames.text(self.last_out), re.M):
            raise Failure("no such output; it said: " + frames.show(self.last_out[-2000:]))

    def verb_input(self, rest):
        """input FD TEXT: descriptor FD of what is started next reads TEXT."""
        fd, _, content = rest.partition(" ")
        self.inputs[int(fd)] = self.base + "/input." + fd
        with open(self.inputs[int(fd)], "wb") as f:
            f.write(frames.unescape(content))

    def with_inputs(self, argv):
        if not self.inputs:
            return argv
        redirections = " ".join("%d<%s" % (fd, path) for fd, path in sorted(self.inputs.items()))
        self.inputs = {}
        return ["/bin/sh", "-c", 'exec "$0" "$@" ' + redirections] + argv

    def socket_path(self, name):
        os.makedirs(self.path("sockets"), exist_ok=True)
        return self.path("sockets/" + name)

    def verb_service(self, rest):
        words = rest.split(" ")
        name = words.pop(0)
        if name not in self.fakes:
            self.fakes[name] = fake.FakeService(self.socket_path(name))
            self.called[name] = 0
        self.fakes[name].rules.append(fake.Rule(words))

    def verb_real(self, rest):
        name, _, command = rest.partition(" ")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.socket_path(name))
            os.chmod(self.socket_path(name), 0o777)
            listener.listen(64)
            with open(self.base + "/stderr." + name, "ab") as err:
                self.reals.append(subprocess.Popen(self.command(command), cwd=self.home, env=self.env, stdin=listener.fileno(),
                                                   stdout=subprocess.DEVNULL, stderr=err, start_new_session=True))

    # ---- the conversation

    def start(self):
        if self.process is not None:
            return
        argv = self.command(self.argv if isinstance(self.argv, str) else self.argv[0])
        ours, theirs = socket.socketpair()
        with theirs, open(self.base + "/stderr", "ab") as err:
            self.process = subprocess.Popen(self.with_inputs(argv), cwd=self.home, env=self.env, stdin=theirs.fileno(),
                                            stdout=theirs.fileno(), stderr=err, start_new_session=True)
        self.talks["program"] = Talk(ours)
        self.current = self.current or self.talks["program"]

    def talk(self):
        if self.current is None:
            self.start()
        return self.current

    def verb_start(self, _):
        self.start()

    def verb_connect(self, name):
        """connect NAME: from here the lines speak with sockets/NAME."""
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.socket_path(name))
        self.current = self.talks["connect %d" % len(self.talks)] = Talk(sock)

    def verb_attach(self, rest):
        """attach file NAME | attach pair NAME: a descriptor for the next bytes sent; the pair's other end is `on NAME`."""
        kind, _, name = rest.partition(" ")
        if kind == "file":
            self.attached.append(os.open(self.path(name), os.O_RDONLY))
            return
        ours, theirs = socket.socketpair()
        self.talks[name] = Talk(ours)
        self.attached.append(theirs.detach())

    def verb_on(self, name):
        """on NAME: from here the lines speak on the pair NAME; `on program`: on the program's fd 0/1."""
        if name == "program":
            self.start()
        self.current = self.talks[name]

    def send(self, data):
        talk = self.talk()
        while data:
            if self.attached:
                socket.send_fds(talk.sock, [data[:1]], self.attached)
                for fd in self.attached:
                    os.close(fd)
                self.attached, data = [], data[1:]
                continue
            readers = [] if talk.ended else [talk.sock]
            ready, writable, _ = select.select(readers, [talk.sock], [], self.left())
            if ready:
                talk.read_some()
            if writable:
                try:
                    data = data[talk.sock.send(data[:65536]):]
                except BlockingIOError:
                    pass
                except OSError:
                    return  # the other side has closed: what it said before is still to be read

    def send_line(self, rest):
        self.send(rest.encode("utf-8", "surrogateescape") + b"\r\n")

    def send_raw(self, rest):
        self.send(frames.unescape(rest))

    def send_times(self, rest):
        count, _, what = rest.partition(" ")
        self.send(frames.unescape(what) * int(count))

    def verb_Q(self, rest):
        self.send(frames.frame("Q", frames.words_to_fields(rest.split(" "))))

    def verb_R(self, rest):
        self.send(frames.frame("R", frames.words_to_fields(rest.split(" "))))

    def verb_M(self, rest):
        self.send(frames.frame("M", frames.unescape(rest)))

    def verb_E(self, _):
        self.send(frames.frame("E"))

    def verb_shut(self, _):
        try:
            self.talk().sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def verb_hangup(self, _):
        self.talk().sock.close()
        self.talk().ended = True

    def wait_for(self, have, what):
        """Reads until have() returns something other than None."""
        talk = self.talk()
        while True:
            got = have(talk)
            if got is not None:
                return got
            if talk.ended:
                raise Failure("%s: the program closed; unread: %s" % (what, frames.show(talk.data)))
            try:
                select.select([talk.sock], [], [], self.left())
            except Failure:
                raise Failure("%s: nothing came in time; unread: %s" % (what, frames.show(talk.data[:500])))
            talk.read_some()

    def read_line(self):
        def have(talk):
            line, end, rest = talk.data.partition(b"\n")
            if not end:
                return None
            talk.data = rest
            crlf = line.endswith(b"\r")
            if talk.line_end not in (None, crlf):
                raise Failure("line ends are mixed at: " + frames.show(line + end))
            talk.line_end = crlf
            return frames.text(line[:-1] if crlf else line)
        return self.wait_for(have, "a line")

    def expect_line(self, rest):
        got = self.read_line()
        if got != rest:
            raise Failure("got:    %s\nwanted: %s" % (got, rest))

    def expect_match(self, rest):
        got = self.read_line()
        if not re.fullmatch(rest, got):
            raise Failure("got:    %s\nwanted: %s" % (got, rest))

    def expect_bytes(self, rest):
        wanted = frames.unescape(rest)

        def have(talk):
            got = talk.data[:len(wanted)]
            if not wanted.startswith(got):
                raise Failure("got:    %s\nwanted: %s" % (frames.show(got), frames.show(wanted)))
            if len(got) < len(wanted):
                return None
            talk.data = talk.data[len(wanted):]
            return got
        self.wait_for(have, "bytes")

    def expect_until(self, rest):
        while not self.read_line().startswith(rest):
            pass

    def skip(self, rest):
        for _ in range(int(rest)):
            self.read_line()

    def read_verdict(self):
        def have(talk):
            got = frames.parse_frame(talk.data)
            if got is None:
                return None
            talk.data = talk.data[got[2]:]
            return frames.verdict_show(got[0], got[1])
        return self.wait_for(have, "a frame")

    def verb_verdict(self, rest):
        got = self.read_verdict()
        if got != rest:
            raise Failure("got:    %s\nwanted: %s" % (got, rest))

    def verb_verdict_match(self, rest):
        got = self.read_verdict()
        if not re.fullmatch(rest, got):
            raise Failure("got:    %s\nwanted: %s" % (got, rest))

    def verb_eof(self, _):
        def have(talk):
            if talk.data:
                raise Failure("not the end, but: " + frames.show(talk.data[:500]))
            return True if talk.ended else None
        self.wait_for(have, "end of connection")

    # ---- afterwards

    def verb_exit(self, rest):
        self.start()
        talk = self.talks["program"]
        while True:
            code = self.process.poll()
            if code is not None:
                break
            if talk.ended:
                try:
                    code = self.process.wait(self.left())
                except subprocess.TimeoutExpired:
                    raise Failure("still running")
                break
            select.select([talk.sock], [], [], min(self.left(), 0.2))
            talk.read_some()
        if code != int(rest):
            raise Failure("exit %d, wanted %s" % (code, rest))

    def verb_signal(self, rest):
        os.kill(self.process.pid, getattr(signal, "SIG" + rest))

    def until(self, question, explain):
        """Asks for up to 5 s: the other processes may need a moment."""
        end = min(time.monotonic() + 5, self.deadline)
        while not question():
            if time.monotonic() > end:
                raise Failure(explain())
            time.sleep(0.01)

    def verb_log(self, rest):
        wanted = re.compile(rest.removeprefix("~"), re.M)
        self.until(lambda: wanted.search(frames.text(self.stderr())), lambda: "no such line in the log")

    def verb_no_log(self, rest):
        if re.search(rest.removeprefix("~"), frames.text(self.stderr()), re.M):
            raise Failure("this line is in the log")

    def matches(self, pattern):
        return sorted(glob.glob(self.path(pattern), include_hidden=True, recursive=True))

    def verb_have(self, rest):
        pattern, _, count = rest.rpartition(" ")
        self.until(lambda: len(self.matches(pattern)) == int(count), lambda: "found: %s" % self.matches(pattern))

    def verb_content(self, rest):
        pattern, _, wanted = rest.partition(" ")
        seen = [b""]

        def question():
            seen[0] = b""
            for name in self.matches(pattern):
                with open(name, "rb") as f:
                    seen[0] += f.read()
            return re.search(wanted.removeprefix("~").encode(), seen[0], re.M)
        self.until(question, lambda: "it holds: " + frames.show(seen[0][:3000]))

    def verb_called(self, rest):
        name, _, globs = rest.partition(" ")
        service, at = self.fakes[name], self.called[name]
        self.until(lambda: len(service.calls) > at, lambda: "%d calls in all" % len(service.calls))
        self.called[name] = at + 1
        got = service.calls[at]
        for word in globs.split(" "):
            key, _, value = word.partition("=")
            if not fnmatch.fnmatchcase(got.get(key, "(none)"), frames.text(frames.unescape(value))):
                raise Failure("the call had %s" % got)

    def verb_calls(self, rest):
        name, _, count = rest.partition(" ")
        calls = self.fakes[name].calls
        self.until(lambda: len(calls) == int(count), lambda: "it had %d calls: %s" % (len(calls), calls))
