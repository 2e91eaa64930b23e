/* SPDX-License-Identifier: MIT */
/* The places that the HTTP endpoint has for connections, and who makes room when all are taken. */
#ifndef WSB_PLACES_H
#define WSB_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/stats.h"
#include "io/log.h"

enum {
	PLACES_MAX = 128,       /* connections of one listening socket */
	PLACES_MAX_OF_ONE = 64, /* of them for one address; this host is not counted */
};

enum place_state {
	PLACE_HEAD,   /* its request, or TLS's handshake, is not there yet */
	PLACE_IDLE,   /* it was answered, and another request may come */
	PLACE_ANSWER, /* it is being answered */
	PLACE_HELD,   /* its answer is due later */
};

/* A connection. */
struct place {
	struct place *next;
	struct place *prev;
	int fd;
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	bool is_local;
	enum place_state state;
	int64_t since_ms; /* it is in this state */
	bool begun;       /* the daemon has it; until then nobody makes it go */
	bool closing;     /* it was told to go, and counts no more */
};

struct places {
	struct place *first; /* the newest */
	size_t n;            /* without those that are closing */
	struct stats *stats; /* the caller's */
	struct log_repeat crowded;
};

void places_init(struct places *places, struct stats *stats);

/*
 * A connection for fd, which stays the caller's. Where all places are taken, another makes room:
 * the one that has waited longest for a whole head or handshake, else the longest idle one, else
 * the one that has taken longest to read its answer; an address that has half of the places makes
 * room among its own. NULL when nobody can, or out of memory.
 */
struct place *places_add(
	struct places *places, int fd, const struct sockaddr *address, int64_t now_ms);
/* The connection of this socket; NULL where there is none. */
struct place *places_find(const struct places *places, int fd);
/* Forgets connections that the daemon was given and did not begin with, and has closed. */
void places_forget_unbegun(struct places *places);
/* It has closed. */
void places_remove(struct places *places, struct place *place);

void places_enter(struct place *place, enum place_state state, int64_t now_ms);

/* Descriptors are short: a connection that waits for nothing, or has waited for a head for long,
 * makes room. False when there is none. */
bool places_make_room(struct places *places, int64_t now_ms);

/* Closes those that take too long, whatever trickles in: 10 s for a head, 20 s idle, 60 s for an
 * answer. True when there were any. */
bool places_sweep(struct places *places, int64_t now_ms);

#endif
