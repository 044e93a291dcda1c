/* SPDX-License-Identifier: ISC */
/* Tools find the home folder (CONTRACTS 1, "Finding home"); services are started in it. */
#ifndef HOME_H
#define HOME_H

/* Makes the home folder the working directory: `option` (-H, may be NULL), else $STAFET_HOME, else the compiled one. Death (111)
 * with the reason where that cannot be. */
void home_enter(const char *option);
/* Its name only, for programs that say it in their own way. */
const char *home_folder(const char *option);

#endif
