/* SPDX-License-Identifier: MIT */
/* When a certificate ends. */
#ifndef WSB_CERTIFICATE_H
#define WSB_CERTIFICATE_H

#include <stdint.h>

/* Of the first certificate in this PEM, in seconds since the epoch; -1 where there is none, or none
 * that can be read. */
int64_t certificate_ends_s(const char *pem);

#endif
