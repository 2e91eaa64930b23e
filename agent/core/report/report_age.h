/* SPDX-License-Identifier: MIT */
/* Ages for people. */
#ifndef WSB_REPORT_AGE_H
#define WSB_REPORT_AGE_H

#include <stddef.h>

/* "0.4 s", "42 s", "5 min", "3 h 10 min", "2 d 4 h"; less than 0, and what is no
 * number, is 0, and more than a thousand years is those; written to buf, which 40 bytes
 * always suffice for; returns buf. */
char *report_age(double s, char *buf, size_t size);

/* The same without tenths: "7 s". */
char *report_age_whole(double s, char *buf, size_t size);

#endif
