/* SPDX-License-Identifier: MIT */
/* Any bytes as a configuration file: taken or refused, in one line that can be shown. */
#include "core/config/config.h"
#include "fuzz.h"

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
	promise(*error.message && memchr(error.message, '\0', sizeof(error.message)),
		"a refusal has words that end within their array");
	promise(!strpbrk(error.message, "\r\n\x1b"), "a refusal is one line that can be shown");
	return 0;
}
