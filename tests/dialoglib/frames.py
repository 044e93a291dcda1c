# SPDX-License-Identifier: ISC
"""Bytes of the call protocol (stafet-call(5)), and the escapes of dialogue scripts."""
import re

_ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "0": b"\0", "\\": b"\\"}


def unescape(text):
    """`\\n \\r \\t \\0 \\\\ \\xHH` as bytes; everything else as UTF-8."""
    out = b""
    for part in re.findall(r"\\x[0-9a-fA-F]{2}|\\.|[^\\]+|\\$", text, re.S):
        if part[0] != "\\":
            out += part.encode("utf-8", "surrogateescape")
        elif part[1:2] == "x" and len(part) == 4:
            out += bytes([int(part[2:], 16)])
        elif part[1:] in _ESCAPES:
            out += _ESCAPES[part[1:]]
        else:
            raise ValueError("unknown escape " + part)
    return out


def show(data):
    """Bytes for a person, in the same escapes."""
    out = ""
    for c in data:
        out += {10: "\\n", 13: "\\r", 9: "\\t", 0: "\\0", 92: "\\\\"}.get(c) or (chr(c) if 32 <= c < 127 else "\\x%02x" % c)
    return out


def text(data):
    return data.decode("utf-8", "surrogateescape")


def fields(pairs):
    """[(key, value)] as payload."""
    return b"".join(k.encode() + b"=" + v + b"\0" for k, v in pairs)


def words_to_fields(words):
    pairs = []
    for word in words:
        key, _, value = word.partition("=")
        pairs.append((key, unescape(value)))
    return fields(pairs)


def frame(kind, payload=b""):
    return b"%d:%s%s," % (len(payload) + 1, kind.encode(), payload)


def parse_fields(payload):
    out = {}
    for part in payload.split(b"\0")[:-1]:
        key, _, value = part.partition(b"=")
        out[text(key)] = text(value)
    return out


def parse_frame(data):
    """(kind, payload, bytes used); None when it is not whole yet. ValueError: not a frame."""
    m = re.match(rb"(0|[1-9][0-9]{0,4})?(:?)", data)
    if not m.group(1) or not m.group(2):
        if data and not re.fullmatch(rb"[1-9][0-9]{0,4}", data):
            raise ValueError("not a frame: " + show(data[:60]))
        return None
    length, start = int(m.group(1)), m.end()
    if length == 0 or length > 65535:
        raise ValueError("frame length %d" % length)
    if len(data) < start + length + 1:
        return None
    if data[start + length:start + length + 1] != b",":
        raise ValueError("frame without its comma")
    body = data[start:start + length]
    return text(body[:1]), body[1:], start + length + 1


def verdict_payload(spec):
    """`TEXT|key=value|key=value` as the payload of a verdict."""
    parts = spec.split("|")
    return unescape(parts[0]) + b"\0" + words_to_fields(parts[1:])


def verdict_show(kind, payload):
    """A verdict frame in the script's form: `K TEXT|key=value`; a numbered one `P n K TEXT|…`."""
    if kind == "P":
        number, _, rest = payload.partition(b"\0")
        return "P %s %s" % (show(number), verdict_show(text(rest[:1]), rest[1:]))
    line, _, rest = payload.partition(b"\0")
    parts = rest.split(b"\0")
    if parts[-1] != b"":
        parts[-1] += b"(no NUL)"
    return "|".join(["%s %s" % (kind, show(line))] + [show(p) for p in parts if p])
