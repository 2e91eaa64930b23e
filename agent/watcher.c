/* SPDX-License-Identifier: MIT */
#include "watcher.h"

#include <stdlib.h>

#include "core/haproxy/hasessions.h"
#include "core/steer/watch.h"
#include "io/clock.h"
#include "io/log.h"

/* A number is what a backend is asked for by. */
static bool is_watched(const struct backend *backend)
{
	return backend->watch.on && backend->id > 0;
}

static bool is_any_watched(const struct cluster *cluster)
{
	size_t n;
	const struct backend *const *backends = cluster_backends(cluster, &n);
	bool found = false;

	for (size_t i = 0; i < n && !found; i++)
		found = is_watched(backends[i]);
	return found;
}

/* The numbers of the backends whose turn it is. Returns how many they are. */
static size_t choose(struct watcher *watcher, uint32_t ids[static WATCH_BACKENDS])
{
	size_t n;
	const struct backend *const *backends = cluster_backends(watcher->components->cluster, &n);
	size_t first = watcher->turn;
	size_t n_ids = 0;

	for (size_t i = 0; i < n && n_ids < WATCH_BACKENDS; i++) {
		size_t at = (first + i) % n;

		if (!is_watched(backends[at]))
			continue;
		ids[n_ids++] = backends[at]->id;
		watcher->turn = at + 1;
	}
	return n_ids;
}

static void see(struct watcher *watcher, struct backend *backend, const char *reply, size_t len)
{
	uint64_t sessions;

	if (!is_watched(backend) || !hasessions_find(reply, len, backend->name, &sessions) ||
		!watch_see(backend, sessions, watcher->asked_ms))
		return;
	watcher->components->stats->plans_overtaken++;
	log_info(
		"more comes than the plan was made for: weights by capacity alone until the next one",
		log_str("backend", backend->name));
	watcher->overtaken(backend, watcher->arg);
}

static void on_answer(const struct runtime_reply *reply, void *arg)
{
	struct watcher *watcher = arg;
	size_t n;
	struct backend *const *backends;

	watcher->asked = false;
	/* The round that follows finds out what is the matter, and says it. */
	if (!watcher->running || reply->outcome != RUNTIME_OK)
		return;
	backends = cluster_edit_backends(watcher->components->cluster, &n);
	for (size_t i = 0; i < n; i++)
		see(watcher, backends[i], reply->bytes, reply->len);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct watcher *watcher = timer->data;
	uint32_t ids[WATCH_BACKENDS];
	char *line;

	(void)loop;
	(void)events;
	if (watcher->asked)
		return;
	line = hasessions_write(ids, choose(watcher, ids));
	watcher->asked_ms = clock_now_ms();
	/* Without memory it is left out, and the next one tells as much. */
	watcher->asked =
		line && runtime_send(watcher->components->runtime, line, on_answer, watcher);
	free(line);
}

void watcher_init(struct watcher *watcher, const struct components *components,
	watcher_overtaken overtaken, void *arg)
{
	*watcher = (struct watcher){
		.components = components,
		.overtaken = overtaken,
		.arg = arg,
	};
	ev_timer_init(&watcher->timer, on_timer, WATCH_MS / 1000.0, WATCH_MS / 1000.0);
	watcher->timer.data = watcher;
}

void watcher_start(struct watcher *watcher)
{
	const struct components *components = watcher->components;

	watcher_stop(watcher);
	watcher->running =
		components->runtime && !components->dry_run && is_any_watched(components->cluster);
	if (!watcher->running)
		return;
	ev_timer_set(&watcher->timer, WATCH_MS / 1000.0, WATCH_MS / 1000.0);
	ev_timer_start(components->loop, &watcher->timer);
}

void watcher_stop(struct watcher *watcher)
{
	watcher->running = false;
	ev_timer_stop(watcher->components->loop, &watcher->timer);
}

void watcher_forget(struct watcher *watcher)
{
	watcher->asked = false;
}
