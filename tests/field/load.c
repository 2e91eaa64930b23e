/* SPDX-License-Identifier: MIT */
/* The course of a run: pace, storms, progress, end. */
#include "load.h"

#include "client.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	PACE_US = 5000,
	SWEEP_US = 2000,
	SWEEP_MOST = 200,       /* closes under way at once */
	SWEEP_LEAST = 5,        /* more in each turn, though nobody answers them */
	FAREWELL_US = 10000000, /* at most for the closes at the end */
	MAX_BACKOFF_US = 30000000,
};

double load_age_s(const struct load *load)
{
	return (double)(loop_now_us() - load->began_us) / 1e6;
}

struct target *load_next_target(struct load *load)
{
	struct target *target = &load->targets[load->next_target];
	load->next_target = (load->next_target + 1) % load->n_targets;
	return target;
}

int64_t load_lifetime_us(const struct load *load, struct dice *dice)
{
	double mean_s = load->plan->lifetime_s;
	double s = mean_s;
	if (mean_s <= 0.0)
		return 0;
	switch (load->plan->spread) {
	case LOAD_FIXED:
		break;
	case LOAD_EXPONENTIAL:
		s = dice_exponential(dice, mean_s);
		break;
	case LOAD_LOGNORMAL:
		s = dice_lognormal(dice, mean_s);
		break;
	}
	/* A year is for ever enough, and keeps the product in range. */
	return 1 + (int64_t)(fmin(s, 3.2e7) * 1e6);
}

int64_t load_backoff_us(const struct load *load, struct dice *dice, unsigned failures)
{
	double us = load->plan->reconnect_ms * 1e3 * (double)(1U << (failures < 6 ? failures : 6));
	us *= 0.5 + dice_unit(dice);
	return us < MAX_BACKOFF_US ? (int64_t)us : MAX_BACKOFF_US;
}

void load_count_open(struct load *load, bool in)
{
	struct tally *tally = &load->tally;
	if (!in) {
		tally->open--;
		return;
	}
	tally->open++;
	if (tally->open > tally->most_open)
		tally->most_open = tally->open;
	if (load->stood || tally->open < (uint64_t)load->plan->connections)
		return;
	load->stood = true;
	fprintf(stderr,
		load->plan->json ? "{\"standing\": %" PRIu64 ", \"at_s\": %.3f}\n"
				 : "standing %" PRIu64 " after %.3f s\n",
		tally->open, load_age_s(load));
}

void load_client_idle(struct load *load)
{
	load->n_busy--;
	if (load->n_busy == 0 && (load->ending || load->n_begun == (size_t)load->plan->connections))
		loop_break(&load->loop);
}

static void on_pace(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct load *load = timer->data;
	(void)revents;
	double due = load_age_s(load) * load->plan->rate;
	size_t wanted = (size_t)load->plan->connections;
	if (due < (double)wanted)
		wanted = (size_t)due;
	while (load->n_begun < wanted) {
		load->n_busy++;
		client_open(&load->clients[load->n_begun++]);
	}
	if (load->n_begun == (size_t)load->plan->connections)
		ev_timer_stop(ev, timer);
}

static void on_second(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct load *load = timer->data;
	(void)ev;
	(void)revents;
	tally_progress(&load->tally, stderr, load->plan->json, load_age_s(load));
}

/* Goes through the clients and closes those that a storm marked, or all at the end. A few at a
 * time: libwebsockets walks its list of timeouts for each close. */
static void on_sweep(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct load *load = timer->data;
	(void)revents;
	size_t room = load->n_closing < SWEEP_MOST ? SWEEP_MOST - load->n_closing : 0;
	if (room < SWEEP_LEAST)
		room = SWEEP_LEAST;
	for (; room > 0 && load->n_swept < load->n_begun; load->n_swept++) {
		struct client *client = &load->clients[load->n_swept];
		if (load->ending) {
			client_close(client, -1);
			client_abandon(client);
			room--;
		} else if (client->stormed) {
			client_storm(client);
			room--;
		}
	}
	if (load->n_swept == load->n_begun)
		ev_timer_stop(ev, timer);
}

static void start_sweep(struct load *load)
{
	load->n_swept = 0;
	ev_timer_start(load->loop.ev, &load->sweeper);
}

static void on_storm(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct load *load = timer->data;
	size_t number = (size_t)(timer - load->storms);
	double fraction = load->plan->storms[number].fraction;
	struct dice dice = {.state = (uint64_t)load->plan->seed - 1 - number};
	(void)ev;
	(void)revents;
	/* Exactly that share of the open ones, each with the same chance. */
	uint64_t left = load->tally.open;
	uint64_t wanted = (uint64_t)llround(fraction * (double)left);
	for (size_t i = 0; i < load->n_begun && wanted > 0; i++) {
		struct client *client = &load->clients[i];
		if (client->state != CLIENT_OPEN)
			continue;
		client->stormed = dice_unit(&dice) * (double)left < (double)wanted;
		wanted -= client->stormed ? 1 : 0;
		left--;
	}
	start_sweep(load);
}

static void begin_end(struct load *load)
{
	struct ev_loop *ev = load->loop.ev;
	load->ending = true;
	ev_timer_stop(ev, &load->pacer);
	for (size_t i = 0; i < load->plan->n_storms; i++)
		ev_timer_stop(ev, &load->storms[i]);
	loop_timer_start(&load->loop, &load->end, FAREWELL_US);
	start_sweep(load);
	if (load->n_busy == 0)
		loop_break(&load->loop);
}

static void on_end(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct load *load = timer->data;
	(void)ev;
	(void)revents;
	if (load->ending)
		loop_break(&load->loop);
	else
		begin_end(load);
}

static void on_stop(struct loop *loop)
{
	struct load *load = loop->owner;
	if (load->ending)
		loop_break(loop);
	else
		begin_end(load);
}

static void init_timer(struct load *load, ev_timer *timer,
	void (*fired)(struct ev_loop *, ev_timer *, int), double first_s, double repeat_s)
{
	ev_init(timer, fired);
	ev_timer_set(timer, first_s, repeat_s);
	timer->data = load;
}

bool load_start(
	struct load *load, const struct load_plan *plan, struct target *targets, size_t n_targets)
{
	static const struct lws_protocols protocols[] = {
		{.name = "wsload",
			.callback = client_event,
			.rx_buffer_size = 4096,
			.tx_packet_size = 1 << 20},
		{0},
	};
	*load = (struct load){.plan = plan, .targets = targets, .n_targets = n_targets};
	load->dice.state = (uint64_t)plan->seed;
	load->clients = calloc((size_t)plan->connections, sizeof(*load->clients));
	load->buffer = malloc(LWS_PRE + (size_t)plan->message_bytes);
	const struct loop_setup setup = {
		.protocols = protocols,
		.handshake_s = (int)ceil(plan->handshake_s) + 1,
		.deflate = plan->deflate,
		.verbose = plan->verbose,
		.client_tls = true,
		.on_stop = on_stop,
		.owner = load,
	};
	if (!load->clients || !load->buffer || !loop_start(&load->loop, "wsload", &setup)) {
		free(load->clients);
		free(load->buffer);
		return false;
	}
	for (int64_t i = 0; i < plan->connections; i++)
		client_init(&load->clients[i], load, (uint64_t)i);
	init_timer(load, &load->pacer, on_pace, 0.0, PACE_US / 1e6);
	init_timer(load, &load->second, on_second, 1.0, 1.0);
	init_timer(load, &load->sweeper, on_sweep, 0.0, SWEEP_US / 1e6);
	init_timer(load, &load->end, on_end, plan->duration_s, 0.0);
	for (size_t i = 0; i < plan->n_storms; i++)
		init_timer(load, &load->storms[i], on_storm, plan->storms[i].at_s, 0.0);
	return true;
}

void load_run(struct load *load)
{
	struct ev_loop *ev = load->loop.ev;
	load->began_us = loop_now_us();
	ev_now_update(ev);
	ev_timer_start(ev, &load->pacer);
	if (load->plan->progress)
		ev_timer_start(ev, &load->second);
	if (load->plan->duration_s > 0.0)
		ev_timer_start(ev, &load->end);
	for (size_t i = 0; i < load->plan->n_storms; i++)
		ev_timer_start(ev, &load->storms[i]);
	loop_run(&load->loop);
}

void load_stop(struct load *load)
{
	struct ev_loop *ev = load->loop.ev;
	ev_timer_stop(ev, &load->pacer);
	ev_timer_stop(ev, &load->second);
	ev_timer_stop(ev, &load->sweeper);
	ev_timer_stop(ev, &load->end);
	for (size_t i = 0; i < load->plan->n_storms; i++)
		ev_timer_stop(ev, &load->storms[i]);
	for (int64_t i = 0; i < load->plan->connections; i++)
		client_fini(&load->clients[i]);
	loop_stop(&load->loop);
	free(load->clients);
	free(load->buffer);
	*load = (struct load){0};
}
