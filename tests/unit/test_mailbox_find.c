/* SPDX-License-Identifier: ISC */
/* lib/mailbox_find: the order of messages, and a list that gets the names of now while others rename and remove. */
#include "lib/mailbox_find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static struct mailbox one_box, other_box;
static stralloc text;

static struct mailbox_message message(struct mailbox *box, uint64_t order_us, const char *base, uint8_t state)
{
    struct mailbox_message out = {.order_us = order_us,
                                  .name_at = (uint32_t)box->names.len,
                                  .name_len = (uint8_t)strlen(base),
                                  .base_len = (uint8_t)strlen(base),
                                  .state = state};
    str_cat(&box->names, base, strlen(base) + 1);
    return out;
}

static void order(void)
{
    static const struct {
        uint64_t a_us, b_us;
        const char *a, *b;
        int want;
        const char *name;
    } table[] = {
        {1, 2, "z", "a", -1, "who_came_first_is_first"},
        {MAILBOX_UNKNOWN, 5, "a", "b", 1, "whose_time_nobody_knows_is_last"},
        {5, 5, "a", "b", -1, "at_one_time_the_names_decide"},
        {5, 5, "a", "ab", -1, "a_shorter_one_before_what_goes_on"},
        {5, 5, "a", "\xff", -1, "by_bytes"},
        {5, 5, "a", "a", 0, "one_name_is_one_message"},
        {4, 5, "a", "a", -1, "unless_its_times_are_two"},
        {UINT64_MAX - 1, 0, "a", "a", 1, "times_may_be_far_apart"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct mailbox_message a = message(&one_box, table[i].a_us, table[i].a, 0);
        struct mailbox_message b = message(&other_box, table[i].b_us, table[i].b, 0);
        int there = mailbox_compare(&one_box, &a, &other_box, &b);
        int back = mailbox_compare(&other_box, &b, &one_box, &a);
        is_number((there > 0) - (there < 0), table[i].want, table[i].name);
        ok((back > 0) - (back < 0) == -table[i].want, "and_the_other_way_round");
    }
}

static const char *bases(const struct mailbox *box)
{
    text.len = 0;
    for (uint32_t i = 0; i < box->n; i++) {
        str_catf(&text, "%s%s%s", i > 0 ? " " : "", box->message[i].state & MAILBOX_IS_NEW ? "new/" : "", mailbox_name(box, i));
    }
    return str_text(&text);
}

static void sorting(void)
{
    struct mailbox box = {.names = STRALLOC_ZERO};
    struct mailbox_message list[6];
    mailbox_sort(&box);
    ok(box.n == 0, "nothing_is_in_order");
    box.message = list;
    list[0] = message(&box, 9, "late", 0);
    list[1] = message(&box, 5, "b", 0);
    list[2] = message(&box, 5, "a", 0);
    list[3] = message(&box, MAILBOX_UNKNOWN, "odd", 0);
    list[4] = message(&box, 5, "a", MAILBOX_IS_NEW);
    list[5] = message(&box, 0, "first", 0);
    box.n = 1;
    mailbox_sort(&box);
    is(bases(&box), "late", "one_is_too");
    box.n = 6;
    mailbox_sort(&box);
    is(bases(&box), "first new/a a b late odd", "by_time_and_name_that_of_new_before_its_double");
    stralloc_free(&box.names);
}

static void put(const char *name)
{
    scratch_put(AT_FDCWD, name, "A: b\n\n");
}

static void rename_to(const char *from, const char *to)
{
    if (rename(from, to) < 0) {
        perror(from);
        exit(111);
    }
}

/* `FOLDER/NAME FLAGS` of each message; gone ones by their last name. */
static const char *state(const struct mailbox *box)
{
    text.len = 0;
    for (uint32_t i = 0; i < box->n; i++) {
        const struct mailbox_message *one = &box->message[i];
        str_catf(&text, "%s%s%s %u%s", i > 0 ? ", " : "", one->state & MAILBOX_IS_NEW ? "new/" : "cur/", mailbox_name(box, i),
                 one->flags, one->state & MAILBOX_IS_GONE ? " gone" : "");
    }
    return str_text(&text);
}

static void open_box(struct mailbox *box)
{
    if (mailbox_open(box, AT_FDCWD, "M") < 0 || mailbox_scan(box) < 0) {
        perror("M");
        exit(111);
    }
}

static void refreshing(void)
{
    struct mailbox box;
    if (mkdir("M", 0700) < 0 || mkdir("M/new", 0700) < 0 || mkdir("M/cur", 0700) < 0) {
        exit(111);
    }
    put("M/cur/10.a:2,S");
    put("M/new/11.b");
    put("M/cur/12.c:2,");
    put("M/cur/13.d:2,F");
    open_box(&box);
    is(state(&box), "cur/10.a:2,S 16, new/11.b 0, cur/12.c:2, 0, cur/13.d:2,F 2", "four_messages");
    size_t names = box.names.len;
    is_number(mailbox_refresh(&box), 0, "nothing_happened");
    ok(box.names.len == names, "names_that_stay_take_no_room");
    box.message[0].state |= MAILBOX_STATE_OWN;
    rename_to("M/cur/10.a:2,S", "M/cur/10.a:2,RS");
    rename_to("M/new/11.b", "M/cur/11.b:2,T");
    rename_to("M/cur/13.d:2,F", "M/new/13.d");
    (void)unlink("M/cur/12.c:2,");
    put("M/new/14.e");
    is_number(mailbox_refresh(&box), 0, "others_do_much");
    is(state(&box), "cur/10.a:2,RS 24, cur/11.b:2,T 32, cur/12.c:2, 0 gone, new/13.d 0", "names_and_flags_are_those_of_now");
    ok(box.message[0].state & MAILBOX_STATE_OWN, "what_the_caller_marked_stays");
    put("M/cur/12.c:2,S");
    is_number(mailbox_refresh(&box), 0, "one_is_put_back");
    ok(box.message[2].state & MAILBOX_IS_GONE, "gone_is_gone");
    is(mailbox_name(&box, 2), "12.c:2,S", "whatever_its_name_is");
    mailbox_close(&box);
}

/* One that lost its name for a moment is found by one scan, and one that is gone costs one scan only. */
static void looking_again(void)
{
    struct mailbox box;
    struct stat stat;
    open_box(&box);
    is(state(&box), "cur/10.a:2,RS 24, cur/11.b:2,T 32, cur/12.c:2,S 16, new/13.d 0, new/14.e 0", "five_messages");
    rename_to("M/cur/10.a:2,RS", "M/cur/10.a:2,");
    rename_to("M/new/13.d", "M/cur/13.d:2,D");
    int fd = mailbox_open_message(&box, 0);
    ok(fd >= 0 && fstat(fd, &stat) == 0 && stat.st_size == 6, "a_renamed_one_is_opened");
    close(fd);
    is(mailbox_name(&box, 3), "13.d:2,D", "and_the_scan_told_all_names");
    (void)unlink("M/cur/11.b:2,T");
    ok(mailbox_open_message(&box, 1) < 0 && errno == ENOENT && box.message[1].state & MAILBOX_IS_GONE, "one_that_went_is_gone");
    is_number(mailbox_remove(&box, 1), 0, "and_cannot_be_removed");
    rename_to("M/cur/12.c:2,S", "M/cur/12.c:2,ST");
    is_number(mailbox_remove(&box, 2), 1, "one_is_removed_by_its_new_name");
    ok(access("M/cur/12.c:2,ST", F_OK) < 0, "from_the_disk");
    ok(mkdir("M/cur/99.dir", 0700) == 0 && unlink("M/new/14.e") == 0 && mkdir("M/new/14.e", 0700) == 0, "a_folder_for_a_message");
    ok(mailbox_open_message(&box, 4) < 0 && errno == EINVAL, "is_no_message");
    ok(mailbox_remove(&box, 4) < 0 && errno == EISDIR, "and_not_removed");
    close(box.cur);
    box.cur = -1;
    ok(mailbox_refresh(&box) < 0 && errno == EBADF, "a_folder_that_cannot_be_read_is_an_error");
    ok(mailbox_open_message(&box, 0) < 0 && errno == EBADF && !(box.message[0].state & MAILBOX_IS_GONE), "and_nothing_is_gone");
    mailbox_close(&box);
}

static void moving(void)
{
    struct mailbox box;
    put("M/new/20.x");
    put("M/new/21.y");
    put("M/cur/21.y:2,");
    put("M/cur/22.z:2,");
    open_box(&box);
    uint32_t last = box.n - 1;
    is(mailbox_name(&box, last), "22.z:2,", "one_of_cur");
    is_number(mailbox_move_to_cur(&box, last), 0, "is_there_already");
    for (uint32_t i = 0; i < box.n; i++) {
        if (strcmp(mailbox_name(&box, i), "20.x") == 0) {
            box.message[i].flags = MAILBOX_SEEN | MAILBOX_DRAFT;
            is_number(mailbox_move_to_cur(&box, i), 0, "one_of_new_moves");
            is(mailbox_name(&box, i), "20.x:2,DS", "with_its_flags");
            ok(!(box.message[i].state & MAILBOX_IS_NEW) && access("M/cur/20.x:2,DS", F_OK) == 0, "and_is_new_no_more");
        }
    }
    put("M/new/23.w");
    mailbox_close(&box);
    open_box(&box);
    put("M/cur/23.w:2,");
    ok(mailbox_move_to_cur(&box, box.n - 1) < 0 && errno == EEXIST, "never_over_another");
    ok(box.message[box.n - 1].state & MAILBOX_IS_NEW, "it_stays_new");
    mailbox_close(&box);
}

int main(void)
{
    scratch_begin();
    order();
    sorting();
    refreshing();
    looking_again();
    moving();
    return scratch_end(done());
}
