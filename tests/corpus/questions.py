# SPDX-License-Identifier: ISC
"""What the differential test asks both servers: searches(), sorts(), threads(), sections of messages. Commands as bytes, literals in them."""

FIELDS = {  # words to look for in a field, each
    "FROM": ["ann", "ANN EXAMPLE", "example.test", "@", "Jörg", "jörg", "joerg", "=?utf-8?q?J=C3=B6rg?=", "=C3", "friends", "undisclosed", "Ann, B.",
             "(Ann)", "<ann@example.test>", "r1.test", "a@x.test", "Köln", "A.N.N.", "'Ann'", "\\", "Ann Example", "MISSING", "last@", "john", ".com", "é"],
    "TO": ["last", "bob@example.test", "c@x.test", "d@x.test", "u1499", "Example <", "@", "list", "undisclosed", "müller"],
    "CC": ["ann", "x.test", "group", "ö", "@example"],
    "BCC": ["a", "@"],
    "SUBJECT": ["plain", "RE:", "re: plain", "fwd", "[list]", "(fwd)", "Jörg", "JÖRG X", "ab", "a b c", "a_b c", "äöü ß", "ÄÖÜ SS", "σσ", "ΣΣ", "İ", "ı", "quoted",
                "\\ back", "=?utf-8", "=?", "broken", "xxxxxxxx", "long long long", "b c", "ä", "ä\u042f", "日本", "text", "charset", "utf-8 base64", "a\tb", "a  b",
                "Grüße", "test", "Re: x", "ö" * 12, "the", "!"],
}
HEADERS = [("Subject", "plain"), ("SUBJECT", "jörg"), ("From", "ann"), ("To", "last"), ("Date", "2026"), ("Date", "Wed, 25"), ("Date", ""), ("Message-ID", "<s1"),
           ("Message-ID", ""), ("References", "t3@example"), ("References", "<1@x> <2@x>"), ("In-Reply-To", ""), ("In-Reply-To", "monday"),
           ("Content-Type", "mixed"), ("Content-Type", "boundary=\"b\""), ("Content-Type", "name"), ("Content-Type", "ä"), ("Content-Type", ""),
           ("Content-Transfer-Encoding", "base64"), ("Content-Transfer-Encoding", "QUOTED-printable"), ("MIME-Version", "1.0"), ("MIME-Version", "odd"),
           ("X-Field-7", "7"), ("X-Field-1999", ""), ("X-None", ""), ("x-field-8", "7"), ("Content-ID", "<x>"), ("Sender", "t@x"), ("Reply-To", ""),
           ("Content-Language", "fr-ch"), ("Received", "by"), ("Received", ""), ("List-Id", ""), ("X-Mailer", "outlook"), ("Return-Path", "<>"), ("Subject:", "x"),
           ("this is no field", ""), ("Content-Disposition", "attachment")]
TEXTS = ["body", "text", "html", "plain", "<p>html", "Grüße", "GRÜSSE", "Köln", "寿司", "борщ", "БОРЩ", "inner body", "Subject: inner", "inner",
         "b is a prefix", "--b", "pre", "amble", "epi", "logue", "late", "no boundary comes", "012345678901", "dGV4", "text text", "a b", "one", "two",
         "-----BEGIN", "Reporting-MTA", "Final-Recipient", "5.1.1", "BEGIN:VCALENDAR", "nul", "list footer", "c=", "end", "trailing", "the", "no header",
         "not a part", "Subject: ö", "image/gif", "access-type", "bytes", ".\r\n..", "ö  c", "ann@example.test", "X-Field-1500", "MIME-Version",
         "boundary", "Content-Type: text", "wrote", "http://", "attachment", "hello", "utf-8", "=?utf-8?q?", "=C3", "é", "ü"]
DATES = ["25-Nov-2026", "24-Nov-2026", "26-Nov-2026", "1-Jan-1970", "31-Dec-1969", "2-Jan-1970", "28-Feb-2024", "29-Feb-2024", "1-Mar-2024", "25-Nov-1999", "3-Mar-2026",
         "1-Jan-2000", "1-Jan-2010", "1-Jan-2038"]
ARRIVALS = ["9-Oct-2025", "10-Oct-2025", "1-Jan-2026", "28-Feb-2026", "1-Mar-2026", "1-Jan-1980", "1-Jan-2037"]
PLAIN = """ALL;ANSWERED;DELETED;DRAFT;FLAGGED;SEEN;UNANSWERED;UNDELETED;UNDRAFT;UNFLAGGED;UNSEEN;RECENT;NEW;OLD;KEYWORD $Later;KEYWORD green;keyword GREEN
KEYWORD none;UNKEYWORD $Later;UNKEYWORD none;LARGER 0;LARGER 100;LARGER 1000;LARGER 65536;LARGER 1000000;LARGER 4294967295;SMALLER 0;SMALLER 1;SMALLER 2
SMALLER 101;SMALLER 1000;SMALLER 4294967295;1;*;1:5;5:1;2,4,6:8,3;*:400;1:*;UID 1:40;UID 12;UID 13;UID *;UID 10:*;UID 4000000000:*;UID 1,3,5;10:20 UID 30:40
NOT SEEN;NOT NOT SEEN;NOT (SEEN FLAGGED);NOT 1:10;OR SEEN FLAGGED;OR OR SEEN FLAGGED DELETED;OR NOT SEEN NOT FLAGGED;(SEEN FLAGGED);((SEEN) (FLAGGED))
OR (SEEN FLAGGED) (DELETED UNSEEN);SEEN SUBJECT plain;OR SUBJECT plain FROM joerg;NOT SUBJECT e;NOT BODY body;OR BODY html SUBJECT fwd;NOT HEADER Subject ""
UNSEEN SINCE 1-Jan-2026 LARGER 200 NOT FROM ann;OR LARGER 5000 SMALLER 100;NOT KEYWORD green SEEN;FROM "";TO "";CC "";BCC "";SUBJECT "";BODY "";TEXT "";FROM {0+}
"""
RETURNS = ["()", "(MIN)", "(MAX)", "(COUNT)", "(ALL)", "(MIN MAX)", "(MIN MAX COUNT ALL)", "(COUNT MIN)", "(SAVE)"]
BAD = ["FOO", "ON 32-Jan-2026", "ON 1-Foo-2026", "LARGER x", "LARGER -1", "0", "UID 0", "()", "", "NOT", "OR SEEN", "(SEEN", "SEEN)", "KEYWORD", "FROM", "HEADER Subject",
       "SEEN  FLAGGED", "CHARSET UTF-8", "1:", "KEYWORD (", "UID x", "CHARSET X-NO-SUCH SUBJECT x", "CHARSET X-NO-SUCH ALL"]
CHARSETS = [("UTF-8", "SUBJECT", "Jörg"), ("utf-8", "BODY", "Köln"), ("US-ASCII", "FROM", "ann"), ("ISO-8859-1", "SUBJECT", "Jörg"), ("ISO-8859-1", "FROM", "jörg"),
            ("iso-8859-1", "BODY", "Grüße aus Köln"), ("KOI8-R", "BODY", "борщ"), ("windows-1251", "TEXT", "БОРЩ"), ("ISO-2022-JP", "BODY", "寿司"),
            ("Shift_JIS", "TEXT", "寿司"), ("UTF-8", "TEXT", "寿司 и"), ("ISO-8859-15", "HEADER From", "Jörg")]
SORTS = ["ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO"]
SORTS_OF_SEVERAL = ["SUBJECT DATE", "SUBJECT REVERSE DATE", "FROM SUBJECT", "REVERSE FROM REVERSE SUBJECT", "TO CC", "DATE SIZE", "CC REVERSE ARRIVAL", "SIZE DATE"]


def text(word, charset="utf-8"):
    data = word.encode(charset)
    if data.isascii() and b"\r" not in data:
        return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return b"{%d+}\r\n%s" % (len(data), data)


def key(name, word, charset="utf-8"):
    return name.encode() + b" " + text(word, charset)


def keys():
    """(kind, key): what it asks for, for the table of what is explained."""
    for name, words in FIELDS.items():
        for word in words:
            yield "FIELD", key(name, word)
    for name, word in HEADERS:
        yield "HEADER", b"HEADER " + text(name) + b" " + text(word)
    for word in TEXTS:
        yield "BODY", key("BODY", word)
        if "\r\n" not in word:  # fields are searched one by one, without line ends
            yield "TEXT", key("TEXT", word)
    for name in ("ON", "SINCE", "BEFORE"):
        for date in DATES:
            yield "SENT", f"SENT{name} {date}".encode()
        for date in ARRIVALS:
            yield "PLAIN", f"{name} {date}".encode()
    for words in PLAIN.replace("\n", ";").split(";"):
        if words:
            kind = "-BODY" if "NOT BODY" in words else "-FIELD" if "NOT SUBJECT" in words else "BODY" if "BODY html" in words else "PLAIN"
            yield kind, (words + "\r\n" * words.endswith("{0+}")).encode()
    for charset, name, word in CHARSETS:
        yield name if name in ("BODY", "TEXT") else "FIELD", b"CHARSET " + charset.encode() + b" " + key(name, word, charset)


def searches():
    for kind, words in keys():
        yield kind, b"SEARCH " + words
    for words in ("UNSEEN", "KEYWORD green", "KEYWORD none", "UID 1:100", "SUBJECT plain"):
        yield "PLAIN", b"UID SEARCH " + words.encode()
        for wanted in RETURNS:
            yield "PLAIN", f"SEARCH RETURN {wanted} {words}".encode()
            yield "PLAIN", f"UID SEARCH RETURN {wanted} {words}".encode()
        yield "PLAIN", b"SEARCH $"
    for words in BAD:
        yield "PLAIN", b"SEARCH " + words.encode() if words else b"SEARCH"


def sorts():
    for name in SORTS:
        yield name, f"SORT ({name}) UTF-8 ALL".encode()
        yield name, f"SORT (REVERSE {name}) US-ASCII ALL".encode()
    for names in SORTS_OF_SEVERAL:
        yield names, f"UID SORT ({names}) UTF-8 ALL".encode()
    yield "SUBJECT", b"SORT (SUBJECT) UTF-8 UNSEEN LARGER 300"
    yield "FROM", b"SORT (FROM) UTF-8 NOT SUBJECT plain"


def threads():
    for name in ("REFERENCES", "ORDEREDSUBJECT"):
        yield name, f"THREAD {name} UTF-8 ALL".encode()
        yield name, f"UID THREAD {name} US-ASCII SEEN".encode()
