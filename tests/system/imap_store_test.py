#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What crashes leave and foreign programs do in the store of IMAP, one case after the other, on `stafet-imapd -m`."""
import fcntl
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib.instance import Tap  # noqa: E402
from systemlib.session import Broken, Session  # noqa: E402


class Box:
    """A Maildir with three messages."""

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="imap-store.", dir="/tmp")
        for part in ("cur", "new", "tmp"):
            os.makedirs(self.path(part))
        for i in (1, 2, 3):
            with open(self.path("cur", "170000000%d.M%dP1.host:2," % (i, i)), "w", encoding="ascii") as f:
                f.write("Subject: %d\n\nbody\n" % i)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.home)

    def path(self, *parts):
        return os.path.join(self.home, "box", *parts)

    def read(self, name):
        with open(self.path(name), encoding="ascii") as f:
            return f.read()

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)

    def files(self, pattern):
        return sorted(glob.glob(pattern, root_dir=self.path()))

    def names(self):
        return sorted(name.partition(".")[0][-1] + name.partition(":2,")[2] for name in os.listdir(self.path("cur")))

    def rename(self, number, old, new):
        base = "170000000%d.M%dP1.host:2," % (number, number)
        os.rename(self.path("cur", base + old), self.path("cur", base + new))

    def session(self):
        return Session(self.home, "box")


def half_a_line(tap):
    with Box() as box:
        with box.session() as s:
            s.select()
        with open(box.path("dovecot-uidlist"), "a", encoding="ascii") as f:
            f.write("77 :half")
        with box.session() as s:
            s.select()
            s.good("APPEND INBOX", b"a: b\r\n\r\n")
        os.unlink(box.path("stafet.index"))
        with box.session() as s:
            s.select()
            tap.is_equal(s.uids(), [1, 2, 3, 4], "half_a_line_of_the_uid_list_is_cut_off")


def store_meets_renames(tap):
    with Box() as box, box.session() as s:
        s.select()
        box.rename(1, "", "F")
        s.good("UID STORE 1 +FLAGS.SILENT (\\Seen)")
        tap.is_equal(box.names(), ["1FS", "2", "3"], "a_foreign_flag_and_ours_both_stand")
        tap.is_equal(s.mail[0].flags, {"\\Flagged", "\\Seen"}, "and_the_client_hears_of_both")
        box.rename(2, "", "S")
        s.good("ENABLE CONDSTORE")
        reply = s.run("UID STORE 2 (UNCHANGEDSINCE 99999999999999999) FLAGS (\\Draft)")
        tap.is_equal(reply.code("MODIFIED"), b"2", "unchangedsince_sees_a_rename_that_no_scan_has_seen")
        s.good("UID STORE 3 +FLAGS (\\Deleted)")
        box.rename(3, "T", "")
        s.good("EXPUNGE")
        tap.is_equal(box.names(), ["1FS", "2S", "3"], "expunge_leaves_what_a_foreign_program_has_undeleted")


def journal_is_damaged(tap):
    with Box() as box, box.session() as s:
        s.select()
        s.good("STORE 1 +FLAGS (\\Seen)")
        with open(box.path("stafet.index"), "ab") as f:
            f.write(bytes(64))
        os.unlink(box.path("cur", "1700000002.M2P1.host:2,"))
        s.good("STORE 1 +FLAGS (\\Flagged)")
        s.good("NOOP")
        tap.is_equal(s.uids(), [1, 3], "a_damaged_journal_is_made_anew_under_an_open_session")
        tap.is_equal(s.mail[0].flags, {"\\Flagged", "\\Seen"}, "with_all_flags")


def known(box):
    """What a session sees with an index made anew: UIDVALIDITY, and {UID: first line of the mail}."""
    for name in box.files("stafet.index"):
        os.unlink(box.path(name))
    with box.session() as s:
        validity = s.select().code("UIDVALIDITY")
        return validity, {m.uid: subject(s, m.uid) for m in s.mail}


def subject(s, uid):
    return next(items["BODY[HEADER]"] for _, items in s.good("UID FETCH %d BODY.PEEK[HEADER]" % uid).fetched()).split(b"\r\n")[0].decode()


def uid_list_is_lost(tap):
    mails = {1: "Subject: 1", 2: "Subject: 2", 3: "Subject: 3", 5: "a: b"}
    with Box() as box:
        with box.session() as s:
            validity = s.select().code("UIDVALIDITY")
            s.good("APPEND INBOX", b"a: b\r\n\r\n")
            s.good("UID STORE 4 +FLAGS (\\Deleted)")
            s.good("EXPUNGE")
            os.unlink(box.path("dovecot-uidlist"))
            s.good("APPEND INBOX", b"a: b\r\n\r\n")
            tap.is_equal(s.mail and s.uids(), [1, 2, 3], "an_open_session_goes_on_without_its_uid_list")
        tap.is_equal(known(box), (validity, mails), "which_is_written_from_the_index_with_all_its_uids")
        lines = box.read("dovecot-uidlist").splitlines(True)
        box.write("dovecot-uidlist", "".join(lines[:2] + lines[3:]))
        with box.session() as s:
            s.select()
        tap.is_equal(known(box), (validity, mails), "and_so_are_lines_that_it_lost")
        os.unlink(box.path("dovecot-uidlist"))
        with box.session() as s:
            s.select()
        tap.is_equal(known(box), (validity, mails), "also_where_nobody_had_it_open")


def uid_list_of_others(tap):
    strange = "4 some words\n1 of a format to come\n"
    with Box() as box:
        with box.session() as s:
            validity = s.select().code("UIDVALIDITY")
            box.write("dovecot-uidlist", strange)
            s.good("APPEND INBOX", b"a: b\r\n\r\n")
        tap.is_equal(box.read("dovecot-uidlist.unknown"), strange, "a_uid_list_of_an_unknown_format_is_put_aside")
        tap.is_equal((known(box)[0], list(known(box)[1])), (validity, [1, 2, 3, 4]), "and_the_index_makes_a_new_one")
        box.write("dovecot-uidlist", strange)
        tap.is_equal(known(box)[0] > validity, True, "without_an_index_uidvalidity_is_another_one")
        tap.is_equal(box.read("dovecot-uidlist").splitlines()[0].split()[:2], ["3", "V%d" % int(known(box)[0])], "of_format_3")
    with Box() as box:
        names = [name.partition(":")[0] for name in sorted(os.listdir(box.path("cur")))]
        box.write("dovecot-uidlist", "1 77 9\n" + "".join("%d %s\n" % (2 * i + 2, name) for i, name in enumerate(names)))
        with box.session() as s:
            tap.is_equal((s.select().code("UIDVALIDITY"), s.uids()), (b"77", [2, 4, 6]), "format_1_is_read")
            s.good("APPEND INBOX", b"a: b\r\n\r\n")
        tap.is_equal([line.split()[0] for line in box.read("dovecot-uidlist").splitlines()], ["3", "2", "4", "6", "9"], "and_becomes_format_3")
        box.write("dovecot-uidlist", "3 V77 N11 Gabc\n2 W5 P1.x :%s\n9 :none\n10 :%s\n6 :%s\n" % (names[0], names[1], names[2]))
        with box.session() as s:
            s.select()
            tap.is_equal(s.uids(), [2, 6, 9, 10], "a_uid_that_another_server_gave_holds")
        lines = box.read("dovecot-uidlist").splitlines()
        tap.is_equal(lines[:3], ["3 V77 N11 Gabc", "2 W5 P1.x :" + names[0], "6 :" + names[2]], "its_fields_stay_and_uids_ascend")


ROUNDS = int(os.environ.get("ROUNDS", "800"))


def come_and_go(box, rounds):
    """Mail that is appended, read, marked and expunged; each 400 times another session."""
    for start in range(0, rounds, 400):
        with box.session() as s:
            s.select()
            for _ in range(start, min(start + 400, rounds)):
                uid = int(s.good("APPEND INBOX", b"Subject: short-lived\r\n\r\nbody\r\n").code("APPENDUID").split()[1])
                s.good("UID FETCH %d ENVELOPE" % uid)
                s.good("UID STORE %d +FLAGS.SILENT (\\Deleted k29)" % uid)
                s.good("UID EXPUNGE %d" % uid)


def keywords_of(s):
    return [[w for w in items["FLAGS"] if w.startswith(b"k")] for _, items in s.good("FETCH 2 FLAGS").fetched()]


def files_stay_small(tap):
    limits = {"dovecot-uidlist": 8, "stafet-keywords": 6, "stafet.cache": 128, "stafet.index": 160}
    with Box() as box:
        with box.session() as s:
            s.select()
            for n in range(30):
                s.good("STORE 2 +FLAGS.SILENT (k%d)" % n)
            s.good("FETCH 1:* ENVELOPE")
            keywords = keywords_of(s)
        before = known(box)
        come_and_go(box, ROUNDS // 2)
        shutil.copyfile(box.path("stafet.index"), box.path("old"))
        come_and_go(box, ROUNDS // 2)
        sizes = {name: os.stat(box.path(name)).st_size >> 10 for name in limits}
        tap.is_equal({name: size for name, size in sizes.items() if size > limits[name]}, {}, "files_that_are_appended_to_stay_small")
        tap.is_equal(known(box), before, "uids_stay")
        with box.session() as s:
            s.select()
            tap.is_equal(keywords_of(s), keywords, "and_keywords_past_the_letters")
        os.rename(box.path("old"), box.path("stafet.index"))
        with box.session() as s:
            s.select()
            subjects = [items["ENVELOPE"][1] for _, items in s.good("FETCH 1:* ENVELOPE").fetched()]
            tap.is_equal(subjects, [b"1", b"2", b"3"], "an_index_of_another_cache_believes_nothing_of_it")


def other_mailbox_is_damaged(tap):
    """Mailboxes that a command only visits: the session lives on, and mostly nobody notices."""
    def damage():
        with box.session() as other:
            other.select("Other")
            other.good("STORE 1 +FLAGS (\\Seen)")
            other.good("STORE 1 -FLAGS (\\Seen)")
        with open(box.path(".Other", "stafet.index"), "r+b") as f:
            f.seek(260)
            f.write(b"\xff\xff\xff")
    with Box() as box, box.session() as s:
        s.select()
        s.good("CREATE Other")
        for _ in range(3):
            s.good("COPY 1 Other")
        s.good("STATUS Other (MESSAGES)")
        os.unlink(box.path(".Other", "stafet.index"))
        for words, wanted in (("STATUS Other (MESSAGES RECENT)", 3), ("COPY 2 Other", 4), ("LIST \"\" Other RETURN (STATUS (MESSAGES))", 4)):
            damage()
            reply = s.run(words)
            counted = s.good("STATUS Other (MESSAGES)").untagged
            tap.is_equal((reply.status, counted), ("OK", [b"STATUS Other (MESSAGES %d)" % wanted]), words.split()[0] + "_of_a_damaged_mailbox")
        damage()
        tap.is_equal(s.run("APPEND Other", b"a: b\r\n\r\n").status, "OK", "append_to_a_damaged_mailbox")
        s.select("Other")
        tap.is_equal(s.uids(), [1, 2, 3, 4, 5], "nothing_is_there_twice")


def two_files_of_one_name(tap):
    with Box() as box:
        with box.session() as s:
            s.select()
            s.good("UID STORE 3 +FLAGS (\\Flagged)")
            box.write("cur/1700000001.M1P1.host:2,S", "Subject: double of 1\n\n")
            s.good("NOOP")
            s.learn()
            wanted = {1: "Subject: 1", 2: "Subject: 2", 3: "Subject: 3", 4: "Subject: double of 1"}
            tap.is_equal({uid: subject(s, uid) for uid in s.uids()}, wanted, "a_second_file_of_a_name_is_a_second_message")
            tap.is_equal("\\Seen" in s.mail[3].flags, True, "with_its_flags")
            box.write("new/1700000002.M2P1.host", "Subject: double of 2\n\n")
            box.write("new/1700000003.M3P1.host", "Subject: double of 3\n\n")
            s.good("NOOP")
            s.learn()
            tap.is_equal([subject(s, uid) for uid in s.uids()[4:]], ["Subject: double of 2", "Subject: double of 3"], "also_in_new")
            os.utime(box.path("cur"))
            s.good("NOOP")
            s.learn()
            seen = {uid: subject(s, uid) for uid in s.uids()}
            wanted.update({5: "Subject: double of 2", 7: "Subject: double of 3"})
            tap.is_equal(seen, wanted, "what_had_one_base_name_with_another_gets_another_uid")
        tap.is_equal(known(box)[1], seen, "and_all_uids_live_in_the_uid_list")
    with Box() as box:
        box.write("cur/1700000001.M1P1.host:2,S", "Subject: double of 1\n\n")
        box.write("new/1700000002.M2P1.host", "Subject: double of 2\n\n")
        tap.is_equal(len(set(known(box)[1].values())), 5, "nothing_is_hidden_from_a_first_session")


def grave_of(box):
    """Where a mailbox is that is being deleted."""
    for _ in range(1000):
        for name in box.files("..deleted*"):
            return name
        time.sleep(0.01)
    raise Broken("nothing is being deleted: it is gone already")


def delete_meets_others(tap):
    with Box() as box, box.session() as s:
        s.good("CREATE Other")
        with box.session() as other:
            other.select("Other")
            with open(box.path(".Other", "stafet.lock"), "rb") as lock:  # as one who makes the index anew
                fcntl.flock(lock, fcntl.LOCK_EX)
                tag = s.begin("DELETE Other")
                grave = grave_of(box)
                for n in range(50):
                    box.write(grave + "/cur/%d" % n, "")
                    time.sleep(0.005)
                box.write(grave + "/stafet.index.tmp", "half")
            tap.is_equal(s.finish(tag).status, "OK", "delete_waits_for_who_writes_there")
            tap.is_equal(box.files(".*"), [], "nothing_is_left")
            try:
                other.run("NOOP")
                said = ""
            except Broken as broken:
                said = str(broken)
            tap.is_equal("BYE [NONEXISTENT]" in said, True, "who_had_selected_it_hears_bye")
        s.good("CREATE Other")
        with box.session() as other:
            tags = []
            for n in range(40):
                tags.append(other.begin("APPEND Other", b"a: b\r\n\r\n"))
                s.run("DELETE Other")
                s.run("CREATE Other")
            answers = {other.finish(tag).status for tag in tags}
            tap.is_equal(answers - {"OK", "NO"}, set(), "append_beside_delete_is_done_or_not")
        tap.is_equal(s.good("DELETE Other").status and box.files("..*"), [], "no_grave_is_left")


def locks_of_the_dead(tap):
    with Box() as box, box.session() as s:
        box.write("dovecot-uidlist.lock.stafet", "1:host")
        os.link(box.path("dovecot-uidlist.lock.stafet"), box.path("dovecot-uidlist.lock"))
        tap.is_equal(s.run("SELECT INBOX").status, "OK", "a_lock_of_a_session_that_died_keeps_nobody_waiting")
        tap.is_equal(box.files("dovecot-uidlist*"), ["dovecot-uidlist"], "and_is_gone_afterwards")
    with Box() as box, box.session() as s:
        box.write("dovecot-uidlist.lock", "1:another")
        reply = s.run("SELECT INBOX")
        tap.is_equal((reply.status, reply.text[:7]), ("NO", b"[INUSE]"), "another_program_s_lock_is_waited_for")
        tap.is_equal(box.read("dovecot-uidlist.lock"), "1:another", "and_stays")
        two_minutes = os.stat(box.path("dovecot-uidlist.lock")).st_mtime - 125
        os.utime(box.path("dovecot-uidlist.lock"), (two_minutes, two_minutes))
        tap.is_equal(s.run("SELECT INBOX").status, "OK", "until_it_is_two_minutes_old")
    with Box() as box, box.session() as s:
        dead = subprocess.Popen(["true"])
        dead.wait()
        box.write("dovecot-uidlist.lock", "%d:%s" % (dead.pid, os.uname().nodename))
        tap.is_equal(s.run("SELECT INBOX").status, "OK", "a_dead_dovecot_s_lock_keeps_nobody_waiting")
        box.write("dovecot-uidlist.lock", "%d:%s" % (os.getpid(), os.uname().nodename))
        box.write("new/1700000099.M9", "a: b\n\n")
        tap.is_equal(s.run("SELECT INBOX").status, "OK", "nor_a_living_one_s_who_only_adds_to_the_list")
        box.write("dovecot-uidlist.lock", "%d:%s" % (os.getpid(), os.uname().nodename))
        os.unlink(box.path("stafet.index"))
        os.unlink(box.path("dovecot-uidlist"))
        with box.session() as other:
            tap.is_equal(other.run("SELECT INBOX").text[:7], b"[INUSE]", "it_is_waited_for_where_the_list_is_written_anew")


def main():
    tap = Tap()
    for case in (half_a_line, store_meets_renames, journal_is_damaged, uid_list_is_lost, uid_list_of_others, files_stay_small, other_mailbox_is_damaged, two_files_of_one_name, delete_meets_others, locks_of_the_dead):
        case(tap)
    tap.done()


if __name__ == "__main__":
    main()
