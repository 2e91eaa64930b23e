/* SPDX-License-Identifier: MIT */
/* When a certificate ends. */
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

#endif
