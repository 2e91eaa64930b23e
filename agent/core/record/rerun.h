/* SPDX-License-Identifier: MIT */
/* What other settings would have planned in recorded rounds. */
#ifndef WSB_RERUN_H
#define WSB_RERUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/backend.h"
#include "core/plan/outlook.h"
#include "core/record/record.h"

/*
 * Each recorded round is planned again from what was seen then. That tells which weights other
 * settings would have given, not where connections would have gone: they went where the recorded
 * weights sent them. With the settings of the record the plans come out as they were.
 */

/* One backend over all rounds in which it was planned. */
struct rerun_backend {
	char *name;
	char algo[32];          /* in its last round, as the mode */
	enum backend_mode mode; /* by the settings: those that are not steered have no plan */
	uint64_t rounds;
	uint64_t planned;          /* rounds of these that the settings plan too */
	double difference;         /* sum over these of a server's mean difference of weights */
	int largest_difference;    /* of any server's weight */
	double seconds;            /* between rounds that follow on one another */
	uint64_t changes_recorded; /* weights that changed over these seconds */
	uint64_t changes;
	uint64_t fallbacks_recorded; /* rounds of fallback */
	uint64_t fallbacks;
	uint64_t imbalance_rounds; /* rounds in which enough was known, of pods that had been asked
				    */
	double imbalance_sum;      /* as recorded, over these rounds */
	double imbalance_peak;
	bool settled;     /* all pods have been heard since the agent started, or had the time */
	int64_t since_ms; /* its first round since that start */

	/* Of the last round, as it was recorded. */
	struct outlook outlook;
	double imbalance;
	double connections;    /* on the pods that do not drain */
	double arrivals_per_s; /* over all instances */
	size_t n_pods;
	char *fullest;  /* the server that stands highest; "" when there are no pods */
	double surplus; /* what it holds over the level; negative when it lacks some */

	struct rerun_weight *weights; /* of the last round */
	size_t n_weights;
	int64_t at_ms; /* of the last round */
};

struct rerun;

/* Settings in place of the recorded ones; replicas 0 is as recorded. Names of backends are copied.
 * NULL when out of memory. */
struct rerun *rerun_new(const struct cluster_settings *settings);
/* Takes NULL. */
void rerun_free(struct rerun *rerun);

/* Plans the next round. False when out of memory: the round may be counted in part. */
bool rerun_add(struct rerun *rerun, const struct record *record);

/* In the order in which they came up; *n is set. The rerun's own, until the next rerun_add. */
const struct rerun_backend *rerun_backends(const struct rerun *rerun, size_t *n);

#endif
