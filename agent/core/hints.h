/* SPDX-License-Identifier: MIT */
/* What is probably not meant in a configuration that nothing is wrong with. */
#ifndef WSB_HINTS_H
#define WSB_HINTS_H

#include "core/config/config.h"
#include "core/haproxy/hastate.h"

/* One hint: "KEY: ..." and what to write, without a dot at its end. */
typedef void (*hints_say)(const char *text, void *arg);

/* Paths into JSON in the notation of another program. Here they are taken to the letter, so a
 * pod would be told to lack the key. */
void hints_paths(const struct config *config, hints_say say, void *arg);

/* Backends that the configuration names and HAProxy does not have. */
void hints_backends(const struct config *config, const struct hastate_snapshot *snapshot,
	hints_say say, void *arg);

#endif
