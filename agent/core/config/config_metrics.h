/* SPDX-License-Identifier: MIT */
/* How pods are asked: what a configuration leaves unset, and what its keys mean. */
#ifndef WSB_CONFIG_METRICS_H
#define WSB_CONFIG_METRICS_H

#include "core/config/config.h"
#include "core/config/config_mistakes.h"
#include "core/config/config_yaml.h"

/*
 * Completes config->metric and those of backends and services. What is unset is as the preset of
 * the same place says, then as the top level does, then at its default. metricPath, metricMaxSize
 * and the keys follow the top level only where there is no preset and the format is the same: they
 * mean nothing in another. What is wrong goes to mistakes.
 */
void config_metrics_complete(
	const struct config_node *root, struct config *config, struct config_mistakes *mistakes);

#endif
