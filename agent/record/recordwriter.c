/* SPDX-License-Identifier: MIT */
/* Starts and ends the process that writes the record. */
#include "record/recordwriter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/recordfile.h"

enum {
	CHILD_FD = 3, /* of the socket in the child */
	END_MS = 100, /* how long the end is waited for */
};

/* The agent's signal handlers would speak to the agent's loop. */
static void ignore_signals(void)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ};
	sigset_t none;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void run(int socket, const char *path, uint64_t max_bytes)
{
	ignore_signals();
	if (socket != CHILD_FD)
		dup2(socket, CHILD_FD);
	/* No listener and no connection may live on here. */
	if (close_range(CHILD_FD + 1, ~0U, 0) != 0) {
		for (int fd = CHILD_FD + 1, end = (int)sysconf(_SC_OPEN_MAX); fd < end; fd++)
			close(fd);
	}
	prctl(PR_SET_NAME, "wsb-recorder");
	recordfile_serve(CHILD_FD, path, max_bytes);
	_exit(EXIT_SUCCESS);
}

bool recordwriter_start(struct recordwriter *writer, const char *path, uint64_t max_bytes)
{
	int fds[2];
	sigset_t all;
	sigset_t before;
	pid_t pid;
	int error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return false;
	/* Until the child ignores signals, none may reach the agent's handlers there. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		run(fds[1], path, max_bytes);
	error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		errno = error;
		return false;
	}
	*writer = (struct recordwriter){.fd = fds[0], .pid = pid};
	return true;
}

void recordwriter_end(struct recordwriter *writer)
{
	struct pollfd ended = {.events = POLLIN};

	if (writer->fd < 0)
		return;
	close(writer->fd);
	writer->fd = -1;
	ended.fd = pidfd_open(writer->pid, 0);
	if (ended.fd < 0)
		return;
	if (poll(&ended, 1, END_MS) > 0)
		waitpid(writer->pid, NULL, WNOHANG);
	close(ended.fd);
}
