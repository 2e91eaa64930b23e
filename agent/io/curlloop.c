/* SPDX-License-Identifier: MIT */
/* Watchers around libcurl's socket action interface. */
#include "io/curlloop.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "io/clock.h"

struct curlloop {
	struct ev_loop *loop;
	CURLM *multi;
	uint64_t max_bytes;
	struct watch *first; /* the newest */
	int64_t came_ms;     /* see curlloop_came_ms */
	ev_timer timer;
	curlloop_done done;
	void *arg;
};

/* A socket of libcurl's, as long as one transfer uses it. */
struct watch {
	struct watch *next;
	struct watch *prev;
	ev_io io;
	struct curlloop *curlloop;
	CURL *easy;
	uint64_t before; /* bytes that the socket had received when the transfer came to it */
};

/* The kernel's word on how old the last bytes are is this exact. */
static const int64_t JIFFY_MS = 10;

/* What the kernel says of a TCP socket; all 0 where it says nothing. */
static struct tcp_info info_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		info = (struct tcp_info){0};
	return info;
}

/* When the last bytes came. */
static int64_t came_ms(const struct tcp_info *info)
{
	int64_t ago_ms = info->tcpi_bytes_received > 0 ? info->tcpi_last_data_recv : 0;

	return clock_now_ms() - (ago_ms > JIFFY_MS ? ago_ms : 0);
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
	curlloop->came_ms = clock_now_ms();
	curl_multi_socket_action(curlloop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	reap(curlloop);
}

static void on_socket(struct ev_loop *loop, ev_io *io, int events)
{
	struct watch *watch = io->data;
	struct curlloop *curlloop = watch->curlloop;
	int running;
	int flags = 0;

	(void)loop;
	if ((events & EV_READ) != 0 && curlloop->max_bytes > 0) {
		struct tcp_info info = info_of(io->fd);

		curlloop->came_ms = came_ms(&info);
		/* Its owner takes the transfer out, and with it the watch goes. */
		if (info.tcpi_bytes_received > watch->before + curlloop->max_bytes) {
			curlloop->done(watch->easy, CURLE_FILESIZE_EXCEEDED, curlloop->arg);
			return;
		}
	} else {
		curlloop->came_ms = clock_now_ms();
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
		watch->before = info_of(socket).tcpi_bytes_received;
	watch->next = curlloop->first;
	if (watch->next)
		watch->next->prev = watch;
	curlloop->first = watch;
	curl_multi_assign(curlloop->multi, socket, watch);
	return watch;
}

static void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	if (watch->prev)
		watch->prev->next = watch->next;
	else
		watch->curlloop->first = watch->next;
	if (watch->next)
		watch->next->prev = watch->prev;
	free(watch);
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
		watch_free(watch);
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

int64_t curlloop_came_ms(const struct curlloop *curlloop)
{
	return curlloop->came_ms;
}

enum curlloop_wait curlloop_look(const struct curlloop *curlloop, const CURL *easy, int64_t *came)
{
	const struct watch *watch = curlloop->first;
	struct pollfd ready = {.fd = -1};
	struct tcp_info info;

	while (watch && watch->easy != easy)
		watch = watch->next;
	if (!watch)
		return CURLLOOP_FOR_PEER;
	ready.fd = watch->io.fd;
	ready.events = (short)(((watch->io.events & EV_READ) != 0 ? POLLIN : 0) |
			       ((watch->io.events & EV_WRITE) != 0 ? POLLOUT : 0));
	if (poll(&ready, 1, 0) != 1)
		return CURLLOOP_FOR_PEER;
	if ((ready.revents & POLLOUT) != 0)
		return CURLLOOP_TO_SEND;
	info = info_of(ready.fd);
	*came = came_ms(&info);
	return CURLLOOP_TO_READ;
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
