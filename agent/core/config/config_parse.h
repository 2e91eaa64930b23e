/* SPDX-License-Identifier: MIT */
/* The configuration file: YAML bytes in, a checked struct out. */
#ifndef WSB_CONFIG_PARSE_H
#define WSB_CONFIG_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config/config.h"
#include "core/config/config_expand.h"
#include "core/config/config_mistakes.h"

/*
 * Parses a whole file; opens no other and resolves no name. On success the caller owns *out and
 * frees it with config_fini. On failure *out is untouched and *mistakes holds at least one: all
 * that is wrong with single keys, or, when nothing is, all that is wrong between them; but where
 * the text is not YAML, that alone. A NULL in lookup means that no variable is set.
 */
bool config_parse(const char *text, size_t len, config_getenv lookup, void *arg, struct config *out,
	struct config_mistakes *mistakes);

#endif
