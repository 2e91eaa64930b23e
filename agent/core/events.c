/* SPDX-License-Identifier: MIT */
#include "core/events.h"

#include <stdio.h>
#include <string.h>

#include "core/terms.h"

static const struct {
	const char *label;
	const char *one;  /* behind the name, where there is one */
	const char *many; /* behind "NAME and N more pods" */
} words[] = {
	[EVENT_AGENT_STARTED] = {"agent_started", "the agent started", NULL},
	[EVENT_CONFIGURED] = {"configured", "the agent's configuration changed", NULL},
	[EVENT_RELOADED] = {"reloaded", TERM_RELOADED, NULL},
	[EVENT_LOST] = {"lost", "HAProxy stopped answering", NULL},
	[EVENT_FOUND] = {"found", "HAProxy answered again", NULL},
	[EVENT_JOINED] = {"joined", "joined", "joined"},
	[EVENT_LEFT] = {"left", "left", "left"},
	[EVENT_SILENT] = {"silent", "could not be polled", "could not be polled"},
	[EVENT_HEARD] = {"heard", "was polled again", "were polled again"},
};

const char *event_kind_label(enum event_kind kind)
{
	return words[kind].label;
}

static struct event *newest_of(struct events *events, enum event_kind kind)
{
	for (size_t i = events->len; i-- > 0;) {
		size_t at = (events->next + EVENTS_MAX - events->len + i) % EVENTS_MAX;

		if (events->ring[at].kind == kind)
			return &events->ring[at];
	}
	return NULL;
}

void events_add(struct events *events, int64_t wall_ms, enum event_kind kind, const char *name)
{
	struct event *last = newest_of(events, kind);
	struct event *event;
	size_t len = strlen(name);
	size_t cut = len >= EVENTS_NAME_SIZE ? len - EVENTS_NAME_SIZE + 1 : 0;

	if (last && wall_ms - last->last_wall_ms >= 0 &&
		wall_ms - last->last_wall_ms <= EVENTS_MERGE_MS) {
		last->n++;
		last->last_wall_ms = wall_ms;
		return;
	}
	/* A cut must not leave half a character of UTF-8. */
	while (cut > 0 && ((unsigned char)name[cut] & 0xc0) == 0x80)
		cut++;
	event = &events->ring[events->next];
	*event = (struct event){.wall_ms = wall_ms, .last_wall_ms = wall_ms, .kind = kind, .n = 1};
	memcpy(event->name, name + cut, len - cut + 1);
	events->next = (events->next + 1) % EVENTS_MAX;
	if (events->len < EVENTS_MAX)
		events->len++;
}

const struct event *events_at(const struct events *events, size_t i)
{
	return &events->ring[(events->next + EVENTS_MAX - events->len + i) % EVENTS_MAX];
}

char *event_text(const struct event *event, char *buf, size_t size)
{
	const char *one = words[event->kind].one;
	const char *many = words[event->kind].many;

	if (event->n > 1 && many) {
		snprintf(buf, size, "%s and %u more pod%s %s", event->name, event->n - 1,
			event->n == 2 ? "" : "s", many);
	} else if (event->n > 1) {
		snprintf(buf, size, "%s %u times", one, event->n);
	} else {
		snprintf(buf, size, "%s%s%s", event->name, event->name[0] ? " " : "", one);
	}
	return buf;
}
