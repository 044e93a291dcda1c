#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Debian's Roundcube on a private instance, page by page as its scripts ask for them (`make check-webmail` has the browser): log in,
list, read, search, flag, move, delete, folders. Needs root."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib.house import free_port_base  # noqa: E402
from systemlib.imapusers import User  # noqa: E402
from systemlib.instance import run  # noqa: E402
from systemlib.webmail import Roundcube, Visitor  # noqa: E402


def reading(visitor, tap):
    script = visitor.ask("list", _mbox="INBOX")[0]
    tap.is_equal(visitor.rows(script), {1: "one", 2: "two pears", 3: "three"}, "roundcube_lists_the_inbox")
    script = visitor.ask("list", _mbox="INBOX", _sort="subject_ASC")[0]
    tap.is_equal(list(visitor.rows(script).values()), ["one", "three", "two pears"], "sorts_it")
    text = visitor.page(_task="mail", _action="show", _mbox="INBOX", _uid="2")
    tap.ok("two pears" in text and re.search(r"<pre>\s*hello|>hello", text), "shows_a_message", text[-1500:])
    script = visitor.ask("search", _mbox="INBOX", _q="pears", _headers="subject,from", _scope="base")[0]
    tap.is_equal(visitor.rows(script), {2: "two pears"}, "searches")
    script = visitor.ask("search", _mbox="INBOX", _q="ello", _headers="text", _scope="base")[0]
    tap.is_equal(sorted(visitor.rows(script)), [1, 2, 3], "searches_whole_messages")
    script = visitor.ask("list", _mbox="INBOX", _threads="1")[0]
    tap.is_equal(sorted(visitor.rows(script)), [1, 2, 3], "threads_them")


def changing(visitor, user, tap):
    visitor.ask("list", _mbox="INBOX")
    visitor.ask("mark", {"_uid": "1", "_flag": "flagged", "_mbox": "INBOX"})
    visitor.ask("move", {"_uid": "2", "_target_mbox": "Work/Old", "_mbox": "INBOX"})
    visitor.ask("move", {"_uid": "3", "_target_mbox": "Trash", "_mbox": "INBOX"})
    tap.is_equal((user.subjects("INBOX"), list(user.subjects("Work/Old")), list(user.subjects("Trash"))),
                 ({"one": {"\\Flagged"}}, ["four", "two pears"], ["three"]), "flags_moves_and_throws_away")
    visitor.ask("list", _mbox="Trash")
    visitor.ask("delete", {"_uid": "1", "_mbox": "Trash"})
    tap.is_equal(user.subjects("Trash"), {}, "deletes_from_the_trash")
    visitor.ask("copy", {"_uid": "1", "_target_mbox": "Drafts", "_mbox": "INBOX"})
    tap.is_equal(list(user.subjects("Drafts")), ["one"], "copies")


def folders(visitor, user, tap):
    visitor.page(_task="settings", _action="folders")
    visitor.page({"_token": visitor.token, "_task": "settings", "_action": "save-folder", "_name": "Entwürfe & mehr", "_parent": "Work", "_mbox": ""},
                 _task="settings", _action="save-folder", _framed="1")
    tap.is_equal(user.subjects("Work/Entw&APw-rfe &- mehr"), {}, "makes_a_folder_below_another")
    visitor.page(_task="settings", _action="folders")
    visitor.ask("rename-folder", {"_folder_oldname": "Work", "_folder_newname": "Old work"}, _task="settings")
    tap.is_equal((user.subjects("Work/Old"), list(user.subjects("Old work/Old"))), (None, ["four", "two pears"]), "renames_a_folder_with_those_below")
    visitor.page(_task="settings", _action="folders")
    visitor.ask("delete-folder", {"_mbox": "Old work/Entw&APw-rfe &- mehr"}, _task="settings")
    tap.ok(user.subjects("Old work/Entw&APw-rfe &- mehr") is None, "deletes_a_folder")


def roundcube(house, tap):
    user = User(house, "web")
    user.fill("INBOX", "one", "two pears", "three")
    user.fill("Work/Old", "four")
    with Roundcube(os.path.join(house.base, "roundcube"), free_port_base() + 1, user.port) as webmail:
        visitor = Visitor(webmail.url)
        tap.ok(visitor.login(user.name, user.password), "roundcube_logs_in")
        reading(visitor, tap)
        changing(visitor, user, tap)
        folders(visitor, user, tap)
        errors = [line for line in webmail.said().splitlines() if "Error" in line or "Fatal" in line]
        tap.is_equal(errors, [], "roundcube_logs_no_error")


if __name__ == "__main__":
    run(roundcube)
