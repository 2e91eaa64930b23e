/* SPDX-License-Identifier: MIT */
/* One client of wsload: a place that holds one WebSocket at a time, again and again.
 *
 *   IDLE --open--> CONNECTING --> OPEN --close--> CLOSING --> WAITING --> CONNECTING ...
 *                       \-- failed --\-- dropped ----------/
 */
#ifndef FIELD_CLIENT_H
#define FIELD_CLIENT_H

#include "load.h"
#include "talk.h"

enum client_state {
	CLIENT_IDLE, /* its turn has not come, or it is done */
	CLIENT_CONNECTING,
	CLIENT_OPEN,
	CLIENT_CLOSING, /* our close is on its way */
	CLIENT_WAITING, /* opens again when the timer fires */
};

struct client {
	struct load *load;
	struct lws *wsi; /* not NULL while OPEN or CLOSING; NULL while CONNECTING: to the next
			    address */
	struct target *target;
	size_t address; /* which of the target's */
	size_t n_tried; /* of them in this attempt */
	enum client_state state;
	/* The end of the state: give up connecting, end of the lifetime, open again. */
	ev_timer timer;
	struct talk talk;
	struct dice dice;  /* its lifetimes and waits, of the seed and its number alone */
	int64_t began_us;  /* of the handshake */
	bool alone;        /* only our own timer watches it */
	bool timed_out;    /* it took too long */
	unsigned failures; /* in a row, for the back-off */
	bool wants_close;
	bool stormed;      /* marked by a storm that comes to it soon */
	int64_t reopen_us; /* after the close: how long to wait; -1: for ever */
	int peer_code;     /* of a close that the other side began, 0: none */
};

/* Makes a client IDLE; it lies in the caller's memory and must not move until client_fini(). */
void client_init(struct client *client, struct load *load, uint64_t number);

/* Starts an attempt to connect. */
void client_open(struct client *client);

/* Asks an OPEN client to close, after the echo it may wait for, and to open again reopen_us later
 * (-1: never). In any other state only the latter is noted. */
void client_close(struct client *client, int64_t reopen_us);

/* What a storm does to an OPEN client: close, and open again after the first back-off. */
void client_storm(struct client *client);

/* Ends a CONNECTING or WAITING client at once, and counts nothing. */
void client_abandon(struct client *client);

/* Stops its timers and ignores its connection; to be called before the loop ends. */
void client_fini(struct client *client);

/* From talk.c: the echo that a close waited for has come, or never will. */
void client_speechless(struct client *client);

/* The callback of libwebsockets for all clients. */
int client_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

#endif
