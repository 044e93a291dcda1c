/* SPDX-License-Identifier: ISC */
/* Header text: words, charsets, encodings, addresses, subjects, ids and dates take any bytes; decoders give the same in whichever
 * pieces their input comes; folding twice is folding once. The first byte says where it is cut. */
#include "lib/casefold.h"
#include "lib/date.h"
#include "lib/mime_address.h"
#include "lib/mime_sort.h"
#include "lib/mime_words.h"
#include "lib/str.h"
#include "tests/fuzz/fuzz.h"

static struct mime_words words;
static struct mime_addresses addresses;
static struct mime_decoder decoder;
static stralloc out, other;

static void decode(stralloc *to, enum mime_encoding encoding, const char *bytes, size_t n, size_t cut)
{
    to->len = 0;
    mime_decoder_start(&decoder, encoding);
    mime_decoder_add(&decoder, bytes, cut, to);
    mime_decoder_add(&decoder, bytes + cut, n - cut, to);
    mime_decoder_end(&decoder, to);
}

static void convert(stralloc *to, const char *charset, const char *bytes, size_t n, size_t cut)
{
    struct charset_stream stream;
    to->len = 0;
    charset_start(&stream, charsets_find(&words.charsets, charset, strlen(charset)));
    charset_add(&stream, bytes, cut, to);
    charset_add(&stream, bytes + cut, n - cut, to);
    charset_end(&stream, to);
}

static void try_decoders(const char *bytes, size_t n, size_t cut)
{
    /* not UTF-7: what glibc makes of a broken one depends on where its buffer ends */
    static const char *const charsets[] = {"utf-8", "iso-8859-1", "koi8-r",      "shift_jis", "gb18030",
                                           "big5",  "euc-kr",     "iso-2022-jp", "utf-16"};
    for (enum mime_encoding encoding = MIME_IDENTITY; encoding <= MIME_BASE64; encoding++) {
        decode(&out, encoding, bytes, n, n);
        decode(&other, encoding, bytes, n, cut);
        require(out.len <= n && fuzz_equal(out.s, out.len, other.s, other.len));
    }
    for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++) {
        convert(&out, charsets[i], bytes, n, n);
        convert(&other, charsets[i], bytes, n, cut);
        require(fuzz_equal(out.s, out.len, other.s, other.len));
    }
}

static void try_text(const char *bytes, size_t n)
{
    out.len = other.len = 0;
    mime_words_append(&out, &words, bytes, n);
    casefold_append(&other, out.s, out.len);
    out.len = 0;
    casefold_append(&out, other.s, other.len);
    require(fuzz_equal(out.s, out.len, other.s, other.len));
    out.len = 0;
    (void)mime_base_subject_append(&out, bytes, n);
    require(out.len <= n);
}

static void try_lists(const char *bytes, size_t n)
{
    struct mime_address address;
    size_t count = 0;
    bool is_open = false;
    mime_addresses_start(&addresses, bytes, n);
    while (mime_addresses_next(&addresses, &address)) {
        require(++count <= 2 * n + 2 && (address.kind == MIME_ADDRESS) == (address.domain.bytes != NULL));
        require(address.kind == MIME_GROUP_END || address.mailbox.bytes != NULL);
        require(address.kind != MIME_GROUP || !is_open);
        is_open = address.kind == MIME_GROUP || (is_open && address.kind != MIME_GROUP_END);
    }
    require(!is_open);
    for (const char *at = bytes; mime_id_next(&at, bytes + n, &out);) {
        require(fuzz_lies_in(at, 0, bytes, n) && out.len <= n);
    }
    int64_t seconds = 0;
    int zone = 0;
    if (date_parse(bytes, n, &seconds, &zone)) {
        require(zone > -1440 && zone < 1440 && seconds > -63000000000 && seconds < 254000000000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    size_t n = size - 1;
    char *bytes = fuzz_copy(data + 1, n);
    try_decoders(bytes, n, data[0] % (n + 1));
    try_text(bytes, n);
    try_lists(bytes, n);
    free(bytes);
    return 0;
}
