/* SPDX-License-Identifier: MIT */
/* Connections from when they are accepted until libwebsockets has them.
 *
 * libwebsockets keeps the timeouts of all connections in one sorted list, which each new one walks
 * to its end, and looks at all connections whenever one closes. A pod that fell behind once would
 * take longer for each client the more of them wait, and never catch up. So clients that say
 * nothing wait here, where they cost the others nothing, and those that do come in by turns. */
#include "pod.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	ADOPTED_PER_TURN = 64,
	SILENT_US = 10000000, /* for a client to begin with its request */
};

struct pod_caller {
	struct pod *pod;
	ev_io heard;
	ev_timer patience;
	struct pod_caller *next, **link; /* in either list of pod_callers */
};

static void adopt(struct pod *pod, int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	lws_adopt_desc_t adopted = {
		.vh = pod->host->loop.vhost,
		.type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL,
		.fd.sockfd = fd,
		.opaque = pod,
	};
	/* Where it fails it closes the descriptor itself. */
	if (lws_adopt_descriptor_vhost_via_info(&adopted))
		pod->host->n_connections++;
}

static void unlink_caller(struct pod_caller *caller)
{
	struct pod_callers *callers = &caller->pod->host->callers;
	if (callers->end == &caller->next)
		callers->end = caller->link;
	*caller->link = caller->next;
	if (caller->next)
		caller->next->link = caller->link;
}

/* Returns its descriptor, which is the caller's to close. */
static int forget(struct pod_caller *caller)
{
	struct ev_loop *ev = caller->pod->host->loop.ev;
	int fd = caller->heard.fd;
	ev_io_stop(ev, &caller->heard);
	ev_timer_stop(ev, &caller->patience);
	unlink_caller(caller);
	free(caller);
	return fd;
}

static void on_turn(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct pod_host *host = timer->data;
	(void)revents;
	for (int i = 0; i < ADOPTED_PER_TURN && host->callers.heard; i++) {
		struct pod *pod = host->callers.heard->pod;
		adopt(pod, forget(host->callers.heard));
	}
	if (host->callers.heard)
		ev_timer_start(ev, timer);
}

/* To the end of those that were heard. */
static void on_heard(struct ev_loop *ev, ev_io *io, int revents)
{
	struct pod_caller *caller = io->data;
	struct pod_callers *callers = &caller->pod->host->callers;
	(void)revents;
	ev_io_stop(ev, &caller->heard);
	ev_timer_stop(ev, &caller->patience);
	unlink_caller(caller);
	caller->next = NULL;
	caller->link = callers->end;
	*callers->end = caller;
	callers->end = &caller->next;
	ev_timer_start(ev, &callers->turn);
}

static void on_silent(struct ev_loop *ev, ev_timer *timer, int revents)
{
	(void)ev;
	(void)revents;
	close(forget(timer->data));
}

void pod_call(struct pod *pod, int fd)
{
	struct pod_host *host = pod->host;
	struct pod_caller *caller = malloc(sizeof(*caller));
	if (!caller) {
		close(fd);
		return;
	}
	*caller = (struct pod_caller){
		.pod = pod, .next = host->callers.silent, .link = &host->callers.silent};
	if (caller->next)
		caller->next->link = &caller->next;
	host->callers.silent = caller;
	ev_io_init(&caller->heard, on_heard, fd, EV_READ);
	ev_timer_init(&caller->patience, on_silent, 0.0, 0.0);
	caller->heard.data = caller;
	caller->patience.data = caller;
	ev_io_start(host->loop.ev, &caller->heard);
	loop_timer_start(&host->loop, &caller->patience, SILENT_US);
}

void pod_callers_init(struct pod_host *host)
{
	host->callers = (struct pod_callers){.end = &host->callers.heard};
	ev_timer_init(&host->callers.turn, on_turn, 0.0, 0.0);
	host->callers.turn.data = host;
}

void pod_hang_up(struct pod_host *host)
{
	ev_timer_stop(host->loop.ev, &host->callers.turn);
	while (host->callers.silent)
		close(forget(host->callers.silent));
	while (host->callers.heard)
		close(forget(host->callers.heard));
}
