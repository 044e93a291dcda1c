#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Who gets what: mailboxes, catch-all, aliases, .qmail files, full and disabled mailboxes, logins and what they leave."""

import os
import poplib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import Instance, expect, expect_equal, expect_match, letter, play, retrieve, run, wait_until  # noqa: E402

SENDER = "ann@elsewhere.test"


def wait_reply(house, recipient, start):
    """Until each member of rcptd says it: each looks at the control files by itself."""
    wait_until(lambda: all(house.refusal(recipient).startswith(start) for _ in range(16)), f"{start} for {recipient}")


def expect_mail(house, account, subject):
    got = house.wait_messages(account)[0]
    expect(f"Subject: {subject}\n".encode() in got, got)
    house.empty(account)
    return got.decode("utf-8", "replace")


# Names.

def an_unknown_name_is_refused_and_explained(house):
    expect_match(r"^550 5\.1\.1 sorry, no mailbox here by that name: .*check the spelling", house.refusal(f"nobody-here@{house.domain}"))


def another_domain_is_refused_with_what_to_do(house):
    expect_match(r"^553 5\.7\.1 .*rcpthosts.*log in at the submission port", house.refusal("x@remote.test"))


def a_new_account_gets_mail_at_once(house):
    new = house.account("new")
    house.send(SENDER, new[0], letter("welcome"))
    expect_mail(house, new, "welcome")
    house.pop(new).quit()


def a_deleted_account_gets_no_more(house):
    gone = house.account("gone")
    house.send(SENDER, gone[0], letter("still"))
    house.wait_files(gone)
    house.tool("vdeluser", gone[0])
    expect(not os.path.exists(house.maildir(gone[0])), "its folder is there")
    expect_match(r"^550 5\.1\.1 ", house.refusal(gone[0]))
    expect_login_refused(house, gone, "")


def a_new_domain_takes_mail_and_goes_again(house):
    house.tool("vadddomain", "second.test", "postmaster's")
    eve = house.account("eve@second.test")
    wait_reply(house, eve[0], "250")
    house.send(SENDER, eve[0], letter("second domain"))
    expect_mail(house, eve, "second domain")
    expect_match("^550 5.1.1", house.refusal("joe@second.test"))
    house.tool("vdeldomain", "second.test")
    wait_reply(house, eve[0], "553 5.7.1")


def names_are_found_in_any_case(house):
    house.send(SENDER, house.joe[0].upper(), letter("LOUD"))
    expect_mail(house, house.joe, "LOUD")


def postmaster_cannot_be_taken_away(house):
    run([house.path("bin/vdeluser"), "-H", house.home, f"postmaster@{house.domain}"], code=None)
    house.send(SENDER, f"postmaster@{house.domain}", letter("to the postmaster"))
    expect_mail(house, f"postmaster@{house.domain}", "to the postmaster")


# Catch-all.

def catch_all_on_and_off(house):
    nobody = f"any.body@{house.domain}"
    for action, receiver in ((house.path("domains", house.domain, "joe"), house.joe), (house.ann[0], house.ann)):
        house.dot_qmail("default", f"| {house.path('bin/vdelivermail')} '' {action}\n")
        house.send(SENDER, nobody, letter("caught"))
        expect_match(f"^Delivered-To: .*{nobody}$", expect_mail(house, receiver, "caught"))
    house.dot_qmail("default", f"| {house.path('bin/vdelivermail')} '' delete\n")
    house.send(SENDER, nobody, letter("deleted"))
    house.wait_spool_empty()
    for account in (house.joe, house.ann):
        expect_equal(house.files(account), [], "who got a deleted mail")
    house.dot_qmail("default", f"| {house.path('bin/vdelivermail')} '' bounce-no-mailbox\n")
    expect_match(r"^550 5\.1\.1 ", house.refusal(nobody))


def vadddomain_makes_the_catch_all(house):
    house.tool("vadddomain", "-e", house.ann[0], "caught.test", "secret")
    wait_reply(house, "any@caught.test", "250")
    house.send(SENDER, "any@caught.test", letter("to ann"))
    expect_mail(house, house.ann, "to ann")


# Aliases and .qmail files.

def valias_makes_lists_and_deletes_an_alias(house):
    for target in (house.joe[0], house.ann[0]):
        house.tool("valias", "-i", target, f"all@{house.domain}")
    expect_match(f"all@{house.domain} -> .*{house.joe[0]}", house.tool("valias", "-s", f"all@{house.domain}"))
    house.send(SENDER, f"all@{house.domain}", letter("to all"))
    for account in (house.joe, house.ann):
        expect_mail(house, account, "to all")
    house.tool("valias", "-d", f"all@{house.domain}")
    expect_match(r"^550 5\.1\.1 ", house.refusal(f"all@{house.domain}"))


def a_user_forwards_and_keeps_a_copy(house):
    house.user_dot_qmail(house.joe[0], f"# to both\n./Maildir/\n&{house.ann[0]}\n")
    house.send(SENDER, house.joe[0], letter("forwarded"))
    expect_mail(house, house.joe, "forwarded")
    expect_match(f"^Return-Path: <{SENDER}>$", expect_mail(house, house.ann, "forwarded"))
    os.unlink(os.path.join(os.path.dirname(house.maildir(house.joe[0])), ".qmail"))


def an_extension_has_its_own_file(house):
    home = f"domains/{house.domain}/joe"
    house.write(f"{home}/.qmail-lists-default", f"&{house.ann[0]}\n", "vmail:vchkpw", 0o600)
    house.send(SENDER, f"joe-lists-any@{house.domain}", letter("an extension"))
    expect_mail(house, house.ann, "an extension")
    os.unlink(house.path(home, ".qmail-lists-default"))


def a_program_gets_message_and_environment(house):
    got = house.maildir(house.joe[0]) + "/got"
    house.user_dot_qmail(house.joe[0], f"|(env; echo; cat) >{got}.tmp; mv {got}.tmp {got}; echo said by the program\n")
    message = house.send(SENDER, house.joe[0], letter("for a program", "line\r\n.\r\n\xfc\r\n"))
    wait_until(lambda: os.path.exists(got), "the program ran")
    with open(got, encoding="utf-8") as f:
        text = f.read()
    for name, value in (("SENDER", SENDER), ("RECIPIENT", r"(\S+-)?" + house.joe[0]), ("HOST", house.domain), ("USER", r"\S+"), ("HOME", r"/\S+")):
        expect_match(f"^{name}={value}$", text, "environment")
    expect(text.endswith("\n\nline\n.\n\u00fc\n"), text[-300:])
    house.wait_log("send", "success: .*did_0\\+0\\+1")
    expect_match("said by the program|success", house.tool("stafet-trace", message))
    os.unlink(got)


def programs_say_drop_defer_and_refuse(house):
    house.user_dot_qmail(house.joe[0], f"|exit 99\n&{house.ann[0]}\n")
    house.send(house.ann[0], house.joe[0], letter("99"))
    house.wait_spool_empty()
    expect_equal(house.files(house.ann), [], "mail behind an exit 99")
    house.user_dot_qmail(house.joe[0], "|echo the shop is closed; exit 100\n")
    house.send(house.ann[0], house.joe[0], letter("100"))
    expect("the shop is closed" in expect_mail(house, house.ann, "failure notice"))
    house.user_dot_qmail(house.joe[0], "|echo come later; exit 111\n")
    house.send(house.ann[0], house.joe[0], letter("111"))
    house.wait_log("send", "deferral: .*come.later")
    expect_equal(len(house.spooled()), 1, "messages that wait")
    os.unlink(os.path.join(os.path.dirname(house.maildir(house.joe[0])), ".qmail"))
    house.push()
    expect_mail(house, house.joe, "111")


def a_forward_to_itself_ends_as_a_loop(house):
    house.dot_qmail("a", f"&b@{house.domain}\n")
    house.dot_qmail("b", f"&a@{house.domain}\n")
    house.send(house.ann[0], f"a@{house.domain}", letter("round and round"))
    expect_match(r"looping.*#5\.4\.6", expect_mail(house, house.ann, "failure notice"))
    for name in "ab":
        os.unlink(house.path(f"domains/{house.domain}/.qmail-{name}"))


# Full and disabled.

def a_full_mailbox_is_refused_and_takes_mail_again_at_once(house):
    full = house.account("full", "secret", "-q", "6000S")
    house.send(house.ann[0], full[0], letter("just fits", ("x" * 70 + "\r\n") * 77))
    house.wait_files(full)
    wait_until(lambda: not house.refusal(full[0]).startswith("250"), "rcptd knows that it is full")
    expect_match(r"^452 4\.2\.2 the mailbox is full: .*goes through when its owner deletes", house.refusal(full[0]))
    p = house.pop(full)
    p.dele(1)
    p.quit()
    expect_match("^250 ", house.refusal(full[0]))
    house.send(house.ann[0], full[0], letter("again"))
    expect_mail(house, full, "again")


def what_does_not_fit_comes_back_with_who_can_help(house):
    tight = house.account("tight", "secret", "-q", "2000S")
    house.send(house.ann[0], tight[0], letter("too much", ("y" * 70 + "\r\n") * 50))
    expect_match(r"user is over quota \(#5\.2\.2\)\s[^$]*owner can delete mail", expect_mail(house, house.ann, "failure notice"))
    with house.smtp() as s:
        s.ehlo()
        s.mail("a@elsewhere.test", ["SIZE=3000"])
        code, text = s.rcpt(tight[0])
        expect_match(r"^552 5\.2\.3 .*larger than this mailbox may ever hold", f"{code} {text.decode()}", "with SIZE")


def a_full_mailbox_is_refused_for_good_where_the_site_says_so(house):
    fuller = house.account("fuller", "secret", "-q", "1000S")
    house.send(house.ann[0], fuller[0], letter("just fits", ("x" * 70 + "\r\n") * 10))
    house.wait_files(fuller)
    wait_until(lambda: not house.refusal(fuller[0]).startswith("250"), "rcptd knows that it is full")
    house.control("fullpermanent", "")
    wait_reply(house, fuller[0], "552 5.2.2 the mailbox is full")
    house.control("fullpermanent", None)
    wait_reply(house, fuller[0], "452 4.2.2 ")


def set_flags(house, name, flags):
    """As vmoduser of vpopmail leaves them: the gid field of vpasswd; the next change by a tool makes the cdb."""
    folder = house.path("domains", house.domain)
    with open(folder + "/vpasswd", encoding="ascii") as f:
        lines = [line.split(":") for line in f.read().splitlines()]
    text = "".join(":".join([*fields[:3], str(flags) if fields[0] == name else fields[3], *fields[4:]]) + "\n" for fields in lines)
    house.write(f"domains/{house.domain}/vpasswd", text, "stafeta:stafeta", 0o600)
    house.tool("vpasswd", *house.ann)


def disabled_accounts_are_told_so(house):
    shut = house.account("shut")
    set_flags(house, "shut", 0x10)
    expect_match(r"^550 5\.2\.1 .*switched off.*postmaster of that domain", house.refusal(shut[0]))
    set_flags(house, "shut", 0x02)
    expect_match("^250 ", house.refusal(shut[0]))
    expect_login_refused(house, shut, "may not fetch mail by POP3; ask the postmaster")
    set_flags(house, "shut", 0x02 | 0x04 | 0x08 | 0x800)
    expect_login_refused(house, shut, "disabled|switched off")
    set_flags(house, "shut", 0)
    house.pop(shut).quit()


def expect_login_refused(house, account, words):
    try:
        house.pop(account).quit()
    except poplib.error_proto as e:
        expect_match(words, str(e), "refusal")
        return
    expect(False, f"{account} was let in")


def a_domain_can_shut_pop3_for_all(house):
    house.write(f"domains/{house.domain}/.qmailadmin-limits", "disable_pop\n", "vmail:vchkpw", 0o640)
    expect_login_refused(house, house.joe, "may not fetch mail by POP3; ask the postmaster")
    os.unlink(house.path(f"domains/{house.domain}/.qmailadmin-limits"))
    house.pop(house.joe).quit()


def a_new_password_holds_at_once(house):
    changed = house.account("changed", "old")
    house.tool("vpasswd", changed[0], "new")
    expect_login_refused(house, changed, "")
    house.pop((changed[0], "new")).quit()


# What a login leaves.

def a_login_opens_smtp_for_its_address(house):
    house.control("opensmtp", "")

    def is_there():
        house.pop(house.joe).quit()
        return os.path.exists(house.path("auth/open-smtp/127.0.0.1"))
    wait_until(is_there, "auth/open-smtp/127.0.0.1")
    expect_match(r"^553 5\.7\.1 .*log in at the submission port", house.refusal("x@remote.test"), "relaying is refused still")


def a_mailbox_is_checked_once_a_minute_where_the_site_says_so(house):
    slow = house.account("slow")
    house.control("popinterval", "60")

    def is_refused():
        try:
            house.pop(slow).quit()
        except poplib.error_proto as e:
            return str(e)
        return ""
    words = wait_until(is_refused, "control/popinterval holds")
    expect_match("a moment ago", words, "refusal")
    house.control("popinterval", "0")
    wait_until(lambda: not is_refused(), "control/popinterval is 0")


def two_sessions_do_not_lose_mail(house):
    for subject in ("one", "two"):
        house.send(SENDER, house.joe[0], letter(subject))
        house.wait_spool_empty()
    first, second = house.pop(house.joe), house.pop(house.joe)
    first.dele(1)
    first.quit()
    expect(b"Subject: two" in retrieve(second, 2), "the second session's mail")
    second.quit()
    expect_mail(house, house.joe, "two")


TESTS = (an_unknown_name_is_refused_and_explained, another_domain_is_refused_with_what_to_do, a_new_account_gets_mail_at_once,
         a_deleted_account_gets_no_more, a_new_domain_takes_mail_and_goes_again, names_are_found_in_any_case, postmaster_cannot_be_taken_away,
         catch_all_on_and_off, vadddomain_makes_the_catch_all, valias_makes_lists_and_deletes_an_alias, a_user_forwards_and_keeps_a_copy,
         an_extension_has_its_own_file, a_program_gets_message_and_environment, programs_say_drop_defer_and_refuse,
         a_forward_to_itself_ends_as_a_loop, a_full_mailbox_is_refused_and_takes_mail_again_at_once,
         what_does_not_fit_comes_back_with_who_can_help,
         a_full_mailbox_is_refused_for_good_where_the_site_says_so, disabled_accounts_are_told_so, a_domain_can_shut_pop3_for_all,
         a_new_password_holds_at_once, a_login_opens_smtp_for_its_address, a_mailbox_is_checked_once_a_minute_where_the_site_says_so,
         two_sessions_do_not_lose_mail)


def main():
    with Instance() as house:
        return play(TESTS, house)


if __name__ == "__main__":
    sys.exit(main())
