/* SPDX-License-Identifier: MIT */
/* What `wsbalancer -t` warns of. */
#ifndef WSB_HINTCMD_H
#define WSB_HINTCMD_H

#include "core/config/config.h"

/*
 * Asks HAProxy once, for a second at most, and prints to stderr what is probably not meant in the
 * configuration of the file at path, each in a line. Changes nothing, takes no port and refuses
 * nothing: HAProxy may well start later than this is asked.
 */
void hintcmd_run(const struct config *config, const char *path);

#endif
