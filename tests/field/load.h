/* SPDX-License-Identifier: MIT */
/* A run of wsload: opens its clients at a rate, keeps them standing, and ends in good order. */
#ifndef FIELD_LOAD_H
#define FIELD_LOAD_H

#include "dice.h"
#include "loop.h"
#include "tally.h"
#include "target.h"

enum load_spread { LOAD_FIXED, LOAD_EXPONENTIAL, LOAD_LOGNORMAL };

enum { LOAD_STORMS = 16 };

struct load_plan {
	int64_t connections;
	double rate;       /* opened a second at the start */
	double lifetime_s; /* mean; 0: for ever */
	enum load_spread spread;
	bool replace;              /* open another when a lifetime ends */
	double message_interval_s; /* of one client; 0: no messages */
	int64_t message_bytes;
	bool text;
	double ping_interval_s;     /* 0: no pings */
	double reconnect_ms;        /* the mean of the first wait after a drop */
	double handshake_s, echo_s; /* how long either may take */
	double duration_s;          /* 0: until a signal */
	int64_t seed;
	const char *subprotocol; /* NULL: none */
	bool deflate, insecure, progress, json, verbose;
	struct load_storm {
		double at_s, fraction;
	} storms[LOAD_STORMS];
	size_t n_storms;
};

struct client;

struct load {
	struct loop loop;
	const struct load_plan *plan;
	struct target *targets; /* not owned */
	size_t n_targets, next_target;
	struct client *clients; /* owned, plan->connections of them */
	size_t n_begun;         /* clients whose first turn has come */
	size_t n_busy;          /* of these, the ones that are not IDLE */
	size_t n_closing;       /* of the busy ones, those in CLOSING */
	size_t n_swept;         /* how far the sweeper has come */
	struct tally tally;
	struct dice dice;      /* of the messages */
	unsigned char *buffer; /* owned: a message behind LWS_PRE bytes */
	int64_t began_us;
	bool stood, ending;
	ev_timer pacer, second, end, sweeper;
	ev_timer storms[LOAD_STORMS];
};

/* Sets a run up. The plan and the targets must outlive it and the load must not move. On false one
 * line on stderr says why, and nothing is left to free. */
bool load_start(
	struct load *load, const struct load_plan *plan, struct target *targets, size_t n_targets);

/* Runs for plan->duration_s or until SIGINT or SIGTERM, then closes what stands. A second signal
 * ends the run at once. */
void load_run(struct load *load);

/* The age of the run in seconds. */
double load_age_s(const struct load *load);

void load_stop(struct load *load);

/* What follows is for client.c. */

/* Where the next connection goes, round robin. */
struct target *load_next_target(struct load *load);

/* How long a new connection should live; 0: for ever. dice is the client's: what happens to one
 * client must not change the lives of the others. */
int64_t load_lifetime_us(const struct load *load, struct dice *dice);

/* The wait before trying again after this many failures in a row, jittered. */
int64_t load_backoff_us(const struct load *load, struct dice *dice, unsigned failures);

/* A client came to OPEN, or left it. */
void load_count_open(struct load *load, bool in);

/* A client became idle, perhaps the last one. */
void load_client_idle(struct load *load);

#endif
