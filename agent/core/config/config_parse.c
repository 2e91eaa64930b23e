/* SPDX-License-Identifier: MIT */
#include "core/config/config_parse.h"

#include "core/config/config_metrics.h"
#include "core/config/config_read.h"
#include "core/config/config_rules.h"
#include "core/config/config_yaml.h"

static bool is_mapping(const struct config_node *root, struct config_mistakes *mistakes)
{
	struct why why;

	if (!root || root->shape == CONFIG_MAPPING)
		return true;
	why_set_line(&why, root->line, "the file must consist of 'key: value' lines");
	return config_mistakes_add(mistakes, &why);
}

bool config_parse(const char *text, size_t len, config_getenv lookup, void *arg, struct config *out,
	struct config_mistakes *mistakes)
{
	struct config config = {0};
	struct config_node *root;
	struct why why;

	mistakes->n = 0;
	if (!config_yaml_load(text, len, &root, &why))
		return config_mistakes_add(mistakes, &why);
	if (is_mapping(root, mistakes))
		config_read(root, lookup, arg, &config, mistakes);
	if (mistakes->n == 0) {
		config_metrics_complete(root, &config, mistakes);
		config_rules_check(root, &config, mistakes);
	}
	config_yaml_free(root);
	if (mistakes->n == 0)
		*out = config;
	else
		config_fini(&config);
	return mistakes->n == 0;
}
