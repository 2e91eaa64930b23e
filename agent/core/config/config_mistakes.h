/* SPDX-License-Identifier: MIT */
/* What is wrong with a configuration file: all of it at once, as far as one person reads. */
#ifndef WSB_CONFIG_MISTAKES_H
#define WSB_CONFIG_MISTAKES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/why.h"

enum { CONFIG_MISTAKES_MAX = 16 }; /* reading ends when so many have been found */

/* In the order of their lines, those without a line first. Each text is "KEY: MESSAGE", the key as
 * a path such as services[1].name, or the message alone where it is about the whole file. */
struct config_mistakes {
	size_t n;
	struct why list[CONFIG_MISTAKES_MAX];
};

/* Puts one where it belongs; no more than fit. Always returns false. */
bool config_mistakes_add(struct config_mistakes *mistakes, const struct why *why);

bool config_mistakes_full(const struct config_mistakes *mistakes);

#endif
