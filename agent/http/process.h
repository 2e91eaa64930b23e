/* SPDX-License-Identifier: MIT */
/* What this process uses of the machine. */
#ifndef WSB_PROCESS_H
#define WSB_PROCESS_H

#include "core/report/report.h"

/* Fills *out from /proc/self; what cannot be read stays 0. Opens and closes a few files. */
void process_read(struct report_process *out);

#endif
