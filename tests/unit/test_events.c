/* SPDX-License-Identifier: MIT */
/* The ring of what has happened, and its words. */
#include <check.h>
#include <string.h>

#include "core/base/text.h"
#include "core/events.h"
#include "run.h"

static const char *last_text(const struct events *events)
{
	static char text[256];

	return event_text(events_at(events, events->len - 1), text, sizeof(text));
}

START_TEST(an_event_is_told_in_words)
{
	static const struct {
		enum event_kind kind;
		const char *name;
		const char *text;
	} told[] = {
		{EVENT_AGENT_STARTED, "", "the agent started"},
		{EVENT_CONFIGURED, "", "the agent's configuration changed"},
		{EVENT_RELOADED, "", "HAProxy was reloaded or restarted"},
		{EVENT_LOST, "", "HAProxy stopped answering"},
		{EVENT_FOUND, "", "HAProxy answered again"},
		{EVENT_JOINED, "web-1", "web-1 joined"},
		{EVENT_LEFT, "web-1", "web-1 left"},
		{EVENT_SILENT, "web-1", "web-1 could not be polled"},
		{EVENT_HEARD, "web-1", "web-1 was polled again"},
	};
	static struct events events;

	ck_assert_int_eq(N_OF(told), EVENT_N_KINDS);
	for (size_t i = 0; i < N_OF(told); i++) {
		events_add(&events, 1000, told[i].kind, told[i].name);
		ck_assert_str_eq(last_text(&events), told[i].text);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(
				event_kind_label(told[i].kind), event_kind_label(told[j].kind));
	}
}
END_TEST

START_TEST(events_of_one_kind_within_two_seconds_are_one)
{
	static struct events events;

	events_add(&events, 10000, EVENT_JOINED, "web-1");
	events_add(&events, 10500, EVENT_LEFT, "old-1");
	events_add(&events, 12000, EVENT_JOINED, "web-2");
	ck_assert_uint_eq(events.len, 2);
	ck_assert_uint_eq(events_at(&events, 0)->n, 2);
	ck_assert_int_eq(events_at(&events, 0)->wall_ms, 10000);
	/* The last of them counts, so a long rolling update stays one. */
	events_add(&events, 14000, EVENT_JOINED, "web-3");
	ck_assert_uint_eq(events.len, 2);
	ck_assert_uint_eq(events_at(&events, 0)->n, 3);
	events_add(&events, 16001, EVENT_JOINED, "web-4");
	ck_assert_uint_eq(events.len, 3);

	char text[256];

	ck_assert_str_eq(event_text(events_at(&events, 0), text, sizeof(text)),
		"web-1 and 2 more pods joined");
	ck_assert_str_eq(last_text(&events), "web-4 joined");
	events_add(&events, 20000, EVENT_RELOADED, "");
	events_add(&events, 20100, EVENT_RELOADED, "");
	ck_assert_str_eq(last_text(&events), "HAProxy was reloaded or restarted 2 times");
}
END_TEST

START_TEST(a_clock_that_is_set_back_begins_anew)
{
	static struct events events;

	events_add(&events, 10000, EVENT_RELOADED, "");
	events_add(&events, 9000, EVENT_RELOADED, "");
	ck_assert_uint_eq(events.len, 2);
}
END_TEST

START_TEST(the_ring_keeps_the_newest)
{
	static struct events events;

	for (int i = 0; i < 3 * EVENTS_MAX + 5; i++)
		events_add(&events, 10000LL * i, EVENT_RELOADED, "");
	ck_assert_uint_eq(events.len, EVENTS_MAX);
	for (int i = 0; i < EVENTS_MAX; i++)
		ck_assert_int_eq(
			events_at(&events, (size_t)i)->wall_ms, 10000LL * (2 * EVENTS_MAX + 5 + i));
}
END_TEST

/* Pods of Kubernetes differ at the end of their names. */
START_TEST(of_a_long_name_the_end_is_kept_in_whole_characters)
{
	static struct events events;
	char name[400];

	for (size_t shift = 0; shift < 3; shift++) {
		memset(name, 'a', sizeof(name));
		for (size_t i = shift; i + 12 < sizeof(name); i += 2)
			memcpy(name + i, "\xc3\xa9", 2);
		strcpy(name + sizeof(name) - 10, "-x2x4k");
		events_add(&events, (int64_t)shift * 10000, EVENT_JOINED, name);
		const struct event *event = events_at(&events, events.len - 1);

		ck_assert_str_eq(event->name + strlen(event->name) - 6, "-x2x4k");
		ck_assert(text_is_utf8(event->name, strlen(event->name)));
		ck_assert_uint_ge(strlen(event->name), EVENTS_NAME_SIZE - 3);
	}
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{an_event_is_told_in_words, ONCE},
		{events_of_one_kind_within_two_seconds_are_one, ONCE},
		{a_clock_that_is_set_back_begins_anew, ONCE},
		{the_ring_keeps_the_newest, ONCE},
		{of_a_long_name_the_end_is_kept_in_whole_characters, ONCE},
	};

	return run_suite("events", tests, N_OF(tests));
}
