/* SPDX-License-Identifier: MIT */
/* One client: connecting, sending, checking, ending, and starting over. */
#include "client.h"

#include <stdio.h>
#include <string.h>

static int64_t us(double seconds)
{
	return (int64_t)(seconds * 1e6);
}

static struct loop *loop_of(struct client *client)
{
	return &client->load->loop;
}

static void stop_timers(struct client *client)
{
	struct ev_loop *ev = client->load->loop.ev;
	ev_timer_stop(ev, &client->timer);
	ev_timer_stop(ev, &client->beat);
	ev_timer_stop(ev, &client->pinger);
}

/* The connection, or the attempt, is over. */
static void rest(struct client *client, int64_t reopen_us)
{
	stop_timers(client);
	client->wsi = NULL;
	if (client->load->ending || reopen_us < 0) {
		client->state = CLIENT_IDLE;
		load_client_idle(client->load);
		return;
	}
	client->state = CLIENT_WAITING;
	loop_timer_start(loop_of(client), &client->timer, reopen_us);
}

/* An attempt came to nothing. `text` is what libwebsockets says of it, if anything. */
static void on_failed(struct client *client, const char *text, size_t len)
{
	struct tally *tally = &client->load->tally;
	char why[64] = "cannot connect";
	unsigned status = client->wsi ? lws_http_client_http_response(client->wsi) : 0;
	if (client->timed_out)
		snprintf(why, sizeof(why), "no answer in time");
	else if (status != 0 && status != 101)
		snprintf(why, sizeof(why), "HTTP %u", status);
	else if (text && len > 0)
		snprintf(why, sizeof(why), "%.*s", (int)len, text);
	tally->connecting--;
	tally->failed++;
	client->target->failed++;
	tally_reason(&tally->why_failed, why);
	rest(client, load_backoff_us(client->load, client->failures++));
}

void client_open(struct client *client)
{
	struct load *load = client->load;
	const struct load_plan *plan = load->plan;
	client->state = CLIENT_CONNECTING;
	client->timed_out = client->stormed = false;
	client->target = load_next_target(load);
	client->wants_send = client->in_flight = client->behind = client->wants_close = client->wants_ping = false;
	client->peer_code = 0;
	client->pinged_us = 0;
	client->began_us = loop_now_us();
	load->tally.connecting++;
	loop_timer_start(loop_of(client), &client->timer, us(plan->handshake_s));

	int tls = client->target->tls ? LCCSCF_USE_SSL : 0;
	if (tls && plan->insecure)
		tls |= LCCSCF_ALLOW_SELFSIGNED | LCCSCF_ALLOW_INSECURE | LCCSCF_ALLOW_EXPIRED |
				LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
	const struct lws_client_connect_info info = {
		.context = load->loop.lws,
		.vhost = load->loop.vhost,
		.address = client->target->address,
		.port = client->target->port,
		.path = client->target->path,
		.host = client->target->authority,
		.protocol = plan->subprotocol,
		.local_protocol_name = "wsload",
		.ssl_connection = tls | LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
		.retry_and_idle_policy = &loop_no_idle_ping,
		.opaque_user_data = client,
		.pwsi = &client->wsi,
	};
	if (!lws_client_connect_via_info(&info)) {
		client->wsi = NULL;
		on_failed(client, NULL, 0);
	}
}

static void on_timer(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct client *client = timer->data;
	(void)ev;
	(void)revents;
	switch (client->state) {
	case CLIENT_WAITING:
		client_open(client);
		break;
	case CLIENT_CONNECTING:
		/* Its end comes back to client_event(). */
		client->timed_out = true;
		lws_set_timeout(client->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
		break;
	case CLIENT_OPEN:
		if (client->stormed)
			client_close(client, load_backoff_us(client->load, 0));
		else
			client_close(client, client->load->plan->replace ? 0 : -1);
		break;
	case CLIENT_IDLE:
	case CLIENT_CLOSING:
		break;
	}
}

static void on_beat(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct client *client = timer->data;
	(void)ev;
	(void)revents;
	if (!client->in_flight) {
		/* If only our own timer was late, the server has no part in it. */
		client->counts_from_us = client->behind ? client->due_us : loop_now_us();
		client->wants_send = true;
		lws_callback_on_writable(client->wsi);
		return;
	}
	client->load->tally.lost++;
	client->in_flight = false;
	client_close(client, load_backoff_us(client->load, 0));
}

static void on_pinger(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct client *client = timer->data;
	(void)ev;
	(void)revents;
	loop_timer_start(loop_of(client), timer, us(client->load->plan->ping_interval_s));
	if (client->pinged_us != 0)
		return;
	client->wants_ping = true;
	lws_callback_on_writable(client->wsi);
}

static void on_established(struct client *client)
{
	struct load *load = client->load;
	const struct load_plan *plan = load->plan;
	int64_t now_us = loop_now_us();
	client->state = CLIENT_OPEN;
	client->failures = 0;
	client->target->opened++;
	load->tally.opened++;
	load->tally.connecting--;
	hist_add(&load->tally.handshake, now_us - client->began_us);

	ev_timer_stop(load->loop.ev, &client->timer);
	int64_t lifetime_us = load_lifetime_us(load);
	if (lifetime_us > 0)
		loop_timer_start(&load->loop, &client->timer, lifetime_us);
	/* Clients that came together must not send together for ever after. */
	if (plan->message_interval_s > 0.0) {
		int64_t wait_us = us(plan->message_interval_s * dice_unit(&load->dice));
		client->due_us = now_us + wait_us;
		loop_timer_start(&load->loop, &client->beat, wait_us);
	}
	if (plan->ping_interval_s > 0.0)
		loop_timer_start(&load->loop, &client->pinger,
				us(plan->ping_interval_s * dice_unit(&load->dice)));
	load_count_open(load, true);
}

static int send_message(struct client *client)
{
	const struct load_plan *plan = client->load->plan;
	unsigned char *bytes = client->load->buffer + LWS_PRE;
	client->wants_send = false;
	client->in_flight = true;
	client->spoilt = false;
	client->echoed_bytes = 0;
	client->payload.text = plan->text;
	client->payload.key = dice_roll(&client->load->dice);
	payload_fill(&client->payload, 0, bytes, (size_t)plan->message_bytes);
	loop_timer_start(loop_of(client), &client->beat, us(plan->echo_s));
	return lws_write(client->wsi, bytes, (size_t)plan->message_bytes,
			plan->text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY) < 0 ? -1 : 0;
}

static int send_ping(struct client *client)
{
	unsigned char ping[LWS_PRE + 4] = {0};
	memcpy(ping + LWS_PRE, "ping", 4);
	client->wants_ping = false;
	client->pinged_us = loop_now_us();
	return lws_write(client->wsi, ping + LWS_PRE, 4, LWS_WRITE_PING) < 0 ? -1 : 0;
}

static int on_writable(struct client *client)
{
	if (client->wants_close && !client->in_flight && client->state == CLIENT_OPEN) {
		client->state = CLIENT_CLOSING;
		stop_timers(client);
		load_count_open(client->load, false);
		lws_close_reason(client->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
		return -1;
	}
	if (client->state != CLIENT_OPEN)
		return 0;
	if (client->wants_ping) {
		if (client->wants_send)
			lws_callback_on_writable(client->wsi);
		return send_ping(client);
	}
	return client->wants_send ? send_message(client) : 0;
}

/* The whole echo is there: right or wrong. */
static void on_echo(struct client *client, bool right)
{
	struct tally *tally = &client->load->tally;
	const struct load_plan *plan = client->load->plan;
	int64_t now_us = loop_now_us();
	client->in_flight = false;
	if (right) {
		tally->messages++;
		tally->bytes += (uint64_t)plan->message_bytes;
		/* The rush of closes at the end is no part of what is measured. */
		if (!client->load->ending) {
			hist_add(&tally->echo, now_us - client->counts_from_us);
			hist_add(&tally->recent, now_us - client->counts_from_us);
		}
	} else {
		tally->wrong++;
	}
	if (client->wants_close) {
		lws_callback_on_writable(client->wsi);
		return;
	}
	/* A late echo does not excuse the messages behind it: their time counts from when they were
	 * due, or a slow server would look fast. */
	client->due_us += us(plan->message_interval_s);
	client->behind = client->due_us < now_us;
	loop_timer_start(loop_of(client), &client->beat,
			client->behind ? 0 : client->due_us - now_us);
}

static void on_receive(struct client *client, const unsigned char *in, size_t len)
{
	if (client->state != CLIENT_OPEN)
		return;
	bool final = lws_is_final_fragment(client->wsi) != 0;
	if (!client->in_flight) {
		/* Nobody asked for this, unless it was given up before. Counted at its end. */
		client->load->tally.wrong += final && !client->wants_close ? 1 : 0;
		return;
	}
	size_t bytes = (size_t)client->load->plan->message_bytes;
	bool binary = lws_frame_is_binary(client->wsi) != 0;
	if (binary == client->payload.text || len > bytes - client->echoed_bytes ||
			!payload_matches(&client->payload, client->echoed_bytes, in, len))
		client->spoilt = true;
	else
		client->echoed_bytes += len;
	if (final)
		on_echo(client, !client->spoilt && client->echoed_bytes == bytes);
}

static void on_pong(struct client *client)
{
	if (client->pinged_us == 0)
		return;
	hist_add(&client->load->tally.ping, loop_now_us() - client->pinged_us);
	client->load->tally.pongs++;
	client->pinged_us = 0;
}

static void on_closed(struct client *client)
{
	struct tally *tally = &client->load->tally;
	if (client->state == CLIENT_CLOSING) {
		tally->closed++;
		rest(client, client->reopen_us);
		return;
	}
	if (client->state != CLIENT_OPEN)
		return;
	char code[16];
	snprintf(code, sizeof(code), "%d", client->peer_code ? client->peer_code : 1006);
	tally->dropped++;
	client->target->dropped++;
	tally_reason(&tally->why_dropped, code);
	load_count_open(client->load, false);
	rest(client, load_backoff_us(client->load, 0));
}

int client_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct client *client = lws_get_opaque_user_data(wsi);
	const unsigned char *bytes = in;
	(void)user;
	if (!client || client->wsi != wsi)
		return 0;
	/* libwebsockets has a hundred reasons; these are all that matter here. */
	switch ((int)reason) {
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		if (client->state == CLIENT_CONNECTING)
			on_failed(client, in, len);
		return 0;
	case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
	case LWS_CALLBACK_WSI_DESTROY:
		/* Some ends come as these alone, such as that of a handshake given up. */
		if (client->state == CLIENT_CONNECTING)
			on_failed(client, NULL, 0);
		else
			on_closed(client);
		return 0;
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		on_established(client);
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		on_receive(client, bytes, len);
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
		on_pong(client);
		return 0;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return on_writable(client);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		client->peer_code = len >= 2 ? bytes[0] << 8 | bytes[1] : 1005;
		stop_timers(client);
		return 0;
	case LWS_CALLBACK_CLIENT_CLOSED:
		on_closed(client);
		return 0;
	default:
		return 0;
	}
}

void client_close(struct client *client, int64_t reopen_us)
{
	client->reopen_us = reopen_us;
	if (client->state != CLIENT_OPEN)
		return;
	client->wants_close = true;
	client->wants_send = false;
	/* With an echo under way its arrival asks for the close. */
	if (!client->in_flight) {
		ev_timer_stop(client->load->loop.ev, &client->beat);
		lws_callback_on_writable(client->wsi);
	}
}

void client_storm(struct client *client, int64_t delay_us)
{
	if (client->state != CLIENT_OPEN || client->wants_close || client->peer_code != 0)
		return;
	client->stormed = true;
	loop_timer_start(loop_of(client), &client->timer, delay_us);
}

void client_abandon(struct client *client)
{
	struct lws *wsi = client->wsi;
	if (client->state == CLIENT_CONNECTING)
		client->load->tally.connecting--;
	else if (client->state != CLIENT_WAITING)
		return;
	rest(client, -1);
	if (wsi)
		lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void client_init(struct client *client, struct load *load)
{
	*client = (struct client){.load = load, .reopen_us = -1};
	ev_timer_init(&client->timer, on_timer, 0.0, 0.0);
	ev_timer_init(&client->beat, on_beat, 0.0, 0.0);
	ev_timer_init(&client->pinger, on_pinger, 0.0, 0.0);
	client->timer.data = client;
	client->beat.data = client;
	client->pinger.data = client;
}

void client_fini(struct client *client)
{
	stop_timers(client);
	client->wsi = NULL;
}
