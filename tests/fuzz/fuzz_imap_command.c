/* SPDX-License-Identifier: ISC */
/* imapd/input, parse, fetch_parse, flags and their kin: commands come off the wire whole, every slice lies in the command,
 * nothing is more than its limit, and a parser that refuses or takes stands inside of what it was given. */
#include <poll.h>
#include <sys/mman.h>

#include "imapd/fetch.h"
#include "imapd/flags.h"
#include "imapd/qresync.h"
#include "imapd/search.h"
#include "imapd/status.h"
#include "lib/wire.h"
#include "tests/fuzz/fuzz_folder.h"

enum { LONG = 9000, LONG_MAX_N = 40 };
static struct session session;
static struct input input;

static bool is_inside(struct slice slice, const stralloc *command)
{
    return slice.bytes == NULL || fuzz_lies_in(slice.bytes, slice.len, command->s, command->len);
}

static void check_item(const struct fetch_item *item, const stralloc *command)
{
    require(item->n_path <= FETCH_PATH_MAX && item->n_fields <= FETCH_FIELDS_MAX);
    for (unsigned k = 0; k < item->n_path; k++) {
        require(item->path[k] > 0);
    }
    bool has_fields = item->text == TEXT_FIELDS || item->text == TEXT_FIELDS_NOT;
    require(item->kind != FETCH_SECTION || has_fields == (item->n_fields > 0));
    for (unsigned k = 0; k < item->n_fields; k++) {
        require(is_inside(item->field[k], command) && memchr(item->field[k].bytes, '\0', item->field[k].len) == NULL);
    }
    require(!item->is_partial || item->len > 0);
    require(item->text != TEXT_MIME || item->n_path > 0);
}

static void try_fetch(struct parser parser, const stralloc *command)
{
    struct fetch fetch = {0};
    bool is_good = fetch_parse(&parser, &fetch);
    require(fetch.n <= FETCH_ITEMS_MAX);
    require(!is_good || (fetch.n > 0 && parse_end(&parser) && (fetch.set.is_saved || fetch.set.n > 0)));
    for (unsigned i = 0; is_good && i < fetch.n; i++) {
        check_item(&fetch.item[i], command);
        bool sets_seen = fetch.item[i].kind == FETCH_SECTION && !fetch.item[i].is_peek;
        require(!sets_seen || fetch.sets_seen);
    }
    fetch_free(&fetch);
}

static void try_flags(struct parser parser, const stralloc *command)
{
    struct flag_names names;
    struct flag_names bare;
    struct parser again = parser;
    bool is_good = flags_parse(&parser, false, &names);
    require(names.n <= FLAG_NAMES_MAX && !(names.flags & ~(uint8_t)0x3d));
    for (unsigned i = 0; is_good && i < names.n; i++) {
        require(is_inside(names.keyword[i], command) && names.keyword[i].len <= KEYWORD_LEN_MAX && names.keyword[i].len > 0);
        require(names.keyword[i].bytes[0] != '\\' && flag_bit(names.keyword[i]) == 0);
    }
    require(!is_good || (flags_parse(&again, true, &bare) && bare.n == names.n && again.at == parser.at));
}

static void try_rest(struct parser start, const stralloc *command)
{
    struct parser parser = start;
    struct qresync_request request = {0};
    struct search_return wanted = {0};
    unsigned items;
    require(!status_parse(&parser, &items) || (items > 0 && items < 256));
    parser = start;
    session.qresync = true;
    if (qresync_parse(&session, &parser, &request) == NULL && request.is_there) {
        require(request.uidvalidity > 0 && (!request.has_known || request.known.is_saved || request.known.n > 0));
    }
    qresync_free(&request);
    parser = start;
    require(!search_parse_return(&parser, &wanted) || !wanted.is_there || wanted.min || wanted.max || wanted.count ||
            wanted.all || wanted.save);
    parser = start;
    (void)parse_id(&parser);
    require(fuzz_lies_in(parser.at, 0, command->s, command->len));
}

static void try_dates(struct parser start)
{
    struct parser parser = start;
    int64_t seconds;
    if (parse_date_time(&parser, &seconds)) {
        ptrdiff_t n = parser.at - start.at; /* a day of one digit may lack its blank, one of two have one */
        require(seconds > -63000000000 && seconds < 260000000000 && n >= 27 && n <= 29);
    } else {
        require(parser.at == start.at);
    }
    parser = start;
    if (parse_date(&parser, &seconds)) {
        require(seconds % 86400 == 0 && parser.at - start.at <= 13);
    } else {
        require(parser.at == start.at);
    }
}

/* Behind each blank of the command, in a copy of its own: quoted strings are unescaped in place. */
static void try_parsers(const stralloc *command)
{
    stralloc copy = STRALLOC_ZERO;
    for (size_t at = 0; at < command->len; at++) {
        if (at > 0 && command->s[at] != ' ') {
            continue;
        }
        for (unsigned which = 0; which < 4; which++) {
            str_copy(&copy, command->s, command->len);
            struct parser parser = {copy.s + at, copy.s + copy.len};
            struct parser behind = {copy.s + at + (at + 1 < copy.len), copy.s + copy.len};
            switch (which) {
            case 0:
                try_fetch(parser, &copy);
                break;
            case 1:
                try_flags(behind, &copy);
                break;
            case 2:
                try_rest(behind, &copy);
                break;
            default:
                try_dates(behind);
            }
        }
    }
    stralloc_free(&copy);
}

static void try_command(enum input_result result)
{
    const stralloc *command = &input.command;
    struct parser parser = {command->s, command->s + command->len};
    struct slice tag;
    require(command->len <= INPUT_COMMAND_MAX);
    if (result == INPUT_MESSAGE) {
        require(parse_announces_message(command->s, command->len) && command->s[command->len - 1] == '}');
        require(input.message.len <= UINT32_MAX);
    }
    if (command->len > 0 && parse_tag(&parser, &tag)) {
        require(is_inside(tag, command) && memchr(tag.bytes, '+', tag.len) == NULL && memchr(tag.bytes, '*', tag.len) == NULL);
    }
    if (command->len < 512) {
        try_parsers(command);
    }
}

/* Each byte 1 stands for LONG of them: lines and commands longer than they may be. Into a file in memory, which is fd 0. */
static void put_input(const uint8_t *data, size_t size, int fd)
{
    static stralloc bytes;
    unsigned n_long = 0;
    bytes.len = 0;
    for (size_t i = 0; i < size; i++) {
        size_t n = data[i] == 1 && n_long < LONG_MAX_N ? LONG : 1;
        n_long += n > 1;
        memset(str_room(&bytes, n), data[i], n);
        bytes.len += n;
    }
    require(ftruncate(fd, 0) == 0 && pwrite(fd, bytes.s, bytes.len, 0) == (ssize_t)bytes.len && lseek(fd, 0, SEEK_SET) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int in = -1;
    static int nothing = -1;
    in = in < 0 ? memfd_create("in", MFD_CLOEXEC) : in;
    nothing = nothing < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : nothing;
    put_input(data, size, in);
    wire_init(&session.wire, in, nothing, 10);
    input.wire = &session.wire;
    input.has_message = false;
    for (size_t n = 0;; n++) {
        enum input_result result = input_read(&input);
        require(n <= size && input.command.len <= INPUT_COMMAND_MAX);
        if (result == INPUT_END || result == INPUT_GONE || result == INPUT_TIMEOUT) {
            return 0;
        }
        if (result == INPUT_COMMAND || result == INPUT_MESSAGE) {
            try_command(result);
        }
    }
}
