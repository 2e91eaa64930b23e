/* SPDX-License-Identifier: MIT */
/* Records the rounds in a file, without ever waiting for it. */
#ifndef WSB_RECORDER_H
#define WSB_RECORDER_H

#include <ev.h>
#include <stdint.h>

#include "core/cluster/cluster.h"
#include "core/stats.h"

/*
 * A write to a file blocks for as long as the disk does, whatever its flags, so a child process
 * writes it, which gets one line at a time and says how it went. At most one line waits for that
 * under way: a round that comes meanwhile is left out of the record. What goes wrong is logged
 * once, and steering goes on.
 *
 * The child ends with the recorder, or with the agent.
 */
struct recorder;

/* path is copied; see recordfile.h for what becomes of it. stats must outlive the recorder. NULL
 * when out of memory. */
struct recorder *recorder_new(
	struct ev_loop *loop, const char *path, uint64_t max_bytes, struct stats *stats);
/* Takes NULL. A line under way may not reach the file. */
void recorder_free(struct recorder *recorder);

/* Records the plans that the cluster holds. Takes NULL. */
void recorder_add(struct recorder *recorder, const struct cluster *cluster);

#endif
