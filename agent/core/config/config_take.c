/* SPDX-License-Identifier: MIT */
/* Settings by table. */
#include "core/config/config_take.h"

#include <assert.h>
#include <stdlib.h>

#include "core/config/config_expand.h"

static char *text_of(const struct config_setting *setting, const void *raw)
{
	return raw ? *(char *const *)((const char *)raw + setting->raw) : NULL;
}

static void *member_of(const struct config_setting *setting, void *out)
{
	assert(setting->size == setting->kind->size);
	return (char *)out + setting->out;
}

bool config_take_text(struct config_source *source, const struct config_setting *setting,
	const struct config_path *path, const char *text, void *out, struct config_error *error)
{
	struct config_why why;
	char *expanded = config_expand(text, source->lookup, source->arg, &why);
	bool good = expanded && setting->kind->take(setting, expanded, out, &why);

	free(expanded);
	return good || config_yaml_fail(&source->yaml, path, error, "%s", why.text);
}

bool config_take(struct config_source *source, const struct config_mapping *mapping,
	struct config_error *error)
{
	for (size_t i = 0; i < mapping->n_settings; i++) {
		const struct config_setting *setting = &mapping->settings[i];
		struct config_path path = {.up = mapping->path, .key = setting->key};
		const char *text = text_of(setting, mapping->raw);

		if (!text && mapping->raw && setting->required)
			return config_yaml_fail(&source->yaml, &path, error,
				"is missing: it is needed here, such as '%s: %s'", setting->key,
				setting->example);
		if (!text)
			text = setting->fallback;
		if (!text)
			continue;
		if (!config_take_text(
			    source, setting, &path, text, member_of(setting, mapping->out), error))
			return false;
	}
	return true;
}

void config_release(const struct config_setting *settings, size_t n_settings, void *out)
{
	for (size_t i = 0; i < n_settings; i++) {
		if (settings[i].kind->release)
			settings[i].kind->release(member_of(&settings[i], out));
	}
}
