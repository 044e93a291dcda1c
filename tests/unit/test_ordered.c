/* SPDX-License-Identifier: ISC */
/* lib/ordered: which mounts let a sync of a folder be left out. */
#include "lib/ordered.h"
#include "tests/tap.h"

static const char mounts[] = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
                             "30 22 8:2 / /srv rw - xfs /dev/sdb rw,attr2\n"
                             "31 22 0:40 / /tmp rw - tmpfs tmpfs rw\n"
                             "32 22 8:3 / /a rw - ext4 /dev/sdc rw,nobarrier\n"
                             "33 22 8:4 / /b rw - ext4 /dev/sdd rw,data=writeback\n"
                             "34 22 8:5 / /c rw - ext4 /dev/sde rw\n"
                             "35 22 8:5 /x /d rw - ext4 /dev/sde rw,barrier=0\n"
                             "36 22 8:6 / /e rw master:1 propagate_from:2 - ext4 /dev/sdf rw\n"
                             "37 22 8:7 / /f rw - btrfs /dev/sdg rw\n"
                             "38 22 8:8 / /g rw - ext4";

static bool is_safe(unsigned major, unsigned minor)
{
    return ordered_mount_is_safe(mounts, sizeof mounts - 1, major, minor);
}

int main(void)
{
    ok(is_safe(8, 1) && is_safe(8, 2), "ext4_and_xfs_are_ordered");
    ok(is_safe(8, 6), "optional_fields_are_passed_over");
    ok(!is_safe(0, 40) && !is_safe(8, 7), "others_are_not_known_to_be");
    ok(!is_safe(8, 3) && !is_safe(8, 4), "options_that_give_the_order_up");
    ok(!is_safe(8, 5), "one_bad_mount_of_a_device_is_enough");
    ok(!is_safe(8, 9) && !is_safe(8, 11) && !is_safe(1, 8), "a_device_that_is_not_there");
    ok(!is_safe(8, 8), "a_line_that_is_cut");
    ok(!ordered_mount_is_safe("", 0, 8, 1), "no_lines_at_all");
    ok(ordered_options_are_unsafe("rw\nfast_commit\n", 15) && ordered_options_are_unsafe("rw,noload", 9),
       "options_in_both_forms");
    ok(!ordered_options_are_unsafe("rw,barrier=1,data=ordered", 25), "harmless_options");
    return done();
}
