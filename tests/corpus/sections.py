# SPDX-License-Identifier: ISC
"""Sections of one message, asked of both servers: every part that BODYSTRUCTURE shows, some that are not there, and partial fetches around each
kind of border. Each difference that is on purpose is a rule here and stands in DEVIATIONS."""
import re

import dovecot

WORDS = ("MIME", "HEADER", "TEXT", "HEADER.FIELDS (SUBJECT CONTENT-TYPE)", "HEADER.FIELDS.NOT (SUBJECT)")
WHOLE = ["RFC822", "RFC822.HEADER", "RFC822.TEXT", "BODY[]", "BODY[HEADER]", "BODY[TEXT]", "BODY[HEADER.FIELDS (SUBJECT FROM X-NONE)]",
         "BODY[HEADER.FIELDS.NOT (SUBJECT FROM)]", 'BODY[HEADER.FIELDS (RECEIVED "CONTENT-TYPE" X-FIELD-7)]', "BODY[HEADER.FIELDS.NOT (X-NONE)]"]
PARTS_AT_ONCE = 8  # six items each; a FETCH has 64 at most


def below(part, path):
    """{path: its structure} of the parts inside."""
    parts = [sub for sub in part if isinstance(sub, list)] if isinstance(part[0], list) else [part]
    if isinstance(part[0], list):
        parts = parts[:next(i for i, value in enumerate(part) if not isinstance(value, list))]
    found = {}
    for number, sub in enumerate(parts, 1):
        found[path + (number,)] = sub
        if isinstance(sub[0], list):
            found |= below(sub, path + (number,))
        elif is_message(sub):
            found |= below(sub[8], path + (number,))
    return found


def is_message(part):
    return isinstance(part[0], bytes) and (part[0] + b"/" + part[1]).lower() == b"message/rfc822" and len(part) > 8 and isinstance(part[8], list)


def section(path, word=""):
    return "BODY[%s]" % ".".join([str(n) for n in path] + [word] * bool(word))


class Message:
    """What both say of one message."""

    def __init__(self, both, uid, structures):
        self.both, self.uid = both, uid
        self.parts = [below(structure, ()) for structure in structures]
        self.are_alike = isinstance(structures[0][0], list) == isinstance(structures[1][0], list) and set(self.parts[0]) == set(self.parts[1])
        self.said = {}  # {section: (ours, theirs)}

    def fetch(self, items):
        for session in self.both:
            session.send(f"UID FETCH {self.uid} ({' '.join(items)})".replace("BODY[", "BODY.PEEK["))
        answers = []
        for session, (reply, lines) in [(session, session.receive()) for session in self.both]:
            if len(lines) != 1 or not reply.startswith(b"OK"):
                raise RuntimeError(f"{session.question}: {reply!r} {lines!r}"[:2000])
            values = dovecot.parse(lines[0], lines[0].index(b"("))[0]
            answers.append({key.upper().replace('"', ""): value for key, value in zip(values[::2], values[1::2])})
        got = {item: tuple(answer.get(item.replace('"', ''), "nothing") for answer in answers) for item in items}
        self.said |= got
        return got

    def differences(self):
        """(section, ours, theirs), each; how many were asked for."""
        n = 0
        for items in self.questions():
            for item, (ours, theirs) in self.fetch(items).items():
                n += 1
                if ours != theirs:
                    yield item, ours, theirs
        for item, ours, theirs, wanted in self.partials():
            n += 1
            if ours != wanted or ours != theirs:
                yield item, ours, theirs
        self.n = n

    def questions(self):
        yield WHOLE
        paths = sorted(self.parts[0] | self.parts[1])
        last = paths[-1]
        others = [(9,), (1, 9), (1, 1, 1), last + (1,), last[:-1] + (last[-1] + 1,)]
        paths += [path for path in dict.fromkeys(others) if path not in paths]
        for at in range(0, len(paths), PARTS_AT_ONCE):
            yield [section(path, word) for path in paths[at:at + PARTS_AT_ONCE] for word in ("", *WORDS)]

    def partials(self):
        """(item, ours, theirs, what it should be): both ends, and before, in and behind the first two line ends and the last one. Dovecot,
        which loses count where a CR stands alone, and may end, is not asked there."""
        ranges, asked_of = {}, self.both[:1] if re.search(rb"\r(?!\n)", self.said["BODY[]"][0]) else self.both
        for name in ("BODY[]", "BODY[HEADER]", "BODY[TEXT]", "BODY[1]"):
            whole = self.said[name][0]
            if whole is None or self.said[name][0] != self.said[name][1]:
                continue
            n, ends = len(whole), [found.start() for found in re.finditer(rb"\r\n", whole[:4000])]
            wanted = {(0, 1), (0, n + 1), (n, 1), (n + 5, 10), (max(0, n - 1), 5), (n // 2, 7)} | ({(0, n)} if n else set())
            for end in ends[:2] + [n - 2] * whole.endswith(b"\r\n"):
                wanted |= {(end, 1), (end + 1, 1), (end + 1, 5), (max(0, end - 1), 3), (0, end + 1)}
            ranges |= {(name, start, length): whole[start:start + length] for start, length in wanted}
        asked = sorted(ranges)
        while asked:  # of one section and one start only one: the answers are told apart by these
            batch = list({(name, start): (name, start, length) for name, start, length in asked}.values())[:60]
            asked = [one for one in asked if one not in batch]
            yield from self.fetch_partials(asked_of, batch, ranges)

    def fetch_partials(self, sessions, batch, ranges):
        for session in sessions:
            session.send(f"UID FETCH {self.uid} ({' '.join('%s<%d.%d>' % one for one in batch)})".replace("BODY[", "BODY.PEEK["))
        answers = []
        for _, lines in [session.receive() for session in sessions]:
            values = dovecot.parse(lines[0], lines[0].index(b"("))[0] if lines else []
            answers.append(dict(zip(values[::2], values[1::2])))
        for name, start, length in batch:
            key = "%s<%d>" % (name, start)
            yield "%s<%d.%d>" % (name, start, length), answers[0].get(key, "nothing"), answers[-1].get(key, "nothing"), ranges[name, start, length]


# ---- what is on purpose: (message, section, ours, theirs) → so it is

def path_of(item):
    found = re.match(r"BODY\[([\d.]*\d)", item)
    return tuple(int(n) for n in found.group(1).split(".")) if found else ()


def parts_of_other_structures(message, item, ours, theirs):
    """Where BODYSTRUCTURE shows other parts, or one of another size, the sections are others, too."""
    path = path_of(item)
    return bool(path) and (not message.are_alike or octets(message.parts[0].get(path)) != octets(message.parts[1].get(path)))


def octets(part):
    return part[6] if part and isinstance(part[0], bytes) else None


def not_there(message, item, ours, theirs):
    """A part that is not there, or HEADER and TEXT of one that is no message, is NIL; with Dovecot an empty string."""
    return ours is None and theirs == b"" and (path_of(item) not in message.parts[0] or not item.endswith(tuple(".".join(str(n) for n in path_of(item)) + end for end in ("]", ".MIME]"))))


def leaf_with_a_number_below(message, item, ours, theirs):
    """A part that is neither multipart nor message has no part 1 below it (RFC 3501 6.4.5); with Dovecot it has itself."""
    path = path_of(item)
    leaf = message.parts[0].get(path[:-1])
    return ours is None and path not in message.parts[0] and path[-1:] == (1,) and leaf is not None and not is_message(leaf) and isinstance(leaf[0], bytes)


def blank_line_before_a_boundary(message, item, ours, theirs):
    """The blank line belongs to a part's header even where a boundary follows it at once."""
    return bool(path_of(item)) and ("HEADER" in item or "MIME" in item) and ours == theirs + b"\r\n"


def line_end_before_a_boundary(message, item, ours, theirs):
    """The line end before a boundary is the boundary's (RFC 2046 5.1.1), in every case."""
    return bool(path_of(item)) and isinstance(ours, bytes) and "HEADER" not in item and "MIME" not in item and theirs == ours + b"\r\n"


def bare_cr_at_the_end_of_a_field(message, item, ours, theirs):
    """A CR before the CRLF of a chosen field stays."""
    plain, their_plain = (said.replace(b"\r", b"").rstrip() if said else None for said in (ours, theirs))
    return "HEADER.FIELDS" in item and bool(ours) and b"\r\r\n" in ours and plain == their_plain


def header_without_an_end(message, item, ours, theirs):
    """No empty line behind fields where the header has none (RFC 3501 7.4.2); Dovecot adds it, but not in HEADER.FIELDS.NOT."""
    return "HEADER.FIELDS" in item and ours is not None and theirs == ours + b"\r\n" and not message.said["BODY[HEADER]"][0].endswith(b"\r\n\r\n")


def last_line_without_an_end(message, item, ours, theirs):
    """A field that ends with the file gets its line end, also in HEADER.FIELDS.NOT."""
    return "HEADER.FIELDS" in item and ours == theirs + b"\r\n"


RULES = [not_there, leaf_with_a_number_below, line_end_before_a_boundary, parts_of_other_structures, blank_line_before_a_boundary,
         bare_cr_at_the_end_of_a_field, header_without_an_end, last_line_without_an_end]


def rule_of(message, item, ours, theirs):
    return next((rule for rule in RULES if not isinstance(ours, str) and not isinstance(theirs, str) and rule(message, item, ours, theirs)), None)
