/* SPDX-License-Identifier: MIT */
/* Sending messages and pings, and checking what comes back. */
#include "talk.h"

#include "client.h"

#include <string.h>

static const struct load_plan *plan_of(struct talk *talk)
{
	return talk->client->load->plan;
}

static void start(struct talk *talk, ev_timer *timer, double s)
{
	loop_timer_start(&talk->client->load->loop, timer, (int64_t)(s * 1e6));
}

static void on_beat(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct talk *talk = timer->data;
	(void)ev;
	(void)revents;
	if (!talk->in_flight) {
		/* If only our own timer was late, the server has no part in it. */
		talk->counts_from_us = talk->behind ? talk->due_us : loop_now_us();
		talk->wants_send = true;
		lws_callback_on_writable(talk->client->wsi);
		return;
	}
	/* The connection is of no more use: the echo might still come and be taken for another. */
	talk->client->load->tally.lost++;
	talk->in_flight = false;
	talk->hushed = true;
	client_speechless(talk->client);
}

static void on_pinger(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct talk *talk = timer->data;
	(void)ev;
	(void)revents;
	start(talk, timer, plan_of(talk)->ping_interval_s);
	if (talk->pinged_us != 0)
		return;
	talk->wants_ping = true;
	lws_callback_on_writable(talk->client->wsi);
}

void talk_init(struct talk *talk, struct client *client)
{
	*talk = (struct talk){.client = client};
	ev_timer_init(&talk->beat, on_beat, 0.0, 0.0);
	ev_timer_init(&talk->pinger, on_pinger, 0.0, 0.0);
	talk->beat.data = talk;
	talk->pinger.data = talk;
}

void talk_begin(struct talk *talk)
{
	const struct load_plan *plan = plan_of(talk);
	struct dice *dice = &talk->client->load->dice;
	talk->behind = talk->wants_send = talk->in_flight = talk->hushed = false;
	talk->wants_ping = false;
	talk->pinged_us = 0;
	/* Clients that came together must not send together for ever after. */
	if (plan->message_interval_s > 0.0) {
		double wait_s = plan->message_interval_s * dice_unit(dice);
		talk->due_us = loop_now_us() + (int64_t)(wait_s * 1e6);
		start(talk, &talk->beat, wait_s);
	}
	if (plan->ping_interval_s > 0.0)
		start(talk, &talk->pinger, plan->ping_interval_s * dice_unit(dice));
}

bool talk_hush(struct talk *talk)
{
	talk->hushed = true;
	talk->wants_send = false;
	if (!talk->in_flight)
		ev_timer_stop(talk->client->load->loop.ev, &talk->beat);
	return talk->in_flight;
}

void talk_end(struct talk *talk)
{
	ev_timer_stop(talk->client->load->loop.ev, &talk->beat);
	ev_timer_stop(talk->client->load->loop.ev, &talk->pinger);
}

static int send_message(struct talk *talk)
{
	const struct load_plan *plan = plan_of(talk);
	struct load *load = talk->client->load;
	unsigned char *bytes = load->buffer + LWS_PRE;
	talk->wants_send = false;
	talk->in_flight = true;
	talk->spoilt = false;
	talk->echoed_bytes = 0;
	talk->payload = (struct payload){.key = dice_roll(&load->dice), .text = plan->text};
	payload_fill(&talk->payload, 0, bytes, (size_t)plan->message_bytes);
	start(talk, &talk->beat, plan->echo_s);
	enum lws_write_protocol how = plan->text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY;
	return lws_write(talk->client->wsi, bytes, (size_t)plan->message_bytes, how) < 0 ? -1 : 0;
}

static int send_ping(struct talk *talk)
{
	unsigned char ping[LWS_PRE + 4] = {0};
	memcpy(ping + LWS_PRE, "ping", 4);
	talk->wants_ping = false;
	talk->pinged_us = loop_now_us();
	return lws_write(talk->client->wsi, ping + LWS_PRE, 4, LWS_WRITE_PING) < 0 ? -1 : 0;
}

int talk_write(struct talk *talk)
{
	if (!talk->wants_ping)
		return talk->wants_send ? send_message(talk) : 0;
	if (talk->wants_send)
		lws_callback_on_writable(talk->client->wsi);
	return send_ping(talk);
}

/* The whole echo is there: right or wrong. */
static void on_echo(struct talk *talk, bool right)
{
	struct load *load = talk->client->load;
	struct tally *tally = &load->tally;
	int64_t now_us = loop_now_us();
	talk->in_flight = false;
	if (right) {
		tally->messages++;
		tally->bytes += (uint64_t)load->plan->message_bytes;
	} else {
		tally->wrong++;
	}
	/* The rush of closes at the end is no part of what is measured. */
	if (right && !load->ending) {
		hist_add(&tally->echo, now_us - talk->counts_from_us);
		hist_add(&tally->recent, now_us - talk->counts_from_us);
	}
	if (talk->hushed) {
		client_speechless(talk->client);
		return;
	}
	/* A late echo does not excuse the messages behind it: their time counts from when they were
	 * due, or a slow server would look fast. */
	talk->due_us += (int64_t)(load->plan->message_interval_s * 1e6);
	talk->behind = talk->due_us < now_us;
	loop_timer_start(&load->loop, &talk->beat, talk->behind ? 0 : talk->due_us - now_us);
}

void talk_receive(struct talk *talk, const unsigned char *in, size_t len)
{
	struct lws *wsi = talk->client->wsi;
	bool final = lws_is_final_fragment(wsi) != 0;
	if (!talk->in_flight) {
		/* Nobody asked for this, unless it was given up before. Counted at its end. */
		if (final && !talk->hushed)
			talk->client->load->tally.wrong++;
		return;
	}
	size_t bytes = (size_t)plan_of(talk)->message_bytes;
	bool binary = lws_frame_is_binary(wsi) != 0;
	if (binary == talk->payload.text || len > bytes - talk->echoed_bytes ||
		!payload_matches(&talk->payload, talk->echoed_bytes, in, len))
		talk->spoilt = true;
	else
		talk->echoed_bytes += len;
	if (final)
		on_echo(talk, !talk->spoilt && talk->echoed_bytes == bytes);
}

void talk_pong(struct talk *talk)
{
	struct tally *tally = &talk->client->load->tally;
	if (talk->pinged_us == 0)
		return;
	hist_add(&tally->ping, loop_now_us() - talk->pinged_us);
	tally->pongs++;
	talk->pinged_us = 0;
}
