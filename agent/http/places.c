/* SPDX-License-Identifier: MIT */
/* Who has a connection, and since when. */
#include "http/places.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 1000 };

void places_init(struct places *places, struct stats *stats)
{
	*places = (struct places){.stats = stats};
}

static void read_address(struct place *place, const struct sockaddr *address)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *ipv6 = (const void *)address;

		memcpy(place->address, &ipv6->sin6_addr, sizeof(place->address));
		place->is_local = IN6_IS_ADDR_LOOPBACK(&ipv6->sin6_addr);
	} else if (address->sa_family == AF_INET) {
		const struct sockaddr_in *ipv4 = (const void *)address;

		memcpy(place->address, mapped, sizeof(mapped));
		memcpy(place->address + sizeof(mapped), &ipv4->sin_addr, sizeof(ipv4->sin_addr));
	}
	if (memcmp(place->address, mapped, sizeof(mapped)) == 0)
		place->is_local = place->address[12] == 127;
}

static bool is_of(const struct place *place, const struct place *other)
{
	return memcmp(place->address, other->address, sizeof(place->address)) == 0;
}

/* libmicrohttpd closes it the next time that it runs. */
static void shut(struct places *places, struct place *place, enum stats_http why)
{
	shutdown(place->fd, SHUT_RDWR);
	place->closing = true;
	places->n--;
	places->stats->http_dropped[why]++;
	places->stats->http_connections--;
}

/* The one that has been in its state longest, of the first state that any is in; of the same
 * address as of, unless that is NULL. */
static struct place *find_victim(const struct places *places, const struct place *of)
{
	for (enum place_state state = PLACE_HEAD; state <= PLACE_ANSWER; state++) {
		struct place *found = NULL;

		for (struct place *place = places->first; place; place = place->next) {
			if (place->begun && !place->closing && place->state == state &&
				(!of || is_of(place, of)) &&
				(!found || place->since_ms <= found->since_ms))
				found = place;
		}
		if (found)
			return found;
	}
	return NULL;
}

static size_t count_of(const struct places *places, const struct place *of)
{
	size_t n = 0;

	for (const struct place *place = places->first; place; place = place->next)
		n += !place->closing && is_of(place, of);
	return n;
}

static void say_crowded(struct places *places, const char *what)
{
	if (log_repeat(&places->crowded))
		log_warn(what, log_int("places", PLACES_MAX),
			log_int("times", (int64_t)places->crowded.times));
}

/* There is a place for the newcomer, perhaps since somebody made room. */
static bool has_room(struct places *places, const struct place *newcomer)
{
	bool of_one = !newcomer->is_local && count_of(places, newcomer) >= PLACES_MAX_OF_ONE;
	struct place *victim;

	if (!of_one && places->n < PLACES_MAX) {
		if (places->n < PLACES_MAX / 2)
			log_repeat_end(&places->crowded);
		return true;
	}
	say_crowded(
		places, of_one ? "one address has half of the endpoint's connections"
			       : "all of the endpoint's connections are taken: others make room");
	victim = find_victim(places, of_one ? newcomer : NULL);
	if (victim)
		shut(places, victim, STATS_HTTP_CROWDED);
	else
		places->stats->http_dropped[STATS_HTTP_REFUSED]++;
	return victim != NULL;
}

struct place *places_add(
	struct places *places, int fd, const struct sockaddr *address, int64_t now_ms)
{
	struct place *place = calloc(1, sizeof(*place));

	if (!place)
		return NULL;
	place->fd = fd;
	place->since_ms = now_ms;
	read_address(place, address);
	if (!has_room(places, place)) {
		free(place);
		return NULL;
	}
	place->next = places->first;
	if (place->next)
		place->next->prev = place;
	places->first = place;
	places->n++;
	places->stats->http_connections++;
	return place;
}

struct place *places_find(const struct places *places, int fd)
{
	struct place *place = places->first;

	while (place && place->fd != fd)
		place = place->next;
	return place;
}

void places_remove(struct places *places, struct place *place)
{
	if (!place->closing) {
		places->n--;
		places->stats->http_connections--;
	}
	if (place->prev)
		place->prev->next = place->next;
	else
		places->first = place->next;
	if (place->next)
		place->next->prev = place->prev;
	free(place);
}

void places_forget_unbegun(struct places *places)
{
	for (struct place *place = places->first, *next; place; place = next) {
		next = place->next;
		if (!place->begun)
			places_remove(places, place);
	}
}

void places_enter(struct place *place, enum place_state state, int64_t now_ms)
{
	place->state = state;
	place->since_ms = now_ms;
}

bool places_make_room(struct places *places, int64_t now_ms)
{
	struct place *victim = find_victim(places, NULL);

	/* One that has only just come, or that reads its answer, may well be done in a moment. */
	if (!victim || victim->state > PLACE_IDLE ||
		(victim->state == PLACE_HEAD && now_ms - victim->since_ms < PATIENCE_MS))
		return false;
	shut(places, victim, STATS_HTTP_CROWDED);
	return true;
}

bool places_sweep(struct places *places, int64_t now_ms)
{
	static const struct {
		int64_t most_ms;
		enum stats_http why;
	} limits[] = {
		[PLACE_HEAD] = {10000, STATS_HTTP_SLOW_HEAD},
		[PLACE_IDLE] = {20000, STATS_HTTP_IDLE},
		[PLACE_ANSWER] = {60000, STATS_HTTP_SLOW_ANSWER},
		[PLACE_HELD] = {INT64_MAX, STATS_HTTP_SLOW_ANSWER},
	};
	bool any = false;

	for (struct place *place = places->first; place; place = place->next) {
		if (!place->begun || place->closing ||
			now_ms - place->since_ms < limits[place->state].most_ms)
			continue;
		shut(places, place, limits[place->state].why);
		any = true;
	}
	return any;
}
