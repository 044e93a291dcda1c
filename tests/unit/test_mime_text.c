/* SPDX-License-Identifier: ISC */
/* ENVELOPE and BODYSTRUCTURE of small messages. What is broken is shown as Dovecot shows it, unless DEVIATIONS says otherwise. */
#include "lib/mime_text.h"
#include "lib/str.h"
#include "tests/tap.h"

static struct mime mime;
static struct mime_text text;
static stralloc out;

static const char *envelope(const char *header, size_t n)
{
    out.len = 0;
    mime_start(&mime);
    mime_feed(&mime, header, n);
    mime_end(&mime);
    mime_envelope_append(&out, &text, &mime, 0);
    return str_text(&out);
}

static const char *structure(const char *message, size_t n, bool is_extended)
{
    mime_start(&mime);
    mime_feed(&mime, message, n);
    mime_end(&mime);
    out.len = 0;
    mime_structure_append(&out, &text, &mime, is_extended);
    return str_text(&out);
}

static void strings(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *want, *name;
    } table[] = {
        {"", 0, "\"\"", "an empty string"},
        {"a \t\x01", 4, "\"a \t\x01\"", "blanks and controls may be quoted"},
        {"\"a\\", 3, "\"\\\"a\\\\\"", "quotes and backslashes are escaped"},
        {"\xc3\xa9", 2, "{2}\r\n\xc3\xa9", "8-bit bytes make a literal"},
        {"a\rb", 3, "{3}\r\na\rb", "so does CR"},
        {"\0a\0", 3,
         "{7}\r\n\xef\xbf\xbd"
         "a\xef\xbf\xbd",
         "NUL becomes U+FFFD"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        out.len = 0;
        mime_string_append(&out, table[i].bytes, table[i].n);
        is(str_text(&out), table[i].want, table[i].name);
    }
}

static void envelopes(void)
{
    static const char *const table[][3] = {
        {"", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)", "no field at all"},
        {"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\n"
         "Subject: IMAP4rev1 WG mtg summary and minutes\r\nTo: imap@cac.washington.edu\r\n"
         "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\nMessage-Id: "
         "<B27397-0100000@cac.washington.edu>\r\n\r\n",
         "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" "
         "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
         "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((NIL NIL \"imap\" \"cac.washington.edu\")) "
         "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
         "\"<B27397-0100000@cac.washington.edu>\")",
         "RFC 3501's own example"},
        {"Subject:\nDate: \nIn-Reply-To:\nMessage-ID:\nFrom:\nTo: \n", "(\"\" \"\" NIL NIL NIL NIL NIL NIL \"\" \"\")",
         "an empty field is an empty string, an empty list NIL"},
        {"Subject: one\nSubject: two\nDate: a\nDate: b\nMessage-ID: <1>\nMessage-ID: <2>\nFrom: a@b\nFrom: c@d\n",
         "(\"b\" \"two\" ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) "
         "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) NIL NIL NIL NIL \"<2>\")",
         "the last of two, but all addresses"},
        {"Subject: a\tb  c \n   d\n\te\nMessage-ID:\n <x>\nDate: x\n\ty \n",
         "(\"x\ty\" \"a b c d e\" NIL NIL NIL NIL NIL NIL NIL \"<x>\")", "folds go, blanks of a subject collapse"},
        {"Sender: ,\nFrom: a@b\nReply-To:\n",
         "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\")) ((NIL NIL \"a\" \"b\")) NIL NIL "
         "NIL NIL NIL)",
         "From stands in for an empty Reply-To"},
        {"no colon\n: no name\nSubject : x\n\nSubject: body\n", "(NIL \"x\" NIL NIL NIL NIL NIL NIL NIL NIL)",
         "lines that are no fields; the body is not read"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        is(envelope(table[i][0], strlen(table[i][0])), table[i][1], table[i][2]);
    }
    is(envelope("Subject: a\0b\n", 13),
       "(NIL {5}\r\na\xef\xbf\xbd"
       "b NIL NIL NIL NIL NIL NIL NIL NIL)",
       "NUL in a subject");
}

/* One To field; want: its list. */
static void addresses(void)
{
    static const char *const table[][2] = {
        {"a@b", "((NIL NIL \"a\" \"b\"))"},
        {"<a@b>", "((NIL NIL \"a\" \"b\"))"},
        {"A \"B, C\" D <a@b>", "((\"A B, C D\" NIL \"a\" \"b\"))"},
        {"A.  N. (x)  O <a@b>", "((\"A. N. O\" NIL \"a\" \"b\"))"},
        {"a@b (c (d) \\) e)", "((\"c (d) ) e\" NIL \"a\" \"b\"))"},
        {"(c) a (d) @ (e) b.(f) c (g)", "((\"g\" NIL \"a\" \"b.c\"))"},
        {"<@r,@s:a@b>", "((NIL \"@r,@s\" \"a\" \"b\"))"},
        {"x <@:a@b>", "((\"x\" \"INVALID_ROUTE\" \"MISSING_MAILBOX\" \"SYNTAX_ERROR\"))"},
        {"\"a b\"@c", "((NIL NIL \"a b\" \"c\"))"},
        {"a@[1.2.3.4]", "((NIL NIL \"a\" \"[1.2.3.4]\"))"},
        {"g: a@b, C <c@d>;, e@f",
         "((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(\"C\" NIL \"c\" \"d\")(NIL NIL NIL NIL)(NIL NIL \"e\" \"f\"))"},
        {"g:;", "((NIL NIL \"g\" NIL)(NIL NIL NIL NIL))"},
        {"g: a@b", "((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL))"},
        {"g: , a@b",
         "((NIL NIL \"g\" NIL)(NIL NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\")(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL))"},
        {",,,", "((NIL NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\")(NIL NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\")"
                "(NIL NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\"))"},
        {"a", "((NIL NIL \"a\" \"MISSING_DOMAIN\"))"},
        {"a b", "((\"a b\" NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\"))"},
        {"\"a\"", "((\"a\" NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\"))"},
        {"<>", "((NIL NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\"))"},
        {"<a>", "((NIL NIL \"a\" \"MISSING_DOMAIN\"))"},
        {"a@", "((NIL NIL \"a\" \"MISSING_DOMAIN\"))"},
        {"A <a@b", "((\"A\" NIL \"a\" \"SYNTAX_ERROR\"))"},
        {".a..b@c", "((NIL NIL \".a..b\" \"c\"))"},
        {"(only)", "NIL"},
        {"a@b, (unclosed", "((NIL NIL \"a\" \"b\")(NIL NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\"))"},
        {"=?utf-8?q?x?= <a@b>", "((\"=?utf-8?q?x?=\" NIL \"a\" \"b\"))"},
        {"\xc3\xa9 <a@b>", "(({2}\r\n\xc3\xa9 NIL \"a\" \"b\"))"},
        {"A\n <a@b>,\n\tc@d", "((\"A\" NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))"},
    };
    stralloc header = STRALLOC_ZERO;
    stralloc want = STRALLOC_ZERO;
    stralloc name = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        header.len = want.len = 0;
        str_catf(&header, "To: %s\n", table[i][0]);
        str_catf(&want, "(NIL NIL NIL NIL NIL %s NIL NIL NIL NIL)", table[i][1]);
        name.len = 0;
        str_cat_printable(&name, table[i][0], strlen(table[i][0]));
        is(envelope(header.s, header.len), str_text(&want), str_text(&name));
    }
}

#define TEXT_PLAIN "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "

static const char *const messages[][3] = {
    {"\nx\ny", TEXT_PLAIN "4 1 NIL NIL NIL NIL)", "a message without header"},
    {"Content-ID: <a>\nContent-Transfer-Encoding: base64\n\nx", TEXT_PLAIN "1 0 NIL NIL NIL NIL)",
     "fields of what is no MIME do not count"},
    {"MIME-Version: 1.0\nContent-ID: <a>\nContent-Transfer-Encoding: BASE64 (c)\nContent-Description: d\n e\nContent-MD5: m\n"
     "Content-Disposition: attachment; filename=\"a b\"; size=\nContent-Language: en, de\nContent-Location: "
     "http://x/\n\ty\n\n",
     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") \"<a>\" \"d e\" \"BASE64\" 0 0 \"m\" (\"attachment\" (\"filename\" \"a "
     "b\" \"size\" \"\")) "
     "(\"en\" \"de\") \"http://x/\ty\")",
     "every field"},
    {"Content-Type: image/png; name*1=b; name*0=a; x=y\n\n",
     "(\"image\" \"png\" (\"x\" \"y\" \"name\" \"ab\") NIL NIL \"7bit\" 0 NIL NIL NIL NIL)", "pieces of a parameter are joined"},
    {"Content-Type: text/html; name*0*=u''%c3; name*1=%\n\n",
     "(\"text\" \"html\" (\"name*\" \"u''%c3%25\" \"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)",
     "extended pieces too, and a charset is added"},
    {"Content-Type: text/plain; a*0=x; a*2=y; b*1*=z; c=1;; d=2; =e; f*12345678=g\n\n",
     "(\"text\" \"plain\" (\"c\" \"1\" \"d\" \"2\" \"f*12345678\" \"g\" \"a*0\" \"x\" \"a*2\" \"y\" \"b*1*\" \"z\" "
     "\"charset\" \"us-ascii\") "
     "NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)",
     "pieces with a gap stay as they are"},
    {"Content-Type: message/rfc822; a=b\n\nSubject: i\n\nx\n",
     "(\"message\" \"rfc822\" (\"a\" \"b\") NIL NIL \"7bit\" 17 (NIL \"i\" NIL NIL NIL NIL NIL NIL NIL NIL) " TEXT_PLAIN
     "3 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)",
     "an embedded message"},
    {"Content-Type: multipart/mixed; boundary=b\nContent-Disposition: inline\n\n--b\n\nx\n--b\nContent-Type: "
     "multipart/alternative; boundary=c\n\n"
     "--c\nContent-Type: Text/HTML\n\n--c--\n--b--\n",
     "(" TEXT_PLAIN "1 0 NIL NIL NIL NIL)((\"Text\" \"HTML\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL) "
     "\"alternative\" (\"boundary\" \"c\") NIL NIL NIL) \"mixed\" (\"boundary\" \"b\") (\"inline\" NIL) NIL NIL)",
     "nested multiparts"},
    {"Content-Type: multipart/mixed; boundary=b\n\nx\n",
     "(" TEXT_PLAIN "0 0 NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)",
     "a multipart without parts shows an empty text"},
    {"Content-Type: text/html charset=utf-8\n\n",
     "(\"text\" \"html\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)", "a forgotten semicolon"},
    {"Content-Type: text; a=b\n\n",
     "(\"text\" \"plain\" (\"a\" \"b\" \"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)",
     "a text without subtype is plain"},
    {"Content-Type: image\n\n", "(\"application\" \"octet-stream\" NIL NIL NIL \"7bit\" 0 NIL NIL NIL NIL)",
     "another type alone is bytes"},
    {"Content-Type: ; name=x\nContent-Disposition: ;filename=x\nContent-Transfer-Encoding: base 64\n\n",
     "(\"text\" \"plain\" (\"name\" \"x\" \"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 NIL (\"attachment\" (\"filename\" "
     "\"x\")) NIL NIL)",
     "no type, no disposition, no encoding"},
    {"Content-Type: a/b\nContent-Type: c/d\nContent-ID: 1\nContent-ID: 2\nContent-Disposition: inline\nContent-Disposition: "
     "x; y=z\n\n",
     "(\"a\" \"b\" NIL \"1\" NIL \"7bit\" 0 NIL (\"x\" (\"y\" \"z\")) NIL NIL)",
     "the first field holds, of dispositions the first with parameters"},
    {"Content-Type: text/plain; name=\"a\\\"b\"; c==?x?=; d=\xc3\xa4; e=\"unclosed\n\n",
     "(\"text\" \"plain\" (\"name\" \"a\\\"b\" \"c\" \"=?x?=\" \"d\" {2}\r\n\xc3\xa4 \"charset\" \"us-ascii\") NIL NIL "
     "\"7bit\" 0 0 NIL NIL NIL NIL)",
     "quoted, encoded, 8-bit and unclosed values"},
};

static void structures(void)
{
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        is(structure(messages[i][0], strlen(messages[i][0]), true), messages[i][1], messages[i][2]);
    }
    const char *mixed = messages[7][0];
    is(structure(mixed, strlen(mixed), false),
       "(" TEXT_PLAIN "1 0)((\"Text\" \"HTML\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"alternative\") \"mixed\")",
       "BODY has no extension data");
}

/* The parentheses of a text outside of strings. */
static int open_parentheses(const stralloc *s)
{
    int open = 0;
    bool in_string = false;
    for (size_t i = 0; i < s->len; i++) {
        if (in_string && s->s[i] == '\\') {
            i++;
        } else if (s->s[i] == '"') {
            in_string = !in_string;
        } else if (!in_string) {
            open += (s->s[i] == '(') - (s->s[i] == ')');
        }
    }
    return open;
}

static void deep_and_wide(void)
{
    stralloc message = STRALLOC_ZERO;
    for (unsigned i = 0; i < 300; i++) {
        str_cats(&message, "Content-Type: message/rfc822\n\n");
    }
    (void)structure(message.s, message.len, true);
    is_number(open_parentheses(&out), 0, "300 messages in each other");
    message.len = 0;
    str_cats(&message, "Content-Type: multipart/mixed; boundary=x\n\n");
    for (unsigned i = 0; i < 20000; i++) {
        str_cats(&message, "--x\nContent-Type: message/rfc822\n\nFrom: a (b\n\n");
    }
    (void)structure(message.s, message.len, true);
    is_number(open_parentheses(&out), 0, "20,000 messages beside each other");
    message.len = 0;
    str_cats(&message, "Content-Type: text/plain");
    for (unsigned i = 0; i < 20000; i++) {
        str_catf(&message, "; a*%u=b", i);
    }
    str_cats(&message, "\n\n");
    (void)structure(message.s, message.len, true);
    ok(out.len < 2000, "of 20,000 parameters the first thousand are read");
    message.len = 0;
    str_cats(&message, "From: ");
    for (unsigned i = 0; i < 1000000; i++) {
        str_catc(&message, ',');
    }
    str_cats(&message, "\n\n");
    (void)envelope(message.s, message.len);
    is_number(open_parentheses(&out), 0, "a million empty addresses");
    ok(out.len < MIME_ADDRESSES_MAX * 200, "do not become a hundred megabytes");
    stralloc_free(&message);
}

int main(void)
{
    strings();
    envelopes();
    addresses();
    structures();
    deep_and_wide();
    return done();
}
