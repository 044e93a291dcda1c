# SPDX-License-Identifier: ISC
"""The differences between ours and Dovecot that are on purpose, by message; each stands in DEVIATIONS by its kind. Names are patterns of
fnmatch, several by spaces; every one of them must be met where such a message is there."""
import fnmatch

# rule of sections.py: our own messages that it holds for
SECTIONS = {
    "not_there": "*",
    "leaf_with_a_number_below": "*",
    "parts_of_other_structures": "boundary-80 boundary-behind-two-semicolons multipart-and-more-words",
    "blank_line_before_a_boundary": "boundary-in-text boundary-twice boundary-unended-inner digest-no-headers empty-parts part-without-header rfc822-no-empty-line",
    "line_end_before_a_boundary": "boundary-ends-message",
    "bare_cr_at_the_end_of_a_field": "line-ends-cr-cr-lf line-ends-cr",
    "header_without_an_end": "empty no-newline no-empty-line line-ends-cr multipart-and-more-words",
    "last_line_without_an_end": "no-newline",
}

# Dates and blanks that RFC 3501's grammar does not have.
STATUSES = {b"SEARCH ON 32-Jan-2026": (b"BAD", b"OK"), b"SEARCH SEEN  FLAGGED": (b"BAD", b"OK")}

STRANGE_DATES = "*rfc2822_example04.eml *rfc2822_example10.eml *malformed_019.eml *raw_email_bad_time.eml"
# (kinds of questions, who alone finds it, messages)
SEARCHES = [
    # The header of a message inside is body of the one around.
    ("BODY", "ours", "digest digest-no-headers dsn nested-messages-[25]0 rfc822 rfc822-in-rfc822 rfc822-of-multipart rfc822-same-boundary boundary-ends-message"),
    # A broken type is text to us; to Dovecot it is nothing.
    ("BODY TEXT", "ours", "type-0[4-9] type-1[1-5] type-29 type-30 type-5[01] part-type-0[45689] part-type-1[1-5] part-type-29 part-type-30 part-type-5[01]"),
    # Other parts: two semicolons before the boundary, a boundary of more than 80 bytes.
    ("BODY TEXT", "ours", "boundary-behind-two-semicolons"),
    ("BODY TEXT", "theirs", "boundary-80"),
    # Text in an unknown encoding is searched as it is; one without MIME-Version is not decoded.
    ("BODY TEXT", "ours", "encoding-0[568] no-mime-version *content_transfer_encoding_empty.eml *content_transfer_encoding_text-html.eml"),
    ("BODY TEXT", "theirs", "no-mime-version"),
    # UTF-16 is decoded, and bytes that are no text (a picture that calls itself text/rtf) are looked at.
    ("BODY TEXT", "ours", "charset-utf-16-base64"),
    ("BODY", "ours", "*m4005.txt"),
    # The field as it stands there, not the addresses that could be read of it, in < > and with placeholders.
    ("FIELD", "ours", "address-05 address-09 address-3[12347] address-4[679] address-5[0123478] address-6[135] *mix_caps_content_type.eml *rfc2822_example10.eml"),
    # Of an unknown charset the bytes.
    ("FIELD", "ours", "*ks_c_5601-1987_headers.eml *undefined_charset_header.eml"),
    ("FIELD", "theirs", "address-0[0569] address-1[89] address-2[0234-9] address-3[02347] address-46 address-5[1234578] address-58 address-6[13] bare-cr-header nul-in-header"),
    ("FIELD", "theirs", "*bluedot-postcard.msg */tests_messages_email_address.eml *content_transfer_encoding_empty.eml */tests_messages_issue-275.eml */UnitTests_TestData_mbox_jwz-summary.txt "
     "*/msg_05.txt */msg_15.txt */msg_43.txt *mix_caps_content_type.eml *re-fwd.msg */tests_messages_references.eml *resources_eml_rfc_00[14].eml *thirdparty_007.eml "
     "*rfc2822_example13.eml */tests_messages_undisclosed_recipients.eml *uu-zeegee.msg"),
    # Dates that Dovecot does not read, or not below 1970.
    ("SENT", "ours", "date-0[45] date-1[457] " + STRANGE_DATES),
    ("SENT", "theirs", "date-0[45] date-1[457] " + STRANGE_DATES),
]

# Dates that Dovecot does not read, or not outside of 1970 to 2038; of two subjects, and of two ids, the last one; texts that no charset makes sense of.
DATES = "date-0[45] date-1[23457] " + STRANGE_DATES
TWO_SUBJECTS = "*with_binary_encoded.eml *mixed_quoted_boundary.eml"
# kinds of order: messages whose place differs
ORDERS = [
    ("DATE", DATES),
    ("SUBJECT", "twice nul-in-header subject-1[78] *undefined_charset_header.eml *decode_returns_false.eml *mailformed-headers.eml " + TWO_SUBJECTS),
    ("FROM", "nul-in-header"),
    ("REFERENCES ORDEREDSUBJECT", DATES + " *raw_email_with_illegal_boundary.eml *with_binary_encoded.eml"),
    ("REFERENCES", "twice"),
]
BY_NEIGHBOURS = {"nul-in-header", "webklex-php-imap/tests_messages_undefined_charset_header.eml"}  # whether it is elsewhere depends on what else is there


def matching(patterns, names):
    return {name for pattern in patterns.split() for name in fnmatch.filter(names, pattern)}


def unmatched(patterns, found, present):
    """(found but in no pattern, patterns that nothing was found for)"""
    return (sorted(found - matching(patterns, found)),
            [p for p in patterns.split() if matching(p, present) and not matching(p, found)])


def leaves(part):
    """Parts that are no multipart, also of messages inside."""
    if isinstance(part, list) and part and isinstance(part[0], bytes):
        yield part
    for sub in part if isinstance(part, list) else []:
        yield from leaves(sub)


def by_structure(ours, theirs):
    """What the first, the second and the third row of SEARCHES mean, told from BODYSTRUCTURE: for messages that are not our own."""
    parts = [part for part in leaves(ours) if len(part) > 6 and isinstance(part[5], bytes)]
    found = {("BODY", "ours")} if any(part[0].lower() == b"message" for part in parts) else set()
    odd = any(part[5].lower() not in (b"7bit", b"8bit", b"binary", b"base64", b"quoted-printable") for part in parts)
    return found | ({("BODY", "ours"), ("TEXT", "ours")} if odd or ours != theirs else set())


def search_differences(found, present):
    """found: [(kind, side, name, question)]. (Those that are not explained, explanations that were not met)"""
    known = {}
    for kinds, side, patterns in SEARCHES:
        for kind in kinds.split():
            for pattern in patterns.split():
                for name in matching(pattern, present):
                    known.setdefault((kind, side, name), []).append((kinds, side, pattern))
    met = {row for kind, side, name, _ in found for row in known.get((kind, side, name), [])}
    every = {row for rows in known.values() for row in rows}
    return [one for one in found if one[:3] not in known], sorted(every - met)


def order_differences(kind, present):
    return {name for kinds, patterns in ORDERS if set(kinds.split()) & set(kind.split()) for name in matching(patterns, present)}
