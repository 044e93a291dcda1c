# SPDX-License-Identifier: ISC
"""Random mail, and what an IMAP server has to say of it: sections, ENVELOPE, BODYSTRUCTURE, what SEARCH finds in it, what SORT and THREAD
compare. The parts are known because the mail was put together here; nothing is parsed but header lines."""
import base64
import calendar
import time

WORDS = "apple birch cedar daisy elder fern grape hazel iris juniper kale lemon maple nettle olive pine quince rose sage thyme".split()
PEOPLE = [("Ann Archer", "ann", "alpha.test"), (None, "Bob", "beta.test"), ("Cy", "cy", "gamma.test"), ("Dee D", "dee.d", "alpha.test"),
          ("Bob", "bob", "beta.test")]
# In front of the base subject, behind it, and whether that makes it a reply.
SUBJECTS = [("", "", False)] * 3 + [("Re: ", "", True), ("RE: ", "", True), ("Fwd: ", "", True), ("[wood] ", "", False),
                                   ("Re: [wood] ", "", True), ("", " (fwd)", True)]
ODD = [b"", b"x", b"\r\n", b"no field at all\r\n", b"Subject: alone", b"\r\n\r\nfern", b"Subject: nul\r\n\r\na\0b\xffc\r\n",
       b"a: b\nc: d\n\nbare lf\n", b"X-One: 1\r\n no colon\r\nX-Two\r\nX-Three: 3\r\n\r\nbody\r\n"]
NIL = b"NIL"


def on_wire(raw):
    """What a client gets for the bytes that it gave."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").replace(b"\0", b"\x80")


def split_header(wire):
    if wire.startswith(b"\r\n"):
        return wire[:2], wire[2:]
    end = wire.find(b"\r\n\r\n")
    return (wire, b"") if end < 0 else (wire[:end + 4], wire[end + 4:])


def field_lines(header):
    """(name, the field with its continuation lines and CRLF); None for a name: no colon."""
    out = []
    for line in header.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and out:
            out[-1][1] += line + b"\r\n"
        elif line:
            out.append([line.partition(b":")[0].decode().lower() if b":" in line else None, line + b"\r\n"])
    return out


def choose_fields(header, names, is_not):
    names = [n.lower() for n in names]
    end = b"\r\n" if header == b"\r\n" or header.endswith(b"\r\n\r\n") else b""
    return b"".join(text for name, text in field_lines(header) if (name in names) != is_not) + end


def address(person):
    name, local, host = person
    return [name.encode() if name else NIL, NIL, local.encode(), host.encode()]


def address_text(person):
    name, local, host = person
    return "%s <%s@%s>" % (name, local, host) if name else "%s@%s" % (local, host)


class Letter:
    """fields: [(name, value)]; path -> part in `parts` (a multipart's children; a message inside is a Letter)."""

    def __init__(self, raw=b""):
        self.raw, self.is_odd, self.parts, self.inner = raw, True, [], None
        self.base, self.is_reply, self.sent, self.day = "", False, None, None
        self.people = {"from": [], "to": [], "cc": []}
        self.id, self.references = None, []
        self.cut()
        self.fields = [(name, text.decode("latin-1").partition(":")[2]) for name, text in field_lines(self.header) if name]
        self.body_words = self.text.decode("latin-1")
        self.base = next((v.strip() for n, v in self.fields if n == "subject"), "")

    def cut(self):
        self.wire = on_wire(self.raw)
        self.header, self.text = split_header(self.wire)
        self.size = len(self.wire)

    def value(self, name):
        return next((v.encode() for n, v in self.fields if n.lower() == name), NIL)

    def envelope(self):
        lists = {k: [address(p) for p in v] or NIL for k, v in self.people.items()}
        return [self.value("date"), self.value("subject"), lists["from"], lists["from"], lists["from"], lists["to"], lists["cc"], NIL,
                self.value("in-reply-to"), self.value("message-id")]

    def structure(self, is_extended):
        if not self.parts:
            return text_structure(self.text, is_extended)
        children = [p.structure(is_extended) for p in self.parts]
        return children + [b"mixed"] + ([[b"boundary", self.boundary], NIL, NIL, NIL] if is_extended else [])

    def section(self, path, what):
        """BODY[path.what]; None: NIL. what: "", HEADER, TEXT, MIME, or (names, is_not) of HEADER.FIELDS."""
        if not path:
            wholes = {"": self.wire, "HEADER": self.header, "TEXT": self.text}
            return wholes[what] if isinstance(what, str) else choose_fields(self.header, *what)
        if not self.parts:  # its own part 1
            is_here = path == [1]
            return self.text if is_here and what == "" else self.header if is_here and what == "MIME" else None
        if path[0] > len(self.parts):
            return None
        return self.parts[path[0] - 1].section(path[1:], what)

    def finds(self, key, needle):
        needle = needle.lower()
        if key in ("from", "to", "cc", "bcc", "subject"):
            return self.finds_header(key, needle)
        return needle in self.body_words.lower() or (key == "text" and needle in self.header.decode("latin-1").lower())

    def finds_header(self, name, needle):
        return any(needle.lower() in v.lower() for n, v in self.fields if n.lower() == name.lower())


def text_structure(text, is_extended):
    sizes = [b"%d" % len(text), b"%d" % text.count(b"\n")]
    return [b"text", b"plain", [b"charset", b"us-ascii"], NIL, NIL, b"7bit"] + sizes + [NIL] * 4 * is_extended


class Part:
    """One of a multipart: text, an attachment, or a message."""

    def __init__(self, kind, chance, serial):
        self.kind, self.inner, words = kind, None, ""
        if kind == "text":
            words = some_text(chance)
            self.header, self.body = b"Content-Type: text/plain\r\n\r\n", words.encode()
        elif kind == "attachment":
            self.header = b"Content-Type: application/octet-stream; name=leaf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            self.body = base64.encodebytes(some_text(chance).encode()).replace(b"\n", b"\r\n")
        else:
            self.inner = make_letter(chance, "%si" % serial, [], is_plain=True)
            self.header, self.body = b"Content-Type: message/rfc822\r\n\r\n", self.inner.raw
            words = self.inner.header.decode() + self.inner.body_words
        self.body_words = words

    def structure(self, is_extended):
        size = b"%d" % len(self.body)
        if self.kind == "text":
            return text_structure(self.body, is_extended)
        if self.kind == "attachment":
            return [b"application", b"octet-stream", [b"name", b"leaf"], NIL, NIL, b"base64", size] + [NIL] * 4 * is_extended
        return [b"message", b"rfc822", NIL, NIL, NIL, b"7bit", size, self.inner.envelope(), self.inner.structure(is_extended),
                b"%d" % self.body.count(b"\n")] + [NIL] * 4 * is_extended

    def section(self, path, what):
        if not path and what == "":
            return self.body
        if not path and what == "MIME":
            return self.header
        return self.inner.section(path, what) if self.inner else None


def some_text(chance):
    return "".join(" ".join(chance.choices(WORDS, k=chance.randrange(1, 9))) + "\r\n" for _ in range(chance.choice([1, 1, 2, 3, 30])))


def some_fields(letter, chance, serial, ids):
    """Most of them may be missing."""
    fields = letter.fields
    for key, likely in (("from", 0.9), ("to", 0.8), ("cc", 0.3)):
        if chance.random() < likely:
            letter.people[key] = chance.sample(PEOPLE, chance.choice([1, 1, 2]))
            fields.append((key.capitalize(), ", ".join(address_text(p) for p in letter.people[key])))
    if chance.random() < 0.9:
        front, behind, letter.is_reply = chance.choice(SUBJECTS)
        letter.base = " ".join(chance.sample(WORDS[:4], chance.choice([1, 1, 2])))
        fields.append(("Subject", front + letter.base + behind))
    if chance.random() < 0.9:
        letter.sent = 1700000000 + chance.choice([0, 1]) * chance.choice([0, 1, 1]) * chance.randrange(20 * 86400)  # several have one date
        zone = chance.choice([0, 0, 330, -480, 720])
        letter.day = (letter.sent + zone * 60) // 86400
        stamp = time.strftime("%d %b %Y %H:%M:%S", time.gmtime(letter.sent + zone * 60))
        fields.append(("Date", "%s %s%02d%02d" % (stamp, "-" if zone < 0 else "+", abs(zone) // 60, abs(zone) % 60)))
    if chance.random() < 0.9:
        letter.id = "m%s@model.test" % serial
        fields.append(("Message-ID", "<%s>" % letter.id))
    if ids and chance.random() < 0.5:
        # Ascending, so that no two of them contradict each other: what a server makes of loops is its own affair.
        letter.references = sorted(chance.sample(ids, min(len(ids), chance.choice([1, 1, 2, 3]))), key=lambda i: int(i[1:-11]))
        kind = chance.choice(["References", "References", "In-Reply-To"])
        letter.references = letter.references[:1] if kind == "In-Reply-To" else letter.references
        fields.append((kind, " ".join("<%s>" % i for i in letter.references)))
    if chance.random() < 0.5:
        fields.append(("X-Tree", " ".join(chance.choices(WORDS, k=3))))
    chance.shuffle(fields)


def make_letter(chance, serial, ids, is_plain=False):
    """ids: of letters that may be answered."""
    if not is_plain and chance.random() < 0.1:
        return Letter(chance.choice(ODD))
    letter = Letter()
    letter.is_odd = False
    some_fields(letter, chance, serial, ids)
    if not is_plain and chance.random() < 0.35:
        letter.boundary = b"b%d" % chance.randrange(1000)
        letter.fields.append(("Content-Type", "multipart/mixed; boundary=" + letter.boundary.decode()))
        letter.parts = [Part(chance.choice(["text", "text", "attachment", "message"]), chance, serial) for _ in range(chance.choice([1, 2, 2, 3]))]
        body = b"".join(b"--%s\r\n%s%s\r\n" % (letter.boundary, p.header, p.body) for p in letter.parts) + b"--%s--\r\n" % letter.boundary
        letter.body_words = "\n".join(p.body_words for p in letter.parts)
    else:
        letter.body_words = some_text(chance)
        body = letter.body_words.encode()
    lines = []
    for name, value in letter.fields:
        folded = value.replace(" ", "\r\n ", 1) if name == "X-Tree" and chance.random() < 0.5 else value
        lines.append("%s: %s\r\n" % (name, folded))
    letter.raw = "".join(lines).encode() + b"\r\n" + body
    letter.cut()
    return letter


def date_text(seconds):
    """As INTERNALDATE is told."""
    return time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(seconds))


def date_argument(chance, seconds):
    """A date-time that means these seconds, in some zone."""
    zone = chance.choice([0, 0, 60, -300, 345])
    sign = "-" if zone < 0 else "+"
    text = time.strftime("%d-%b-%Y %H:%M:%S", time.gmtime(seconds + zone * 60))
    text = " " + text[1:] if text[0] == "0" else text
    return '"%s %s%02d%02d"' % (text, sign, abs(zone) // 60, abs(zone) % 60)


def day_argument(day):
    return time.strftime("%d-%b-%Y", time.gmtime(day * 86400)).lstrip("0")


def seconds_of(text):
    return calendar.timegm(time.strptime(text[:20], "%d-%b-%Y %H:%M:%S"))
