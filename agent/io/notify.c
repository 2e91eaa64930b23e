/* SPDX-License-Identifier: MIT */
/* Datagrams to systemd. */
#include "io/notify.h"

#include <ev.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/text.h"

struct notify {
	struct ev_loop *loop;
	int fd;
	struct sockaddr_un to;
	socklen_t to_len;
	ev_timer heartbeat;
};

static void on_heartbeat(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	notify_send(timer->data, "WATCHDOG=1");
}

/* Between two heartbeats, s; 0: nobody watches this process. */
static double heartbeat_s(void)
{
	const char *watchdog = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t us;
	uint64_t wanted;

	if (!watchdog || !text_parse_u64(watchdog, 1, UINT64_MAX / 2, &us))
		return 0.0;
	if (pid && (!text_parse_u64(pid, 1, UINT32_MAX, &wanted) || wanted != (uint64_t)getpid()))
		return 0.0;
	return (double)us / 2e6;
}

/* A path, or with @ a name in the abstract namespace. */
static bool set_address(struct notify *notify, const char *path)
{
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(notify->to.sun_path))
		return false;
	notify->to.sun_family = AF_UNIX;
	memcpy(notify->to.sun_path, path, len);
	if (path[0] == '@')
		notify->to.sun_path[0] = '\0';
	notify->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

struct notify *notify_new(struct ev_loop *loop)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct notify *notify = path ? calloc(1, sizeof(*notify)) : NULL;
	double every_s = heartbeat_s();

	if (!notify)
		return NULL;
	notify->loop = loop;
	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify->fd < 0 || !set_address(notify, path)) {
		if (notify->fd >= 0)
			close(notify->fd);
		free(notify);
		return NULL;
	}
	ev_timer_init(&notify->heartbeat, on_heartbeat, every_s, every_s);
	notify->heartbeat.data = notify;
	if (every_s > 0.0)
		ev_timer_start(loop, &notify->heartbeat);
	return notify;
}

void notify_free(struct notify *notify)
{
	if (!notify)
		return;
	ev_timer_stop(notify->loop, &notify->heartbeat);
	close(notify->fd);
	free(notify);
}

void notify_send(const struct notify *notify, const char *text)
{
	if (!notify)
		return;
	/* A manager that is not there, or is busy, is not waited for. */
	(void)sendto(notify->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
		(const struct sockaddr *)&notify->to, notify->to_len);
}
