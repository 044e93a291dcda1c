# SPDX-License-Identifier: ISC
"""Debian's Roundcube, unpacked and not installed, in PHP's own server on loopback with SQLite; and a client that goes through its pages
as a browser would, without scripts."""
import html
import http.cookiejar
import json
import os
import re
import signal
import sqlite3
import subprocess
import urllib.parse
import urllib.request

from . import packages
from .house import is_free
from .tap import Failure, wait_until

UNUSED = ("apache2", "libapache2", "mariadb", "libmariadb", "mysql", "php8.2-mysql", "php-mysql", "roundcube-mysql", "libaprutil", "libapr",
          "dbconfig", "liblua")
EXTENSIONS = ("dom", "xml", "xmlreader", "xmlwriter", "simplexml", "mbstring", "intl", "sqlite3", "pdo_sqlite")


class Roundcube:
    def __init__(self, folder, port, imap_port):
        root = packages.unpack("webmail", ["roundcube-core", "roundcube-sqlite3"], UNUSED)
        self.url, self.folder, self.port, self.process = f"http://127.0.0.1:{port}/", folder, port, None
        os.makedirs(folder + "/etc/roundcube")
        os.makedirs(folder + "/temp")
        with open(root + "/usr/share/roundcube/SQL/sqlite.initial.sql", encoding="utf-8") as f, sqlite3.connect(folder + "/db") as database:
            database.executescript(f.read())
        settings = {"db_dsnw": f"sqlite:///{folder}/db?mode=0640", "imap_host": f"127.0.0.1:{imap_port}", "smtp_host": "127.0.0.1:1",
                    "temp_dir": folder + "/temp", "log_dir": folder + "/temp", "des_key": "0123456789abcdefghijklmn", "skin": "elastic",
                    "language": "en_US", "session_path": "/", "trash_mbox": "Trash", "drafts_mbox": "Drafts", "sent_mbox": "Sent", "junk_mbox": "Junk"}
        with open(folder + "/etc/roundcube/config.inc.php", "w", encoding="ascii") as f:
            f.write("<?php\n" + "".join("$config['%s'] = '%s';\n" % pair for pair in settings.items())
                    + "$config['plugins'] = [];\n$config['create_default_folders'] = true;\n$config['imap_log_session'] = true;\n")
        script = ("mount -t overlay overlay -o lowerdir=%s/usr:/usr /usr && mount -t overlay overlay -o lowerdir=%s/etc:%s/etc:/etc /etc && "
                  "mount -t overlay overlay -o lowerdir=%s/var/lib:/var/lib /var/lib && exec \"$@\"" % (root, folder, root, root))
        php = ["php", "-n", "-d", "extension=pdo", "-d", "extension=ctype", "-d", "extension=iconv", "-d", "extension=fileinfo", "-d", "extension=tokenizer"]
        for name in EXTENSIONS:
            php += ["-d", "extension=" + name]
        self.words = ["unshare", "-m", "sh", "-c", script, "sh", *php, "-S", f"127.0.0.1:{port}", "-t", "/var/lib/roundcube/public_html"]

    def __enter__(self):
        with open(self.folder + "/php.log", "wb") as f:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT)
        wait_until(lambda: self.process.poll() is not None or not is_free(self.port), "PHP listens")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def said(self):
        text = ""
        for name in ("php.log", "temp/errors.log", "temp/errors"):
            if os.path.exists(os.path.join(self.folder, name)):
                with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as f:
                    text += f.read()[-1500:]
        return text


class Visitor:
    """Fetches Roundcube's pages, and what its scripts ask for in the background."""

    def __init__(self, url):
        self.url, self.token = url, ""
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def page(self, post=None, **query):
        data = urllib.parse.urlencode(post).encode() if post is not None else None
        request = urllib.request.Request(self.url + "?" + urllib.parse.urlencode(query), data)
        if "_remote" in query:
            request.add_header("X-Requested-With", "XMLHttpRequest")
            request.add_header("X-Roundcube-Request", self.token)
        with self.opener.open(request, timeout=60) as reply:
            text = reply.read().decode()
        token = re.search(r'"request_token":"(\w+)"', text) or re.search(r'name="_token" value="(\w+)"', text)
        self.token = token.group(1) if token else self.token
        return text

    def login(self, user, password):
        self.page()
        text = self.page(post={"_token": self.token, "_task": "login", "_action": "login", "_user": user, "_pass": password}, _task="login")
        if '"task":"mail"' not in text:
            raise Failure("no login: " + re.sub(r"<[^>]*>", " ", text)[:500])
        return text

    def ask(self, action, post=None, **query):
        """What a script of the page asks for; the JavaScript that comes back."""
        if post is not None:
            post = {**post, "_remote": "1", "_token": self.token}
        reply = json.loads(self.page(post, _task=query.pop("_task", "mail"), _action=action, _remote="1", **query))
        return html.unescape(reply.get("exec", "")), reply

    def rows(self, reply):
        """{uid: subject} of the list that a reply brings."""
        found = re.findall(r'add_message_row\((\d+),(\{.*?\}),\{', reply)
        return {int(uid): json.loads(columns)["subject"] for uid, columns in found}
