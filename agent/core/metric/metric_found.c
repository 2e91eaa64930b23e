/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_found.h"

#include <math.h>

static const double EXACT_MAX = 9007199254740992.0;

void metric_found_note(struct metric_found *found, enum metric_found_state state)
{
	if (state > found->state)
		found->state = state;
}

void metric_found_add(struct metric_found *found, double number)
{
	if (!isfinite(number) || fabs(number) > EXACT_MAX) {
		metric_found_note(found, METRIC_FOUND_OTHER);
		return;
	}
	metric_found_note(found, METRIC_FOUND_NUMBER);
	found->sum += number;
}
