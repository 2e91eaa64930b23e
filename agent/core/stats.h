/* SPDX-License-Identifier: MIT */
/* What the shell counts about itself, for the report. */
#ifndef WSB_STATS_H
#define WSB_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/events.h"
#include "core/metric/metric.h"

enum {
	STATS_N_BUCKETS = 12,    /* of a histogram, without +Inf */
	STATS_HISTORY_MAX = 600, /* points of the imbalance history: ten minutes at 1 s */
};

/* Upper bounds in seconds of every duration histogram, ascending. */
extern const double stats_bounds_s[STATS_N_BUCKETS];

/* Zeroed memory is an empty histogram. */
struct stats_histogram {
	uint64_t buckets[STATS_N_BUCKETS + 1]; /* not cumulative; the last is +Inf */
	uint64_t count;
	double sum_s;
};

void stats_observe(struct stats_histogram *histogram, double seconds);

/* One plan's imbalance over all steered backends: the worst of them. */
struct stats_point {
	int64_t wall_ms;  /* since the epoch */
	double imbalance; /* max/mean - 1 */
};

enum stats_push {
	STATS_PUSH_OK,
	STATS_PUSH_REFUSED, /* HAProxy complained */
	STATS_PUSH_FAILED,  /* no connection, or it broke */
	STATS_N_PUSHES
};

enum stats_record {
	STATS_RECORD_WRITTEN, /* the round is in the file */
	STATS_RECORD_BUSY,    /* left out: the one before was still being written */
	STATS_RECORD_FAILED,  /* left out: a full disk or the like */
	STATS_N_RECORDS
};

/* Connections to the HTTP endpoint that the agent closed by itself. */
enum stats_http {
	STATS_HTTP_SLOW_HEAD,   /* no whole request, or handshake, in time */
	STATS_HTTP_IDLE,        /* answered, and no further request in time */
	STATS_HTTP_SLOW_ANSWER, /* the answer was not read in time */
	STATS_HTTP_CROWDED,     /* made room for another */
	STATS_HTTP_REFUSED,     /* there was no room */
	STATS_N_HTTP
};

/* Zeroed memory is a valid start. */
struct stats {
	int64_t start_wall_ms;
	struct stats_histogram turn;       /* seconds that a turn of the event loop took */
	double longest_turn_s;             /* of all since the start */
	double busiest_turn_s;             /* the most processor time that one took */
	struct stats_histogram poll;       /* seconds a poll took */
	uint64_t polls[METRIC_N_OUTCOMES]; /* polls, by how they ended */
	struct stats_histogram push;       /* seconds a line of commands took */
	struct stats_histogram read;       /* seconds that reading HAProxy's state took */
	uint64_t pushes[STATS_N_PUSHES];   /* lines of commands */
	uint64_t weights_sent;             /* set server weight commands */
	uint64_t reads_failed;             /* HAProxy's state could not be read */
	uint64_t rounds;                   /* ticks that made a plan */
	uint64_t rounds_put_off;  /* the pods were asked again, since counts were torn (storm.h) */
	uint64_t plans_overtaken; /* more came than they were made for (steer/watch.h) */
	uint64_t rounds_skipped;  /* out of memory, or the last one still under way */
	uint64_t agent_check_answered; /* with a weight */
	uint64_t agent_check_unknown;  /* an empty line: no such server, or no plan */
	uint64_t agent_check_dropped;  /* silence, too long, or too many at once */
	uint64_t http_connections;     /* to the HTTP endpoint, now */
	uint64_t http_dropped[STATS_N_HTTP];
	uint64_t records[STATS_N_RECORDS]; /* rounds that were to be recorded */
	uint64_t config_reloads;
	uint64_t config_reloads_failed;
	bool haproxy_reached;     /* the last read went well */
	char haproxy_error[200];  /* why not, "" when reached */
	bool push_denied;         /* the socket is not of level admin: no weight is taken */
	char push_complaint[200]; /* the last of HAProxy's about the last lines of commands; "" */
	struct events events;
	struct stats_point history[STATS_HISTORY_MAX]; /* a ring */
	size_t history_len;                            /* points held */
	size_t history_next;                           /* where the next one goes */
};

/* Of points within the same second or so, the worst is kept. */
void stats_add_point(struct stats *stats, int64_t wall_ms, double imbalance);
/* The i-th oldest point, i < history_len. */
const struct stats_point *stats_point_at(const struct stats *stats, size_t i);

#endif
