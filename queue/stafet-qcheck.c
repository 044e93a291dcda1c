/* SPDX-License-Identifier: ISC */
/* stafet-qcheck(1): a message file in words, and the damage in a spool. Reads only; runs as whoever may read the spool (root,
 * stafets). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/home.h"
#include "lib/msgid.h"
#include "lib/str.h"
#include "queue/qcheck_spool.h"

enum { EXIT_GOOD = 0, EXIT_DAMAGE = 1, EXIT_NOT_NOW = 111 };

static void say(const stralloc *text)
{
    size_t at = 0;
    while (at < text->len) {
        ssize_t n = write(1, text->s + at, text->len - at);
        if (n < 0) {
            die_temporary("cannot write the report");
        }
        at += (size_t)n;
    }
}

/* Where the file of `what` is: a file by that name, else the message of that id, then in the home folder. The folder to open it
 * from. */
static int locate(const char *what, const char *home, stralloc *name)
{
    str_copys(name, what);
    if (access(what, F_OK) == 0 || !msgid_is_valid(what, strlen(what))) {
        return AT_FDCWD;
    }
    int here = open(".", O_PATH | O_CLOEXEC);
    home_enter(home);
    int dir = open(".", O_PATH | O_CLOEXEC);
    if (qcheck_spool_find(what, name) < 0) {
        die_temporary("the spool cannot be read: run this as root or stafets");
    }
    if (here < 0 || dir < 0 || fchdir(here) < 0) {
        die_temporary("cannot go back to the folder I was started in");
    }
    (void)close(here);
    return dir;
}

static int show(struct qcheck_file *file, const char *what, const char *home)
{
    stralloc name = STRALLOC_ZERO, out = STRALLOC_ZERO;
    int dir = locate(what, home, &name);
    qcheck_file_read(file, dir, str_text(&name));
    qcheck_file_print(&out, file, str_text(&name));
    say(&out);
    if (dir >= 0) {
        (void)close(dir);
    }
    stralloc_free(&name);
    stralloc_free(&out);
    return file->verdict == QCHECK_GOOD ? EXIT_GOOD : file->verdict == QCHECK_UNREADABLE ? EXIT_NOT_NOW : EXIT_DAMAGE;
}

static int check_all(void)
{
    static struct qcheck_spool spool;
    if (qcheck_spool_walk(&spool) < 0) {
        die_temporary("the spool cannot be read: run this as root or stafets");
    }
    str_catf(&spool.report, "%zu message%s, %zu damaged, %zu torn, %zu unfinished\n", spool.messages,
             spool.messages == 1 ? "" : "s", spool.damaged, spool.torn, spool.unfinished);
    say(&spool.report);
    return spool.damaged > 0 ? EXIT_DAMAGE : EXIT_GOOD;
}

int main(int argc, char **argv)
{
    static struct qcheck_file file;
    const char *home = NULL;
    bool all = false;
    int letter, worst = EXIT_GOOD;
    program_start("stafet-qcheck");
    while ((letter = getopt(argc, argv, "+aH:")) != -1) {
        if (letter == 'a') {
            all = true;
        } else if (letter == 'H') {
            home = optarg;
        } else {
            die_permanent("usage: stafet-qcheck [-H home] -a | id | file ...");
        }
    }
    if (all == (optind < argc)) {
        die_permanent("usage: stafet-qcheck [-H home] -a | id | file ...");
    }
    if (all) {
        home_enter(home);
        return check_all();
    }
    for (; optind < argc; optind++) {
        int code = show(&file, argv[optind], home);
        worst = code > worst ? code : worst;
    }
    return worst;
}
