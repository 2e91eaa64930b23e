/* SPDX-License-Identifier: MIT */
/* Looks for the file, five times a second. */
#include "haproxy/drainfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"

static const double LOOK_S = 0.2;

struct drainfile {
	struct ev_loop *loop;
	struct drain *drain;
	const char *path;
	ev_timer look;
	struct drain_listener listener;
	bool held; /* the file waits for the drain's end */
	struct log_repeat failed;
};

static void remove_file(struct drainfile *drainfile)
{
	drainfile->held = false;
	if (unlink(drainfile->path) == 0 || errno == ENOENT)
		log_repeat_end(&drainfile->failed);
	else if (log_repeat(&drainfile->failed))
		log_error("a drain's file cannot be removed: its hook waits in vain",
			log_str("file", drainfile->path), log_str("error", strerror(errno)));
}

/* Its hook has given up by now. */
static bool is_left_behind(const struct drainfile *drainfile, const struct stat *status)
{
	int64_t made_ms =
		(int64_t)status->st_mtim.tv_sec * 1000 + status->st_mtim.tv_nsec / 1000000;

	return clock_wall_ms() - made_ms > drain_hold_ms(drainfile->drain) + 1000;
}

static void on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct drainfile *drainfile = timer->data;
	struct stat status;

	(void)loop;
	(void)events;
	if (drainfile->held || lstat(drainfile->path, &status) != 0)
		return;
	if (is_left_behind(drainfile, &status) || !drain_ask(drainfile->drain))
		remove_file(drainfile);
	else
		drainfile->held = true;
}

static void on_released(void *arg)
{
	struct drainfile *drainfile = arg;

	/* One that was made since the last look, too. */
	if (drainfile->path)
		remove_file(drainfile);
}

struct drainfile *drainfile_new(struct ev_loop *loop, struct drain *drain)
{
	struct drainfile *drainfile = calloc(1, sizeof(*drainfile));

	if (!drainfile)
		return NULL;
	drainfile->loop = loop;
	drainfile->drain = drain;
	ev_timer_init(&drainfile->look, on_look, LOOK_S, LOOK_S);
	drainfile->look.data = drainfile;
	drainfile->listener = (struct drain_listener){.released = on_released, .arg = drainfile};
	drain_listen(drain, &drainfile->listener);
	return drainfile;
}

void drainfile_free(struct drainfile *drainfile)
{
	if (!drainfile)
		return;
	ev_timer_stop(drainfile->loop, &drainfile->look);
	drain_unlisten(drainfile->drain, &drainfile->listener);
	free(drainfile);
}

void drainfile_configure(struct drainfile *drainfile, const char *path)
{
	if (drainfile->held && (!path || strcmp(path, drainfile->path) != 0))
		remove_file(drainfile);
	drainfile->path = path;
	ev_timer_stop(drainfile->loop, &drainfile->look);
	if (path)
		ev_timer_again(drainfile->loop, &drainfile->look);
}
