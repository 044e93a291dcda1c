/* SPDX-License-Identifier: ISC */
/* Login names come from strangers. What passes here is a possible key of vpasswd.cdb and users/cdb, and nothing else. */
#include "auth/login.h"

#include <string.h>

#include "auth/userdb.h"
#include "lib/str.h"

static bool is_domain(const char *bytes, size_t n)
{
    if (n == 0 || n > LOGIN_DOMAIN_MAX || bytes[0] == '.' || bytes[0] == '-' || bytes[n - 1] == '.') {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool is_letter = (bytes[i] >= 'a' && bytes[i] <= 'z') || (bytes[i] >= '0' && bytes[i] <= '9') || bytes[i] == '-';
        if (!is_letter && (bytes[i] != '.' || bytes[i + 1] == '.')) {
            return false;
        }
    }
    return true;
}

static const char *find_separator(const char *name, size_t n)
{
    for (const char *separator = "@%/"; *separator != '\0'; separator++) {
        const char *at = memchr(name, *separator, n);
        if (at != NULL) {
            return at;
        }
    }
    return NULL;
}

bool login_parse(const char *name, size_t n, const char *otherwise, struct login *out)
{
    struct login login;
    const char *at = find_separator(name, n);
    size_t user_len = at != NULL ? (size_t)(at - name) : n;
    const char *domain = at != NULL ? at + 1 : otherwise == NULL ? "" : otherwise;
    size_t domain_len = at != NULL ? n - user_len - 1 : strlen(domain);
    if (user_len == 0 || user_len > LOGIN_USER_MAX || domain_len == 0 || domain_len > LOGIN_DOMAIN_MAX) {
        return false;
    }
    memcpy(login.user, name, user_len);
    memcpy(login.domain, domain, domain_len);
    login.user[user_len] = login.domain[domain_len] = '\0';
    str_lower(login.user, user_len);
    str_lower(login.domain, domain_len);
    if (!userdb_name_is_good(login.user, user_len) || !is_domain(login.domain, domain_len)) {
        return false;
    }
    *out = login;
    return true;
}
