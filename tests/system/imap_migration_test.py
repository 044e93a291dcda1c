#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A Maildir that Debian's dovecot-imapd or courier-imap has served is served by ours, then by theirs again: UIDVALIDITY, UIDs, flags,
keywords and subscriptions stay, and no client fetches a message twice. Needs root."""
import glob
import os
import re
import shlex
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib.imapusers import User, fetchmail_config, mail, mbsync_config, offlineimap_config, subject_of  # noqa: E402
from systemlib.instance import run  # noqa: E402
from systemlib.house import free_port_base  # noqa: E402
from systemlib.peers import Courier, Dovecot, courier_command  # noqa: E402

NOT_ASCII = "Entw&APw-rfe"
MAILBOXES = ("INBOX", "Work/Old", NOT_ASCII, "Empty")


def name_of(client, mailbox):
    """As this server calls it: Courier has INBOX. in front, and dots."""
    if getattr(client, "dotted", isinstance(client, Courier)) and mailbox != "INBOX":
        mailbox = "INBOX." + mailbox.replace("/", ".")
    return '"%s"' % mailbox


def state(client, mailboxes=MAILBOXES):
    """What a client can know of the mailboxes, and what is subscribed."""
    found = {}
    for mailbox in mailboxes:
        name = name_of(client, mailbox)
        reply, lines = client.say("STATUS", name, "(UIDVALIDITY UIDNEXT MESSAGES UNSEEN)")
        numbers = sorted(re.findall(rb"(UIDVALIDITY|UIDNEXT|MESSAGES|UNSEEN) (\d+)", b"".join(lines)))
        client.say("EXAMINE", name)
        flags = {} if (b"MESSAGES", b"0") in numbers else client.flags()
        subjects = {} if not flags else {uid: subject_of(line) for uid, line in client.messages("UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]").items()}
        found[mailbox] = (reply[:2], numbers, {uid: (subjects[uid], sorted(flags[uid])) for uid in flags})
    lines = client.say('LSUB "" "*"')[1]
    found["subscribed"] = sorted(line.split(b" ")[-1].strip(b'"').replace(b"INBOX.", b"").replace(b".", b"/") for line in lines if b"LSUB" in line and b"\\Noselect" not in line)
    client.say("LOGOUT")
    client.shutdown()
    return found


def differences(before, after):
    return "\n".join("%s:\n  was %s\n  is  %s" % (key, before[key], after.get(key)) for key in before if before[key] != after.get(key))


def expunge(client, uid):
    client.say("UID STORE %d +FLAGS (\\Deleted)" % uid)
    client.say("EXPUNGE")


def use(client):
    """A mailbox's life: keywords, flags, gaps in the UIDs, also at the end."""
    for mailbox in MAILBOXES[1:]:
        client.say("CREATE", name_of(client, mailbox))
    for number in range(1, 8):
        client.append("INBOX", None, None, mail("inbox %d" % number))
    for number in range(1, 4):
        client.append(name_of(client, "Work/Old"), r"(\Seen)", None, mail("work %d" % number))
    client.append(name_of(client, NOT_ASCII), r"(\Draft)", None, mail("draft"))
    client.say("SELECT INBOX")
    for words in (r"1 +FLAGS (\Seen \Answered)", r"3 +FLAGS ($Later green)", r"4 +FLAGS (green \Flagged)", r"5 +FLAGS (blue)", r"3 -FLAGS (green)"):
        client.say("UID STORE", words)
    expunge(client, 2)
    expunge(client, 7)
    client.say("SELECT", name_of(client, "Work/Old"))
    expunge(client, 1)
    client.say(r"UID STORE 2 +FLAGS (work $Later)")
    for mailbox in ("INBOX", "Work/Old", NOT_ASCII):
        client.say("SUBSCRIBE", name_of(client, mailbox))
    client.say("LOGOUT")
    client.shutdown()


def go_on(client):
    """Our part of that life."""
    client.append("INBOX", r"(\Flagged red)", None, mail("inbox 8"))
    client.append("INBOX", None, None, mail("inbox 9"))
    client.say("SELECT INBOX")
    for words in (r"1 -FLAGS (\Answered)", r"4 +FLAGS (violet)", r"5 FLAGS (blue \Seen)", "6 +FLAGS ($Later)"):
        client.say("UID STORE", words)
    expunge(client, 3)
    client.say("UID COPY 4", name_of(client, "Work/Old"))
    client.say("UID MOVE 9", name_of(client, NOT_ASCII))
    client.say("UNSUBSCRIBE", name_of(client, "Work/Old"))
    client.say("SUBSCRIBE", name_of(client, "Empty"))
    client.say("LOGOUT")
    client.shutdown()


class Clients:
    """mbsync, offlineimap and fetchmail with what they remember; told(…) runs them: how much each of them had to do. fetchmail marks
    what it has as seen, so it comes first."""

    def __init__(self, user):
        self.user = user
        for name in ("mb", "off"):
            os.makedirs(os.path.join(user.home, name))

    def told(self, port=None, tunnel=None, which=("mbsync", "offlineimap", "fetchmail")):
        port, own = port or self.user.port, self.user.port
        self.user.port, fetched = port, {}
        if "fetchmail" in which:
            before = self.got()
            self.user.run("fetchmail", "--nosyslog", "-f", fetchmail_config(self.user), code=None)
            fetched["fetchmail"] = len(self.got()) - len(before)
        if "mbsync" in which:
            output = self.user.run("mbsync", "-Dn", "-c", mbsync_config(self.user, self.user.home + "/mb", tunnel), "-a")
            fetched["mbsync"] = len(re.findall(r">>> \d+ (APPEND|UID STORE|UID FETCH \S+ \(.*BODY)", output))
        if "offlineimap" in which:
            output = self.user.run("offlineimap", "-o", "-u", "basic", "-c", offlineimap_config(self.user, self.user.home + "/off"))
            fetched["offlineimap"] = len(re.findall("Copy message|Deleting|Adding flag|Deleting flag|ERROR", output))
        self.user.port = own
        return fetched

    def got(self):
        path = os.path.join(self.user.home, "got")
        return open(path, encoding="utf-8").read().splitlines() if os.path.exists(path) else []

    def doubled(self):
        """Subjects that one of them has twice in a mailbox."""
        found = []
        for folder in glob.glob(self.user.home + "/mb/**/cur", recursive=True) + glob.glob(self.user.home + "/off/**/cur", recursive=True):
            seen = []
            for path in glob.glob(folder + "/*") + glob.glob(os.path.dirname(folder) + "/new/*"):
                with open(path, encoding="utf-8") as f:
                    seen.append(re.search("^Subject: .*", f.read(), re.M).group())
            found += [(folder, subject) for subject in set(seen) if seen.count(subject) > 1]
        got = self.got()
        return found + [("fetchmail", line) for line in set(got) if got.count(line) > 1]


def dovecot(house, tap):
    user = User(house, "dove")
    folder = os.path.join(house.base, "dovecot")
    os.makedirs(folder)
    port, clients = free_port_base() + 1, Clients(user)
    server = Dovecot(folder, port, os.path.dirname(user.maildir), user.name, user.password)
    nothing = {"mbsync": 0, "offlineimap": 0, "fetchmail": 0}
    with server:
        use(server.login())
        theirs = state(server.login())
        first = clients.told(port)
        tap.ok(min(first.values()) >= 4, "the_clients_fetch_from_dovecot", first)
        theirs = state(server.login())
    tap.ok(theirs["INBOX"][2].keys() == {1, 3, 4, 5, 6}, "dovecot_has_what_was_done", theirs)
    with open(user.maildir + "/dovecot-uidlist", encoding="utf-8") as f:
        tap.ok(f.readline().startswith("3 V"), "in_its_uid_list")
    ours = state(user.login())
    tap.ok(ours == theirs, "uidvalidity_uids_flags_keywords_and_subscriptions_are_the_same_with_ours", differences(theirs, ours))
    tap.is_equal(clients.told(), nothing, "no_client_fetches_anything_again")
    go_on(user.login())
    ours = state(user.login())
    clients.told()
    ours_after = state(user.login())
    with server:
        back = state(server.login())
        tap.ok(back == ours_after, "and_the_same_with_dovecot_again", differences(ours_after, back))
        tap.is_equal(clients.told(port), nothing, "no_client_fetches_anything_again_from_dovecot")
        client = server.login()
        client.append("INBOX", "(red)", None, mail("inbox 10"))
        client.say("SELECT INBOX")
        client.say("UID STORE 8 -FLAGS (red)")
        expunge(client, 5)
        client.say("LOGOUT")
        theirs = state(server.login())
    ours = state(user.login())
    tap.ok(ours == theirs, "and_what_dovecot_did_then_is_there_with_ours", differences(theirs, ours))
    clients.told()
    tap.is_equal(clients.doubled(), [], "no_client_has_a_message_twice")
    with open(folder + "/log", encoding="utf-8", errors="replace") as f:
        complaints = [line for line in f if re.search("Error|Warning: (?!Killed|SIGTERM)|Panic|corrupt", line)]
    tap.is_equal(complaints, [], "dovecot_complains_of_nothing")


def dotted_login(user):
    client = user.login()
    client.dotted = True
    return client


def uids(found):
    """Of a state: {mailbox: (UIDVALIDITY and UIDNEXT, {UID: subject})}; Courier's keywords are not kept up."""
    return {m: ([pair for pair in found[m][1] if pair[0].startswith(b"UID")], {uid: what[0] for uid, what in found[m][2].items()}) for m in MAILBOXES}


def courier(house, tap):
    house.control("imapprefix", "INBOX.")
    house.control("imapseparator", ".")
    user = User(house, "cour")
    clients = Clients(user)
    # Without a file access monitor Courier begins with an alert, and mbsync wants the greeting there.
    tunnel = user.write("courier", "#!/bin/sh\n%s 2>/dev/null | sed -u '/^\\* OK .ALERT/d'\n" % shlex.join(courier_command(user.maildir)))
    os.chmod(tunnel, 0o700)
    use(Courier(user.maildir))
    clients.told(tunnel=tunnel, which=("mbsync",))
    theirs = state(Courier(user.maildir))
    tap.ok(theirs["INBOX"][2].keys() == {1, 3, 4, 5, 6} and os.path.exists(user.maildir + "/courierimapuiddb"), "courier_has_what_was_done", theirs)

    def has_prefix():
        client = user.login()
        lines = client.say("NAMESPACE")[1]
        client.logout()
        return b'"INBOX." "."' in lines[0]
    house.wait(has_prefix)
    ours = state(dotted_login(user))
    tap.ok(ours == theirs, "uidvalidity_uids_flags_keywords_and_subscriptions_are_the_same_with_ours_after_courier", differences(theirs, ours))
    tap.is_equal(clients.told(which=("mbsync",)), {"mbsync": 0}, "mbsync_fetches_nothing_again_after_courier")
    back = state(Courier(user.maildir))
    tap.ok(back == theirs, "and_the_same_with_courier_again", differences(theirs, back))
    tap.is_equal(clients.told(tunnel=tunnel, which=("mbsync",)), {"mbsync": 0}, "mbsync_fetches_nothing_again_from_courier")
    client = dotted_login(user)
    for subject in ("inbox 8", "inbox 9", "inbox 10"):
        client.append("INBOX", None, None, mail(subject))
    client.say("SELECT INBOX")
    expunge(client, 8)
    client.say("UID MOVE 10", name_of(client, "Work/Old"))
    client.logout()
    user.fill('"INBOX.Empty"', "was empty")
    ours = state(dotted_login(user))
    tap.ok(uids(ours)["INBOX"][1].keys() == {1, 3, 4, 5, 6, 9}, "ours_goes_on", ours)
    client = Courier(user.maildir)
    client.append("INBOX", None, None, mail("inbox 11"))
    client.append(name_of(client, "Empty"), None, None, mail("no more"))
    client.say("LOGOUT")
    client.shutdown()
    theirs = state(Courier(user.maildir))
    tap.ok(all(uids(theirs)[m][1].items() >= uids(ours)[m][1].items() for m in MAILBOXES), "its_uids_are_courier_s", differences(ours, theirs))
    tap.is_equal((theirs["INBOX"][2][11][0], theirs["Empty"][2][2][0]), ("inbox 11", "no more"), "and_courier_gives_none_of_them_again")
    ours = uids(state(dotted_login(user)))
    tap.ok(ours == uids(theirs), "what_courier_gave_then_is_ours", differences(uids(theirs), ours))
    tap.is_equal(clients.doubled(), [], "mbsync_has_no_message_twice")


if __name__ == "__main__":
    run(*(test for test in (dovecot, courier) if not sys.argv[1:] or test.__name__ in sys.argv))
