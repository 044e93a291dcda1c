#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The programs that people use: swaks, curl, msmtp, s-nail, mutt, smtplib send; curl, fetchmail, mutt, s-nail, poplib read."""

import email.message
import os
import poplib
import smtplib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import Instance, expect, expect_equal, expect_match, letter, parse, play, run  # noqa: E402

BODY = "Gr\u00fc\u00dfe \u2192 Joe\n.\n.. two dots\nFrom the start\nend\n"


def scratch(house, name, text="", mode=0o600):
    path = os.path.join(house.scratch, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def client(house, argv, **kw):
    """A client with a home folder of its own and nothing of the machine's settings."""
    env = {"PATH": os.environ["PATH"], "HOME": house.scratch, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "STAFET_HOME": house.home, "TERM": "vt100"}
    return run(argv, env=env, **kw)


def expect_arrived(house, subject, body=BODY):
    """One message for joe with that subject and text; it is taken away."""
    message = parse(house.wait_messages(house.joe)[0])
    house.empty(house.joe)
    expect_equal(message["Subject"], subject, "subject")
    text = message.get_body().get_content()
    expect_equal(text.rstrip("\n"), body.rstrip("\n"), "text")
    return message


# Sending.

def swaks_sends(house):
    output = client(house, ["swaks", "--server", f"{house.host}:{house.smtp_port}", "--from", "ann@elsewhere.test", "--to", house.joe[0],
                            "--header", "Subject: from swaks", "--add-header", "Content-Type: text/plain; charset=utf-8",
                            "--add-header", "Content-Transfer-Encoding: 8bit", "--body", BODY])
    expect_match(r"250 2\.0\.0 ok \d+ qp [0-9a-v]{22}$", output, "what swaks says")
    expect_arrived(house, "from swaks")


def swaks_pipelines(house):
    client(house, ["swaks", "--pipeline", "--server", f"{house.host}:{house.smtp_port}", "--from", "ann@elsewhere.test", "--to",
                   f"{house.joe[0]},{house.ann[0]}", "--header", "Subject: pipelined", "--body", "p"])
    expect_arrived(house, "pipelined", "p")
    expect_equal(parse(house.wait_messages(house.ann)[0])["Subject"], "pipelined", "ann's subject")
    house.empty(house.ann)


def swaks_is_told_why_not(house):
    output = client(house, ["swaks", "--server", f"{house.host}:{house.smtp_port}", "--from", "ann@elsewhere.test", "--to", "x@remote.test"], code=24)
    expect_match(r"553 5\.7\.1 .*rcpthosts.*log in at the submission port", output, "what swaks says")


def curl_sends(house):
    path = scratch(house, "letter", "Subject: from curl\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + BODY)
    client(house, ["curl", "-sS", f"smtp://{house.host}:{house.smtp_port}/client.test", "--crlf", "--mail-from", "ann@elsewhere.test", "--mail-rcpt", house.joe[0], "-T", path])
    expect_arrived(house, "from curl")


def msmtp_sends(house):
    text = f"To: {house.joe[0]}\nSubject: from msmtp\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{BODY}"
    client(house, ["msmtp", "--host", house.host, "--port", str(house.smtp_port), "--from", "ann@elsewhere.test", "-t"], stdin=text)
    expect_arrived(house, "from msmtp")


def s_nail_sends_by_smtp(house):
    client(house, ["s-nail", "-:/", "-Sv15-compat", f"-Smta=smtp://{house.host}:{house.smtp_port}", "-Ssmtp-auth=none", "-Sfrom=ann@elsewhere.test", "-Ssendwait",
                   "-Ssendcharsets=utf-8", "-a", scratch(house, "notes.txt", "attached \u00e4\n"), "-s", "from s-nail \u00e4", house.joe[0]], stdin=BODY)
    message = expect_arrived(house, "from s-nail \u00e4")
    expect_equal([(a.get_filename(), a.get_content()) for a in message.iter_attachments()], [("notes.txt", "attached \u00e4\n")], "attachments")


def s_nail_sends_by_sendmail(house):
    client(house, ["s-nail", "-:/", "-Sv15-compat", f"-Smta={house.path('bin/sendmail')}", "-Sfrom=ann@elsewhere.test", "-Ssendwait", "-Ssendcharsets=utf-8", "-s",
                   "s-nail by sendmail \u00e4", "-b", f"postmaster@{house.domain}", house.joe[0]], stdin=BODY)
    expect_equal(expect_arrived(house, "s-nail by sendmail \u00e4")["Bcc"], None, "Bcc")
    house.wait_messages(f"postmaster@{house.domain}")
    house.empty(f"postmaster@{house.domain}")


def mutt_sends_by_sendmail(house):
    every = bytes(range(256)) * 400
    with open(scratch(house, "data.bin"), "wb") as f:
        f.write(every)
    client(house, ["mutt", "-n", "-F", "/dev/null", "-e", f"set sendmail='{house.path('bin/sendmail')} -oem -oi' from=ann@elsewhere.test use_envelope_from "
                   "envelope_from_address=back@elsewhere.test dsn_notify='failure,delay' dsn_return=hdrs copy=no send_charset=utf-8", "-s", "from mutt", "-a", f.name, "--",
                   house.joe[0]], stdin=BODY)
    message = expect_arrived(house, "from mutt")
    expect_equal(message["Return-Path"], "<back@elsewhere.test>", "Return-Path")
    expect_equal([(a.get_filename(), a.get_content() == every) for a in message.iter_attachments()], [("data.bin", True)], "attachments")


def mutt_sends_by_smtp(house):
    client(house, ["mutt", "-n", "-F", "/dev/null", "-e", f"set smtp_url='smtp://{house.host}:{house.smtp_port}' from=ann@elsewhere.test use_from copy=no ssl_force_tls=no ssl_starttls=no "
                   "send_charset=utf-8", "-s", "mutt by smtp", "--", house.joe[0]], stdin=BODY)
    expect_arrived(house, "mutt by smtp")


def smtplib_sends_to_many_and_names_the_refused(house):
    message = email.message.EmailMessage()
    message["Subject"], message["From"], message["To"] = "from smtplib", "ann@elsewhere.test", house.joe[0]
    message.set_content(BODY, cte="8bit")
    with smtplib.SMTP(house.host, house.smtp_port) as s:
        refused = s.send_message(message, to_addrs=[house.joe[0], f"no-such@{house.domain}"])
    expect_equal({k: v[0] for k, v in refused.items()}, {f"no-such@{house.domain}": 550}, "refused")
    expect_arrived(house, "from smtplib", BODY.replace("\nFrom", "\n>From"))  # Python's generator writes the >


# Reading.

def fill(house, *subjects):
    for subject in subjects:
        house.send("ann@elsewhere.test", house.joe[0], letter(subject, BODY.replace("\n", "\r\n"),
                                                              extra="Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"))
        house.wait_spool_empty()
    house.wait_files(house.joe, len(subjects))


def curl_reads_and_deletes(house):
    fill(house, "first", "second")
    url, login = f"pop3://{house.host}:{house.pop3_port}/", ["-u", ":".join(house.joe)]
    expect_match(r"^1 \d+\r?\n2 \d+\r?\n$", client(house, ["curl", "-sS", url, *login]), "the list")
    expect_match("Subject: second", client(house, ["curl", "-sS", url + "2", *login]), "the second mail")
    expect_match(r"^1 \S+\r?\n2 \S+", client(house, ["curl", "-sS", url, "-X", "UIDL", *login]), "the UIDL list")
    client(house, ["curl", "-sS", url + "1", "-X", "DELE", "-I", *login])
    expect_match("Subject: second", client(house, ["curl", "-sS", url + "1", *login]), "what is left")
    expect_equal(len(house.files(house.joe)), 1, "mails")
    house.empty(house.joe)


def curl_is_told_that_the_password_is_wrong(house):
    client(house, ["curl", "-sS", f"pop3://{house.host}:{house.pop3_port}/", "-u", house.joe[0] + ":wrong"], code=67)


def fetchmail_fetches_all_and_deletes(house):
    fill(house, "one", "two", "three")
    rc = scratch(house, "fetchmailrc", f"poll {house.host} service {house.pop3_port} protocol pop3 no dns uidl user \"{house.joe[0]}\" password "
                 f"\"{house.joe[1]}\" sslproto '' fetchall no keep mda \"cat >>{house.scratch}/fetched\"\n")
    client(house, ["fetchmail", "-f", rc, "--nosyslog", "-i", os.path.join(house.scratch, "ids")])
    with open(os.path.join(house.scratch, "fetched"), encoding="utf-8") as f:
        text = f.read()
    expect_equal([line for line in text.splitlines() if line.startswith("Subject: ")], ["Subject: one", "Subject: two", "Subject: three"], "subjects")
    expect(text.count(BODY) == 3, text)
    expect_equal(house.files(house.joe), [], "what is left")


def fetchmail_keeps_and_fetches_nothing_twice(house):
    fill(house, "kept")
    rc = scratch(house, "fetchmailrc", f"poll {house.host} service {house.pop3_port} protocol pop3 no dns uidl user \"{house.joe[0]}\" password "
                 f"\"{house.joe[1]}\" sslproto '' keep mda \"cat >>{house.scratch}/kept\"\n")
    client(house, ["fetchmail", "-f", rc, "--nosyslog", "-i", os.path.join(house.scratch, "kept-ids")])
    client(house, ["fetchmail", "-f", rc, "--nosyslog", "-i", os.path.join(house.scratch, "kept-ids")], code=1)  # 1: no new mail
    with open(os.path.join(house.scratch, "kept"), encoding="utf-8") as f:
        expect_equal(f.read().count("Subject: kept"), 1, "times it was fetched")
    expect_equal(len(house.files(house.joe)), 1, "mails")
    house.empty(house.joe)


def s_nail_reads(house):
    fill(house, "for s-nail")
    user, domain = house.joe[0].split("@")
    output = client(house, ["s-nail", "-:/", "-R", "-Sv15-compat", "-Spop3-auth=plain", "-Spop3-no-apop",
                            "-f", f"pop3://{user}%40{domain}:{house.joe[1]}@{house.host}:{house.pop3_port}"], stdin="headers\nprint 1\nexit\n")
    expect_match("for s-nail", output, "what s-nail shows")
    expect_match("\u2192 Joe", output, "what s-nail shows")
    house.empty(house.joe)


def mutt_reads_and_deletes(house):
    fill(house, "for mutt", "stays")
    keys = f"<pipe-message>cat >{house.scratch}/copied<enter><delete-message><quit>"
    client(house, ["script", "-qec", f"mutt -n -F /dev/null -e 'set pop_user=\"{house.joe[0]}\" pop_pass=\"{house.joe[1]}\" pop_authenticators=user ssl_force_tls=no ssl_starttls=no move=no delete=yes "
                   f"wait_key=no folder=~ message_cachedir=\"\" header_cache=\"\" sort=mailbox-order mark_old=no' -e 'push \"{keys}\"' -f pop://{house.host}:{house.pop3_port}/", "/dev/null"], timeout=60)
    with open(os.path.join(house.scratch, "copied"), encoding="utf-8") as f:
        text = f.read()
    expect("Subject: for mutt" in text and "\u2192 Joe" in text, text)
    left = house.wait_messages(house.joe)
    expect(b"Subject: stays" in left[0], left)
    house.empty(house.joe)


def poplib_does_everything(house):
    fill(house, "one", "two", "three")
    p = house.pop(house.joe)
    expect_equal(p.stat()[0], 3, "messages")
    expect_equal(p.stat()[1], sum(int(line.split()[1]) for line in p.list()[1]), "octets")
    expect_equal(len({line.split()[1] for line in p.uidl()[1]}), 3, "different UIDLs")
    expect("TOP" in p.capa() and "UIDL" in p.capa(), p.capa())
    p.dele(2)
    expect_equal([line.split()[0] for line in p.list()[1]], [b"1", b"3"], "numbers after DELE")
    p.rset()
    expect_equal(p.stat()[0], 3, "messages after RSET")
    p.dele(1)
    p.close()  # no QUIT: nothing is deleted
    p = house.pop(house.joe)
    expect_equal(p.stat()[0], 3, "messages after a session without QUIT")
    for n in (1, 2, 3):
        p.dele(n)
    p.quit()
    expect_equal(house.files(house.joe), [], "messages after QUIT")


def each_form_of_the_login_name_works(house):
    for mark in "@%/":
        p = house.pop((house.joe[0].replace("@", mark), house.joe[1]))
        expect_equal(p.stat()[0], 0, f"messages of {mark}")
        p.quit()
    p = house.pop((house.joe[0].split("@")[0].upper(), house.joe[1]))
    p.quit()


def a_wrong_password_is_refused_like_an_unknown_user(house):
    words = []
    for login in ((house.joe[0], "wrong"), ("nobody-here@" + house.domain, house.joe[1]), ("joe@nowhere.test", house.joe[1])):
        try:
            house.pop(login)
            expect(False, f"{login} was let in")
        except poplib.error_proto as e:
            words.append(str(e))
    expect_equal(len(set(words)), 1, f"refusals {words}")


TESTS = (swaks_sends, swaks_pipelines, swaks_is_told_why_not, curl_sends, msmtp_sends, s_nail_sends_by_smtp, s_nail_sends_by_sendmail,
         mutt_sends_by_sendmail, mutt_sends_by_smtp, smtplib_sends_to_many_and_names_the_refused, curl_reads_and_deletes,
         curl_is_told_that_the_password_is_wrong, fetchmail_fetches_all_and_deletes, fetchmail_keeps_and_fetches_nothing_twice, s_nail_reads,
         mutt_reads_and_deletes, poplib_does_everything, each_form_of_the_login_name_works, a_wrong_password_is_refused_like_an_unknown_user)


def main():
    with Instance() as house:
        return play(TESTS, house)


if __name__ == "__main__":
    sys.exit(main())
