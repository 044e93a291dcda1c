/* SPDX-License-Identifier: ISC */
/* Names become folders, cdb keys and lines of text files. What is refused here can never be a path step, a second line or a
 * second field. */
#include "auth/names.h"

#include <string.h>

#include "auth/userdb.h"
#include "lib/str.h"

static const struct names_fault good = {VA_SUCCESS, NULL};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static const char *find_label_fault(const char *label, size_t n)
{
    if (n == 0) {
        return "two dots stand side by side, or a dot at an end";
    }
    if (n > 63) {
        return "a part between dots is longer than 63 characters";
    }
    if (label[0] == '-' || label[n - 1] == '-') {
        return "a part begins or ends with a hyphen";
    }
    return NULL;
}

static const char *find_domain_fault(const char *text, size_t n)
{
    size_t start = 0;
    bool has_letter = false, has_dot = false;
    for (size_t i = 0; i <= n; i++) {
        if (i < n && text[i] != '.') {
            if (!is_letter(text[i]) && !is_digit(text[i]) && text[i] != '-') {
                return "only letters, digits, hyphens and dots make a domain (an international name in its xn-- form)";
            }
            has_letter = has_letter || is_letter(text[i]);
            continue;
        }
        const char *fault = find_label_fault(text + start, i - start);
        if (fault != NULL) {
            return fault;
        }
        if (i < n) {
            has_dot = true;
            has_letter = false;
            start = i + 1;
        }
    }
    if (!has_dot) {
        return "a mail domain has a dot in it, as in example.org";
    }
    return has_letter && n - start >= 2 ? NULL : "the last part is not that of a domain";
}

struct names_fault names_check_domain(const char *text, char *out)
{
    size_t n = strlen(text);
    if (n > NAMES_DOMAIN_MAX) {
        return (struct names_fault){VA_DOMAIN_NAME_TOO_LONG, "at most 96 characters"};
    }
    const char *fault = n < 3 ? "at least 3 characters" : find_domain_fault(text, n);
    if (fault != NULL) {
        return (struct names_fault){VA_INVALID_DOMAIN_NAME, fault};
    }
    memcpy(out, text, n + 1);
    str_lower(out, n);
    return good;
}

struct names_fault names_check_user(const char *text, char *out)
{
    char lower[NAMES_USER_MAX + 1];
    size_t n = strlen(text);
    if (n > NAMES_USER_MAX) {
        return (struct names_fault){VA_USER_NAME_TOO_LONG, "at most 64 characters"};
    }
    if (n == 0) {
        return (struct names_fault){VA_ILLEGAL_USERNAME, "there is no name before the @"};
    }
    if (text[0] == '.') {
        return (struct names_fault){VA_ILLEGAL_USERNAME, "a name does not begin with a dot: such folders belong to the domain"};
    }
    memcpy(lower, text, n + 1);
    str_lower(lower, n);
    if (strncmp(lower, "vpasswd", 7) == 0 && (lower[7] == '\0' || lower[7] == '.')) {
        return (struct names_fault){VA_ILLEGAL_USERNAME, "vpasswd is the name of the domain's password file"};
    }
    if (!userdb_name_is_good(lower, n)) {
        return (struct names_fault){
            VA_ILLEGAL_USERNAME,
            "a name holds letters, digits and !#$&'*+-.=?^_`{|}~ (no slash, space, colon or 8-bit character)"};
    }
    memcpy(out, lower, n + 1);
    return good;
}

struct names_fault names_check_email(const char *text, struct names_email *out)
{
    struct names_email email = {.domain = ""};
    char user[NAMES_USER_MAX + 2];
    const char *separator = NULL;
    for (const char *c = "@%/"; *c != '\0' && separator == NULL; c++) {
        separator = strchr(text, *c);
    }
    size_t n = separator == NULL ? strlen(text) : (size_t)(separator - text);
    if (n > NAMES_USER_MAX) {
        return (struct names_fault){VA_USER_NAME_TOO_LONG, "at most 64 characters stand before the @"};
    }
    memcpy(user, text, n);
    user[n] = '\0';
    struct names_fault fault = names_check_user(user, email.user);
    if (fault.code == VA_SUCCESS && separator != NULL) {
        fault = names_check_domain(separator + 1, email.domain);
    }
    if (fault.code == VA_SUCCESS) {
        *out = email;
    }
    return fault;
}

struct names_fault names_check_gecos(const char *text)
{
    size_t n = strlen(text);
    if (n > NAMES_GECOS_MAX) {
        return (struct names_fault){VA_GECOS_TOO_LONG, "at most 64 bytes"};
    }
    for (size_t i = 0; i < n; i++) {
        if (text[i] == ':') {
            return (struct names_fault){VA_BAD_CHAR, "a comment holds no colon: the password file separates its fields with it"};
        }
        if (is_control(text[i])) {
            return (struct names_fault){VA_BAD_CHAR, "a comment is one line without control characters"};
        }
    }
    return good;
}

struct names_fault names_check_line(const char *text)
{
    size_t n = strlen(text);
    if (n > 499) {
        return (struct names_fault){VA_ALIAS_LINE_TOO_LONG, "at most 499 bytes: some readers of .qmail files cut there"};
    }
    if (n == 0) {
        return (struct names_fault){VA_BAD_CHAR, "the line is empty"};
    }
    for (size_t i = 0; i < n; i++) {
        if (is_control(text[i]) && text[i] != '\t') {
            return (struct names_fault){VA_BAD_CHAR,
                                        "an alias is one line without control characters: call valias once for each line"};
        }
    }
    return good;
}

bool names_is_shell_safe(const char *text)
{
    for (; *text != '\0'; text++) {
        if (!is_letter(*text) && !is_digit(*text) && strchr("._+=,:@/-", *text) == NULL) {
            return false;
        }
    }
    return true;
}
