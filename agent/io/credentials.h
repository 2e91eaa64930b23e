/* SPDX-License-Identifier: MIT */
/* The HTTP endpoint's token and certificate, which live in files and are renewed there. */
#ifndef WSB_CREDENTIALS_H
#define WSB_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/why.h"
#include "io/watchedfile.h"

enum credentials_file { CREDENTIALS_TOKEN, CREDENTIALS_CERT, CREDENTIALS_KEY, CREDENTIALS_N_FILES };

/* Zeroed memory holds none. The token is without the blanks at its end, PEM as it stands. */
struct credentials {
	struct watchedfile files[CREDENTIALS_N_FILES];
};

/*
 * Reads the files of the given paths, any of which may be NULL; the token's must be one line. On
 * true the caller ends *out with credentials_fini. On false *out is untouched, and *why names
 * the file.
 */
bool credentials_load(
	struct credentials *out, const char *const paths[CREDENTIALS_N_FILES], struct why *why);
void credentials_fini(struct credentials *credentials);

/* Some file is another than when it was read. */
bool credentials_are_old(const struct credentials *credentials);

/* The text, or NULL where there is no such file. It is the credentials'. */
const char *credentials_text(const struct credentials *credentials, enum credentials_file file);

#endif
