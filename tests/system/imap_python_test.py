#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""IMAP as Python's imaplib speaks it, in a private instance: logins, mailboxes, mail, IDLE woken by a delivery, quota."""
import base64
import imaplib
import os
import re
import signal
import smtplib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib.imap import Imap  # noqa: E402
from systemlib.instance import run  # noqa: E402

ANN = "ann@example.test"
NESTED = "Entw&APw-rfe/&U,BTFw-/&2D3eAA-"  # Entwürfe/台北/😀


def login(house, user="USER1"):
    return Imap(int(house.env["IMAP_PORT"]), house.env[user], house.env["PASSWORD" + user[-1]])


def mail(subject, sender="joe@example.test", date="Thu, 26 Nov 2026 10:00:00 +0000", more="", body="hello"):
    return ("From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@example.test>\r\n%s\r\n%s\r\n"
            % (sender, ANN, subject, date, subject.replace(" ", "."), more, body)).encode()


def plain(user, password):
    return base64.b64encode(("\0%s\0%s" % (user, password)).encode()).decode()


def says(client, *words):
    return client.say(*words)[0].split(b" ", 1)[0] == b"OK"


def logins(house, tap):
    port, password = int(house.env["IMAP_PORT"]), house.env["PASSWORD1"]

    def session(*words):
        client = Imap(port)
        good = says(client, *words) and client.say("STATUS INBOX (MESSAGES)")[1] == [b"* STATUS INBOX (MESSAGES 0)"]
        client.say("LOGOUT")
        return good

    tap.ok(session("LOGIN", ANN, password), "login_with_atoms")
    tap.ok(session("LOGIN", '"%s"' % ANN, '"%s"' % password), "login_with_quoted_strings")
    tap.ok(session("LOGIN {%d+}\r\n%s {%d+}\r\n%s" % (len(ANN), ANN, len(password), password)), "login_with_literals")
    tap.ok(session("LOGIN", "ann%example.test", password), "login_with_a_percent_sign_for_the_at_sign")
    tap.ok(session("AUTHENTICATE PLAIN", plain(ANN, password)), "authenticate_plain_with_an_initial_response")
    client = Imap(port)
    reply = client.authenticate("PLAIN", lambda _: ("\0%s\0%s" % (ANN, password)).encode())
    tap.ok(reply[0] == "OK" and client.select()[0] == "OK", "authenticate_plain_with_a_continuation", reply)
    client.logout()
    client = Imap(port)
    reply = client.say("LOGIN", ANN, "wrong")[0]
    tap.ok(reply.startswith(b"NO [AUTHENTICATIONFAILED]") and says(client, "LOGIN", ANN, password), "a_wrong_password_then_the_right_one", reply)
    client.logout()
    client = Imap(port)
    client.send(b"a LOGIN %s %s\r\nb SELECT INBOX\r\nc NOOP\r\n" % (ANN.encode(), password.encode()))
    tap.ok(client.read_until(b"c")[0].startswith(b"OK"), "commands_sent_behind_the_password_are_not_lost")
    client.logout()


def listed(client, *words):
    names = [re.search(r'\) "/" "?([^"]*)"?$', line.decode()).group(1) for line in client.say(*(words or ('LIST "" "*"',)))[1]]
    return sorted(names)


def mailboxes(house, tap):
    client = login(house)
    parts = NESTED.split("/")
    tap.ok(says(client, 'CREATE "%s"' % NESTED) and says(client, "CREATE Work/2026/Q1"), "mailboxes_are_made_below_others_and_not_in_ascii")
    wanted = sorted(["INBOX", parts[0], "/".join(parts[:2]), NESTED, "Work", "Work/2026", "Work/2026/Q1"])
    tap.is_equal(listed(client), wanted, "they_are_listed_with_their_parents")
    tap.is_equal(listed(client, 'LIST "" "%"'), sorted(["INBOX", parts[0], "Work"]), "a_percent_sign_lists_one_level")
    tap.ok(client.append(NESTED, None, None, mail("one"))[0] == "OK", "mail_goes_into_such_a_mailbox")
    tap.ok(says(client, "RENAME Work/2026 Archive/26"), "a_mailbox_is_renamed_with_what_is_below_it")
    tap.ok("Archive/26/Q1" in listed(client) and "Work/2026/Q1" not in listed(client), "and_is_listed_there")
    tap.ok(says(client, 'RENAME "%s" "%s"' % (parts[0], "Z&APw-ge")), "a_parent_is_renamed")
    moved = "Z&APw-ge/" + "/".join(parts[1:])
    tap.is_equal(client.say('STATUS "%s" (MESSAGES)' % moved)[1], [b'* STATUS %s (MESSAGES 1)' % moved.encode()], "its_mail_came_along")
    tap.ok(says(client, 'SUBSCRIBE "%s"' % moved) and listed(client, 'LSUB "" "*"') == [moved], "subscribed_and_listed", client.say('LSUB "" "*"'))
    tap.ok(says(client, 'UNSUBSCRIBE "%s"' % moved) and not listed(client, 'LSUB "" "*"'), "and_unsubscribed")
    tap.ok(says(client, 'DELETE "%s"' % moved) and says(client, "DELETE Archive/26/Q1"), "mailboxes_are_deleted")
    tap.is_equal(listed(client), ["INBOX"], "and_none_but_inbox_is_left")
    tap.ok(client.say("DELETE INBOX")[0].startswith(b"NO"), "inbox_stays")
    client.logout()


def messages(house, tap):
    client = login(house)
    tap.ok(client.create("Mine")[0] == "OK", "a_mailbox_for_mail")
    date = '"01-Feb-2026 03:04:05 +0100"'
    for number, (subject, sender, flags, more) in enumerate((
            ("pears", "joe@example.test", r"(\Seen)", ""),
            ("Re: pears", "eve@example.test", r"(\Flagged $Later)", "In-Reply-To: <pears@example.test>\r\n"),
            ("apples", "bob@example.test", "", "")), 1):
        sent = "Thu, %d Nov 2026 10:00:00 +0000" % (26 - number)
        reply = client.append("Mine", flags, date if number == 1 else None, mail(subject, sender, sent, more, "a fine pear, Birne für dich"))
        tap.ok(reply[0] == "OK" and b"APPENDUID" in reply[1][0], "append_%d_tells_the_uid" % number, reply)
    client.select("Mine")
    tap.is_equal(client.flags(), {1: {"\\Seen"}, 2: {"\\Flagged", "$Later"}, 3: set()}, "flags_and_keywords_of_append")
    fetched = client.fetch("1", "(INTERNALDATE BODY.PEEK[])")
    tap.ok(b"01-Feb-2026" in fetched[1][0][0] and fetched[1][0][1] == mail("pears", "joe@example.test", "Thu, 25 Nov 2026 10:00:00 +0000", "",
           "a fine pear, Birne für dich"), "date_and_bytes_are_as_they_were_given", fetched)
    client.store("3", "+FLAGS", r"(\Answered green)")
    client.store("1", "FLAGS", r"(blue)")
    client.store("2", "-FLAGS", r"($Later)")
    tap.is_equal(client.flags(), {1: {"blue"}, 2: {"\\Flagged"}, 3: {"\\Answered", "green"}}, "flags_are_set_replaced_and_taken_away")
    for name, words in (("from", "FROM eve"), ("subject", 'SUBJECT "re: PEARS"'), ("flag", "FLAGGED"), ("not", "NOT UNKEYWORD green NOT 3"),
                        ("body", 'CHARSET UTF-8 BODY {6+}\r\nfür d'.encode()), ("header", "HEADER In-Reply-To pears"), ("uid", "UID 2")):
        reply, lines = client.say("SEARCH", words)
        numbers = lines[0].split()[2:] if lines else None
        wanted = {"not": [], "body": [b"1", b"2", b"3"]}.get(name, [b"2"])
        tap.ok(reply.startswith(b"OK") and numbers == wanted, "search_by_" + name, (reply, lines))
    tap.is_equal(client.sort("(DATE)", "UTF-8", "ALL")[1], [b"3 2 1"], "sort_by_date")
    tap.is_equal(client.sort("(REVERSE FROM)", "UTF-8", "ALL")[1], [b"1 2 3"], "sort_by_sender_in_reverse")
    tap.is_equal(client.sort("(SUBJECT DATE)", "UTF-8", "ALL")[1], [b"3 2 1"], "sort_by_subject")
    tap.is_equal(client.thread("REFERENCES", "UTF-8", "ALL")[1], [b"(3)(1 2)"], "thread_by_references")
    reply = client.copy("2", "Nowhere")
    tap.ok(reply[0] == "NO" and b"TRYCREATE" in reply[1][0], "copy_to_nowhere_says_trycreate", reply)
    client.create("Other")
    reply = client.copy("1:2", "Other")
    tap.ok(reply[0] == "OK" and re.search(rb"COPYUID \d+ 1:2 1:2\]", reply[1][0]), "copy_tells_the_uids", reply)
    reply, lines = client.say("MOVE 3 Other")
    tap.ok(reply.startswith(b"OK") and any(b"COPYUID" in line for line in lines) and b"* 3 EXPUNGE" in lines, "move_expunges_here", (reply, lines))
    client.store("1", "+FLAGS", r"(\Deleted)")
    tap.is_equal(client.expunge()[1], [b"1"], "expunge")
    tap.is_equal(client.flags(), {2: {"\\Flagged"}}, "the_rest_stays")
    client.select("Other")
    tap.is_equal(client.flags(), {1: {"blue"}, 2: {"\\Flagged"}, 3: {"\\Answered", "green"}}, "copies_and_the_moved_one_keep_flags_and_keywords")
    client.logout()


def delivery(house, tap):
    """The time from SMTP's 250 to the idle client, ten times."""
    client, seen = login(house), []
    client.select("INBOX")
    for number in range(10):
        tag = client.idle()
        with smtplib.SMTP("127.0.0.1", int(house.env["SMTP_PORT"]), "client.test", 30) as smtp:
            smtp.sendmail("joe@example.test", [ANN], mail("news %d" % number))
            taken = time.monotonic()
            client.idle_until(b"%d EXISTS" % (number + 1))
            seen.append(1000 * (time.monotonic() - taken))
        reply = client.done(tag)[0]
    seen.sort()
    tap.ok(reply.startswith(b"OK"), "idle_hears_of_each_of_ten_deliveries")
    print("# from 250 to EXISTS: median %.1f ms, fastest %.1f, slowest %.1f" % (seen[5], seen[0], seen[-1]))
    other, tag = login(house), client.idle()
    other.select("INBOX")
    began = time.monotonic()
    other.store("1", "+FLAGS", r"(\Flagged)")
    line = client.idle_until(b"FETCH")
    print("# from another session's STORE to FETCH: %.1f ms" % (1000 * (time.monotonic() - began)))
    tap.ok(b"* 1 FETCH" in line and b"\\Flagged" in line, "and_of_another_sessions_flag", line)
    began = time.monotonic()
    other.store("1", "+FLAGS", r"(\Deleted)")
    other.expunge()
    tap.is_equal(client.idle_until(b"EXPUNGE"), b"* 1 EXPUNGE", "and_of_its_expunge")
    print("# from another session's EXPUNGE to EXPUNGE: %.1f ms" % (1000 * (time.monotonic() - began)))
    client.done(tag)
    for session in (client, other):
        session.logout()


def charsets(house, tap):
    """Read by the deliverer or by the session: both load, in their sandboxes, what no parent did."""
    words = (("koi8-t", "koi8_t", "Тоҷикӣ"), ("windows-874", "cp874", "สวัสดี"), ("macintosh", "mac_roman", "Übung ÷"))
    client = login(house, "USER2")
    client.select("INBOX")
    for number, (name, codec, word) in enumerate(words):
        tag = client.idle()
        subject = "=?%s?q?%s?=" % (name, "".join("=%02X" % byte for byte in word.encode(codec)))
        with smtplib.SMTP("127.0.0.1", int(house.env["SMTP_PORT"]), "client.test", 30) as smtp:
            smtp.sendmail("ann@example.test", [house.env["USER2"]], mail(subject))
        client.idle_until(b"%d EXISTS" % (number + 1))
        client.done(tag)
    client.append("INBOX", None, None, mail("=?iso-8859-5?q?=AB=D8=E0?="))
    for number, word in enumerate([word for _, _, word in words] + ["Ћир"], 1):
        text = word.encode()
        lines = client.say("SEARCH", b"CHARSET UTF-8 SUBJECT {%d+}\r\n%s" % (len(text), text))[1]
        tap.is_equal(lines, [b"* SEARCH %d" % number], "a_subject_in_%s_is_found" % ([name for name, _, _ in words] + ["iso-8859-5"])[number - 1])
    client.logout()


def rcpt(house, user):
    with smtplib.SMTP("127.0.0.1", int(house.env["SMTP_PORT"]), "client.test", 30) as smtp:
        smtp.helo()
        smtp.mail("joe@example.test")
        return smtp.rcpt(user)


def quota(house, tap):
    house.tool("vadduser", "-H", house.folder, "-q", "40000S", "tim@example.test", "secret")
    client = Imap(int(house.env["IMAP_PORT"]), "tim@example.test", "secret")
    client.select("INBOX")
    big = mail("big", body="x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 120)
    taken = 0
    while taken < 10 and client.append("INBOX", None, None, big)[0] == "OK":
        taken += 1
    reply = client.append("INBOX", None, None, big)
    tap.ok(2 <= taken < 10 and reply[0] == "NO" and b"[OVERQUOTA]" in reply[1][0], "append_to_a_full_mailbox_is_no_overquota", (taken, reply))
    client.create("Other")
    reply = client.copy("1", "Other")
    tap.ok(reply[0] == "NO" and b"[OVERQUOTA]" in reply[1][0], "copy_in_it_too", reply)
    while client.append("INBOX", None, None, mail("small"))[0] == "OK":
        taken += 1
    code = house.wait(lambda: rcpt(house, "tim@example.test"))
    tap.ok(code[0] == 452, "smtp_answers_452_while_it_is_full", code)
    client.noop()
    client.store("1:*", "+FLAGS", r"(\Deleted)")
    client.expunge()
    code = house.wait(lambda: (lambda c: c if c[0] == 250 else None)(rcpt(house, "tim@example.test")), 5)
    tap.ok(code is not None, "and_250_once_it_was_expunged")
    tap.ok(client.append("INBOX", None, None, big)[0] == "OK", "append_has_room_again")
    client.logout()


def a_session(house):
    """Its pid: a process of imapd whose parent is one."""
    pids = house.children_named("stafet-imapd")
    for pid in pids:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            if int(f.read().rpartition(")")[2].split()[1]) in pids:
                return pid
    return None


def many_sessions(house, tap):
    house.control("imapsessions", "3")
    time.sleep(1.1)  # a change holds a second later
    sessions = [login(house) for _ in range(3)]
    one_more = Imap(int(house.env["IMAP_PORT"]))
    reply = one_more.say("LOGIN", ANN, house.env["PASSWORD1"])[0]
    tap.ok(reply.startswith(b"NO [LIMIT]"), "one_user_has_no_more_sessions_than_imapsessions", reply)
    tap.ok(login(house, "USER2").logout()[0] == "BYE", "another_one_is_let_in")
    os.kill(a_session(house), signal.SIGKILL)
    is_in = house.wait(lambda: says(Imap(int(house.env["IMAP_PORT"])), "LOGIN", ANN, house.env["PASSWORD1"]))
    tap.ok(is_in, "a_session_that_died_has_given_its_place_back")
    house.control("imapsessions", "0")
    del sessions


if __name__ == "__main__":
    imaplib.Commands["IDLE"] = ("SELECTED",)
    run(logins, mailboxes, messages, delivery, charsets, quota, many_sessions)
