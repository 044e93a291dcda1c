/* SPDX-License-Identifier: ISC */
/* The disk's own limit: -c processes at once each create, write -s bytes, fsync, rename in the folder given; -n files in all;
 * with -d the folder is synced too. Prints: files N seconds S. */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "load.h"

static void run(unsigned number, unsigned files, size_t size, bool syncs_folder)
{
    char from[60], to[60];
    char *page = calloc(1, size);
    int folder = open("new", O_RDONLY | O_DIRECTORY);
    for (unsigned i = 0; page != NULL && i < files; i++) {
        snprintf(from, sizeof from, "tmp/%u.%u", number, i);
        snprintf(to, sizeof to, "new/%u.%u", number, i);
        int fd = open(from, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (fd < 0 || write(fd, page, size) != (ssize_t)size || fsync(fd) < 0 || rename(from, to) < 0 ||
            (syncs_folder && fsync(folder) < 0)) {
            err(111, "%s", from);
        }
        close(fd);
    }
    exit(0);
}

int main(int argc, char **argv)
{
    unsigned processes = 1, files = 1000, size = 2048;
    bool syncs_folder = false;
    int letter;
    while ((letter = getopt(argc, argv, "c:n:s:d")) != -1) {
        if (letter == 'd') {
            syncs_folder = true;
        } else if (letter == 'c') {
            processes = load_number(optarg);
        } else if (letter == 'n') {
            files = load_number(optarg);
        } else if (letter == 's') {
            size = load_number(optarg);
        }
    }
    if (optind + 1 != argc || chdir(argv[optind]) < 0) {
        errx(100, "usage: load_disk [-c processes] [-n files] [-s bytes] [-d] FOLDER");
    }
    if (mkdir("tmp", 0700) < 0 || mkdir("new", 0700) < 0) {
        err(111, "mkdir");
    }
    uint64_t start = load_now_us();
    for (unsigned i = 0; i < processes; i++) {
        if (fork() == 0) {
            run(i, files / processes, size, syncs_folder);
        }
    }
    int status = 0, worst = 0;
    while (wait(&status) > 0) {
        worst |= status;
    }
    printf("files %u seconds %.6f\n", files / processes * processes, (double)(load_now_us() - start) / 1e6);
    return worst != 0;
}
