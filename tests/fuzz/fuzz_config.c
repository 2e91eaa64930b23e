/* SPDX-License-Identifier: MIT */
/* Any bytes as a configuration file: read or refused, in lines that can be shown. */
#include "core/config/config_parse.h"
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
	struct config_mistakes mistakes;

	if (config_parse((const char *)data, size, lookup, NULL, &config, &mistakes)) {
		config_fini(&config);
		return 0;
	}
	promise(mistakes.n > 0 && mistakes.n <= CONFIG_MISTAKES_MAX, "a refusal has reasons");
	for (size_t i = 0; i < mistakes.n; i++) {
		const struct why *why = &mistakes.list[i];

		promise(memchr(why->text, '\0', sizeof(why->text)),
			"a reason has words that end within their array");
		promise(*why->text && !strpbrk(why->text, "\r\n\x1b"),
			"a reason is one line that can be shown");
		promise(i == 0 || why->line >= why[-1].line, "reasons come in order");
	}
	return 0;
}
