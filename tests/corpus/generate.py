#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Awkward mail of our own, one message for each shape that MIME and its abusers know: messages() gives (name, bytes) pairs, the same
ones at every run; `generate.py FOLDER` writes them as files. Stored form: LF line ends unless the message is about line ends."""

import base64
import os
import quopri
import sys

HEAD = "From: Ann Example <ann@example.test>\nTo: Bob <bob@example.test>\nDate: Wed, 25 Nov 2026 10:11:12 +0100\nMIME-Version: 1.0\n"
TEXT = "Grüße aus Köln, 寿司 и борщ.\n"


def raw(text):
    return text if isinstance(text, bytes) else text.encode("utf-8")


def part(content_type="", body="text\n", **fields):
    head = f"Content-Type: {content_type}\n" if content_type else ""
    return head + "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in fields.items()) + "\n" + body


def multipart(subtype, parts, boundary="b", preamble="", epilogue="", end="--"):
    body = preamble + "".join(f"--{boundary}\n{one}\n" for one in parts) + f"--{boundary}{end}\n" + epilogue
    return f'Content-Type: multipart/{subtype}; boundary="{boundary}"\n\n{body}'


def encoded(text, charset, encoding):
    data = text.encode(charset, "replace")
    body = base64.encodebytes(data) if encoding == "base64" else quopri.encodestring(data) if encoding == "quoted-printable" else data
    return raw(HEAD + f"Subject: {charset} {encoding}\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n") + body


ADDRESSES = [
    "ann@example.test", "<ann@example.test>", "Ann <ann@example.test>", '"Ann, B." <ann@example.test>', '"A \\"n\\" n" <ann@example.test>',
    "ann@example.test (Ann)", "(c) ann@example.test (Ann (x) B)", "Ann (c) <ann@example.test> (d)", "<@r1.test,@r2.test:ann@example.test>",
    "Ann <@:ann@example.test>", "friends: a@x.test, B <b@x.test>;", "friends:;", "friends: a@x.test, b@x.test", "f: a@x.test; , c@x.test",
    "undisclosed-recipients:;", "", " ", "(only a comment)", ",", ",,,", "a@x.test,,b@x.test", "a@x.test,", ", a@x.test", "ann", '"ann"',
    "Ann Example", "ann@", "@example.test", "<>", "Ann <>", "<ann>", "<ann@example.test", "ann@example.test>", "a@b@c.test", "a b@c.test",
    "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "a@[192.0.2.1", '"a b"@example.test', "a.b.@example.test", ".a@example.test", "a..b@example.test",
    "=?utf-8?q?J=C3=B6rg?= <joerg@example.test>", "=?utf-8?b?SsO2cmc=?= =?utf-8?q?_M?= <j@example.test>", "Jörg <joerg@example.test>",
    "jörg@köln.test", '"unclosed <a@x.test>', "(unclosed <a@x.test>", "Ann\n <ann@example.test>,\n\tBob <bob@example.test>", "a@x.test; b@x.test",
    "Ann <ann@example.test> Bob <bob@example.test>", "Ann ann@example.test", "\\ann@example.test", "a : b : c@x.test ;", "mailto:ann@example.test",
    "ann at example.test", "'Ann' <ann@example.test>", "Ann\t \t Example   <ann@example.test>", "a@x.test.", '""@x.test', '"" <a@x.test>',
    "a@x.test (comment", "a@x.test (b) (c)", "[a@x.test]", "A. N. N. <ann@example.test>", "A.N.N. Example <a@x.test>",
]

TYPES = [
    "text/plain", "TEXT/Plain; Charset=US-ASCII", "text/plain; charset=utf-8; format=flowed; delsp=yes", "text/html", "text", "text/", "/plain",
    "", ";", "; charset=utf-8", "plain", "text plain", "text//plain", "text/plain/more", "text/plain charset=utf-8", "text/plain, charset=utf-8",
    "text/plain;charset=utf-8;", "text/plain;;charset=utf-8", 'text/plain; charset="utf-8', "text/plain; charset=utf 8", 'text/plain; charset="a\\"b"',
    "text/plain; charset", "text/plain; =utf-8", "text/plain; charset=", 'text/plain; name="a b.txt"', "text/plain; name=a b.txt; x=y",
    "text/plain; name=ä.txt", "text/plain (c) ; (d) charset (e) = (f) utf-8 (g)", "text / plain", '"text"/plain', "text/x-=?utf-8?q?a?=",
    "application/octet-stream", "application", "image/png; name==?utf-8?b?YS5wbmc=?=", "image/png; name=a.png; name=b.png",
    "application/pdf;\n\tname=\"a\n b.pdf\"", "application/pdf; name*=utf-8''%c3%a4.pdf", "application/pdf; name*0=a; name*1=b; name*2=.pdf",
    "application/pdf; name*0*=utf-8''%c3%a4; name*1*=%20b; name*2=.pdf", "application/pdf; name*1=b; name*0=a", "application/pdf; name*0=a; name*2=c",
    "application/pdf; name*=utf-8''x; name=y", "application/pdf; name*0=a; NAME*1=b", "application/pdf; name*x=a", "application/pdf; name*00=a; name*1=b",
    "message/partial; id=x; number=1; total=2", "message/external-body; access-type=URL; URL=http://x.test/", "message/delivery-status",
    "message/global", "multipart/mixed", "multipart", "multipart/", "multipart/mixed; boundary=", 'multipart/mixed; boundary=""',
    "video/mp4; codecs=\"a,b\"; x=\"\"", "x-unknown/x-unknown", "text/plain; " + "; ".join(f"p{i}={i}" for i in range(60)),
]

SUBJECTS = [
    "", " ", "plain", "Re: plain", "RE[2]: re: [list] Fwd: plain (fwd)", "[a] [b]", "[fwd: [x] y]", "Re: [x] Re: [y] z", "fw: fwd: Re:", "Re :  x",
    "=?utf-8?q?J=C3=B6rg?=", "=?utf-8?b?SsO2cmc=?= =?utf-8?b?IFg=?=", "=?UTF-8?Q?a?=\n =?UTF-8?Q?b?=", "=?utf-8?q?broken", "=?utf-8?x?a?=", "=?utf-8?q??=",
    "=?iso-8859-1?q?=E4?= =?koi8-r?b?8A==?=", "=?no-such?q?=E4?=", "=?utf-8*en?q?a?=", "=?utf-8?b?SsO2?=rg", "a =?utf-8?q?b?= c", "=?utf-8?q?a_b=20c?=",
    "=?utf-8?b?SsO=?=", "=?utf-8?b?!!!!?=", "=?utf-8?q?=zz?=", "=?iso-2022-jp?b?GyRCNHN8GyhC?=", "=?utf-8?q?=?=", "Jörg roh", "a\tb", "a\n b\n\tc",
    "a  b   c", "\"quoted\" \\ back", "x" * 998, ("long " * 14000), "=?utf-8?q?" + "=C3=B6" * 200 + "?=", "ÄÖÜ ß Σς İı", "Re: =?utf-8?q?Re=3A_x?=",
]

DATES = [
    "Wed, 25 Nov 2026 10:11:12 +0100", "25 Nov 2026 10:11 -0500", "Wed, 25 Nov 26 10:11:12 GMT", "25 Nov 99 10:11:12 EST", "Nov 25 2026 10:11:12",
    "Wed,25 Nov 2026 10:11:12+0100", "Wed, 25 Nov 2026 10:11:12 (CET)", "Wed, 25 Nov 2026 10:11:12 Z", "Wed, 31 Feb 2026 10:11:12 +0000", "", "garbage",
    "Wed, 25 Nov 2026 25:61:61 +0000", "Wed, 25 Nov 2026 10:11:12 +9999", "1 Jan 1970 00:00:00 +0000", "31 Dec 1969 23:59:59 +0000", "1 Jan 0001 00:00:00 +0000",
    "29 Feb 2024 23:59:60 +0000", "Wednesday, 25 November 2026 10:11:12 +0100", "Wed, 25 Nov 2026 10.11.12 +0100", "2026-11-25T10:11:12Z",
]

ENCODINGS = ["7bit", "8bit", "binary", "QUOTED-PRINTABLE", "base64", "x-uuencode", "", "quoted-printable;", "base 64", "7bit (comment)", "\n base64"]
DISPOSITIONS = [
    "inline", "attachment", "attachment; filename=a.txt", 'ATTACHMENT; FileName="a b.txt"; size=12', "attachment; filename*=utf-8''%e2%82%ac.txt", "",
    "; filename=a.txt", "attachment filename=a.txt", "attachment; filename==?utf-8?q?a?=", "form-data; name=x", 'attachment;\n filename="a\n b"',
    "inline\nContent-Disposition: attachment; filename=second", "attachment; filename=first\nContent-Disposition: inline",
]


def headers():
    for i, address in enumerate(ADDRESSES):
        yield f"address-{i:02}", f"From: {address}\nTo: {address}, Last <last@example.test>\nCc: {address}\nSubject: address {i}\n\nbody\n"
    for i, subject in enumerate(SUBJECTS):
        yield f"subject-{i:02}", HEAD + f"Subject: {subject}\nMessage-ID: <s{i}@example.test>\n\nbody\n"
    for i, date in enumerate(DATES):
        yield f"date-{i:02}", f"From: a@x.test\nDate: {date}\nSubject: date {i}\n\nbody\n"
    yield "empty", ""
    yield "one-newline", "\n"
    yield "only-body", "\nbody\n"
    yield "no-newline", "Subject: x"
    yield "no-empty-line", "Subject: x\nFrom: a@x.test\n"
    yield "header-then-end", "Subject: x\n\n"
    yield "no-colon", "Subject: x\nthis is no field\nFrom: a@x.test\n\nbody\n"
    yield "first-line-folded", " folded: x\nSubject: y\n\nbody\n"
    yield "blank-line-of-blanks", "Subject: x\n \nFrom: a@x.test\n\nbody\n"
    yield "from-line", "From a@x.test Wed Nov 25 10:11:12 2026\nSubject: x\n\nbody\n"
    yield "escaped-from-line", ">From a@x.test Wed Nov 25 10:11:12 2026\nSubject: x\n\nbody\n"
    yield "byte-order-mark", b"\xef\xbb\xbfSubject: x\nFrom: a@x.test\n\nbody\n"
    yield "colon-with-blanks", "Subject : x\nFrom\t: a@x.test\n\nbody\n"
    yield "name-8bit", "Sübject: x\nSubject: y\n\nbody\n"
    yield "twice", ("From: a@x.test\nFrom: b@x.test\nTo: c@x.test\nTo: d@x.test\nSubject: one\nSubject: two\nDate: one\nDate: two\nMessage-ID: <1@x>\n"
                    "Message-ID: <2@x>\nIn-Reply-To: <3@x>\nIn-Reply-To: <4@x>\nSender: s@x.test\nSender: t@x.test\nReply-To: r@x.test\nReply-To: q@x.test\n\nbody\n")
    yield "empty-fields", "From:\nTo:\nCc:\nSubject:\nDate:\nMessage-ID:\nIn-Reply-To:\nReferences:\n\nbody\n"
    yield "blank-fields", "From: \nTo: \t\nSubject:  \nDate: \nMessage-ID: \nIn-Reply-To:  \n\nbody\n"
    yield "folded-ids", "Message-ID:\n <1@x.test>\nIn-Reply-To:\n\t<2@x.test>\nReferences: <1@x>\n <2@x>\n\t<3@x>\n\nbody\n"
    yield "broken-ids", "Message-ID: not an id\nIn-Reply-To: your mail of monday\nReferences: <a <b@x> c> <d@x\n\nbody\n"
    yield "nul-in-header", b"Subject: a\0b\nFrom: c\0d <e\0f@x.test>\nContent-Type: te\0xt/plain; a=\"b\0c\"\n\nbody\n"
    yield "8bit-latin1-header", b"Subject: Gr\xfc\xdfe\nFrom: J\xf6rg <j@x.test>\n\nbody\n"
    yield "bare-cr-header", "Subject: a\rb\nFrom: c\rd@x.test\n\nbody\n"
    yield "many-fields", "".join(f"X-Field-{i}: {i}\n" for i in range(2000)) + "Subject: x\n\nbody\n"
    yield "many-recipients", "From: a@x.test\nTo: " + ",\n ".join(f"User {i} <u{i}@x.test>" for i in range(1500)) + "\n\nbody\n"
    yield "long-line-header", "Subject: " + "x" * 70000 + "\n\nbody\n"
    yield "no-mime-version", "Content-Transfer-Encoding: base64\nContent-ID: <x>\n\ndGV4dA==\n"
    yield "mime-version-only", "MIME-Version: 1.0\nContent-Transfer-Encoding: base64\nContent-ID: <x>\n\ndGV4dA==\n"
    yield "mime-version-odd", "MIME-Version: 9.9 (odd)\nContent-Type: text/html\n\n<p>x\n"


def contents():
    for i, value in enumerate(TYPES):
        yield f"type-{i:02}", HEAD + f"Subject: type {i}\nContent-Type: {value}\n\nbody\n"
        yield f"part-type-{i:02}", HEAD + multipart("mixed", [part(value, "one\n"), part("text/plain", "two\n")])
    for i, value in enumerate(ENCODINGS):
        yield f"encoding-{i:02}", HEAD + f"Content-Type: text/plain\nContent-Transfer-Encoding: {value}\n\ndGV4dA=3D\n"
    for i, value in enumerate(DISPOSITIONS):
        yield f"disposition-{i:02}", HEAD + multipart("mixed", [f"Content-Type: text/plain\nContent-Disposition: {value}\n\nx\n"])
    yield "all-fields", HEAD + part("text/plain", "x\n", Content_ID="<i@x.test>", Content_Description="=?utf-8?q?d?= ä", Content_MD5="Q2hlY2s=",
                                    Content_Language="en, de ,fr-CH", Content_Location="http://x.test/a\n b", Content_Disposition="inline",
                                    Content_Transfer_Encoding="8bit")
    yield "all-fields-empty", HEAD + "".join(f"Content-{n}:\n" for n in (
        "ID", "Description", "MD5", "Language", "Location", "Disposition", "Transfer-Encoding", "Type")) + "\nx\n"
    yield "all-fields-twice", HEAD + "".join(f"Content-{n}: one\nContent-{n}: two\n" for n in (
        "ID", "Description", "MD5", "Language", "Location", "Disposition", "Transfer-Encoding")) + "Content-Type: text/html\nContent-Type: text/plain\n\nx\n"
    for charset in ("utf-8", "iso-8859-1", "iso-8859-15", "windows-1252", "koi8-r", "windows-1251", "iso-2022-jp", "euc-jp", "shift_jis", "gb18030",
                    "big5", "utf-16", "utf-7"):
        for encoding in ("quoted-printable", "base64", "8bit"):
            yield f"charset-{charset}-{encoding}", encoded(TEXT, charset, encoding)
    yield "qp-soft-breaks", HEAD + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\na=\nb =\n=20c=3D=\n=C3=\n=B6 = \n=zz=4\nend="
    yield "qp-lowercase", HEAD + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=c3=b6 trailing   \t\n"
    yield "base64-broken", HEAD + "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\ndGV4\n dA==\n!!!dGV4dA==\ndGV\n"
    yield "base64-padding-inside", HEAD + "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\ndA==dA==\ndA=\n=\n"
    yield "base64-with-text-behind", HEAD + "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\ndGV4dA==\n-- \nlist footer\n"


def structures():
    text, html = part("text/plain", "plain\n"), part("text/html", "<p>html\n")
    image = part("image/png; name=a.png", base64.b64encode(bytes(range(200))).decode() + "\n", Content_Transfer_Encoding="base64", Content_ID="<a@x>")
    message = HEAD + "Subject: inner\n\ninner body\n"
    for subtype in ("mixed", "alternative", "related", "signed", "report", "parallel", "x-own", "form-data", "appledouble", "encrypted", "byteranges"):
        yield f"multipart-{subtype}", HEAD + multipart(subtype, [text, html])
    yield "digest", HEAD + multipart("digest", ["\n" + message, part("text/plain", "x\n"), "Content-ID: <a>\n\n" + message])
    yield "digest-no-headers", HEAD + multipart("digest", ["\nno header here\n", message])
    yield "mixed-alternative-related", HEAD + multipart("mixed", [multipart("alternative", [text, multipart("related", [html, image], "r")], "a"), image], "m")
    yield "signed-pgp", HEAD + multipart("signed", [multipart("mixed", [text], "i"), part("application/pgp-signature", "-----BEGIN\n")], "s")
    yield "dsn", HEAD + multipart("report", [text, part("message/delivery-status", "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@x\nStatus: 5.1.1\n"),
                                           part("message/rfc822", message)])
    yield "dsn-headers", HEAD + multipart("report", [text, part("message/delivery-status", "A: b\n\n"), part("text/rfc822-headers", HEAD)])
    yield "rfc822", HEAD + part("message/rfc822", message)
    yield "rfc822-root-no-body", HEAD + "Content-Type: message/rfc822\n\n"
    yield "rfc822-only-body", HEAD + part("message/rfc822", "\nno header\n")
    yield "rfc822-no-empty-line", HEAD + multipart("mixed", [part("message/rfc822", "Subject: x\n"), text])
    yield "rfc822-base64", HEAD + part("message/rfc822", base64.b64encode(raw(message)).decode() + "\n", Content_Transfer_Encoding="base64")
    yield "rfc822-of-multipart", HEAD + multipart("mixed", [part("message/rfc822", HEAD + multipart("alternative", [text, html], "i"))], "o")
    yield "rfc822-same-boundary", HEAD + multipart("mixed", [part("message/rfc822", HEAD + multipart("mixed", [text, html])), image])
    yield "rfc822-in-rfc822", HEAD + part("message/rfc822", HEAD + part("message/rfc822", message))
    yield "boundary-in-text", HEAD + multipart("mixed", [part("text/plain", "--bb\n--\n-- b\n --b\n--b is a prefix\nx\n"), text])
    yield "boundary-prefix", HEAD + multipart("mixed", [multipart("alternative", [text, html], "outer-inner"), text], "outer")
    yield "boundary-prefix-reversed", HEAD + multipart("mixed", [multipart("alternative", [text, html], "out"), text], "outer")
    yield "boundary-equal", HEAD + multipart("mixed", [multipart("mixed", [text]), text])
    yield "boundary-70", HEAD + multipart("mixed", [text], "x" * 70)
    yield "boundary-74", HEAD + multipart("mixed", [text], "x" * 74)
    yield "boundary-blanks", HEAD + multipart("mixed", [text, html], "a b  c")
    yield "boundary-specials", HEAD + multipart("mixed", [text], "'()+_,-./:=?")
    yield "boundary-8bit", HEAD + multipart("mixed", [text], "ä")
    yield "boundary-trailing-blanks", HEAD + "Content-Type: multipart/mixed; boundary=b\n\n--b  \t\n\none\n--b \n\ntwo\n--b--  \nepilogue\n"
    yield "boundary-missing", HEAD + "Content-Type: multipart/mixed; boundary=b\n\nno boundary comes\n"
    yield "boundary-unended", HEAD + multipart("mixed", [text, html], end="")
    yield "boundary-unended-inner", HEAD + multipart("mixed", [multipart("alternative", [text, html], "i", end=""), text], "o")
    yield "boundary-only-end", HEAD + "Content-Type: multipart/mixed; boundary=b\n\n--b--\n"
    yield "boundary-after-end", HEAD + multipart("mixed", [text]) + "--b\n\nlate\n--b--\n"
    yield "boundary-first", HEAD + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--"
    yield "boundary-twice", HEAD + "Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\none\n--b\n\n--b--\n"
    yield "boundary-in-header", HEAD + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n--b\nContent-Type: text/plain\n\ntwo\n--b--\n"
    yield "boundary-in-pieces", HEAD + "Content-Type: multipart/mixed; boundary*0=\"a\"; boundary*1=b\n\n--ab\n\nx\n--ab--\n"
    yield "boundary-80", HEAD + f"Content-Type: multipart/mixed; boundary={'x' * 81}y\n\n--{'x' * 81}z\n\none\n--{'x' * 81}y\n\ntwo\n--{'x' * 81}y--\n"
    yield "boundary-behind-two-semicolons", HEAD + "Content-Type: multipart/mixed;; boundary=b\n\n--b\n\none\n--b--\n"
    yield "boundary-ends-message", HEAD + multipart("mixed", [part("message/rfc822", HEAD + multipart("mixed", [text], "i").rstrip("\n")), text], "o")
    yield "multipart-and-more-words", HEAD + "Content-Type: multipart/mixed\n   Content-Type: text/html\n"
    yield "preamble-epilogue", HEAD + multipart("mixed", [text], preamble="pre\namble\n\n", epilogue="epi\n\nlogue\n")
    yield "preamble-is-part", HEAD + multipart("mixed", [text], preamble="Content-Type: text/html\n\nnot a part\n")
    yield "empty-parts", HEAD + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b\n\n\n--b\nContent-Type: text/html\n\n--b--\n"
    yield "no-parts-nested", HEAD + multipart("mixed", [multipart("mixed", [], "i"), text], "o")
    yield "part-without-header", HEAD + multipart("mixed", ["text without an empty line before it\n", "\nproper\n"])
    for n in (20, 50):
        inner = text
        for i in range(n):
            inner = multipart("mixed", [inner], f"b{i:03}")
        yield f"nested-{n}", HEAD + inner
        inner = message
        for _ in range(n):
            inner = part("message/rfc822", inner)
        yield f"nested-messages-{n}", HEAD + inner
    inner = message
    for _ in range(120):
        inner = part("message/rfc822", inner)
    yield "nested-messages-120", inner
    inner = text
    for i in range(120):
        inner = multipart("mixed", [inner], f"b{i:03}")
    yield "nested-120", inner
    yield "parts-300", HEAD + multipart("mixed", [part("text/plain", f"{i}\n") for i in range(300)])
    yield "calendar", HEAD + multipart("alternative", [text, part("text/calendar; method=REQUEST; charset=UTF-8", "BEGIN:VCALENDAR\nEND:VCALENDAR\n")])
    yield "message-global", HEAD + multipart("mixed", [part("message/global", "Subject: ö\n\nx\n")])
    yield "external-body", HEAD + multipart("mixed", [part("message/external-body; access-type=local-file; name=x", "Content-Type: image/gif\n\n")])


def bytes_of_all_kinds():
    mail = HEAD + multipart("mixed", [part("text/plain", "one\n"), part("text/html", "two\n")], preamble="pre\n")
    yield "line-ends-crlf", mail.replace("\n", "\r\n")
    yield "line-ends-mixed", "".join(line + ("\r\n" if i % 2 else "\n") for i, line in enumerate(mail.split("\n")))
    yield "line-ends-cr-cr-lf", mail.replace("\n", "\r\r\n")
    yield "line-ends-cr", mail.replace("\n", "\r")
    yield "bare-cr-body", HEAD + "\na\rb\r\nc\n\rd\r"
    yield "bare-cr-before-boundary", HEAD + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\r\r\n--b--\n"
    yield "nul-body", b"Subject: nul\n\na\0b\0\n"
    yield "all-bytes", b"Subject: bytes\n\n" + bytes(range(256))
    yield "8bit-undeclared", b"Subject: x\n\nGr\xfc\xdfe\n"
    yield "megabyte-line", "Subject: x\n\n" + "0123456789" * 100000 + "\n"
    yield "no-final-newline", "Subject: x\n\nbody"
    yield "dots", "Subject: x\n\n.\n..\n.a\n"
    yield "many-newlines", "Subject: x\n\n" + "\n" * 1000


def threads():
    for i in range(8):
        refs = "".join(f"\n <t{k}@example.test>" for k in range(i))
        yield f"thread-{i}", (f"From: a@x.test\nDate: Wed, 25 Nov 2026 10:{i:02}:00 +0000\nSubject: {'Re: ' if i else ''}thread\n"
                              f"Message-ID: <t{i}@example.test>\n" + (f"References:{refs}\n" if refs else "") + "\nbody\n")
    yield "thread-in-reply-to", "From: a@x.test\nSubject: other\nMessage-ID: <u@x>\nIn-Reply-To: <t3@example.test> from monday\n\nbody\n"
    yield "thread-loop-a", "From: a@x.test\nSubject: loop\nMessage-ID: <la@x>\nReferences: <lb@x>\n\nbody\n"
    yield "thread-loop-b", "From: a@x.test\nSubject: loop\nMessage-ID: <lb@x>\nReferences: <la@x>\n\nbody\n"
    yield "thread-same-id", "From: a@x.test\nSubject: same\nMessage-ID: <t0@example.test>\n\nbody\n"
    yield "thread-quoted-id", "From: a@x.test\nSubject: quoted\nMessage-ID: <\"a b\"@x>\nReferences: <\"01KF8JCEOCBS0045PS\"@x> <01KF8JCEOCBS0045PS@x>\n\nbody\n"


def messages():
    for group in (headers, contents, structures, bytes_of_all_kinds, threads):
        for name, text in group():
            yield name, raw(text)


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, text in messages():
        with open(os.path.join(sys.argv[1], name), "wb") as f:
            f.write(text)


if __name__ == "__main__":
    main()
