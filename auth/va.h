/* SPDX-License-Identifier: ISC */
/* vpopmail's error numbers and their words: what its tools print behind "Error: ", and exit with (as a byte: -10 is 246). Scripts
 * of twenty years test them, so they are an interface. Ours that vpopmail lacks begin at -60. */
#ifndef VA_H
#define VA_H

#define VA_LIST(X)                                                                                                               \
    X(SUCCESS, 0, "Success")                                                                                                     \
    X(ILLEGAL_USERNAME, -1, "Illegal username")                                                                                  \
    X(USERNAME_EXISTS, -2, "Username exists")                                                                                    \
    X(BAD_DIR, -3, "Unable to chdir to vpopmail directory")                                                                      \
    X(BAD_D_DIR, -5, "Unable to chdir to vpopmail/domains directory")                                                            \
    X(BAD_V_DIR, -6, "Unable to chdir to vpopmail/domains/domain directory")                                                     \
    X(EXIST_U_DIR, -7, "User's directory already exists")                                                                        \
    X(SUBDIR_CREATION, -9, "Creation of user's subdirectories failed")                                                           \
    X(USER_DOES_NOT_EXIST, -10, "User does not exist")                                                                           \
    X(DOMAIN_DOES_NOT_EXIST, -11, "Domain does not exist")                                                                       \
    X(INVALID_DOMAIN_NAME, -12, "Invalid domain name")                                                                           \
    X(DOMAIN_ALREADY_EXISTS, -13, "Domain already exists")                                                                       \
    X(COULD_NOT_MAKE_DOMAIN_DIR, -14, "Could not make domain dir")                                                               \
    X(COULD_NOT_OPEN_QMAIL_DEFAULT, -15, "Could not open qmail default")                                                         \
    X(COULD_NOT_UPDATE_FILE, -17, "Could not update file")                                                                       \
    X(CRYPT_FAILED, -18, "Crypt failed")                                                                                         \
    X(COULD_NOT_OPEN_DOT_QMAIL, -19, "Could not open dot qmail file")                                                            \
    X(BAD_CHAR, -20, "bad character")                                                                                            \
    X(BAD_UID, -22, "running as invalid uid")                                                                                    \
    X(NO_AUTH_CONNECTION, -23, "no authentication database connection")                                                          \
    X(USER_NAME_TOO_LONG, -25, "user name too long")                                                                             \
    X(DOMAIN_NAME_TOO_LONG, -26, "domain name too long")                                                                         \
    X(PASSWD_TOO_LONG, -27, "password too long")                                                                                 \
    X(GECOS_TOO_LONG, -28, "gecos too long")                                                                                     \
    X(QUOTA_TOO_LONG, -29, "quota too long")                                                                                     \
    X(DIR_TOO_LONG, -30, "dir too long")                                                                                         \
    X(ALIAS_LINE_TOO_LONG, -32, "alias line too long")                                                                           \
    X(INVALID_EMAIL_CHAR, -34, "invalid email character")                                                                        \
    X(CANNOT_READ_ASSIGN, -37, "can't read users/assign file")                                                                   \
    X(CANNOT_DELETE_CATCHALL, -55, "can't delete catchall account")                                                              \
    X(POSTMASTER_IS_KEPT, -60, "postmaster can be neither deleted nor locked")                                                   \
    X(BAD_QUOTA, -61, "quota is not understood")                                                                                 \
    X(BUSY, -62, "another program changes the same files")                                                                       \
    X(BAD_FILE, -63, "a line of the file is not understood")

enum va {
#define VA_ENUM(symbol, number, words) VA_##symbol = (number),
    VA_LIST(VA_ENUM)
#undef VA_ENUM
};
/* "Unknown error" for a number that is not in the list. */
const char *va_words(enum va number);
/* 0-255, as exit(2) gives it to the shell. */
int va_exit_code(enum va number);
enum va va_from_exit_code(int code);

#endif
