/* SPDX-License-Identifier: MIT */
/* HAProxy's silence. */
#include "haproxy/backoff.h"

#include <stdio.h>

#include "core/terms.h"
#include "io/clock.h"

enum {
	BACKOFF_MAX_MS = 10000,
	SLACK_MS = 50, /* a tick that comes a moment early is no reason to wait for another */
};

static int64_t wait_of(const struct backoff *backoff, const struct backoff_manner *manner)
{
	int64_t wait_ms = manner->interval_ms;

	for (unsigned i = 0;
		i < backoff->n_failures && wait_ms < BACKOFF_MAX_MS && manner->backs_off; i++)
		wait_ms *= 2;
	return wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS;
}

void backoff_fail(struct backoff *backoff, struct stats *stats, const struct backoff_manner *manner,
	const char *why, const char *detail)
{
	int64_t wait_ms = wait_of(backoff, manner);

	backoff->n_failures++;
	backoff->retry_ms = clock_now_ms() + wait_ms;
	stats->reads_failed++;
	if (stats->haproxy_reached)
		events_add(&stats->events, clock_wall_ms(), EVENT_LOST, "");
	stats->haproxy_reached = false;
	snprintf(stats->haproxy_error, sizeof(stats->haproxy_error), "%s%s%s", why,
		*detail ? ": " : "", detail);
	/* What was only told is to be acted on from now on. */
	if (backoff->was_expected && !manner->is_expected)
		log_repeat_end(&backoff->repeat);
	backoff->was_expected = manner->is_expected;
	if (log_repeat(&backoff->repeat)) {
		log_write(manner->is_expected ? CONFIG_LOG_INFO : CONFIG_LOG_ERROR,
			TERM_HAPROXY_SILENT,
			LOG_FACTS(log_str("error", stats->haproxy_error),
				log_int("times", (int64_t)backoff->repeat.times),
				log_int("retry_ms", wait_ms)));
	}
}

void backoff_succeed(struct backoff *backoff, struct stats *stats)
{
	uint64_t times = log_repeat_end(&backoff->repeat);

	if (times > 0)
		log_info(TERM_HAPROXY_AGAIN, log_int("after_failures", (int64_t)times));
	backoff_forget(backoff);
	if (times > 0 && stats->rounds > 0)
		events_add(&stats->events, clock_wall_ms(), EVENT_FOUND, "");
	stats->haproxy_reached = true;
	stats->haproxy_error[0] = '\0';
}

void backoff_forget(struct backoff *backoff)
{
	backoff->n_failures = 0;
	backoff->retry_ms = 0;
}

bool backoff_is_due(const struct backoff *backoff)
{
	return clock_now_ms() + SLACK_MS >= backoff->retry_ms;
}
