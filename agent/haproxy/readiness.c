/* SPDX-License-Identifier: MIT */
/* Sends HAProxy its readiness variables. */
#include "haproxy/readiness.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/haproxy/procvars.h"
#include "core/terms.h"
#include "io/log.h"

static const double AGAIN_S = 1.0;

struct readiness {
	struct ev_loop *loop;
	struct runtime *runtime;
	struct procvars vars;
	ev_timer again;
	bool sending;
	bool repeating; /* what is under way has been taken before */
	struct log_repeat failed;
	char complaint[200]; /* of the last line; "" when it was taken */
};

static void on_answer(const struct runtime_reply *reply, void *arg);

static void send_line(struct readiness *readiness)
{
	char line[PROCVARS_LINE_MAX];

	readiness->repeating = !procvars_is_due(&readiness->vars);
	procvars_write(&readiness->vars, line);
	log_debug("push", log_str("line", line));
	readiness->sending = runtime_send(readiness->runtime, line, on_answer, readiness);
	if (!readiness->sending)
		procvars_lose(&readiness->vars);
}

/* Sees to it that there is a next time while there is a reason for one. */
static void keep_time(struct readiness *readiness)
{
	bool wanted = readiness->runtime &&
		      (readiness->vars.stopping || procvars_is_due(&readiness->vars));

	if (!wanted) {
		ev_timer_stop(readiness->loop, &readiness->again);
	} else if (!ev_is_active(&readiness->again)) {
		ev_now_update(readiness->loop);
		ev_timer_set(&readiness->again, AGAIN_S, AGAIN_S);
		ev_timer_start(readiness->loop, &readiness->again);
	}
}

/* Something has changed. */
static void settle(struct readiness *readiness)
{
	if (readiness->runtime && !readiness->sending && procvars_is_due(&readiness->vars))
		send_line(readiness);
	keep_time(readiness);
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct readiness *readiness = timer->data;

	(void)loop;
	(void)events;
	if (!readiness->sending)
		send_line(readiness);
	keep_time(readiness);
}

static void succeed(struct readiness *readiness, bool was_stopping)
{
	log_repeat_end(&readiness->failed);
	readiness->complaint[0] = '\0';
	if (was_stopping && !readiness->vars.has.stopping)
		log_warn("no stop has followed the drain: HAProxy is ready again", LOG_NONE);
}

static void fail(struct readiness *readiness, enum runtime_outcome outcome)
{
	/* What was taken once is only said again, and a HAProxy that stops hears nothing. */
	bool expected = readiness->repeating ||
			(outcome == RUNTIME_NO_CONNECTION && readiness_is_stopping(readiness));

	if (!log_repeat(&readiness->failed))
		return;
	log_write(expected ? CONFIG_LOG_DEBUG : CONFIG_LOG_ERROR,
		"HAProxy was not told of its readiness",
		LOG_FACTS(log_str("error", readiness->complaint),
			log_int("times", (int64_t)readiness->failed.times)));
}

static void on_answer(const struct runtime_reply *reply, void *arg)
{
	struct readiness *readiness = arg;
	bool was_stopping = readiness_is_stopping(readiness);
	enum procvars_outcome outcome = PROCVARS_LOST;

	readiness->sending = false;
	if (reply->outcome == RUNTIME_OK) {
		outcome = procvars_read(&readiness->vars, reply->bytes, reply->len,
			readiness->complaint, sizeof(readiness->complaint));
	} else {
		procvars_lose(&readiness->vars);
		snprintf(readiness->complaint, sizeof(readiness->complaint), "%s: %s",
			runtime_outcome_name(reply->outcome), reply->detail);
	}
	switch (outcome) {
	case PROCVARS_TAKEN:
		succeed(readiness, was_stopping);
		settle(readiness);
		break;
	case PROCVARS_REFUSED:
		fail(readiness, reply->outcome);
		settle(readiness);
		break;
	case PROCVARS_LOST:
		/* Not before the timer or the next round: HAProxy is not pressed. */
		fail(readiness, reply->outcome);
		keep_time(readiness);
		break;
	}
}

struct readiness *readiness_new(struct ev_loop *loop)
{
	struct readiness *readiness = calloc(1, sizeof(*readiness));

	if (!readiness)
		return NULL;
	readiness->loop = loop;
	ev_init(&readiness->again, on_again);
	readiness->again.data = readiness;
	return readiness;
}

void readiness_free(struct readiness *readiness)
{
	if (!readiness)
		return;
	ev_timer_stop(readiness->loop, &readiness->again);
	free(readiness);
}

void readiness_configure(struct readiness *readiness, struct runtime *runtime)
{
	if (runtime != readiness->runtime && readiness->sending) {
		/* The answer goes with the old one. */
		readiness->sending = false;
		procvars_lose(&readiness->vars);
	}
	readiness->runtime = runtime;
	settle(readiness);
}

void readiness_stop(struct readiness *readiness, bool stopping)
{
	readiness->vars.stopping = stopping;
	settle(readiness);
}

void readiness_see(struct readiness *readiness, const struct hastate_info *info)
{
	procvars_see(&readiness->vars, info);
	settle(readiness);
}

void readiness_fill(struct readiness *readiness, const struct hastate_info *info)
{
	procvars_fill(&readiness->vars, info);
	settle(readiness);
}

bool readiness_is_stopping(const struct readiness *readiness)
{
	return readiness->vars.has.stopping && !readiness->vars.refused;
}

const char *readiness_complaint(const struct readiness *readiness)
{
	if (!readiness->vars.refused && !procvars_is_due(&readiness->vars))
		return NULL;
	return readiness->complaint[0] ? readiness->complaint : "HAProxy " TERM_NOT_ANSWERED " yet";
}
