/* SPDX-License-Identifier: MIT */
/* `wsbalancer advise`: what a HAProxy's own counts over some minutes say of how it balances. */
#ifndef WSB_ADVICE_H
#define WSB_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/haproxy/hastate.h"
#include "core/plan/hindsight.h"

/* How much of the old workers, which a reload leaves behind with their connections, can be seen. */
enum advice_sight {
	ADVICE_BLIND,   /* nothing */
	ADVICE_COUNTED, /* that they live: as processes of this host */
	ADVICE_READ,    /* what they hold: by the master socket */
};

struct advice_workers {
	enum advice_sight sight;
	const int64_t *pids; /* of those that live; with ADVICE_COUNTED and ADVICE_READ */
	size_t n;
	const struct hastate_snapshot *snapshots; /* what each of pids holds; with ADVICE_READ */
};

struct advice_server {
	char *name;
	char *address; /* "" where it has none */
	uint16_t port;
	bool listed;    /* by the last reading */
	bool is_free;   /* without address, or in maintenance */
	double stray;   /* connections that came when another pod was at its place */
	double old;     /* what old workers hold on it: read, or reckoned */
	uint64_t total; /* sessions of the answering process since it began */
};

/* A backend as observed. pods and readings are as many as servers. */
struct advice_backend {
	char *name;
	char algo[32];
	struct advice_server *servers;
	struct hindsight_pod *pods;
	struct hindsight_reading *readings;
	size_t n_servers;
	unsigned n_readings;
	double standing; /* the last reading's connections, old workers' among them */
	double arrived;
	double ended;     /* of the answering process, since the last reload */
	double held_ms;   /* connections times how long they stood, over the same time */
	unsigned n_moved; /* servers that got another address while connections stood */
	unsigned n_used;
	unsigned n_free;
	double seen; /* sums over the readings, see hindsight.h */
	double counted;
	double reckoned[HINDSIGHT_WAYS];
};

struct advice {
	struct hastate_info info; /* of the last reading; pid 0: there was none */
	int64_t first_ms;
	int64_t last_ms;
	unsigned n_readings;
	unsigned n_reloads;
	enum advice_sight sight;
	size_t n_old;      /* old workers, at the last reading */
	bool old_unread;   /* some held connections, from before the first reading, that nobody told
			    */
	bool old_reckoned; /* what some hold is reckoned, not read */
	int64_t old_pid;   /* the worker that was replaced last; 0: none */
	struct advice_backend *backends;
	size_t n_backends;
};

/* Zeroed memory is a valid start. Adds HAProxy's answer of now_ms. False when out of memory. */
bool advice_observe(struct advice *advice, const struct hastate_snapshot *snapshot,
	const struct advice_workers *workers, int64_t now_ms);
void advice_fini(struct advice *advice);

#endif
