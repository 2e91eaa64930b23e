/* SPDX-License-Identifier: MIT */
/* Polls pods with libcurl. */
#include "pods/poller.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <json-c/linkhash.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "core/settings.h"
#include "io/clock.h"
#include "io/curlloop.h"
#include "io/log.h"
#include "pods/podheaders.h"
#include "pods/podrequest.h"

enum {
	IDLE_REQUESTS = 32, /* of a source, kept for the next polls */
	FIRST_PODS = 64,    /* the table of polls grows by itself */
	GROUP_PODS = 250,   /* of one multi handle, measured: agent/doc/DESIGN.md, "Scale" */
	/* Descriptors that are not for pods: HAProxy, the endpoint, Kubernetes, files, the record.
	 * At most a third of all. */
	RESERVED_FDS = 320,
	EAGER_PODS = 50, /* new at once: asked at once; more are spread over an interval */
};

/*
 * Polls end shortly before the round that plans with them: a count that is young has less to be
 * reckoned with, and simulated, weights made of counts that are spread over the whole second miss
 * twice as many goals (agent/doc/DESIGN.md, "The planner"). A pod has this long to answer, and many
 * pods are asked over a longer time, so that a poll costs no more when there are thousands.
 */
static const double ANSWER_S = 0.05;
static const double WINDOW_S = 0.1;
static const double WINDOW_EACH_S = 50e-6;
/* Whoever waits for this process itself when its time is up is looked at again so soon. */
static const double LATE_S = 0.01;
/* How long a poll is put off for want of a descriptor. */
static const double CROWDED_S = 0.03;

/* Polls begin together at steps of this time: a loop that wakes for one poll alone pays twice as
 * much for it, in itself and in the pod. */
static const double STEP_S = 0.01;

/* Pods that are asked alike: those of the top level, of a backend or of a service. */
struct source {
	const struct config_metric *metric;
	struct podheaders *headers;
	struct podrequest *idle[IDLE_REQUESTS];
	unsigned n_idle;
};

struct group {
	struct group *next;
	struct curlloop *curlloop;
	unsigned n_polls;
};

/* A pod that is polled. */
struct poll {
	struct poller *poller;
	struct group *group;
	struct pod *pod;
	struct source *source;
	ev_timer timer;
	bool kept;                  /* its connection is, from one poll to the next */
	bool settled;               /* asked at its own moment of the interval from now on */
	struct podrequest *request; /* while in flight */
	struct curl_slist *headers; /* the same */
	int64_t started_ms;
	int64_t until_ms;   /* an answer that comes later is none */
	struct poll *later; /* in flight, by until_ms */
	struct poll *sooner;
};

struct poller {
	struct ev_loop *loop;
	const struct config *config;
	poller_answer answer;
	void *arg;
	struct source *sources; /* by the index of a pod's source */
	size_t n_sources;
	size_t max_bytes; /* of the largest answer that any source allows */
	struct group *groups;
	struct lh_table *polls; /* struct poll by its pod */
	/* Descriptors, and what they allow: */
	unsigned kept_max;   /* connections that are kept */
	unsigned flying_max; /* others at a time */
	unsigned n_kept;
	unsigned n_unkept;
	unsigned n_flying; /* of the others */
	bool short_said;
	/* Polls in flight: one timer for the first whose time is up. */
	struct poll *first;
	struct poll *last;
	ev_timer deadline;
	/* From the last poller_sync: */
	double round_s;   /* from one round to the next */
	int64_t round_ms; /* when the next round is */
	double window_s;  /* polls are spread over this time before a round */
	unsigned n_started;
};

static struct podrequest *request_get(struct source *source)
{
	if (source->n_idle > 0)
		return source->idle[--source->n_idle];
	return podrequest_new(source->metric);
}

static void request_put(struct source *source, struct podrequest *request)
{
	if (source->n_idle < IDLE_REQUESTS)
		source->idle[source->n_idle++] = request;
	else
		podrequest_free(request);
}

/* ---- the time that a pod has ---- */

/* All have the same time, so that whoever begins is the last whose time is up. */
static void enter_flight(struct poll *poll)
{
	struct poller *poller = poll->poller;

	poll->until_ms = clock_now_ms() + poller->config->poll_timeout_ms;
	poll->later = NULL;
	poll->sooner = poller->last;
	if (poller->last)
		poller->last->later = poll;
	else
		poller->first = poll;
	poller->last = poll;
	if (!ev_is_active(&poller->deadline)) {
		ev_timer_set(
			&poller->deadline, (double)poller->config->poll_timeout_ms / 1000.0, 0.0);
		ev_timer_start(poller->loop, &poller->deadline);
	}
}

static void leave_flight(struct poll *poll)
{
	struct poller *poller = poll->poller;

	if (poll->sooner)
		poll->sooner->later = poll->later;
	else
		poller->first = poll->later;
	if (poll->later)
		poll->later->sooner = poll->sooner;
	else
		poller->last = poll->sooner;
}

/* Takes the request off the multi handle; the connection is kept there. */
static void end_flight(struct poll *poll)
{
	if (!poll->request)
		return;
	leave_flight(poll);
	podrequest_stop(poll->request, poll->group->curlloop);
	podheaders_put(poll->source->headers, poll->headers);
	request_put(poll->source, poll->request);
	poll->request = NULL;
	if (!poll->kept)
		poll->poller->n_flying--;
}

static void tell(struct poll *poll, const struct poller_result *result)
{
	poll->poller->answer(poll->pod, result, poll->poller->arg);
}

static void time_out(struct poll *poll, int64_t at_ms)
{
	struct poller_result result = {.outcome = METRIC_TIMED_OUT, .at_ms = at_ms};
	char detail[64];

	result.took_ms = at_ms - poll->started_ms;
	snprintf(detail, sizeof(detail), "timed out after %" PRId64 " ms", result.took_ms);
	result.detail = detail;
	end_flight(poll);
	tell(poll, &result);
}

/* What waits for this process is not late: its answer is there, or it could not be asked yet. */
static bool is_our_delay(struct poll *poll)
{
	int64_t came_ms = 0;

	switch (podrequest_look(poll->request, poll->group->curlloop, &came_ms)) {
	case CURLLOOP_TO_READ:
		return came_ms <= poll->until_ms;
	case CURLLOOP_TO_SEND:
		leave_flight(poll);
		enter_flight(poll);
		return true;
	case CURLLOOP_FOR_PEER:
		break;
	}
	return false;
}

/* The time of the first ones is up. */
static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct poller *poller = timer->data;
	int64_t now_ms = clock_now_ms();
	bool waits = false;
	struct poll *next;

	(void)events;
	for (struct poll *poll = poller->first; poll && poll->until_ms <= now_ms; poll = next) {
		next = poll->later;
		if (is_our_delay(poll))
			waits = true;
		else
			time_out(poll, now_ms);
	}
	if (!poller->first)
		return;
	ev_now_update(loop);
	ev_timer_set(timer,
		waits ? LATE_S : fmax(0.001, (double)(poller->first->until_ms - now_ms) / 1000.0),
		0.0);
	ev_timer_start(loop, timer);
}

static void on_done(CURL *easy, CURLcode code, void *arg)
{
	struct poll *poll = podrequest_arg(easy);
	struct metric metric;
	char detail[CURL_ERROR_SIZE];
	struct poller_result result = {.at_ms = curlloop_came_ms(poll->group->curlloop)};

	(void)arg;
	/* What came before it was asked was another's: a connection that is closed. */
	if (result.at_ms < poll->started_ms)
		result.at_ms = clock_now_ms();
	if (code == CURLE_OK && result.at_ms > poll->until_ms) {
		time_out(poll, result.at_ms);
		return;
	}
	result.took_ms = result.at_ms - poll->started_ms;
	result.outcome = podrequest_judge(poll->request, code, &metric, detail, sizeof(detail));
	result.metric = result.outcome == METRIC_OK ? &metric : NULL;
	result.detail = detail;
	end_flight(poll);
	tell(poll, &result);
}

/* ---- when pods are asked ---- */

/* A pod's own moment, 0..1, from its name, so that restarted agents and further
 * ones agree on nothing and still spread (FNV-1a). */
static double moment(const char *key)
{
	uint32_t hash = 2166136261u;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619u;
	return (double)hash / 4294967296.0;
}

/* From one poll of the pod to the next: a round where nothing is chosen yet. */
static double every_s(const struct poll *poll)
{
	return poll->pod->every_ms > 0 ? (double)poll->pod->every_ms / 1000.0
				       : poll->poller->round_s;
}

/* Asks in wait_s or up to a step earlier, and then again and again until it is set anew. */
static void ask_in(struct poll *poll, double wait_s)
{
	double now_s = (double)clock_now_ms() / 1000.0;
	double at_s = floor((now_s + wait_s) / STEP_S) * STEP_S;

	ev_timer_stop(poll->poller->loop, &poll->timer);
	ev_timer_set(&poll->timer, fmax(0.0, at_s - now_s), every_s(poll));
	ev_timer_start(poll->poller->loop, &poll->timer);
}

/* From now on the pod is asked at its own moment of each interval. */
static void settle(struct poll *poll)
{
	poll->settled = true;
	ask_in(poll, moment(poll->pod->key) * every_s(poll));
}

static double window_s(const struct poller *poller)
{
	double n_pods = 0.0;

	for (const struct group *group = poller->groups; group; group = group->next)
		n_pods += group->n_polls;
	return fmin(fmax(WINDOW_S, WINDOW_EACH_S * n_pods), poller->round_s / 2.0);
}

/* From the end of the window to the round. */
static double answer_s(const struct poller *poller)
{
	return fmin(ANSWER_S, poller->round_s / 10.0);
}

double poller_needs_s(const struct poller *poller)
{
	return window_s(poller) + answer_s(poller);
}

/*
 * The pod's next poll shall end shortly before the round that plans with it: the next one, or the
 * first for which its backend is due. Never so late that a pod waits half an interval more, as it
 * might when news brings rounds early again and again.
 */
static void aim(struct poll *poll)
{
	const struct poller *poller = poll->poller;
	int64_t now_ms = clock_now_ms();
	double before = poller->window_s * (1.0 - moment(poll->pod->key)) + answer_s(poller);
	double late_s = (double)(poll->pod->due_ms - poller->round_ms) / 1000.0;
	double rounds = fmax(0.0, ceil(late_s / poller->round_s - 0.5));
	double next_s = (double)(poller->round_ms - now_ms) / 1000.0 + rounds * poller->round_s;
	double passed_s = (double)(now_ms - poll->started_ms) / 1000.0;

	ask_in(poll, fmin(next_s - before, 1.5 * every_s(poll) - passed_s));
}

/* False when out of memory. */
static bool ask(struct poll *poll)
{
	poll->request = request_get(poll->source);
	if (!poll->request)
		return false;
	if (!poll->kept)
		poll->poller->n_flying++;
	enter_flight(poll);
	podrequest_keep(poll->request, poll->kept);
	poll->headers = podheaders_get(poll->source->headers, poll->started_ms);
	if (podrequest_start(poll->request, poll->pod, poll->group->curlloop, poll->headers, poll))
		return true;
	end_flight(poll);
	return false;
}

/* A poll over a connection of its own waits while many such are under way. */
static bool has_descriptor(const struct poll *poll)
{
	return poll->kept || poll->poller->n_flying < poll->poller->flying_max;
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct poll *poll = timer->data;
	bool first = !poll->settled;

	(void)loop;
	(void)events;
	if (first)
		settle(poll);
	/* Its answer takes longer than the interval, or the loop is late. */
	if (poll->request)
		return;
	if (!has_descriptor(poll)) {
		ask_in(poll, CROWDED_S);
		return;
	}
	poll->started_ms = clock_now_ms();
	/* Asked at once, as its round began: its next answer shall be as young as the others'. */
	if (first)
		aim(poll);
	if (!ask(poll))
		tell(poll, &(struct poller_result){.outcome = METRIC_OUT_OF_MEMORY,
				   .detail = "out of memory",
				   .at_ms = poll->started_ms});
}

/* A group with room, made where all are full. */
static struct group *find_group(struct poller *poller)
{
	struct group *group;

	for (group = poller->groups; group; group = group->next) {
		if (group->n_polls < GROUP_PODS)
			return group;
	}
	group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	group->curlloop = curlloop_new(
		poller->loop, GROUP_PODS, poller->max_bytes + PODREQUEST_HEAD_MAX, on_done, poller);
	if (!group->curlloop) {
		free(group);
		return NULL;
	}
	group->next = poller->groups;
	poller->groups = group;
	return group;
}

/* As many connections are kept as there are pods: those to pods that have gone make room. */
static void resize_group(struct group *group, unsigned n_polls)
{
	group->n_polls = n_polls;
	curlloop_keep(group->curlloop, n_polls > 0 ? (long)n_polls : 1);
}

static void poll_free(struct poll *poll)
{
	if (!poll)
		return;
	ev_timer_stop(poll->poller->loop, &poll->timer);
	end_flight(poll);
	if (poll->group)
		resize_group(poll->group, poll->group->n_polls - 1);
	if (poll->kept)
		poll->poller->n_kept--;
	else
		poll->poller->n_unkept--;
	free(poll);
}

static void count_kept(struct poll *poll)
{
	struct poller *poller = poll->poller;

	poll->kept = poller->n_kept < poller->kept_max;
	if (poll->kept)
		poller->n_kept++;
	else
		poller->n_unkept++;
}

static bool start(struct poller *poller, struct pod *pod)
{
	struct poll *poll = calloc(1, sizeof(*poll));

	if (!poll)
		return false;
	poll->poller = poller;
	poll->pod = pod;
	if (lh_table_insert(poller->polls, pod, poll) != 0) {
		free(poll);
		return false;
	}
	count_kept(poll);
	ev_init(&poll->timer, on_timer);
	poll->timer.data = poll;
	poll->source = &poller->sources[pod->source < poller->n_sources ? pod->source : 0];
	poll->group = find_group(poller);
	if (!poll->group) {
		poller_drop(poller, pod);
		return false;
	}
	resize_group(poll->group, poll->group->n_polls + 1);
	/* A few new pods are asked at once; a crowd would be a burst, now and in every interval. */
	if (poller->n_started++ < EAGER_PODS) {
		ev_timer_set(&poll->timer, 0.0, 0.0);
		ev_timer_start(poller->loop, &poll->timer);
	} else {
		settle(poll);
	}
	return true;
}

void poller_drop(struct poller *poller, const struct pod *pod)
{
	struct lh_entry *entry = lh_table_lookup_entry(poller->polls, pod);

	if (!entry)
		return;
	poll_free(lh_entry_v(entry));
	lh_table_delete_entry(poller->polls, entry);
}

/* Not a pod that has not been asked yet. */
static void aim_again(struct poll *poll)
{
	if (poll->settled && poll->started_ms > 0)
		aim(poll);
}

static bool sync_pod(struct poller *poller, struct pod *pod)
{
	void *poll = NULL;

	lh_table_lookup_ex(poller->polls, pod, &poll);
	if (pod->wanted && !poll)
		return start(poller, pod);
	if (!pod->wanted)
		poller_drop(poller, pod);
	else
		aim_again(poll);
	return true;
}

static void say_short(struct poller *poller)
{
	if (poller->n_unkept > 0 && !poller->short_said)
		log_warn("too few descriptors to keep a connection to every pod: raise LimitNOFILE",
			log_int("kept", poller->n_kept), log_int("not_kept", poller->n_unkept));
	poller->short_said = poller->n_unkept > 0;
}

bool poller_sync(struct poller *poller, struct cluster *cluster, double next_s, double round_s)
{
	size_t n;
	struct pod *const *pods = cluster_edit_pods(cluster, &n);
	bool ok = true;

	poller->round_s = round_s;
	poller->round_ms = clock_now_ms() + (int64_t)(next_s * 1000.0);
	poller->window_s = window_s(poller);
	poller->n_started = 0;
	for (size_t i = 0; i < n; i++)
		ok = sync_pod(poller, pods[i]) && ok;
	say_short(poller);
	return ok;
}

static void free_sources(struct poller *poller)
{
	for (size_t i = 0; i < poller->n_sources; i++) {
		struct source *source = &poller->sources[i];

		podheaders_free(source->headers);
		while (source->n_idle > 0)
			podrequest_free(source->idle[--source->n_idle]);
	}
	free(poller->sources);
}

/* See settings_metric. */
static bool make_sources(struct poller *poller)
{
	unsigned n = settings_n_sources(poller->config);

	poller->sources = calloc(n, sizeof(*poller->sources));
	if (!poller->sources)
		return false;
	while (poller->n_sources < n) {
		unsigned index = (unsigned)poller->n_sources;
		const struct config_metric *metric = settings_metric(poller->config, index);
		struct podheaders *headers =
			podheaders_new(metric, !settings_sends_headers(poller->config, index));

		if (!headers)
			return false;
		poller->sources[poller->n_sources++] =
			(struct source){.metric = metric, .headers = headers};
		if (metric->query.max_bytes > poller->max_bytes)
			poller->max_bytes = metric->query.max_bytes;
	}
	return true;
}

static void share_out_descriptors(struct poller *poller)
{
	struct rlimit limit = {.rlim_cur = 1024};
	rlim_t reserved;
	rlim_t rest;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur > UINT32_MAX)
		limit.rlim_cur = UINT32_MAX;
	reserved = limit.rlim_cur / 3 < RESERVED_FDS ? limit.rlim_cur / 3 : RESERVED_FDS;
	rest = limit.rlim_cur - reserved;
	poller->flying_max = (unsigned)(rest / 8) + 1;
	poller->kept_max = (unsigned)(rest - rest / 8);
}

struct poller *poller_new(
	struct ev_loop *loop, const struct config *config, poller_answer answer, void *arg)
{
	struct poller *poller = calloc(1, sizeof(*poller));

	if (!poller)
		return NULL;
	poller->loop = loop;
	poller->config = config;
	poller->answer = answer;
	share_out_descriptors(poller);
	poller->arg = arg;
	ev_init(&poller->deadline, on_deadline);
	poller->deadline.data = poller;
	/* Behind the sockets, which may bring what it would miss. */
	ev_set_priority(&poller->deadline, EV_MINPRI);
	poller->polls = lh_kptr_table_new(FIRST_PODS, NULL);
	if (!poller->polls || !make_sources(poller)) {
		poller_free(poller);
		return NULL;
	}
	return poller;
}

static void drop_all(struct poller *poller)
{
	struct lh_entry *entry;
	struct lh_entry *next;

	lh_foreach_safe(poller->polls, entry, next)
	{
		poll_free(lh_entry_v(entry));
		lh_table_delete_entry(poller->polls, entry);
	}
}

void poller_free(struct poller *poller)
{
	if (!poller)
		return;
	if (poller->polls) {
		drop_all(poller);
		lh_table_free(poller->polls);
	}
	ev_timer_stop(poller->loop, &poller->deadline);
	while (poller->groups) {
		struct group *group = poller->groups;

		poller->groups = group->next;
		curlloop_free(group->curlloop);
		free(group);
	}
	free_sources(poller);
	free(poller);
}
