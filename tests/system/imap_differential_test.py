#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Ours and Debian's dovecot-imapd on copies of one Maildir of awkward mail (tests/corpus), asked the same over IMAP: what FETCH says of
every message and part, SEARCH, SORT, THREAD. A difference is a bug, or one of those that tests/corpus explains, and each of those
has to be there. An argument N: each Nth message of ../shared/corpus, and of our own all (1: the whole of it). Needs root."""
import os
import re
import sys

sys.dont_write_bytecode = True
TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [TESTS, os.path.join(TESTS, "corpus")]
import dovecot  # noqa: E402
import explained  # noqa: E402
import questions  # noqa: E402
import sections  # noqa: E402
import structures  # noqa: E402
import twins  # noqa: E402
from systemlib.instance import Tap  # noqa: E402

EVERY = 6
SHOWN = 8


def both_say(both, question):
    """[(OK, NO or BAD; untagged lines)] of ours, of theirs; they work at the same time."""
    for session in both:
        session.send(question)
    return [(re.match(rb"\w+( \[BADCHARSET)?", reply).group(), lines) for reply, lines in [session.receive() for session in both]]


class Box:
    def __init__(self, folder, every):
        self.messages = twins.messages(os.path.join(folder, "corpus"), every)
        self.names = [name for name, _ in self.messages]
        self.both = twins.twins(folder, [text for _, text in self.messages])
        self.uids = [int(uid) for uid in self.both[1].command("UID SEARCH ALL")[0].split()[2:]]
        self.number_of = {uid: number for number, uid in enumerate(self.uids)}

    def name(self, number, is_uid):
        return self.names[self.number_of[number] if is_uid else number - 1]


def shown(lines):
    text = "\n".join(str(line)[:600] for line in lines[:SHOWN])
    return text + ("\n… %d more" % (len(lines) - SHOWN) if len(lines) > SHOWN else "")


def structures_are_the_same(box, tap):
    both, wrong = box.both, []
    answers = both_say(both, "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)")
    rows = [[dovecot.parse(line, line.index(b"("))[0] for line in lines if b" FETCH (" in line] for _, lines in answers]
    for (name, text), ours, theirs in zip(box.messages, *rows):
        wrong += [(name, ours[i - 1], a, b) for i, (a, b) in enumerate(zip(ours, theirs)) if i % 2 for a, b in structures.differences(a, b, text)]
    tap.ok(len(rows[0]) == len(rows[1]) == len(box.messages) and not wrong, "uid_flags_date_size_envelope_body_and_bodystructure", shown(wrong))
    unused = [rule.__name__ for rule in structures.RULES if rule.__name__ not in structures.used]
    tap.is_equal(unused, [], "each_rule_for_structures_is_needed")
    return [[dict(zip(row[::2], row[1::2])).get("BODYSTRUCTURE") for row in side] for side in rows]


def sections_are_the_same(box, tap, found_structures):
    wrong, used, n = [], {}, 0
    for number, name in enumerate(box.names):
        message = sections.Message(box.both, box.uids[number], [side[number] for side in found_structures])
        for item, ours, theirs in message.differences():
            rule = sections.rule_of(message, item, ours, theirs)
            if rule:
                used.setdefault(rule.__name__, set()).add(name)
            else:
                wrong.append("%s %s\n  ours   %.300r\n  theirs %.300r" % (name, item, ours, theirs))
        n += message.n
    tap.ok(not wrong, "sections_and_parts_of_them_%d_asked" % n, shown(wrong))
    for name, names in used.items():
        print("# %d messages: %s" % (len(names), name))
    own = {name for name in box.names if "/" not in name}
    found = {rule: explained.unmatched(patterns, own & used.get(rule, set()), own) for rule, patterns in explained.SECTIONS.items()}
    tap.is_equal({rule: two for rule, two in found.items() if two != ([], [])}, {}, "where_each_rule_for_sections_holds")
    tap.is_equal(sorted(set(used) - set(explained.SECTIONS)), [], "and_there_is_no_other")


def answer_to_search(box, lines, question):
    """{name} or the fields of an ESEARCH."""
    line = next((line for line in lines if line.startswith((b"* SEARCH", b"* ESEARCH"))), b"")
    if line.startswith(b"* ESEARCH"):
        words = line.split(b")", 1)[1].removeprefix(b" UID").split()
        return dict(zip(words[::2], words[1::2]))
    numbers = [int(n) for n in line.split()[2:]]
    return {box.name(n, question.startswith(b"UID")) for n in numbers} if numbers == sorted(set(numbers)) else "not ascending: %r" % line


def searches_are_the_same(box, tap, found_structures):
    wrong, found, n = [], set(), 0
    for kind, question in questions.searches():
        n += 1
        (status, lines), (their_status, their_lines) = both_say(box.both, question)
        ours, theirs = answer_to_search(box, lines, question), answer_to_search(box, their_lines, question)
        if status != their_status:
            wrong += [] if explained.STATUSES.get(question) == (status, their_status) else [(question, status, their_status)]
        elif isinstance(ours, set) and isinstance(theirs, set):
            sides = [("theirs", "ours"), ("ours", "theirs")][not kind.startswith("-")]
            found |= {(kind.lstrip("-"), side, name, question) for side, names in zip(sides, (ours - theirs, theirs - ours)) for name in names}
        elif ours != theirs:
            wrong.append((question, ours, theirs))
    undated = set(box.names) - box_says(box, b"SEARCH OR SENTBEFORE 1-Jan-2000 SENTSINCE 1-Jan-2000")
    told = {name: explained.by_structure(*pair) for name, *pair in zip(box.names, *found_structures) if "/" in name}
    rest = [one for one in sorted(found) if not (one[:2] == ("SENT", "theirs") and one[2] in undated) and one[:2] not in told.get(one[2], ())]
    unknown, unused = explained.search_differences(rest, set(box.names))
    tap.ok(not wrong and not unknown, "searches_%d_asked" % n, shown(wrong + unknown))
    tap.is_equal(unused, [], "each_explained_search_differs")


def box_says(box, question):
    box.both[0].send(question)
    return answer_to_search(box, box.both[0].receive()[1], question)


def orders_are_the_same(box, tap, asked, read, what):
    """Without those messages that are explained the order is the same; with any one of them it is not."""
    wrong, needed, n = [], set(), 0
    for kind, question in asked:
        n += 1
        (status, lines), (their_status, their_lines) = both_say(box.both, question)
        names = explained.order_differences(kind, set(box.names))
        ours, theirs = (read(box, side, question) for side in (lines, their_lines))
        if status != their_status or without(ours, names) != without(theirs, names):
            wrong.append((question, next((pair for pair in zip(without(ours, names), without(theirs, names)) if pair[0] != pair[1]), "lengths")))
        needed |= {name for name in names if without(ours, names - {name}) != without(theirs, names - {name})}
    tap.ok(not wrong, "%s_%d_asked" % (what, n), shown(wrong))
    every = set().union(*(explained.order_differences(kind, set(box.names)) for kind, _ in asked))
    tap.is_equal(sorted(every - needed - explained.BY_NEIGHBOURS), [], "each_explained_difference_of_%s_is_there" % what)


def without(entries, names):
    return [entry for entry in entries if not names & set(re.findall(r"[^ ()]+", entry))]


def read_sort(box, lines, question):
    return [box.name(int(n), question.startswith(b"UID")) for n in lines[0].split()[2:]] if lines else []


def read_thread(box, lines, question):
    """The threads as texts, names for numbers."""
    text = re.sub(r"\d+", lambda n: box.name(int(n.group()), question.startswith(b"UID")).replace(" ", "_"), lines[0].decode()[9:]) if lines else ""
    threads, depth, start = [], 0, 0
    for at, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == ")" and depth == 0:
            threads.append(text[start:at + 1])
            start = at + 1
    return threads


def main():
    folder, tap = dovecot.scratch("imap-differential"), Tap()
    try:
        box = Box(folder, int(sys.argv[1]) if len(sys.argv) > 1 else EVERY)
        print("# %d messages" % len(box.messages))
        found = structures_are_the_same(box, tap)
        searches_are_the_same(box, tap, found)
        orders_are_the_same(box, tap, list(questions.sorts()), read_sort, "sorts")
        orders_are_the_same(box, tap, list(questions.threads()), read_thread, "threads")
        for session in box.both:
            session.command("EXAMINE INBOX")
        sections_are_the_same(box, tap, found)
        for session in box.both:
            session.close()
    finally:
        dovecot.remove(folder)
    tap.done()


if __name__ == "__main__":
    main()
