/* SPDX-License-Identifier: MIT */
/* A certificate's file, beside which its key lies, and which is renewed. */
#ifndef WSB_CERTFILE_H
#define WSB_CERTFILE_H

#include <stdbool.h>

#include "core/base/why.h"
#include "io/certificate.h"
#include "io/watchedfile.h"

/* Zeroed memory is none. Of what the file holds it keeps nothing but what that is known by. */
struct certfile {
	struct watchedfile file;
	struct certificate_print print; /* as read last; empty: never */
};

/* path is copied; nothing is read yet. False when out of memory. */
bool certfile_init(struct certfile *file, const char *path);
void certfile_fini(struct certfile *file);

/* Reads it where it is another than when it was read. On false *why is set, and what was known
 * before stays. */
bool certfile_look(struct certfile *file, struct why *why);

/*
 * Certificates and key as pem.h packs them, for the caller to free with certfile_forget. The key is
 * in the file, or where HAProxy looks for it: in PATH.key, or PATH with .key for its extension
 * (ssl-load-extra-del-ext). NULL, with *why set, where one is missing or they do not belong
 * together: while both are being written that is so for a moment.
 */
char *certfile_read_pair(const struct certfile *file, struct why *why);

/* Overwrites a text that holds a key, and frees it. Takes NULL. */
void certfile_forget(char *text);

#endif
