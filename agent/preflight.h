/* SPDX-License-Identifier: MIT */
/* What a start would refuse in a configuration that is good as a text. */
#ifndef WSB_PREFLIGHT_H
#define WSB_PREFLIGHT_H

#include <stdbool.h>

#include "core/config/config.h"
#include "core/config/config_mistakes.h"

/*
 * Reads the files that the configuration names, and looks whether its addresses are this host's and
 * Kubernetes is where it should be. Asks nobody, and takes no port, so it passes beside a running
 * agent of the same configuration. Adds what is wrong; false when something is.
 */
bool preflight_check(const struct config *config, struct config_mistakes *mistakes);

#endif
