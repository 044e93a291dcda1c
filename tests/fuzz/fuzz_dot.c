/* SPDX-License-Identifier: ISC */
/* lib/dot: any bytes as a stored text are encoded, safe on the wire, and decoded again; any bytes as wire are decoded the same in
 * whichever parts they come. The first byte says where it is cut. */
#include "lib/dot.h"
#include "lib/wirelen.h"
#include "tests/fuzz/fuzz.h"

struct decoded {
    char *bytes;
    size_t len, used;
    struct dot_decoder state;
};

static struct decoded decode(const char *wire, size_t n, size_t cut)
{
    struct decoded out = {.bytes = malloc(n + 2)};
    size_t len = 0;
    require(out.bytes != NULL);
    dot_decoder_init(&out.state);
    for (size_t at = 0; at < n && out.state.state != DOT_DONE;) {
        size_t part = at < cut && cut < n ? cut - at : n - at;
        size_t used = dot_decode(&out.state, wire + at, part, out.bytes + out.len, &len);
        require(used <= part && (used == part || out.state.state == DOT_DONE));
        at += used;
        out.len += len;
        out.used = at;
        require(out.len <= at + 1);
    }
    return out;
}

static void try_wire(const char *wire, size_t n, size_t cut)
{
    struct decoded whole = decode(wire, n, n);
    struct decoded cut_once = decode(wire, n, cut);
    require(fuzz_equal(whole.bytes, whole.len, cut_once.bytes, cut_once.len) && whole.used == cut_once.used);
    require(whole.state.state == cut_once.state.state && whole.state.lines == cut_once.state.lines &&
            whole.state.longest_line == cut_once.state.longest_line && whole.state.has_bare_cr == cut_once.state.has_bare_cr &&
            whole.state.has_bare_lf == cut_once.state.has_bare_lf && whole.state.has_nul == cut_once.state.has_nul &&
            whole.state.has_8bit == cut_once.state.has_8bit);
    if (whole.state.state == DOT_DONE) {
        require(whole.used >= 3 && memcmp(wire + whole.used - 3, ".\r\n", 3) == 0);
    }
    free(whole.bytes);
    free(cut_once.bytes);
}

static size_t encode(const char *stored, size_t n, size_t cut, char *out)
{
    struct dot_encoder encoder;
    dot_encoder_init(&encoder);
    size_t len = dot_encode(&encoder, stored, cut, out);
    len += dot_encode(&encoder, stored + cut, n - cut, out + len);
    return len + dot_encode_end(&encoder, out + len);
}

/* Line ends of any kind as LF, one at the end. */
static size_t normalise(const char *stored, size_t n, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (stored[i] == '\r') {
            i += i + 1 < n && stored[i + 1] == '\n';
            out[len++] = '\n';
        } else {
            out[len++] = stored[i];
        }
    }
    if (len > 0 && out[len - 1] != '\n') {
        out[len++] = '\n';
    }
    return len;
}

static void try_stored(const char *stored, size_t n, size_t cut)
{
    char *wire = malloc(3 * n + 20);
    char *again = malloc(3 * n + 20);
    char *plain = malloc(n + 2);
    require(wire != NULL && again != NULL && plain != NULL);
    size_t len = encode(stored, n, n, wire);
    require(len <= 3 * n + 8 && encode(stored, n, cut, again) == len && memcmp(wire, again, len) == 0);
    struct decoded back = decode(wire, len, len);
    size_t plain_len = normalise(stored, n, plain);
    require(back.state.state == DOT_DONE && back.used == len); /* the end stands nowhere but at the end */
    require(!back.state.has_bare_cr && !back.state.has_bare_lf);
    require(fuzz_equal(back.bytes, back.len, plain, plain_len));
    struct wirelen count;
    wirelen_init(&count);
    wirelen_add(&count, stored, cut);
    wirelen_add(&count, stored + cut, n - cut);
    require(wirelen_end(&count) == plain_len + back.state.lines);
    free(wire);
    free(again);
    free(plain);
    free(back.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    size_t n = size - 1;
    size_t cut = n > 0 ? data[0] % (n + 1) : 0;
    char *bytes = fuzz_copy(data + 1, n);
    try_wire(bytes, n, cut);
    try_stored(bytes, n, cut);
    free(bytes);
    return 0;
}
