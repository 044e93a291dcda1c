/* SPDX-License-Identifier: ISC */
/* Warm cdbs. They are replaced by rename, never in place, so a map that is open stays whole; one stat a question finds its
 * successor. */
#include "auth/route_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "auth/userdb.h"
#include "lib/log.h"
#include "lib/str.h"

#define ASSIGN_NAME        "users/cdb"
#define MORERCPTHOSTS_NAME "control/morercpthosts.cdb"

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Does `name` still show the file that `open` tells of? */
static bool is_current(const char *name, const struct stat *open_file)
{
    struct stat now;
    return stat(name, &now) == 0 && is_same_file(&now, open_file);
}

int route_open_assign(struct route_config *config)
{
    if (config->is_assign_open && is_current(ASSIGN_NAME, &config->assign.map.stat)) {
        return 1;
    }
    if (config->is_assign_open) {
        assign_close(&config->assign);
        config->is_assign_open = false;
    }
    if (assign_open(&config->assign, AT_FDCWD) < 0) {
        if (errno == ENOENT) {
            return 0;
        }
        log_event("alert", "what=%s file=%s error=%s", "assignments cannot be read", ASSIGN_NAME, strerror(errno));
        return -1;
    }
    config->is_assign_open = true;
    return 1;
}

static int open_morercpthosts(struct route_config *config)
{
    if (config->is_morercpthosts_open && is_current(MORERCPTHOSTS_NAME, &config->morercpthosts.stat)) {
        return 1;
    }
    if (config->is_morercpthosts_open) {
        cdbmap_close(&config->morercpthosts);
        config->is_morercpthosts_open = false;
    }
    if (cdbmap_open(&config->morercpthosts, AT_FDCWD, MORERCPTHOSTS_NAME) < 0) {
        if (errno == ENOENT) {
            return 0;
        }
        log_event("alert", "what=%s file=%s error=%s", "domains cannot be read", MORERCPTHOSTS_NAME, strerror(errno));
        return -1;
    }
    config->is_morercpthosts_open = true;
    return 1;
}

int route_morercpthosts_has(struct route_config *config, const char *domain, size_t n)
{
    char key[256];
    int opened = open_morercpthosts(config);
    if (opened != 1 || n >= sizeof key) {
        return opened < 0 ? -1 : 0;
    }
    memcpy(key, domain, n);
    str_lower(key, n);
    for (size_t at = 0; at < n; at++) {
        const char *value;
        size_t value_len;
        if (at > 0 && key[at] != '.') {
            continue;
        }
        int found = cdbmap_find(&config->morercpthosts, key + at, n - at, &value, &value_len);
        if (found != 0) {
            return found;
        }
    }
    return 0;
}

/* The compiled name counts too where it is the same folder (the working directory may have been reached by a link). */
void route_config_start(struct route_config *config)
{
    static char home[1024];
    struct stat here, compiled;
    if (stat(".", &here) == 0 && stat(STAFET_HOME, &compiled) == 0 && here.st_dev == compiled.st_dev &&
        here.st_ino == compiled.st_ino) {
        config->home = STAFET_HOME;
    } else {
        config->home = getcwd(home, sizeof home) != NULL ? home : "";
    }
    struct stat domains;
    bool is_known = stat("domains", &domains) == 0 || stat(VPOPMAIL_HOME "/domains", &domains) == 0;
    config->mailbox_uid = is_known ? (int64_t)domains.st_uid : -1;
}

const char *route_relative(const struct route_config *config, const char *dir)
{
    return userdb_relative_dir(dir, config->home);
}
