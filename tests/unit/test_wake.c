/* SPDX-License-Identifier: ISC */
/* lib/wake: every waiter hears the bell, a dead one's fifo goes, and nobody waits for nobody. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/wake.h"
#include "tests/tap.h"

static bool rings(const struct wake *wake)
{
    struct pollfd bell = {.fd = wake->fd, .events = POLLIN};
    return poll(&bell, 1, 0) == 1;
}

int main(void)
{
    char path[] = "/tmp/stafet-wake.XXXXXX";
    struct wake one;
    struct wake two;
    struct stat stat;
    int folder = mkdtemp(path) == NULL ? -1 : open(path, O_RDONLY | O_DIRECTORY);
    if (folder < 0) {
        return 1;
    }
    wake_all(folder);
    ok(fstatat(folder, "stafet.wake", &stat, 0) < 0, "where_nobody_waits_nothing_is_made");
    is_number(wake_listen(&one, folder), 0, "one_listens");
    is_number(wake_listen(&two, folder), 0, "another_too");
    ok(!rings(&one) && !rings(&two), "silence_at_first");
    wake_all(folder);
    ok(rings(&one) && rings(&two), "both_hear_it");
    wake_drain(&one);
    ok(!rings(&one) && rings(&two), "each_has_its_own_bell");
    close(two.fd); /* as a killed session leaves it */
    wake_all(folder);
    ok(fstatat(folder, two.name, &stat, 0) < 0, "a_dead_waiters_fifo_is_removed");
    ok(rings(&one), "the_living_one_still_hears");
    int wakes = openat(folder, "stafet.wake", O_RDONLY | O_DIRECTORY);
    int file = openat(wakes, "file", O_RDWR | O_CREAT, 0600);
    char text[] = "?";
    (void)!write(file, "text", 4);
    wake_all(folder);
    ok(pread(file, text, 1, 0) == 1 && text[0] == 't', "a_file_among_the_fifos_stays_as_it_is");
    close(file);
    (void)unlinkat(wakes, "file", 0);
    close(wakes);
    wake_stop(&one);
    ok(one.fd < 0 && fstatat(folder, one.name, &stat, 0) < 0, "stop_takes_its_fifo_along");
    ok(wake_listen(&one, -1) < 0 && one.fd == -1, "a_folder_that_is_none_is_an_error");
    (void)unlinkat(folder, "stafet.wake", AT_REMOVEDIR);
    (void)rmdir(path);
    return done();
}
