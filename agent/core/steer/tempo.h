/* SPDX-License-Identifier: MIT */
/* How often a backend is planned, and its pods are asked. */
#ifndef WSB_TEMPO_H
#define WSB_TEMPO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cluster/cluster.h"

/*
 * Four plans a second on counts that are as young level twice as fast after a reload or a scale-out
 * as one a second, and cost four times as much. So pollInterval: auto asks four times a second
 * where that is cheap for the pods, and where it is not, only the pods of a backend in a rush: one
 * whose connections are far from where they belong. More plans on counts no younger do harm
 * (simulated), so plans and polls keep one time.
 */
enum {
	TEMPO_FAST_MS = 250,
	TEMPO_CALM_MS = 1000,
	TEMPO_ASKED_MAX = 1000,   /* questions a second that all instances put to all pods: fast */
	TEMPO_SERVERS_MAX = 1000, /* that HAProxy may have to tell of four times a second */
	TEMPO_RUSH_MS = 5000,     /* so long a rush lasts after the last sign of it */
};

/* The time from one plan of the backend to the next. */
int64_t tempo_interval_ms(const struct cluster_settings *settings, const struct backend *backend);

/* Its plan is due in a round of now. */
bool tempo_is_due(const struct cluster *cluster, const struct backend *backend, int64_t now_ms);

/* After the plans of a round: sets for each backend and each pod how often, and when next. */
void tempo_update(struct cluster *cluster, int64_t now_ms);

/* The time from one round to the next: the shortest of the backends'. */
int64_t tempo_round_ms(const struct cluster *cluster);

#endif
