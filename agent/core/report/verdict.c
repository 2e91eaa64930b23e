/* SPDX-License-Identifier: MIT */
#include "core/report/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/report/report_age.h"
#include "core/terms.h"

static const struct {
	const char *label;
	const char *name;
	int exit_status;
} states[VERDICT_N_STATES] = {
	[VERDICT_LEFT_ALONE] = {"left_alone", "Left alone", 0},
	[VERDICT_BALANCED] = {"balanced", "Balanced", 0},
	[VERDICT_LEVELLING] = {"levelling", "Levelling", 0},
	[VERDICT_STARTING] = {"starting", "Starting", 4},
	[VERDICT_CANNOT_LEVEL] = {"cannot_level", "Cannot level", 3},
	[VERDICT_NOT_STEERING] = {"not_steering", "Not steering", 4},
};

/* What stands behind the colon, and what to do. */
static const struct {
	const char *text;
	const char *you;
} causes[] = {
	[VERDICT_NO_CAUSE] = {"", "nothing"},
	[VERDICT_ALGORITHM] = {TERM_FIXED,
		"nothing, or use balance leastconn, random or roundrobin in this backend"},
	[VERDICT_NO_PODS] = {"no pod takes connections",
		"look at the pods and at HAProxy's health checks"},
	[VERDICT_DRY_RUN] = {"dry run, " TERM_DRY_RUN,
		"start the agent without --dry-run once the plans look right"},
	[VERDICT_FEW_KNOWN] = {TERM_FEW_KNOWN, "mend /metric of the pods that do not answer"},
	[VERDICT_REFUSED] = {"HAProxy refuses the weights",
		"give the stats socket 'level admin' in haproxy.cfg, and reload HAProxy"},
	[VERDICT_SILENT] = {TERM_HAPROXY_SILENT,
		"see that HAProxy runs and that the agent may use its stats socket"},
	[VERDICT_STOPPING] = {"HAProxy stops, as it was told to", "nothing"},
};

const char *verdict_state_label(enum verdict_state state)
{
	return states[state].label;
}

const char *verdict_state_name(enum verdict_state state)
{
	return states[state].name;
}

int verdict_exit_status(enum verdict_state state)
{
	return states[state].exit_status;
}

/* "about 20 s": nobody can know it to the tenth. */
static char *about(double s, char *buf, size_t size)
{
	if (s < 10.0)
		snprintf(buf, size, "%.0f s", fmax(1.0, ceil(s)));
	else
		report_age(s, buf, size);
	return buf;
}

static enum verdict_state state_of(const struct verdict_input *input)
{
	if (input->cause == VERDICT_ALGORITHM)
		return VERDICT_LEFT_ALONE;
	if (input->cause == VERDICT_STOPPING || input->cause == VERDICT_SILENT)
		return VERDICT_NOT_STEERING;
	/* Before all have been asked once, few known is no news. */
	if (!input->asked && input->cause != VERDICT_REFUSED && input->cause != VERDICT_DRY_RUN)
		return VERDICT_STARTING;
	if (input->cause != VERDICT_NO_CAUSE)
		return VERDICT_NOT_STEERING;
	if (input->n_missing == 0 && input->n_above == 0)
		return VERDICT_BALANCED;
	return input->outlook.verdict == OUTLOOK_ONLY_CLOSING || isinf(input->outlook.seconds)
		       ? VERDICT_CANNOT_LEVEL
		       : VERDICT_LEVELLING;
}

static void say_text(const struct verdict_input *input, struct verdict *verdict)
{
	const char *name = verdict_state_name(verdict->state);
	char *to = verdict->text;
	size_t size = sizeof(verdict->text);
	char age[40];

	switch (verdict->state) {
	case VERDICT_LEFT_ALONE:
		snprintf(to, size, "%s: %s, %s", name, input->backend, causes[input->cause].text);
		return;
	case VERDICT_BALANCED:
		snprintf(to, size, "%s: every pod of %s%s is near its level", name, input->backend,
			input->n_known < input->n_pods ? " that is known" : "");
		return;
	case VERDICT_LEVELLING:
		snprintf(to, size, "%s: %s is balanced in about %s", name, input->backend,
			about(input->outlook.seconds, age, sizeof(age)));
		return;
	case VERDICT_STARTING:
		snprintf(to, size, "%s: the pods of %s " TERM_NOT_ALL_YET, name, input->backend);
		return;
	case VERDICT_CANNOT_LEVEL:
		if (input->arrivals_per_s > 0.0) {
			snprintf(to, size, "%s %s " TERM_CANNOT ": %s at this rate", name,
				input->backend,
				about(fmax(input->outlook.alone, input->outlook.deficit) /
						input->arrivals_per_s,
					age, sizeof(age)));
		} else {
			snprintf(to, size, "%s %s: no new connections come", name, input->backend);
		}
		return;
	case VERDICT_NOT_STEERING:
	case VERDICT_N_STATES:
		break;
	}
	if (input->cause == VERDICT_SILENT && input->silent_s >= 0.0) {
		snprintf(to, size, "%s %s: HAProxy " TERM_NOT_ANSWERED " for %s", name,
			input->backend, report_age_whole(input->silent_s, age, sizeof(age)));
	} else {
		snprintf(to, size, "%s %s: %s", name, input->backend, causes[input->cause].text);
	}
}

static void say_now(const struct verdict_input *input, struct verdict *verdict)
{
	double above = input->fullest_level > 0.0
			       ? 100.0 * (input->fullest / input->fullest_level - 1.0)
			       : 0.0;
	char *to = verdict->now;
	size_t size = sizeof(verdict->now);
	size_t len;

	if (input->n_pods == 0)
		return;
	if (input->fullest_level <= 0.0) {
		snprintf(to, size, "no connections");
		return;
	}
	snprintf(to, size, "fullest pod %.0f %% above its level (%.0f of %.0f)", fmax(above, 0.0),
		input->fullest, input->fullest_level);
	len = strlen(to);
	if (verdict->state == VERDICT_BALANCED &&
		input->fullest > input->fullest_level * (1.0 + OUTLOOK_TOLERANCE)) {
		snprintf(to + len, size - len, ": " TERM_BY_CHANCE ", with so few connections");
		return;
	}
	if (input->n_missing > 0) {
		snprintf(to + len, size - len, "; %.0f connection%s missing on %zu pod%s",
			input->missing, lround(input->missing) == 1 ? " is" : "s are",
			input->n_missing, text_plural(input->n_missing));
	}
}

static void say_why(const struct verdict_input *input, struct verdict *verdict)
{
	char *to = verdict->why;
	size_t size = sizeof(verdict->why);

	if (input->cause == VERDICT_FEW_KNOWN)
		snprintf(to, size, "%zu of %zu pods are known", input->n_known, input->n_pods);
	else if (input->cause != VERDICT_NO_CAUSE)
		snprintf(to, size, "%s", input->detail);
	else if (verdict->state == VERDICT_CANNOT_LEVEL && !input->events[0]) {
		snprintf(to, size,
			"a pod that has too many connections keeps them until they close");
	} else {
		snprintf(to, size, "%s", input->events);
	}
}

static void say_how(const struct verdict_input *input, struct verdict *verdict)
{
	char *to = verdict->how;
	size_t size = sizeof(verdict->how);
	size_t len = 0;

	if (verdict->state == VERDICT_LEVELLING && input->share_missing >= 0.0 &&
		input->n_missing > 0) {
		if (input->n_missing == 1) {
			snprintf(to, size, "%.0f of 100 new connections go to %s",
				100.0 * input->share_missing, input->lowest);
		} else {
			snprintf(to, size, "%.0f of 100 new connections go to these %zu pods",
				100.0 * input->share_missing, input->n_missing);
		}
		len = strlen(to);
	}
	if (input->arrivals_per_s >= 0.0)
		snprintf(to + len, size - len, "%s%.1f new connections a second",
			len > 0 ? ", " : "", input->arrivals_per_s);
}

static void say_you(const struct verdict_input *input, struct verdict *verdict)
{
	const char *you = causes[input->cause].you;

	if (input->cause == VERDICT_REFUSED && !strstr(input->detail, "ermission denied"))
		you = "read HAProxy's complaint: somebody may have changed its servers";
	if (input->cause == VERDICT_NO_CAUSE && input->n_needs > 0)
		you = "see to the pods that need you";
	if (verdict->state == VERDICT_STARTING)
		you = "wait a moment";
	if (verdict->state == VERDICT_CANNOT_LEVEL)
		you = "wait, or let the fullest pods close connections so that clients come back";
	snprintf(verdict->you, sizeof(verdict->you), "%s", you);
}

struct verdict verdict_of(const struct verdict_input *input)
{
	struct verdict verdict = {.state = state_of(input)};
	bool planned = verdict.state == VERDICT_BALANCED || verdict.state == VERDICT_LEVELLING ||
		       verdict.state == VERDICT_CANNOT_LEVEL;

	say_text(input, &verdict);
	if (planned) {
		say_now(input, &verdict);
		say_how(input, &verdict);
	}
	if (verdict.state != VERDICT_STARTING && verdict.state != VERDICT_LEFT_ALONE)
		say_why(input, &verdict);
	say_you(input, &verdict);
	return verdict;
}
