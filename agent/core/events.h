/* SPDX-License-Identifier: MIT */
/* What has happened of late that moves connections: the marks on the page's chart. */
#ifndef WSB_EVENTS_H
#define WSB_EVENTS_H

#include <stddef.h>
#include <stdint.h>

enum event_kind {
	EVENT_AGENT_STARTED,
	EVENT_CONFIGURED, /* the agent took another configuration */
	EVENT_RELOADED,   /* another process of HAProxy's answers: it counts from zero */
	EVENT_LOST,       /* HAProxy does not answer any more */
	EVENT_FOUND,      /* it does again */
	EVENT_JOINED,     /* HAProxy began to use a pod */
	EVENT_LEFT,       /* a pod has gone */
	EVENT_SILENT,     /* a pod did not answer; it had before */
	EVENT_HEARD,      /* it does again */
	EVENT_N_KINDS
};

enum {
	EVENTS_MAX = 128,       /* that are kept; the oldest goes first */
	EVENTS_NAME_SIZE = 128, /* bytes of a name with its NUL; the end of a longer one is kept */
	EVENTS_MERGE_MS = 2000, /* events of a kind nearer than this are one */
};

struct event {
	int64_t wall_ms; /* of the first, since the epoch */
	int64_t last_wall_ms;
	enum event_kind kind;
	unsigned n;                  /* how often, within EVENTS_MERGE_MS of one another; >= 1 */
	char name[EVENTS_NAME_SIZE]; /* of the first's pod; "" for what is no pod's */
};

/* Zeroed memory is an empty ring. */
struct events {
	struct event ring[EVENTS_MAX];
	size_t len;
	size_t next;
};

/* A rolling update is many pods within seconds: it is one event of many. name may be "". */
void events_add(struct events *events, int64_t wall_ms, enum event_kind kind, const char *name);

/* The i-th oldest, i < len. */
const struct event *events_at(const struct events *events, size_t i);

/* "reloaded", "joined", ...: for machines; static. */
const char *event_kind_label(enum event_kind kind);

/* What an event says to people: "web-1 joined", "web-1 and 3 more pods joined", "HAProxy reloaded".
 * Written to buf, cut to size; returns buf. */
char *event_text(const struct event *event, char *buf, size_t size);

#endif
