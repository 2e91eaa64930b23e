/* SPDX-License-Identifier: MIT */
/* `wsbalancer check`: is everything as it must be, and what is to be written where it is not. */
#ifndef WSB_CHECKUP_H
#define WSB_CHECKUP_H

#include "core/cluster/cluster.h"
#include "core/config/config.h"

enum checkup_level { CHECKUP_OK, CHECKUP_WARNING, CHECKUP_FAULT };

/* A finding: one line of words, without a dot at its end. */
typedef void (*checkup_say)(enum checkup_level level, const char *text, void *arg);

/* What HAProxy says of itself. cli_level is its answer to "show cli level", such as "admin". */
void checkup_haproxy(
	const struct hastate_info *info, const char *cli_level, checkup_say say, void *arg);

/* Whether HAProxy's clock and this host's agree, which says wall_s, seconds since the epoch. */
void checkup_clock(const struct hastate_info *info, int64_t wall_s, checkup_say say, void *arg);

/* Backends, their servers, and what their pods have answered, each polled once at least. */
void checkup_cluster(
	const struct cluster *cluster, const struct config *config, checkup_say say, void *arg);

#endif
