/* SPDX-License-Identifier: MIT */
/* Serves agent-check. */
#include "haproxy/agentcheckd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/steer/agentcheck.h"
#include "io/listener.h"
#include "io/log.h"

enum { MAX_CHECKS = 4096 }; /* connections at once */

/* How long a client may say nothing, and how long a name that may go on is waited for. */
static const double SILENCE_S = 1.0;
static const double MAYBE_S = 0.05;
/* Without a free descriptor the listening socket stays readable: how long it is left alone. */
static const double PAUSE_S = 0.1;

struct check {
	struct agentcheckd *agentcheckd;
	struct check *next;
	struct check *prev;
	ev_io io;
	ev_timer timer;
	size_t len;
	char request[AGENTCHECK_REQUEST_MAX];
};

struct agentcheckd {
	struct ev_loop *loop;
	struct cluster *cluster;
	struct stats *stats;
	ev_io listeners[LISTENER_MAX];
	ev_timer pause; /* while no connection can be taken */
	size_t n_listeners;
	struct check *checks;
	size_t n_checks;
	struct log_repeat refused;
};

static void check_free(struct check *check)
{
	ev_io_stop(check->agentcheckd->loop, &check->io);
	ev_timer_stop(check->agentcheckd->loop, &check->timer);
	close(check->io.fd);
	free(check);
}

static void check_end(struct check *check)
{
	struct agentcheckd *agentcheckd = check->agentcheckd;

	if (check->prev)
		check->prev->next = check->next;
	else
		agentcheckd->checks = check->next;
	if (check->next)
		check->next->prev = check->prev;
	agentcheckd->n_checks--;
	check_free(check);
}

static void answer(struct check *check, const struct server *server)
{
	struct stats *stats = check->agentcheckd->stats;
	char line[AGENTCHECK_SIZE];
	size_t len = agentcheck_write(server, line);

	/* A fresh connection's buffer takes a line of ten bytes whole. */
	if (send(check->io.fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
		stats->agent_check_dropped++;
	else if (len > 1)
		stats->agent_check_answered++;
	else
		stats->agent_check_unknown++;
	check_end(check);
}

static void drop(struct check *check)
{
	check->agentcheckd->stats->agent_check_dropped++;
	check_end(check);
}

static void judge(struct check *check, bool ended)
{
	struct server *server = NULL;

	switch (agentcheck_read(check->agentcheckd->cluster, check->request, check->len, &server)) {
	case AGENTCHECK_COMPLETE:
		answer(check, server);
		return;
	case AGENTCHECK_MAYBE:
		if (ended) {
			answer(check, server);
			return;
		}
		ev_timer_stop(check->agentcheckd->loop, &check->timer);
		ev_timer_set(&check->timer, MAYBE_S, 0.0);
		ev_timer_start(check->agentcheckd->loop, &check->timer);
		return;
	case AGENTCHECK_PARTIAL:
		if (ended)
			answer(check, NULL);
		else if (check->len == sizeof(check->request))
			drop(check);
		return;
	}
}

static void on_request(struct ev_loop *loop, ev_io *io, int events)
{
	struct check *check = io->data;
	ssize_t got = recv(io->fd, check->request + check->len, sizeof(check->request) - check->len,
		MSG_DONTWAIT);

	(void)loop;
	(void)events;
	if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			drop(check);
		return;
	}
	check->len += (size_t)got;
	judge(check, got == 0);
}

/* Nothing more has come: what there is must do. */
static void on_silence(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct check *check = timer->data;

	(void)loop;
	(void)events;
	if (check->len > 0)
		judge(check, true);
	else
		drop(check);
}

static void start_check(struct agentcheckd *agentcheckd, int fd)
{
	struct check *check = agentcheckd->n_checks < MAX_CHECKS ? calloc(1, sizeof(*check)) : NULL;

	if (!check) {
		agentcheckd->stats->agent_check_dropped++;
		close(fd);
		return;
	}
	check->agentcheckd = agentcheckd;
	check->next = agentcheckd->checks;
	if (check->next)
		check->next->prev = check;
	agentcheckd->checks = check;
	agentcheckd->n_checks++;
	ev_io_init(&check->io, on_request, fd, EV_READ);
	check->io.data = check;
	ev_io_start(agentcheckd->loop, &check->io);
	ev_timer_init(&check->timer, on_silence, SILENCE_S, 0.0);
	check->timer.data = check;
	ev_timer_start(agentcheckd->loop, &check->timer);
}

static void on_pause_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct agentcheckd *agentcheckd = timer->data;

	(void)events;
	for (size_t i = 0; i < agentcheckd->n_listeners; i++)
		ev_io_start(loop, &agentcheckd->listeners[i]);
}

static void pause_listening(struct agentcheckd *agentcheckd)
{
	for (size_t i = 0; i < agentcheckd->n_listeners; i++)
		ev_io_stop(agentcheckd->loop, &agentcheckd->listeners[i]);
	ev_timer_stop(agentcheckd->loop, &agentcheckd->pause);
	ev_timer_set(&agentcheckd->pause, PAUSE_S, 0.0);
	ev_timer_start(agentcheckd->loop, &agentcheckd->pause);
}

static void on_connection(struct ev_loop *loop, ev_io *io, int events)
{
	struct agentcheckd *agentcheckd = io->data;
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)loop;
	(void)events;
	if (fd >= 0) {
		start_check(agentcheckd, fd);
		log_repeat_end(&agentcheckd->refused);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		if (log_repeat(&agentcheckd->refused)) {
			log_warn("an agent-check connection cannot be taken",
				log_str("error", strerror(errno)),
				log_int("times", (int64_t)agentcheckd->refused.times));
		}
		pause_listening(agentcheckd);
	}
}

struct agentcheckd *agentcheckd_new(struct ev_loop *loop, const struct config_endpoint *endpoint,
	struct cluster *cluster, struct stats *stats)
{
	struct agentcheckd *agentcheckd = calloc(1, sizeof(*agentcheckd));
	int fds[LISTENER_MAX];
	struct why why;

	if (!agentcheckd)
		return NULL;
	agentcheckd->loop = loop;
	agentcheckd->cluster = cluster;
	agentcheckd->stats = stats;
	ev_init(&agentcheckd->pause, on_pause_over);
	agentcheckd->pause.data = agentcheckd;
	agentcheckd->n_listeners = listener_open(endpoint, fds, &why);
	if (agentcheckd->n_listeners == 0) {
		log_error("agentCheck.listen cannot be opened", log_str("host", endpoint->host),
			log_int("port", endpoint->port), log_str("error", why.text));
		free(agentcheckd);
		return NULL;
	}
	for (size_t i = 0; i < agentcheckd->n_listeners; i++) {
		ev_io_init(&agentcheckd->listeners[i], on_connection, fds[i], EV_READ);
		agentcheckd->listeners[i].data = agentcheckd;
		ev_io_start(loop, &agentcheckd->listeners[i]);
	}
	return agentcheckd;
}

void agentcheckd_free(struct agentcheckd *agentcheckd)
{
	if (!agentcheckd)
		return;
	ev_timer_stop(agentcheckd->loop, &agentcheckd->pause);
	for (size_t i = 0; i < agentcheckd->n_listeners; i++) {
		ev_io_stop(agentcheckd->loop, &agentcheckd->listeners[i]);
		close(agentcheckd->listeners[i].fd);
	}
	for (struct check *check = agentcheckd->checks; check;) {
		struct check *next = check->next;

		check_free(check);
		check = next;
	}
	free(agentcheckd);
}
