/* SPDX-License-Identifier: MIT */
/* One client: connecting, standing, ending, and starting over. */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

enum { ALONE_AFTER_US = 20000 };

static struct loop *loop_of(struct client *client)
{
	return &client->load->loop;
}

static void stop_timers(struct client *client)
{
	ev_timer_stop(client->load->loop.ev, &client->timer);
	talk_end(&client->talk);
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

/* libwebsockets closes a socket whose connection was refused before it tells. */
static bool was_reached(const struct client *client)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	int fd = client->wsi ? lws_get_socket_fd(client->wsi) : -1;
	if (fd < 0)
		return false;
	return !client->timed_out || getpeername(fd, (struct sockaddr *)&peer, &size) == 0;
}

/* Goes on with another address of the host where this one was not reached; false: there is none. */
static bool try_next(struct client *client)
{
	size_t n = client->target->n_addresses;
	if (client->load->ending || was_reached(client) || client->n_tried >= n)
		return false;
	stop_timers(client);
	client->wsi = NULL;
	client->address = (client->address + 1) % n;
	/* Not from within the callback of the connection that is ending. */
	loop_timer_start(loop_of(client), &client->timer, 0);
	return true;
}

/* An attempt came to nothing. `text` is what libwebsockets says of it, if anything. */
static void on_failed(struct client *client, const char *text, size_t len)
{
	struct tally *tally = &client->load->tally;
	char why[64] = "cannot connect";
	if (try_next(client))
		return;
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
	rest(client, load_backoff_us(client->load, &client->dice, client->failures++));
}

/* To one address. */
static void connect_to(struct client *client)
{
	struct load *load = client->load;
	const struct load_plan *plan = load->plan;
	client->alone = client->timed_out = false;
	client->n_tried++;
	loop_timer_start(&load->loop, &client->timer, ALONE_AFTER_US);

	int tls = client->target->tls ? LCCSCF_USE_SSL : 0;
	if (tls && plan->insecure)
		tls |= LCCSCF_ALLOW_SELFSIGNED | LCCSCF_ALLOW_INSECURE | LCCSCF_ALLOW_EXPIRED |
		       LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
	const struct lws_client_connect_info info = {
		.context = load->loop.lws,
		.vhost = load->loop.vhost,
		.address = client->target->addresses[client->address].text,
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

void client_open(struct client *client)
{
	client->state = CLIENT_CONNECTING;
	client->target = load_next_target(client->load);
	client->address = client->target->good;
	client->n_tried = 0;
	client->wants_close = client->stormed = false;
	client->peer_code = 0;
	client->began_us = loop_now_us();
	client->load->tally.connecting++;
	connect_to(client);
}

/* libwebsockets keeps its timeouts in a sorted list and walks it for each new one, so thousands of
 * slow handshakes would bring everything to a halt. Ours watches them alone after a moment. */
static void still_connecting(struct client *client)
{
	if (!client->alone) {
		client->alone = true;
		lws_set_timeout(client->wsi, NO_PENDING_TIMEOUT, 0);
		double left_s = client->load->plan->handshake_s - ALONE_AFTER_US / 1e6;
		loop_timer_start(loop_of(client), &client->timer, (int64_t)(left_s * 1e6));
		return;
	}
	/* Its end comes back to client_event(). */
	client->timed_out = true;
	lws_set_timeout(client->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
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
		if (client->wsi)
			still_connecting(client);
		else
			connect_to(client);
		break;
	case CLIENT_OPEN:
		client_close(client, client->load->plan->replace ? 0 : -1);
		break;
	case CLIENT_IDLE:
	case CLIENT_CLOSING:
		break;
	}
}

static void on_established(struct client *client)
{
	struct load *load = client->load;
	client->state = CLIENT_OPEN;
	client->failures = 0;
	client->target->opened++;
	client->target->good = client->address;
	load->tally.opened++;
	load->tally.connecting--;
	hist_add(&load->tally.handshake, loop_now_us() - client->began_us);

	ev_timer_stop(load->loop.ev, &client->timer);
	int64_t lifetime_us = load_lifetime_us(load, &client->dice);
	if (lifetime_us > 0)
		loop_timer_start(&load->loop, &client->timer, lifetime_us);
	talk_begin(&client->talk);
	load_count_open(load, true);
}

static int on_writable(struct client *client)
{
	if (client->state != CLIENT_OPEN)
		return 0;
	if (!client->wants_close || client->talk.in_flight)
		return talk_write(&client->talk);
	client->state = CLIENT_CLOSING;
	client->load->n_closing++;
	stop_timers(client);
	load_count_open(client->load, false);
	lws_close_reason(client->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
	return -1;
}

static void on_closed(struct client *client)
{
	struct tally *tally = &client->load->tally;
	if (client->state == CLIENT_CLOSING) {
		client->load->n_closing--;
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
	rest(client, load_backoff_us(client->load, &client->dice, 0));
}

static void on_peer_close(struct client *client, const unsigned char *in, size_t len)
{
	client->peer_code = len >= 2 ? in[0] << 8 | in[1] : 1005;
	stop_timers(client);
}

int client_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct client *client = lws_get_opaque_user_data(wsi);
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
		if (client->state == CLIENT_OPEN)
			talk_receive(&client->talk, in, len);
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
		talk_pong(&client->talk);
		return 0;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return on_writable(client);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		on_peer_close(client, in, len);
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
	if (client->state != CLIENT_OPEN || client->peer_code != 0)
		return;
	client->wants_close = true;
	if (!talk_hush(&client->talk))
		lws_callback_on_writable(client->wsi);
}

void client_speechless(struct client *client)
{
	if (client->wants_close)
		lws_callback_on_writable(client->wsi);
	else
		client_close(client, load_backoff_us(client->load, &client->dice, 0));
}

void client_storm(struct client *client)
{
	client->stormed = false;
	if (client->state == CLIENT_OPEN && !client->wants_close)
		client_close(client, load_backoff_us(client->load, &client->dice, 0));
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

void client_init(struct client *client, struct load *load, uint64_t number)
{
	*client = (struct client){.load = load, .reopen_us = -1};
	client->dice.state = dice_mix((uint64_t)load->plan->seed + dice_mix(number + 1));
	ev_timer_init(&client->timer, on_timer, 0.0, 0.0);
	client->timer.data = client;
	talk_init(&client->talk, client);
}

void client_fini(struct client *client)
{
	stop_timers(client);
	client->wsi = NULL;
}
