#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The IMAP clients of Debian at work in a private instance: mbsync, offlineimap, fetchmail, curl, s-nail, mutt, imapfilter."""
import glob
import os
import pty
import re
import select
import signal
import smtplib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib.imapusers import User, fetchmail_config, mail, mbsync_config, offlineimap_config  # noqa: E402
from systemlib.instance import run  # noqa: E402

NOT_ASCII = "Entw&APw-rfe"


def near_mails(folder):
    """{subject: path} of a local Maildir."""
    found = {}
    for path in glob.glob(folder + "/cur/*") + glob.glob(folder + "/new/*"):
        with open(path, encoding="utf-8") as f:
            found[re.search("^Subject: (.*)", f.read(), re.M).group(1)] = path
    return found


def set_flags(path, flags):
    base = path.partition(":")[0].replace("/new/", "/cur/")
    os.rename(path, base + ":2," + flags)


def moved(output):
    """What mbsync asked for beside looking (-Dn shows its commands)."""
    return [line for line in output.splitlines() if re.search(r">>> \d+ (APPEND|UID STORE|UID FETCH \S+ \(.*BODY|UID MOVE|EXPUNGE)", line)]


def mbsync(house, tap):
    user = User(house, "mb")
    near = os.path.join(user.home, "near")
    os.makedirs(near)
    user.fill("INBOX", "one", "two", "three")
    user.fill("Work/Old", "four", flags=r"(\Seen \Flagged)")
    user.fill(NOT_ASCII, "five")
    sync = ["mbsync", "-Dn", "-c", mbsync_config(user, near), "-a"]
    output = user.run(*sync)
    tap.is_equal((sorted(near_mails(near + "/INBOX")), list(near_mails(near + "/Work/Old")), list(near_mails(near + "/" + NOT_ASCII))),
                 (["one", "three", "two"], ["four"], ["five"]), "mbsync_brings_every_mailbox_here")
    tap.ok(near_mails(near + "/Work/Old")["four"].endswith("FS"), "with_flags")
    tap.ok(len(moved(output)) == 5, "five_messages", output)
    before = sorted(glob.glob(near + "/**", recursive=True))
    output = user.run(*sync)
    tap.is_equal((moved(output), sorted(glob.glob(near + "/**", recursive=True))), ([], before), "the_second_run_moves_nothing")
    here = near_mails(near + "/INBOX")
    set_flags(here["one"], "S")
    set_flags(here["two"], "ST")
    with open(near + "/INBOX/new/1.new.here", "wb") as f:
        f.write(mail("six").replace(b"\r\n", b"\n"))
    user.fill("INBOX", "seven", flags=r"(\Answered)")
    client = user.login()
    client.select("Work/Old")
    client.store("1", "+FLAGS", r"(\Deleted)")
    client.expunge()
    client.delete(NOT_ASCII)
    client.logout()
    output = user.run(*sync)
    tap.is_equal(user.subjects("INBOX"), {"one": {"\\Seen"}, "three": set(), "six": set(), "seven": {"\\Answered"}},
                 "flags_deletions_and_mail_from_here_are_there")
    tap.is_equal((sorted(near_mails(near + "/INBOX")), list(near_mails(near + "/Work/Old"))), (["one", "seven", "six", "three"], []),
                 "and_from_there_here")
    os.makedirs(near + "/Made here/cur")
    for part in ("new", "tmp"):
        os.makedirs(near + "/Made here/" + part)
    user.run(*sync)
    tap.is_equal(user.subjects("Made here"), {}, "a_mailbox_made_here_is_made_there")
    output = user.run(*sync)
    tap.is_equal(moved(output), [], "then_nothing_is_left_to_do")


def offlineimap(house, tap):
    user = User(house, "off")
    near = os.path.join(user.home, "near")
    user.fill("INBOX", "one", "two", "three")
    user.fill("Work/Old", "four", flags=r"(\Seen \Flagged)")
    user.fill(NOT_ASCII, "five")
    sync = ["offlineimap", "-o", "-u", "basic", "-c", offlineimap_config(user, near)]
    user.run(*sync)
    tap.is_equal((sorted(near_mails(near + "/INBOX")), list(near_mails(near + "/Work.Old")), list(near_mails(near + "/" + NOT_ASCII))),
                 (["one", "three", "two"], ["four"], ["five"]), "offlineimap_brings_every_mailbox_here")
    output = user.run(*sync)
    tap.ok("Copy message" not in output and "ERROR" not in output, "the_second_run_copies_nothing", output)
    here = near_mails(near + "/INBOX")
    set_flags(here["one"], "S")
    os.unlink(here["two"])
    with open(near + "/INBOX/new/1.new.here", "wb") as f:
        f.write(mail("six").replace(b"\r\n", b"\n"))
    user.fill("INBOX", "seven", flags=r"(\Answered)")
    output = user.run(*sync)
    there = user.subjects("INBOX")
    tap.is_equal(there, {"one": {"\\Seen"}, "three": set(), "six": set(), "seven": {"\\Answered"}}, "changes_go_both_ways")
    tap.is_equal(sorted(near_mails(near + "/INBOX")), ["one", "seven", "six", "three"], "and_are_here")


def deliver(house, user, subject):
    with smtplib.SMTP("127.0.0.1", int(house.env["SMTP_PORT"]), "client.test", 30) as smtp:
        smtp.sendmail("joe@example.test", [user.name], mail(subject))


def fetchmail(house, tap):
    user = User(house, "fetch")

    def got():
        path = os.path.join(user.home, "got")
        return open(path, encoding="utf-8").read().splitlines() if os.path.exists(path) else []

    user.fill("INBOX", "one", "two")
    config = fetchmail_config(user)
    user.run("fetchmail", "--nosyslog", "-f", config)
    tap.is_equal(got(), ["got one", "got two"], "fetchmail_takes_what_is_there")
    user.run("fetchmail", "--nosyslog", "-f", config, code=1)  # 1: no mail
    tap.is_equal(got(), ["got one", "got two"], "and_nothing_twice")
    config = fetchmail_config(user, "idle")
    log = os.path.join(user.home, "log")
    with open(log, "wb") as f:
        process = subprocess.Popen(["fetchmail", "--nosyslog", "-v", "-f", config], env=dict(os.environ, HOME=user.home), stdout=f,
                                   stderr=subprocess.STDOUT)
    try:
        def said(word):
            with open(log, encoding="utf-8", errors="replace") as f:
                return word in f.read()
        tap.ok(house.wait(lambda: said("IDLE\n")), "fetchmail_idles")
        deliver(house, user, "three")
        tap.ok(house.wait(lambda: got()[2:] == ["got three"]), "and_takes_a_mail_that_comes_then", got())
        deliver(house, user, "four")
        tap.ok(house.wait(lambda: got()[3:] == ["got four"]), "and_the_next", got())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def curl(house, tap):
    user = User(house, "curl")

    def ask(path, *words):
        return user.run("curl", "-sS", "imap://127.0.0.1:%d/%s" % (user.port, path), "-u", "%s:%s" % (user.name, user.password), *words)

    user.write("mail", mail("from curl", "Grüße").decode())
    ask("INBOX", "-T", "mail")
    ask("", "-X", "CREATE Work")
    tap.ok(re.search(r"(?s)INBOX\b.*\bWork\b", ask("")), "curl_lists")
    tap.is_equal(ask("INBOX;UID=1").encode(), mail("from curl", "Grüße").replace(b"\r\n", b"\n"), "curl_reads_what_it_has_appended")
    tap.is_equal(ask("INBOX;UID=1;SECTION=HEADER.FIELDS%20(SUBJECT)").strip(), "Subject: from curl", "a_section_of_it")
    tap.ok("* SEARCH 1" in ask("INBOX?SUBJECT%20curl"), "curl_searches")
    ask("INBOX", "-X", r"STORE 1 +FLAGS (\Flagged)", "--login-options", "AUTH=PLAIN")
    ask("INBOX", "-X", "MOVE 1 Work", "--sasl-ir", "--login-options", "AUTH=PLAIN")
    tap.is_equal((user.subjects("INBOX"), user.subjects("Work")), ({}, {"from curl": {"\\Flagged", "\\Seen"}}), "it_flags_and_moves")
    output = user.run("curl", "-sS", "imap://127.0.0.1:%d/" % user.port, "-u", user.name + ":wrong", code=67)  # 67: not logged in
    tap.ok("denied" in output, "and_is_not_let_in_with_a_wrong_password", output)


def s_nail(house, tap):
    user = User(house, "nail")
    user.fill("INBOX", "one", "two", "three")
    user.fill("Work")
    url = "imap://%s:%s@127.0.0.1:%d/" % (user.name.replace("@", "%40"), user.password, user.port)
    commands = ["folders", "headers", "search (subject two)", "type 2", "flag 1", "copy 3 " + url.replace(":secret", "") + "Work", "delete 2", "quit"]
    output = user.run("s-nail", "-n", "-S", "v15-compat", "-S", "imap-auth=login", "-S", "password=secret", "-f", url + "INBOX",
                      input="\n".join(commands) + "\n", code=None)
    tap.ok("one" in output and "three" in output and "hello" in output, "s_nail_lists_and_reads", output)
    tap.is_equal(sorted(user.subjects("INBOX")), ["one", "three"], "deletes")
    tap.ok("\\Flagged" in user.subjects("INBOX")["one"], "flags", user.subjects("INBOX"))
    tap.is_equal(list(user.subjects("Work")), ["three"], "and_copies")


def on_terminal(user, *words):
    """Runs a program that wants a terminal to its end; what it wrote."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(user.home)
        os.execvpe(words[0], words, dict(os.environ, HOME=user.home, TERM="xterm", LC_ALL="C.UTF-8", LINES="40", COLUMNS="120"))
    output = b""
    try:
        while select.select([fd], [], [], 60)[0]:
            piece = os.read(fd, 65536)
            if not piece:
                break
            output += piece
        else:
            os.kill(pid, signal.SIGKILL)
    except OSError:  # the other end is gone
        pass
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output.decode(errors="replace")


def mutt(house, tap):
    user = User(house, "mutt")
    user.fill("INBOX", "one", "two", "three", "four")
    user.fill("Work")
    url = "imap://127.0.0.1:%d/" % user.port
    config = user.write("muttrc", f"""set imap_user="{user.name}" imap_pass="{user.password}" folder="{url}" spoolfile="+INBOX" ssl_starttls=no
set ssl_force_tls=no header_cache="{user.home}/cache" quit=yes delete=yes move=no confirmappend=no confirmcreate=no copy=no sort=date wait_key=no
set imap_condstore=yes imap_qresync=yes imap_idle=no
""")
    keys = ("<tag-pattern>~s two<enter><tag-prefix><save-message><kill-line>=Work<enter>"
            "<search>~s one<enter><flag-message><search>~s three<enter><display-message><exit><delete-message>"
            "<search>~s four<enter><edit-label><kill-line><enter><sync-mailbox><quit>")
    code, output = on_terminal(user, "mutt", "-n", "-F", config, "-e", 'push "%s"' % keys)
    tap.is_equal(code, 0, "mutt_ends_well")
    there = user.subjects("INBOX")
    tap.is_equal(sorted(there), ["four", "one"], "mutt_deletes_and_moves")
    tap.ok("\\Flagged" in there.get("one", ()), "and_flags", output[-600:])
    tap.is_equal(list(user.subjects("Work")), ["two"], "what_it_moved_is_there")
    user.fill("INBOX", "five")
    code, output = on_terminal(user, "mutt", "-n", "-F", config, "-e", 'push "<search>~s five<enter><delete-message><sync-mailbox><quit>"')
    tap.is_equal((code, sorted(user.subjects("INBOX"))), (0, ["four", "one"]), "again_with_its_cache_by_qresync")


def imapfilter(house, tap):
    user = User(house, "filter")
    user.fill("INBOX", "one spam", "two", "three spam")
    config = user.write("config.lua", f"""
options.timeout = 60
options.starttls = false
options.create = true
options.subscribe = true
account = IMAP {{ server = '127.0.0.1', port = {user.port}, username = '{user.name}', password = '{user.password}' }}
boxes, folders = account:list_all()
print('boxes', #boxes)
spam = account.INBOX:contain_subject('spam') * account.INBOX:is_unseen()
spam:add_flags({{ '$Junk', '\\\\Seen' }})
spam:move_messages(account['Junk/Found'])
account.INBOX:contain_from('joe'):mark_flagged()
print('exist', (account['Junk/Found']:check_status()))
""")
    output = user.run("imapfilter", "-c", config)
    tap.ok("exist\t2" in output, "imapfilter_searches_and_makes_a_mailbox", output)
    tap.is_equal((user.subjects("INBOX"), user.subjects("Junk/Found")),
                 ({"two": {"\\Flagged"}}, {"one spam": {"\\Seen", "$Junk"}, "three spam": {"\\Seen", "$Junk"}}), "moves_and_flags")


if __name__ == "__main__":
    run(mbsync, offlineimap, fetchmail, curl, s_nail, mutt, imapfilter)
