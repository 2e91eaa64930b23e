/* SPDX-License-Identifier: MIT */
/* Any bytes as a configuration file: taken or refused, in one line that can be shown. */
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Every variable is set, to its own name. */
static const char *lookup(const char *name, void *arg)
{
	(void)arg;
	return name;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct config config;
	struct config_error error;

	if (config_parse((const char *)data, size, lookup, NULL, &config, &error)) {
		config_fini(&config);
		return 0;
	}
	if (!*error.message || strlen(error.message) >= sizeof(error.message) ||
		strpbrk(error.message, "\r\n\x1b"))
		abort();
	return 0;
}
