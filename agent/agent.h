/* SPDX-License-Identifier: MIT */
/* The agent: reads HAProxy, plans, pushes, once an interval. */
#ifndef WSB_AGENT_H
#define WSB_AGENT_H

#include <ev.h>
#include <stdbool.h>

#include "core/config/config.h"

struct agent;

struct agent_options {
	const char *config_path; /* read again by agent_reload */
	bool dry_run;            /* plan and report, send nothing */
};

/* Takes *config over, even on failure. Listens, and starts polling and planning once the loop
 * runs. NULL, logged, when something cannot be opened. */
struct agent *agent_new(
	struct ev_loop *loop, struct config *config, const struct agent_options *options);
/* Takes NULL. */
void agent_free(struct agent *agent);

/* Reads the configuration again. A bad one is logged and refused, and the previous one is kept. */
void agent_reload(struct agent *agent);

/* Puts the configured weights back and breaks the loop within a second. A second call breaks it at
 * once. */
void agent_stop(struct agent *agent);

/* After the loop has ended: whether the configured weights are back, or HAProxy is gone. Logged. */
bool agent_is_restored(const struct agent *agent);

#endif
