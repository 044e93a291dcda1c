# SPDX-License-Identifier: ISC
"""ENVELOPE, BODY and BODYSTRUCTURE, ours and Dovecot's: each difference that is on purpose is a rule here and stands in DEVIATIONS."""
import re

PLAIN = (b"text", b"plain", b"charset", b"us-ascii", b"7bit")


def is_part(value):
    return isinstance(value, list) and len(value) >= 7 and isinstance(value[0], bytes) and isinstance(value[1], bytes)


def broken_type(ours, theirs, _):
    """Dovecot shows a broken Content-Type as "" "", or with an empty subtype; we as text/plain or application/octet-stream, or read on."""
    return is_part(theirs) and b"" in theirs[:2]


def broken_type_in_limit(ours, theirs, raw):
    """`multipart` alone is no multipart to us."""
    return is_part(ours) and is_part(theirs) and theirs[:2] == [b"application", b"octet-stream"] and re.search(rb"(?i)content-type: multipart/?[;\n]", raw)


def lost_parameters(ours, theirs, _):
    """Parameters behind a doubled or missing semicolon are lost to Dovecot; a parameter without a name is to us."""
    if not isinstance(ours, list) or not isinstance(theirs, (list, type(None))) or not all(isinstance(p, bytes) for p in ours + (theirs if isinstance(theirs, list) else [])):
        return False
    mine, others = (set(zip(v[::2], v[1::2])) for v in (ours, theirs or []))
    return bool(mine) and {p for p in others if p[0] != b"" and p != (b"charset", b"us-ascii")} <= mine


def lost_boundary(ours, theirs, raw):
    """… and so may be the boundary."""
    return re.search(rb"(?i)multipart/\w+\s*;\s*;", raw)


def long_boundary(ours, theirs, raw):
    """Of a boundary Dovecot compares 80 bytes, we 255."""
    return re.search(rb'boundary="?[^"\s]{80,}', raw)


def embedded_message(ours, theirs, _):
    """The line end before a boundary is the boundary's (RFC 2046 5.1.1); to Dovecot it is the body's where the message in a message/rfc822 ends in
    a boundary or a header line."""
    if not (is_part(ours) and is_part(theirs) and ours[0].lower() == b"message" and len(ours) == len(theirs) >= 10):
        return False
    return (theirs[6] - ours[6], theirs[9] - ours[9]) == (2, 1) and not differences(ours[7:9], theirs[7:9], b"")


def blanks(ours, theirs, _):
    """Blanks at the ends of a value."""
    return isinstance(ours, bytes) and isinstance(theirs, bytes) and ours.strip(b" \t\r") == theirs.strip(b" \t\r")


def case(ours, theirs, _):
    """Dovecot writes a plain text's type in lower case in BODY."""
    return isinstance(ours, bytes) and isinstance(theirs, bytes) and ours.lower() == theirs.lower() and theirs.lower() in PLAIN


def encoding(ours, theirs, raw):
    """A semicolon behind an encoding."""
    return theirs == b"7bit" and isinstance(ours, bytes) and re.search(rb"(?i)content-transfer-encoding:\s*" + re.escape(ours) + rb"\s*;", raw)


def disposition(ours, theirs, _):
    """A disposition without a type is an attachment."""
    return (ours, theirs) == (b"attachment", b"")


def domain(ours, theirs, _):
    """A domain with an empty label is shown."""
    return theirs == b"MISSING_DOMAIN" and isinstance(ours, bytes) and (b".." in ours or ours.endswith(b"."))


RULES = [broken_type, broken_type_in_limit, embedded_message, lost_parameters, lost_boundary, long_boundary, blanks, case, encoding, disposition, domain]
used = {}


def differences(ours, theirs, raw):
    if ours == theirs:
        return []
    for rule in RULES:
        if rule(ours, theirs, raw):
            used[rule.__name__] = used.get(rule.__name__, 0) + 1
            return []
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [d for a, b in zip(ours, theirs) for d in differences(a, b, raw)]
    return [(ours, theirs)]
