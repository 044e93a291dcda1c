#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Roundcube in headless chromium on a private instance: log in, list, read, search, move, delete, folders. Pictures of it are left in
the folder that is named, if one is. Needs root; `make check-webmail`."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib.browser import Browser  # noqa: E402
from systemlib.house import free_port_base  # noqa: E402
from systemlib.imapusers import User  # noqa: E402
from systemlib.instance import run  # noqa: E402
from systemlib.webmail import Roundcube  # noqa: E402

ROWS = "[...document.querySelectorAll('#messagelist tbody tr:not([style*=none])')]"
SUBJECTS = ROWS + ".map(row => row.querySelector('.subject a').innerText.trim()).sort().join()"
FRAME = "document.querySelector('#messagecontframe').contentDocument"


def row(subject):
    return "%s.find(row => row.innerText.includes('%s'))" % (ROWS, subject)


def click(browser, subject):
    browser.run("rcmail.message_list.select(%s.uid)" % row(subject))
    browser.wait("rcmail.commands.move === true && rcmail.get_single_uid() == %s.uid" % row(subject), subject + " is selected")


def shows(browser, subjects):
    return browser.wait("!rcmail.busy && %s == '%s'" % (SUBJECTS, subjects), "the list shows " + subjects)


def picture(browser, name):
    if sys.argv[1:]:
        browser.picture(os.path.join(sys.argv[1], name + ".png"))


def walk(browser, webmail, user, tap):
    browser.go(webmail.url)
    browser.wait("document.querySelector('#rcmloginuser') !== null", "the page for the login")
    browser.run("document.querySelector('#rcmloginuser').value = '%s'" % user.name)
    browser.run("document.querySelector('#rcmloginpwd').value = '%s'" % user.password)
    browser.run("document.querySelector('#rcmloginsubmit').click()")
    tap.ok(shows(browser, "one,three,two pears"), "logs_in_and_lists")
    picture(browser, "list")
    click(browser, "two pears")
    tap.ok(browser.wait(FRAME + ".body.innerText.includes('hello')", "the text of the message"), "reads_a_message")
    picture(browser, "message")
    browser.run("document.querySelector('#mailsearchform').value = 'pears'; rcmail.command('search')")
    tap.ok(shows(browser, "two pears"), "searches")
    picture(browser, "search")
    browser.run("rcmail.command('reset-search')")
    shows(browser, "one,three,two pears")
    click(browser, "two pears")
    browser.run("rcmail.command('move', 'Work')")
    tap.ok(shows(browser, "one,three"), "moves_a_message")
    click(browser, "three")
    browser.run("rcmail.command('delete')")
    tap.ok(shows(browser, "one"), "deletes_a_message")
    browser.run("rcmail.command('list', 'Work')")
    tap.ok(shows(browser, "four,two pears"), "shows_another_folder")
    browser.go(webmail.url + "?_task=settings&_action=folders")
    browser.wait("window.rcmail && rcmail.env.action == 'folders' && rcmail.commands['create-folder'] === true", "the page of the folders")
    browser.run("rcmail.command('create-folder')")
    inner = "document.querySelector('#preferences-frame').contentDocument"
    browser.wait("document.querySelector('#preferences-frame').contentWindow.rcmail.commands.save === true && %s.querySelector('input[name=_name]') !== null"
                 % inner, "the form for a folder")
    browser.run(inner + ".querySelector('input[name=_name]').value = 'Grüße'")
    browser.run("document.querySelector('#preferences-frame').contentWindow.rcmail.command('save')")
    tap.ok(browser.wait("document.querySelector('#subscription-table').innerText.includes('Grüße')", "the new folder in the list"), "makes_a_folder")
    picture(browser, "folders")


def webmail_in_a_browser(house, tap):
    user = User(house, "web")
    user.fill("INBOX", "one", "two pears", "three")
    user.fill("Work", "four")
    client = user.login()
    client.subscribe("Work")
    client.logout()
    with Roundcube(os.path.join(house.base, "roundcube"), free_port_base() + 1, user.port) as webmail:
        with Browser(os.path.join(house.base, "browser")) as browser:
            try:
                walk(browser, webmail, user, tap)
            except Exception:
                picture(browser, "failure")
                print("# " + webmail.said().replace("\n", "\n# "))
                raise
    tap.is_equal((list(user.subjects("INBOX")), list(user.subjects("Work")), list(user.subjects("Trash")), user.subjects("Gr&APwA3w-e")),
                 (["one"], ["four", "two pears"], ["three"], {}), "all_of_it_is_in_the_mailboxes")


if __name__ == "__main__":
    run(webmail_in_a_browser)
