# SPDX-License-Identifier: ISC
"""Debian's chromium, unpacked and headless, driven by its debugging pipe: pages, scripts, pictures."""
import base64
import json
import os
import subprocess

from . import packages
from .tap import Failure, wait_until


class Browser:
    def __init__(self, folder):
        root = packages.unpack("chromium", ["chromium"])
        os.makedirs(folder, exist_ok=True)
        etc = os.path.join(root, "etc")
        words = packages.inside(root, etc, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                                "--remote-debugging-pipe", "--window-size=1280,800", "--user-data-dir=" + folder, "about:blank")
        read_end, self.out = os.pipe()
        self.into, write_end = os.pipe()
        with open(os.path.join(folder, "log"), "wb") as log:
            self.process = subprocess.Popen(["sh", "-c", 'exec 3<&%d 4>&%d "$@"' % (read_end, write_end), "sh", *words], pass_fds=(read_end, write_end),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ, HOME=folder))
        os.close(read_end)
        os.close(write_end)
        self.number, self.held, self.session = 0, b"", None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.out)  # the browser ends with its pipe
        os.close(self.into)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def call(self, method, **arguments):
        """A command of the protocol; its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": arguments}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            reply = self.next_message()
            if reply.get("id") == self.number:
                if "error" in reply:
                    raise Failure(method, reply["error"])
                return reply["result"]

    def next_message(self):
        while b"\0" not in self.held:
            piece = os.read(self.into, 1 << 20)
            if not piece:
                raise Failure("the browser is gone")
            self.held += piece
        message, _, self.held = self.held.partition(b"\0")
        return json.loads(message)

    def go(self, url):
        self.call("Page.navigate", url=url)

    def run(self, script):
        """The value of an expression on the page."""
        reply = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in reply:
            raise Failure(script, reply["exceptionDetails"].get("exception", {}).get("description", ""))
        return reply["result"].get("value")

    def wait(self, script, what, seconds=60):
        def is_so():
            try:
                return self.run(script)
            except Failure:  # between two pages
                return False
        return wait_until(is_so, what, seconds)

    def picture(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
