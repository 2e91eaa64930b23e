/* SPDX-License-Identifier: MIT */
/* Looks at HAProxy between two rounds, while weights are in force that favour a pod. */
#ifndef WSB_WATCHER_H
#define WSB_WATCHER_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "components.h"

/* More has come than a plan was made for: its backend's weights by capacity are the wanted ones
 * now. Called from the loop. */
typedef void (*watcher_overtaken)(struct backend *backend, void *arg);

struct watcher {
	const struct components *components; /* the caller's, read anew each time */
	watcher_overtaken overtaken;
	void *arg;
	ev_timer timer;
	bool running; /* between two rounds */
	bool asked;   /* a question is with HAProxy */
	int64_t asked_ms;
	size_t turn; /* the first backend of the next look */
};

void watcher_init(struct watcher *watcher, const struct components *components,
	watcher_overtaken overtaken, void *arg);

/* A round has ended: looks as often as WATCH_MS says while a backend is watched (watch.h). Not in a
 * dry run, whose weights are in nobody's way. */
void watcher_start(struct watcher *watcher);
/* A round begins: what HAProxy still answers is not heeded. */
void watcher_stop(struct watcher *watcher);
/* The runtime has been freed, and with it the question on its way. */
void watcher_forget(struct watcher *watcher);

#endif
