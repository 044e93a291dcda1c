/* SPDX-License-Identifier: ISC */
/* -H means something else to qmail-inject and nothing to sendmail, so only STAFET_HOME names another home. */
#include "queue/inject_home.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/control.h"
#include "lib/home.h"

static struct {
    const char *default_domain, *default_host, *env_no_at_host, *id_host, *plus_domain;
} settings;
static const struct control_entry controls[] = {{"defaultdomain", CONTROL_TEXT, "=me", 0, 0, &settings.default_domain},
                                                {"defaulthost", CONTROL_TEXT, "=me", 0, 0, &settings.default_host},
                                                {"envnoathost", CONTROL_TEXT, "=me", 0, 0, &settings.env_no_at_host},
                                                {"idhost", CONTROL_TEXT, "=me", 0, 0, &settings.id_host},
                                                {"plusdomain", CONTROL_TEXT, "=me", 0, 0, &settings.plus_domain},
                                                {0}};

static const char *require(const char *setting, enum inject_name name)
{
    if (setting == NULL || *setting == '\0') {
        inject_fail(name, &inject_no_me, NULL);
    }
    return setting;
}

static const char *choose(const char *variable, const char *setting, enum inject_name name)
{
    const char *value = getenv(variable);
    return value != NULL && *value != '\0' ? value : require(setting, name);
}

void inject_home_enter(enum inject_name name, struct inject_home *out)
{
    const char *home = home_folder(NULL);
    if (chdir(home) < 0) {
        inject_fail(name, &inject_no_home, home);
    }
    if (control_load(controls) < 0) {
        inject_fail(name, &inject_bad_control, NULL);
    }
    out->hosts.host = choose("QMAILDEFAULTHOST", settings.default_host, name);
    out->hosts.domain = choose("QMAILDEFAULTDOMAIN", settings.default_domain, name);
    out->hosts.plus = choose("QMAILPLUSDOMAIN", settings.plus_domain, name);
    out->id_host = choose("QMAILIDHOST", settings.id_host, name);
    out->no_at_host = require(settings.env_no_at_host, name);
}
