/* SPDX-License-Identifier: MIT */
/* Logs how polls end, one line for many. */
#include "announce/announce_polls.h"

#include "core/terms.h"
#include "io/clock.h"
#include "io/log.h"

enum {
	POLLS_SAID_MAX = 10, /* changes of pods that are said one by one in so long a time */
	POLLS_WINDOW_MS = 10000,
};

/* What a pod says beside its count and cannot be read is taken for absent, and said once. */
static void announce_odd(const struct pod *pod, const struct metric *metric)
{
	const struct metric *before = &pod->metric;

	if (metric->odd_draining && !(pod->heard && before->odd_draining))
		log_warn("draining is neither true nor false, and is taken for absent",
			log_str("pod", pod->key));
	if (metric->odd_capacity && !(pod->heard && before->odd_capacity))
		log_warn("capacity is no number from 0.001 to 1e9, and is taken for absent",
			log_str("pod", pod->key));
}

/* Begins to count anew when it is time, and says what was left out. */
static void sum_up(struct announce_polls *polls, int64_t now_ms)
{
	if (polls->since_ms != 0 && now_ms - polls->since_ms < POLLS_WINDOW_MS)
		return;
	if (polls->n_lack_name > 0)
		log_warn("further pods say names of others", log_int("pods", polls->n_lack_name));
	if (polls->n_failed + polls->n_answer_again > 0) {
		log_warn("further pods could not be polled, or could again",
			log_int("could_not", polls->n_failed),
			log_int("could_again", polls->n_answer_again),
			log_int("in_s", (now_ms - polls->since_ms) / 1000));
	}
	*polls = (struct announce_polls){.events = polls->events, .since_ms = now_ms};
}

/* Whether a change is said by itself; else it is counted in *left_out. */
static bool is_said(struct announce_polls *polls, unsigned *left_out)
{
	if (polls->n_said < POLLS_SAID_MAX) {
		polls->n_said++;
		return true;
	}
	++*left_out;
	return false;
}

void announce_poll(struct announce_polls *polls, const struct pod *pod, enum metric_outcome outcome,
	const struct metric *metric, const char *detail)
{
	bool failed = outcome != METRIC_OK && (pod->polled_ms == 0 || pod->outcome != outcome);
	bool again = outcome == METRIC_OK && pod->polled_ms != 0 && pod->outcome != METRIC_OK;

	const char *name = pod_name(pod)[0] ? pod_name(pod) : pod->key;

	sum_up(polls, clock_now_ms());
	log_debug("poll", log_str("pod", pod->key),
		log_str("result", metric_outcome_label(outcome)), log_str("detail", detail));
	if (failed && is_said(polls, &polls->n_failed))
		log_warn("pod " TERM_CANNOT_POLL, log_str("pod", pod->key),
			log_str("result", metric_outcome_label(outcome)), log_str("error", detail));
	if (failed && pod->heard && pod->outcome == METRIC_OK)
		events_add(polls->events, clock_wall_ms(), EVENT_SILENT, name);
	if (again && pod->heard)
		events_add(polls->events, clock_wall_ms(), EVENT_HEARD, name);
	if (again && is_said(polls, &polls->n_answer_again))
		log_info("pod " TERM_POLL_AGAIN, log_str("pod", pod->key));
	if (outcome == METRIC_OK)
		announce_odd(pod, metric);
}

void announce_lack(struct announce_polls *polls, const struct pod *pod)
{
	if (is_said(polls, &polls->n_lack_name))
		log_warn("pod says a name that is another's: its address is shown instead",
			log_str("pod", pod->key), log_str("name", pod->metric.pod_name));
}
