/* SPDX-License-Identifier: MIT */
/* Commands and what HAProxy says of them. */
#include "haproxy/push.h"

#include <stdio.h>
#include <string.h>

#include "core/haproxy/complaint.h"
#include "core/steer/reconcile.h"

static void note(struct push *push, enum push_trouble trouble)
{
	if (trouble > push->trouble)
		push->trouble = trouble;
}

static enum stats_push judge(
	struct push *push, const struct runtime_reply *reply, char *complaint, size_t size)
{
	if (reply->outcome != RUNTIME_OK) {
		reconcile_lost(push->cluster);
		push->arrived = false;
		note(push, reply->is_gone ? PUSH_GONE : PUSH_LOST);
		snprintf(complaint, size, "%s", reply->detail);
		return STATS_PUSH_FAILED;
	}
	if (complaint_find(reply->bytes, reply->len, complaint, size) > 0) {
		/* What HAProxy no longer has, has no weight. */
		if (!strstr(complaint, "No such"))
			note(push, PUSH_REFUSED);
		return STATS_PUSH_REFUSED;
	}
	return STATS_PUSH_OK;
}

static void on_answer(const struct runtime_reply *reply, void *arg)
{
	struct push *push = arg;
	char complaint[200] = "";
	enum stats_push outcome = judge(push, reply, complaint, sizeof(complaint));

	push->n_flying--;
	push->stats->pushes[outcome]++;
	stats_observe(&push->stats->push, reply->seconds);
	if (outcome == STATS_PUSH_REFUSED)
		snprintf(push->stats->push_complaint, sizeof(push->stats->push_complaint), "%s",
			complaint);
	if (outcome == STATS_PUSH_REFUSED)
		push->stats->push_denied = strstr(complaint, "ermission denied") != NULL;
	if (outcome == STATS_PUSH_OK) {
		push->stats->push_denied = false;
		if (log_repeat_end(&push->refused) > 0)
			log_info("HAProxy takes commands again", LOG_NONE);
	} else if (!(push->may_be_gone && reply->is_gone) && log_repeat(&push->refused)) {
		log_error("HAProxy did not take a command",
			log_str("outcome", runtime_outcome_name(reply->outcome)),
			log_str("complaint", complaint),
			log_int("times", (int64_t)push->refused.times));
	}
	if (push->n_flying == 0)
		push->done(push->arrived, push->arg);
}

void push_init(
	struct push *push, struct cluster *cluster, struct stats *stats, push_done done, void *arg)
{
	*push = (struct push){.cluster = cluster, .stats = stats, .done = done, .arg = arg};
}

bool push_lines(struct push *push, struct runtime *runtime, struct commands *lines)
{
	push->arrived = push->arrived || push->n_flying == 0;
	if (lines->n_lines > 0 && push->n_flying == 0)
		push->stats->push_complaint[0] = '\0';
	push->stats->weights_sent += lines->n_weights;
	for (size_t i = 0; i < lines->n_lines; i++) {
		log_debug("push", log_str("line", lines->lines[i]));
		if (runtime_send(runtime, lines->lines[i], on_answer, push)) {
			push->n_flying++;
		} else {
			reconcile_lost(push->cluster);
			push->arrived = false;
			note(push, PUSH_LOST);
		}
	}
	commands_fini(lines);
	return push->n_flying > 0;
}

void push_forget(struct push *push)
{
	push->n_flying = 0;
}
