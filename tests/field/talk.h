/* SPDX-License-Identifier: MIT */
/* What a client of wsload says over its WebSocket: messages, one at a time, whose echoes it checks,
 * and pings. */
#ifndef FIELD_TALK_H
#define FIELD_TALK_H

#include "payload.h"

#include <ev.h>

struct client;

struct talk {
	struct client *client;
	ev_timer beat;          /* the next message is due, or the echo is overdue */
	int64_t due_us;         /* when the message should be sent */
	int64_t counts_from_us; /* where its echo's latency begins */
	bool behind;            /* it was due before the echo of the one before it came */
	bool wants_send, in_flight;
	struct payload payload; /* of the message in flight */
	size_t echoed_bytes;
	bool spoilt, hushed;
	ev_timer pinger;
	bool wants_ping;
	int64_t pinged_us; /* 0: no ping is under way */
};

/* In the client's memory, which must not move. */
void talk_init(struct talk *talk, struct client *client);

/* The WebSocket stands: talks from now on, as the plan says. */
void talk_begin(struct talk *talk);

/* Sends no more messages. True if an echo is still under way: client_speechless() is called when it
 * has come, or at its deadline. */
bool talk_hush(struct talk *talk);

/* Stops at once; nothing is called afterwards. */
void talk_end(struct talk *talk);

/* Events of libwebsockets; what talk_write() returns is for it. */
int talk_write(struct talk *talk);
void talk_receive(struct talk *talk, const unsigned char *in, size_t len);
void talk_pong(struct talk *talk);

#endif
