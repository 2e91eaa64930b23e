/* SPDX-License-Identifier: MIT */
/* Where a pod listens, and the connections that it accepts. */
#include "pod.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	ACCEPTS_PER_TURN = 64, /* of all pods together, but at least one of each */
	PAUSE_US = 100000,     /* when descriptors ran out */
};

/* Listening on would only fail again at once. */
static void pause_accepting(struct pod *pod, int why)
{
	if (!pod->paused)
		fprintf(stderr, "wspod: cannot accept, tries again and again: %s\n", strerror(why));
	pod->paused = true;
	ev_io_stop(pod->host->loop.ev, &pod->acceptor);
	loop_timer_start(&pod->host->loop, &pod->pause, PAUSE_US);
}

static void on_accept(struct ev_loop *ev, ev_io *io, int revents)
{
	struct pod *pod = io->data;
	(void)ev;
	(void)revents;
	size_t most = ACCEPTS_PER_TURN / pod->host->n_pods;
	for (size_t i = 0; i == 0 || i < most; i++) {
		int fd = accept4(pod->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			pod_call(pod, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN)
			pause_accepting(pod, errno);
		return;
	}
}

static void on_pause_over(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct pod *pod = timer->data;
	(void)revents;
	ev_io_start(ev, &pod->acceptor);
}

void pod_ignore(struct pod *pod)
{
	if (pod->fd == -1)
		return;
	ev_io_stop(pod->host->loop.ev, &pod->acceptor);
	ev_timer_stop(pod->host->loop.ev, &pod->pause);
	close(pod->fd);
	pod->fd = -1;
}

void pod_announce(const struct pod *pod)
{
	struct sockaddr_storage at = {0};
	socklen_t at_bytes = sizeof(at);
	char host[64] = "?";
	char port[8] = "?";
	getsockname(pod->fd, (struct sockaddr *)&at, &at_bytes);
	getnameinfo((const struct sockaddr *)&at, at_bytes, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV);
	printf(at.ss_family == AF_INET6 ? "listening [%s]:%s\n" : "listening %s:%s\n", host, port);
}

bool pod_listen(struct pod *pod, const struct opt_address *address)
{
	int family = address->at.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
	if (bind(fd, (const struct sockaddr *)&address->at, address->at_bytes) != 0 ||
		listen(fd, SOMAXCONN) != 0) {
		int why = errno;
		close(fd);
		errno = why;
		return false;
	}
	pod->fd = fd;
	ev_io_init(&pod->acceptor, on_accept, fd, EV_READ);
	ev_timer_init(&pod->pause, on_pause_over, 0.0, 0.0);
	pod->acceptor.data = pod;
	pod->pause.data = pod;
	ev_io_start(pod->host->loop.ev, &pod->acceptor);
	return true;
}
