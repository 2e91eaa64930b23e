/* SPDX-License-Identifier: MIT */
#include "core/config/config_mistakes.h"

#include <string.h>

bool config_mistakes_add(struct config_mistakes *mistakes, const struct why *why)
{
	size_t i = mistakes->n;

	if (config_mistakes_full(mistakes))
		return false;
	while (i > 0 && mistakes->list[i - 1].line > why->line) {
		mistakes->list[i] = mistakes->list[i - 1];
		i--;
	}
	mistakes->list[i] = *why;
	mistakes->n++;
	return false;
}

bool config_mistakes_full(const struct config_mistakes *mistakes)
{
	return mistakes->n == CONFIG_MISTAKES_MAX;
}
