/* SPDX-License-Identifier: ISC */
/* Summaries: each section of a message, the same for every chunking; limits; and damaged ones, which may lie but not hurt. */
#include "lib/crlf.h"
#include "lib/mime_select.h"
#include "lib/mime_sort.h"
#include "lib/mime_summary.h"
#include "lib/str.h"
#include "tests/tap.h"

static struct mime_summary_work work;
static struct mime_summary summary;
static stralloc blob;

static const char message[] = "Received: from a by b; today\n"
                              "From: =?utf-8?q?J=C3=96RG?= <Joerg@Example.TEST>\n"
                              "To: \"B, C\" <bob@x.test>,\n\tD <d@x.test>\n"
                              "Cc: group: e@x.test;\n"
                              "Subject: Re: [list] =?iso-8859-1?q?GR=DC=DFE?=\n"
                              "Date: Wed, 25 Nov 2026 10:11:12 +0100\n"
                              "Message-ID:\n <m@x.test>\n"
                              "References: <a@x.test> <\"b\"@x.test>\n"
                              "In-Reply-To: <c@x.test>\n"
                              "List-Id: <list.x.test>\n"
                              "X-Other: y\n"
                              "Content-Type: multipart/mixed; boundary=b\n"
                              "\n"
                              "--b\n"
                              "Content-Type: text/html; charset=KOI8-R\n"
                              "Content-Transfer-Encoding: base64\n"
                              "\n"
                              "eA==\n"
                              "--b\n"
                              "Content-Type: message/rfc822\n"
                              "\n"
                              "Subject: inner\n"
                              "\n"
                              "x\n"
                              "--b--\n";

static bool make(const char *bytes, size_t n, size_t chunk)
{
    blob.len = 0;
    mime_summary_start(&work);
    for (size_t at = 0; at < n; at += chunk) {
        mime_summary_feed(&work, bytes + at, n - at < chunk ? n - at : chunk);
    }
    return mime_summary_end(&work, &blob) && mime_summary_open(&summary, blob.s, blob.len);
}

static const char *section(enum mime_section which)
{
    static stralloc text = STRALLOC_ZERO;
    struct mime_slice slice;
    text.len = 0;
    if (!mime_summary_get(&summary, which, &slice)) {
        return NULL;
    }
    str_cat(&text, slice.bytes, slice.n);
    return str_text(&text);
}

static void sections(void)
{
    ok(make(message, sizeof message - 1, sizeof message), "a summary is made and opened");
    is(section(MIME_ENVELOPE),
       "(\"Wed, 25 Nov 2026 10:11:12 +0100\" \"Re: [list] =?iso-8859-1?q?GR=DC=DFE?=\" "
       "((\"=?utf-8?q?J=C3=96RG?=\" NIL \"Joerg\" \"Example.TEST\")) ((\"=?utf-8?q?J=C3=96RG?=\" NIL \"Joerg\" "
       "\"Example.TEST\")) "
       "((\"=?utf-8?q?J=C3=96RG?=\" NIL \"Joerg\" \"Example.TEST\")) ((\"B, C\" NIL \"bob\" \"x.test\")(\"D\" NIL \"d\" "
       "\"x.test\")) "
       "((NIL NIL \"group\" NIL)(NIL NIL \"e\" \"x.test\")(NIL NIL NIL NIL)) NIL \"<c@x.test>\" \"<m@x.test>\")",
       "ENVELOPE");
    is(section(MIME_BODY),
       "((\"text\" \"html\" (\"charset\" \"KOI8-R\") NIL NIL \"base64\" 4 0)(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 19 "
       "(NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0) 2) "
       "\"mixed\")",
       "BODY");
    ok(strstr(section(MIME_BODYSTRUCTURE), "\"mixed\" (\"boundary\" \"b\") NIL NIL NIL)") != NULL, "BODYSTRUCTURE");
    is(section(MIME_FIELDS),
       "From: =?utf-8?q?J=C3=96RG?= <Joerg@Example.TEST>\r\nTo: \"B, C\" <bob@x.test>,\r\n\tD <d@x.test>\r\nCc: group: "
       "e@x.test;\r\n"
       "Subject: Re: [list] =?iso-8859-1?q?GR=DC=DFE?=\r\nDate: Wed, 25 Nov 2026 10:11:12 +0100\r\nMessage-ID:\r\n <m@x.test>\r\n"
       "References: <a@x.test> <\"b\"@x.test>\r\nIn-Reply-To: <c@x.test>\r\nList-Id: <list.x.test>\r\nContent-Type: "
       "multipart/mixed; boundary=b\r\n",
       "the fields that clients ask for, as on the wire");
    is(section(MIME_SEARCH_FROM), "JO\xcc\x88RG <JOERG@EXAMPLE.TEST>", "search column From");
    is(section(MIME_SEARCH_TO), "\"B, C\" <BOB@X.TEST>, D <D@X.TEST>", "To");
    is(section(MIME_SEARCH_CC), "GROUP: E@X.TEST;", "Cc");
    is(section(MIME_SEARCH_BCC), "", "Bcc");
    is(section(MIME_SEARCH_SUBJECT),
       "RE: [LIST] GRU\xcc\x88\xc3\x9f"
       "E",
       "Subject");
    is(section(MIME_SORT_SUBJECT),
       "GRU\xcc\x88\xc3\x9f"
       "E",
       "base subject");
    is(section(MIME_SORT_FROM), "JOERG", "sort key From");
    is(section(MIME_SORT_TO), "BOB", "To");
    is(section(MIME_SORT_CC), "GROUP", "Cc");
    is(section(MIME_DISPLAY_FROM), "JO\xcc\x88RG", "display name");
    is(section(MIME_DISPLAY_TO), "B, C", "display name To");
}

static void numbers(void)
{
    struct mime_slice thread = {NULL, 0};
    struct crlf crlf;
    ok(make(message, sizeof message - 1, sizeof message), "made again");
    crlf_start(&crlf);
    crlf_count(&crlf, message, sizeof message - 1);
    is_number((long long)summary.wire_bytes, (long long)crlf_wire_bytes(&crlf), "RFC822.SIZE");
    is_number(summary.sent, 1795597872, "sent date");
    is_number(summary.zone, 60, "its zone");
    is_number(summary.flags, MIME_SUMMARY_HAS_DATE | MIME_SUMMARY_IS_REPLY, "a reply with a date");
    ok(summary.id_hash == mime_id_hash("m@x.test", 8), "Message-ID");
    ok(mime_summary_get(&summary, MIME_THREAD, &thread), "thread ids are there");
    is_number((long long)thread.n, 16, "two references");
    uint64_t second = mime_id_hash("b@x.test", 8);
    ok(memcmp(thread.bytes + 8, &second, 8) == 0, "the second one, without its quotes");
}

/* The table of parts says what the parser's says. */
static void parts(void)
{
    struct mime_part list[8];
    unsigned wrong = 0;
    ok(make(message, sizeof message - 1, sizeof message), "made once more");
    is_number(summary.parts, 4, "four parts");
    mime_summary_parts(&summary, list);
    for (uint32_t i = 0; i < summary.parts; i++) {
        const struct mime_part *part = &work.mime.parts[i];
        wrong += list[i].start.offset != part->start.offset || list[i].body.offset != part->body.offset ||
                 list[i].end.offset != part->end.offset;
        wrong += mime_part_header_bytes(&list[i]) != mime_part_header_bytes(part) ||
                 mime_part_body_bytes(&list[i]) != mime_part_body_bytes(part);
        wrong += mime_part_body_lines(&list[i]) != mime_part_body_lines(part) || list[i].kind != part->kind ||
                 list[i].is_mime != part->is_mime;
        wrong += list[i].parent != part->parent || list[i].next != part->next || list[i].children != part->children ||
                 list[i].number != part->number;
    }
    is_number(wrong, 0, "all as the parser has them");
    is_number(mime_find(list, (const uint32_t[]){2, 1}, 2), 3, "sections are found in it");
    struct mime_summary_part html;
    mime_summary_part(&summary, 1, &html);
    ok(html.is_text && html.encoding == MIME_BASE64, "a text in base64");
    is_bytes(html.charset.bytes, html.charset.n, "KOI8-R", 6, "its charset");
    struct mime_summary_part inner;
    mime_summary_part(&summary, 3, &inner);
    ok(inner.is_text && inner.encoding == MIME_IDENTITY && inner.charset.n == 0, "a text by default");
}

static void chunkings(void)
{
    stralloc want = STRALLOC_ZERO;
    unsigned wrong = 0;
    (void)make(message, sizeof message - 1, sizeof message);
    str_cat(&want, blob.s, blob.len);
    for (size_t chunk = 1; chunk < 100; chunk++) {
        if (chunk % 10 == 0) {
            mime_summary_free(&work);
        }
        wrong += !make(message, sizeof message - 1, chunk) || blob.len != want.len || memcmp(blob.s, want.s, want.len) != 0;
    }
    is_number(wrong, 0, "the same bytes for every chunking, with memory kept or given back");
    stralloc_free(&want);
}

static void odd_messages(void)
{
    ok(make("", 0, 1), "an empty message");
    is(section(MIME_ENVELOPE), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)", "has an envelope");
    is_number(summary.flags, MIME_SUMMARY_IS_ALL_HEADER, "no date, and no end of its header");
    ok(make("Subject: a\nFrom: b@c\nFrom: d@e", 30, 5), "a header alone");
    is(section(MIME_FIELDS), "Subject: a\r\nFrom: b@c\r\nFrom: d@e\r\n", "gets its last line end");
    is(section(MIME_SEARCH_FROM), "B@C\nD@E\n", "two From fields stand in two lines");
    ok(make("In-Reply-To: x <a@b> <c@d>\nDate: never\nDate: 1 Jan 1970 00:00:01 +0000\nSubject: a\nSubject: Fwd: b\n\n", 100,
            100),
       "fields twice");
    is_number(summary.sent, 1, "the last date holds");
    is(section(MIME_SORT_SUBJECT), "B", "and the last subject");
    is_number((long long)strlen(section(MIME_THREAD)) <= 8, 1, "of In-Reply-To one id");
    stralloc big = STRALLOC_ZERO;
    str_cats(&big, "To: ");
    for (unsigned i = 0; i < 30000; i++) {
        str_catf(&big, "User %u <u%u@example.test>,\n ", i, i);
    }
    str_cats(&big, "x@y\nSubject: big\n\nbody\n");
    ok(make(big.s, big.len, 65536), "30,000 recipients");
    ok(section(MIME_ENVELOPE) == NULL && section(MIME_FIELDS) == NULL && section(MIME_SEARCH_TO) == NULL,
       "what is too large is not there");
    is(section(MIME_SORT_SUBJECT), "BIG", "the rest is");
    big.len = 0;
    for (unsigned i = 0; i < 90000; i++) {
        str_cats(&big, "X-Long: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
    }
    str_cats(&big, "Subject: late\n\nbody\n");
    ok(make(big.s, big.len, 65536), "a header that is not kept whole");
    ok(section(MIME_ENVELOPE) == NULL && section(MIME_FIELDS) == NULL, "tells nothing of its fields");
    is_number(summary.parts, 1, "but has its part");
    stralloc_free(&big);
}

static void touch_everything(void)
{
    static struct mime_part list[4096];
    volatile size_t sum = 0;
    for (unsigned i = 0; i < MIME_SECTIONS; i++) {
        struct mime_slice slice;
        if (mime_summary_get(&summary, (enum mime_section)i, &slice)) {
            for (size_t k = 0; k < slice.n; k++) {
                sum += (unsigned char)slice.bytes[k];
            }
        }
    }
    if (summary.parts > 0 && summary.parts <= 4096) {
        mime_summary_parts(&summary, list);
        for (uint32_t a = 0; a < 4; a++) {
            for (uint32_t b = 0; b < 4; b++) {
                sum += mime_find(list, (const uint32_t[]){a, b, 1}, 3);
            }
        }
    }
}

/* No part of the open summary ends before it begins. */
static bool is_in_order(void)
{
    struct mime_summary_part part;
    bool is_good = true;
    for (uint32_t i = 0; i < summary.parts && is_good; i++) {
        mime_summary_part(&summary, i, &part);
        is_good = part.part.start.offset <= part.part.body.offset && part.part.body.offset <= part.part.end.offset;
    }
    return is_good;
}

/* Every byte changed in turn, every length cut: refused, or safe to read (AddressSanitizer looks on in check-asan). */
static void damage(void)
{
    (void)make(message, sizeof message - 1, sizeof message);
    unsigned opened = 0;
    unsigned disordered = 0;
    for (size_t i = 0; i < blob.len; i++) {
        stralloc copy = STRALLOC_ZERO;
        str_cat(&copy, blob.s, blob.len);
        copy.s[i] ^= (char)(i % 2 != 0 ? 0xff : 0x01);
        if (mime_summary_open(&summary, copy.s, copy.len)) {
            opened++;
            touch_everything();
            disordered += !is_in_order();
        }
        stralloc_free(&copy);
    }
    ok(opened > 0, "a damaged summary is refused or safe");
    is_number(disordered, 0, "no part of one ends before it begins");
    unsigned cut = 0;
    for (size_t n = 0; n < blob.len; n++) {
        cut += mime_summary_open(&summary, blob.s, n);
    }
    is_number(cut, 0, "a cut one is refused");
    ok(!mime_summary_open(&summary, "MSM0", 4), "another thing is none");
}

static void select_fields(void)
{
    static const struct mime_slice list[] = {{"SUBJECT", 7}, {"to", 2}, {"x-none", 6}};
    struct mime_field_names names = {list, 3, false};
    stralloc out = STRALLOC_ZERO;
    const char block[] = "From: a\nno colon\nTo: b,\n c\nsubject : d\r\nSubject: e";
    mime_select_append(&out, block, sizeof block - 1, &names);
    is(str_text(&out), "To: b,\r\n c\r\nsubject : d\r\nSubject: e\r\n", "HEADER.FIELDS of a header without an end");
    out.len = 0;
    names.is_not = true;
    mime_select_append(&out, block, sizeof block - 1, &names);
    is(str_text(&out), "From: a\r\nno colon\r\n", "HEADER.FIELDS.NOT");
    out.len = 0;
    mime_select_append(&out, "X: y\nTo: z\n\n", 13, &names);
    is(str_text(&out), "X: y\r\n\r\n", "with the empty line that is there");
    ok(mime_name_of("LIST-Unsubscribe-Post", 21) == MIME_LISTED && mime_name_of("Date", 4) == MIME_DATE &&
           mime_name_of("X-Tuid", 6) == MIME_LISTED && mime_name_of("Received", 8) == MIME_OTHER &&
           mime_name_of("", 0) == MIME_OTHER && mime_name_of("reply\rto", 8) == MIME_OTHER &&
           mime_name_of("x-universally-unique-identifier2", 32) == MIME_OTHER,
       "which fields a summary has");
    stralloc_free(&out);
}

static stralloc many;

/* n parts of a few bytes. */
static bool make_many(unsigned n)
{
    many.len = 0;
    str_cats(&many, "Content-Type: multipart/mixed; boundary=x\n\n");
    for (unsigned i = 0; i < n; i++) {
        str_cats(&many, "--x\n\n");
    }
    return make(many.s, many.len, many.len);
}

/* Small parts make a long structure: it is made again from the message then, but no part is lost. */
static void many_parts(void)
{
    ok(make_many(20) && section(MIME_BODYSTRUCTURE) != NULL && section(MIME_BODY) != NULL, "a short structure is kept");
    ok(make_many(2500) && section(MIME_BODYSTRUCTURE) == NULL && section(MIME_BODY) == NULL,
       "one longer than the message is not");
    ok(blob.len < 12 * many.len, "so a summary is no bomb");
    ok(make_many(9999), "as many parts as are looked into");
    is_number(summary.parts, 10000, "are all in the table");
}

int main(void)
{
    sections();
    numbers();
    parts();
    many_parts();
    chunkings();
    odd_messages();
    damage();
    select_fields();
    return done();
}
