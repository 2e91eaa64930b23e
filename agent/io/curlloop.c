/* SPDX-License-Identifier: MIT */
/* Watchers around libcurl's socket action interface. */
#include "io/curlloop.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

struct curlloop {
	struct ev_loop *loop;
	CURLM *multi;
	uint64_t max_bytes;
	ev_timer timer;
	curlloop_done done;
	void *arg;
};

/* A socket of libcurl's, as long as one transfer uses it. */
struct watch {
	ev_io io;
	struct curlloop *curlloop;
	CURL *easy;
	uint64_t before; /* bytes that the socket had received when the transfer came to it */
};

/* What the kernel has received on a TCP socket since it is connected; 0 where it does not say. */
static uint64_t received_by(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_bytes_received
								       : 0;
}

/* Hands over what has ended: here, and not in libcurl's callbacks, handles may be taken out. */
static void reap(struct curlloop *curlloop)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(curlloop->multi, &left))) {
		/* The message is gone once its handle is. */
		CURL *easy = message->easy_handle;
		CURLcode result = message->data.result;

		if (message->msg == CURLMSG_DONE)
			curlloop->done(easy, result, curlloop->arg);
	}
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct curlloop *curlloop = timer->data;
	int running;

	(void)loop;
	(void)events;
	curl_multi_socket_action(curlloop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	reap(curlloop);
}

static bool is_over_limit(const struct watch *watch)
{
	uint64_t max_bytes = watch->curlloop->max_bytes;

	return max_bytes > 0 && received_by(watch->io.fd) > watch->before + max_bytes;
}

static void on_socket(struct ev_loop *loop, ev_io *io, int events)
{
	struct watch *watch = io->data;
	struct curlloop *curlloop = watch->curlloop;
	int running;
	int flags = 0;

	(void)loop;
	/* Its owner takes the transfer out, and with it the watch goes. */
	if ((events & EV_READ) != 0 && is_over_limit(watch)) {
		curlloop->done(watch->easy, CURLE_FILESIZE_EXCEEDED, curlloop->arg);
		return;
	}
	if ((events & EV_READ) != 0)
		flags |= CURL_CSELECT_IN;
	if ((events & EV_WRITE) != 0)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(curlloop->multi, io->fd, flags, &running);
	reap(curlloop);
}

/* libcurl wants its timer set; -1 is none. */
static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct curlloop *curlloop = arg;

	(void)multi;
	ev_timer_stop(curlloop->loop, &curlloop->timer);
	if (timeout_ms >= 0) {
		/* libev counts from when this round of the loop began; libcurl from now. */
		ev_now_update(curlloop->loop);
		ev_timer_set(&curlloop->timer, (double)timeout_ms / 1000.0, 0.0);
		ev_timer_start(curlloop->loop, &curlloop->timer);
	}
	return 0;
}

static struct watch *watch_new(struct curlloop *curlloop, CURL *easy, curl_socket_t socket)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->curlloop = curlloop;
	watch->easy = easy;
	if (curlloop->max_bytes > 0)
		watch->before = received_by(socket);
	curl_multi_assign(curlloop->multi, socket, watch);
	return watch;
}

/* libcurl wants a socket watched; socketp is what curl_multi_assign gave it last. */
static int set_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *socketp)
{
	struct curlloop *curlloop = arg;
	struct watch *watch = socketp;
	int events = 0;

	if (watch)
		ev_io_stop(curlloop->loop, &watch->io);
	if (what == CURL_POLL_REMOVE) {
		free(watch);
		curl_multi_assign(curlloop->multi, socket, NULL);
		return 0;
	}
	if (!watch)
		watch = watch_new(curlloop, easy, socket);
	if (!watch)
		return -1; /* libcurl ends the transfers of this multi handle */
	if (what != CURL_POLL_OUT)
		events |= EV_READ;
	if (what != CURL_POLL_IN)
		events |= EV_WRITE;
	ev_io_init(&watch->io, on_socket, socket, events);
	watch->io.data = watch;
	ev_io_start(curlloop->loop, &watch->io);
	return 0;
}

struct curlloop *curlloop_new(struct ev_loop *loop, long max_connections, uint64_t max_bytes,
	curlloop_done done, void *arg)
{
	struct curlloop *curlloop = calloc(1, sizeof(*curlloop));

	if (!curlloop)
		return NULL;
	curlloop->loop = loop;
	curlloop->max_bytes = max_bytes;
	curlloop->done = done;
	curlloop->arg = arg;
	curlloop->multi = curl_multi_init();
	if (!curlloop->multi) {
		free(curlloop);
		return NULL;
	}
	ev_timer_init(&curlloop->timer, on_timer, 0.0, 0.0);
	curlloop->timer.data = curlloop;
	curl_multi_setopt(curlloop->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(curlloop->multi, CURLMOPT_TIMERDATA, curlloop);
	curl_multi_setopt(curlloop->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(curlloop->multi, CURLMOPT_SOCKETDATA, curlloop);
	curlloop_keep(curlloop, max_connections);
	return curlloop;
}

void curlloop_free(struct curlloop *curlloop)
{
	if (!curlloop)
		return;
	/* libcurl calls back to have its sockets forgotten, so the loop goes last. */
	curl_multi_cleanup(curlloop->multi);
	ev_timer_stop(curlloop->loop, &curlloop->timer);
	free(curlloop);
}

void curlloop_keep(struct curlloop *curlloop, long max_connections)
{
	curl_multi_setopt(curlloop->multi, CURLMOPT_MAXCONNECTS, max_connections);
}

bool curlloop_add(struct curlloop *curlloop, CURL *easy)
{
	return curl_multi_add_handle(curlloop->multi, easy) == CURLM_OK;
}

void curlloop_remove(struct curlloop *curlloop, CURL *easy)
{
	curl_multi_remove_handle(curlloop->multi, easy);
}
