/* SPDX-License-Identifier: MIT */
/* Pods: setting up, counting, and the end. */
#include "pod.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CLOSING_MOST = 200,   /* closes under way at once */
	CLOSING_LEAST = 10,   /* more in each turn, though nobody answers them */
	CLOSING_US = 800000,  /* for clients to answer the close; all ends within a second */
	SEND_BYTES = 1 << 20, /* at most in one send() */
	HANDSHAKE_S = 10,
	CROWD = 500, /* connections that libwebsockets closes within a few milliseconds */
};

struct pod *pod_of(struct lws *wsi)
{
	return lws_get_opaque_user_data(wsi);
}

static void unlink_session(struct pod_session *session)
{
	if (!session->link)
		return;
	*session->link = session->next;
	if (session->next)
		session->next->link = session->link;
	session->link = NULL;
}

void pod_add(struct pod *pod, struct pod_session *session)
{
	struct pod_host *host = pod->host;
	session->counted = true;
	session->next = host->open;
	session->link = &host->open;
	if (session->next)
		session->next->link = &session->next;
	host->open = session;
	pod->n_websockets++;
	host->n_websockets++;
}

void pod_remove(struct pod *pod, struct pod_session *session)
{
	struct pod_host *host = pod->host;
	if (!session->counted)
		return;
	session->counted = false;
	unlink_session(session);
	host->n_closing -= session->closes ? 1 : 0;
	pod->n_websockets--;
	host->n_websockets--;
	if (host->closing && host->n_websockets == 0)
		loop_break(&host->loop);
}

/* A few at a time: libwebsockets walks its list of timeouts for each close. */
static void on_closer(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct pod_host *host = timer->data;
	(void)ev;
	(void)revents;
	int room = CLOSING_MOST - host->n_closing;
	for (int i = 0; host->open && (i < room || i < CLOSING_LEAST); i++) {
		struct pod_session *session = host->open;
		unlink_session(session);
		host->n_closing++;
		session->closes = true;
		lws_callback_on_writable(session->wsi);
	}
}

/* libwebsockets refuses a client that offers only subprotocols it has no name for. RFC 6455 lets a
 * server go on without one, and most do. So protocols[0], which serves clients that offer none,
 * takes the name of the first one offered until it is chosen, and loses it before the answer is
 * written. */
static int before_upgrade(struct pod_host *host, struct lws *wsi, const char *to)
{
	if (strcasecmp(to, "websocket") != 0)
		return -1;

	char list[256];
	host->offered[0] = '\0';
	if (lws_hdr_copy(wsi, list, sizeof(list), WSI_TOKEN_PROTOCOL) <= 0)
		return 0;
	char *end = list;
	char *name = strtok_r(list, ", \t", &end);
	if (name)
		lws_strncpy(host->offered, name, sizeof(host->offered));
	for (; name; name = strtok_r(NULL, ", \t", &end))
		for (size_t i = 1; host->protocols[i].callback; i++)
			if (strcmp(name, host->protocols[i].name) == 0)
				host->offered[0] = '\0';
	return 0;
}

static int on_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	/* libwebsockets has a hundred reasons; these are all that matter here. */
	switch ((int)reason) {
	case LWS_CALLBACK_WSI_DESTROY:
		/* libwebsockets has connections of its own. */
		if (pod_of(wsi) && pod_of(wsi)->host->n_connections > 0)
			pod_of(wsi)->host->n_connections--;
		return 0;
	case LWS_CALLBACK_HTTP:
	case LWS_CALLBACK_HTTP_WRITEABLE:
	case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED_HTTP:
		return pod_http_event(wsi, reason, user, in);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return before_upgrade(pod_of(wsi)->host, wsi, in);
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		pod_of(wsi)->host->offered[0] = '\0';
		return 0;
	case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
	case LWS_CALLBACK_CLOSED:
		return pod_echo_event(wsi, reason, user, in, len);
	default:
		return 0;
	}
}

static bool make_protocols(struct pod_host *host, const struct pod_setup *setup)
{
	host->protocols = calloc(setup->n_subprotocols + 2, sizeof(*host->protocols));
	if (!host->protocols)
		return false;
	for (size_t i = 0; i <= setup->n_subprotocols; i++)
		host->protocols[i] = (struct lws_protocols){
			.name = i == 0 ? host->offered : setup->subprotocols[i - 1],
			.callback = on_event,
			.per_session_data_size = sizeof(struct pod_session),
			.rx_buffer_size = (size_t)setup->buffer_bytes,
			.tx_packet_size = SEND_BYTES,
		};
	return true;
}

static void on_usr1(struct ev_loop *ev, ev_signal *signal, int revents)
{
	struct pod_host *host = signal->data;
	(void)ev;
	(void)revents;
	host->metric.draining = !host->metric.draining;
}

static void on_usr2(struct ev_loop *ev, ev_signal *signal, int revents)
{
	struct pod_host *host = signal->data;
	(void)ev;
	(void)revents;
	host->metric.silent = !host->metric.silent;
}

static void on_deadline(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct pod_host *host = timer->data;
	(void)ev;
	(void)revents;
	loop_break(&host->loop);
}

static void on_stop(struct loop *loop)
{
	struct pod_host *host = loop->owner;
	for (size_t i = 0; i < host->n_pods; i++)
		pod_ignore(&host->pods[i]);
	pod_hang_up(host);
	if (host->closing || host->n_websockets == 0) {
		loop_break(loop);
		return;
	}
	host->closing = true;
	ev_timer_start(loop->ev, &host->closer);
	loop_timer_start(loop, &host->deadline, CLOSING_US);
}

static bool start_pods(struct pod_host *host, const struct pod_setup *setup)
{
	for (size_t i = 0; i < setup->n_listen; i++) {
		struct pod *pod = &host->pods[i];
		pod->host = host;
		pod->fd = -1;
		host->n_pods++;
		if (setup->name && setup->n_listen > 1) {
			if (asprintf(&pod->name, "%s-%zu", setup->name, i) == -1)
				pod->name = NULL;
		} else if (setup->name) {
			pod->name = strdup(setup->name);
		}
		if ((setup->name && !pod->name) || !pod_listen(pod, &setup->listen[i])) {
			fprintf(stderr, "wspod: cannot listen at --listen number %zu: %s\n", i + 1,
				strerror(errno));
			return false;
		}
	}
	return true;
}

bool pod_host_start(struct pod_host *host, const struct pod_setup *setup)
{
	*host = (struct pod_host){.metric = setup->metric, .ip = setup->ip, .node = setup->node};
	host->pods = calloc(setup->n_listen, sizeof(*host->pods));
	bool room = host->pods && make_protocols(host, setup);
	const struct loop_setup loop = {
		.protocols = host->protocols,
		.handshake_s = HANDSHAKE_S,
		.deflate = setup->deflate,
		.verbose = setup->verbose,
		.cert = setup->cert,
		.key = setup->key,
		.on_stop = on_stop,
		.owner = host,
	};
	if (!room || !loop_start(&host->loop, "wspod", &loop)) {
		free(host->protocols);
		free(host->pods);
		return false;
	}

	ev_signal_init(&host->on_usr1, on_usr1, SIGUSR1);
	ev_signal_init(&host->on_usr2, on_usr2, SIGUSR2);
	pod_callers_init(host);
	ev_timer_init(&host->deadline, on_deadline, 0.0, 0.0);
	ev_timer_init(&host->closer, on_closer, 0.0, 0.002);
	host->on_usr1.data = host;
	host->on_usr2.data = host;
	host->deadline.data = host;
	host->closer.data = host;
	ev_signal_start(host->loop.ev, &host->on_usr1);
	ev_signal_start(host->loop.ev, &host->on_usr2);
	if (!start_pods(host, setup)) {
		pod_host_stop(host);
		return false;
	}
	for (size_t i = 0; i < host->n_pods; i++)
		pod_announce(&host->pods[i]);
	fflush(stdout);
	return true;
}

void pod_host_run(struct pod_host *host)
{
	loop_run(&host->loop);
}

bool pod_host_is_crowded(const struct pod_host *host)
{
	return host->n_connections > CROWD;
}

void pod_host_stop(struct pod_host *host)
{
	for (size_t i = 0; i < host->n_pods; i++)
		pod_ignore(&host->pods[i]);
	pod_hang_up(host);
	ev_signal_stop(host->loop.ev, &host->on_usr1);
	ev_signal_stop(host->loop.ev, &host->on_usr2);
	ev_timer_stop(host->loop.ev, &host->deadline);
	ev_timer_stop(host->loop.ev, &host->closer);
	loop_stop(&host->loop);
	for (size_t i = 0; i < host->n_pods; i++)
		free(host->pods[i].name);
	free(host->pods);
	free(host->protocols);
	*host = (struct pod_host){0};
}
