/* SPDX-License-Identifier: MIT */
/* What is to be known of certificates in PEM. */
#ifndef WSB_CERTIFICATE_H
#define WSB_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/why.h"

/* Of the first certificate in this PEM, in seconds since the epoch; -1 where there is none, or none
 * that can be read. */
int64_t certificate_ends_s(const char *pem);

/* Whether the file holds certificates in PEM, and whether two files are a certificate and its key.
 */
bool certificate_check_ca(const char *path, struct why *why);
bool certificate_check_pair(const char *cert, const char *key, struct why *why);

/* The same of a text that holds both. */
bool certificate_check_pem(const char *pem, struct why *why);

enum { CERTIFICATE_PRINT_SIZE = 65 };

/* What a PEM is known by: its first certificate by SHA-1, as HAProxy shows it, and all of the text
 * by SHA-256; hexadecimal, in capitals. */
struct certificate_print {
	char sha1[CERTIFICATE_PRINT_SIZE];
	char whole[CERTIFICATE_PRINT_SIZE];
};

/* False, with *why set, where there is no certificate. */
bool certificate_print(const char *pem, struct certificate_print *out, struct why *why);

#endif
