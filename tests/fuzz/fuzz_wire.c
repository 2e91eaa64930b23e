/* SPDX-License-Identifier: MIT */
/* Any bytes on the wire as a pod's answer, through the agent's own request and a real libcurl, over
 * a connection on loopback: it ends, in time, with a count or a reason. The first byte chooses the
 * format, the second where the bytes are cut in two. */
#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "io/curlloop.h"
#include "pods/podrequest.h"

enum { MAX_BYTES = 8192, TIMEOUT_MS = 400, TURN_MS = 100 };

static const unsigned char *answer;
static size_t answer_len;
static size_t cut;
static int client_fd = -1;
static ev_io listening;
static ev_io client;
static bool done;
static struct podrequest *request;

/* Processor time of this thread: a busy machine stops nobody's loop. */
static int64_t used_ms(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static void hang_up(struct ev_loop *loop)
{
	if (client_fd < 0)
		return;
	ev_io_stop(loop, &client);
	close(client_fd);
	client_fd = -1;
}

/* Sends a part a turn, and closes when all is sent. What does not fit libcurl has refused. */
static void on_client(struct ev_loop *loop, ev_io *io, int events)
{
	char bytes[4096];
	size_t part = cut > 0 ? cut : answer_len;

	(void)events;
	if (recv(io->fd, bytes, sizeof(bytes), MSG_DONTWAIT) == 0) {
		hang_up(loop);
		return;
	}
	if (part > answer_len)
		part = answer_len;
	ssize_t n = send(io->fd, answer, part, MSG_DONTWAIT | MSG_NOSIGNAL);

	cut = 0;
	if (n < 0 && errno != EAGAIN)
		n = (ssize_t)answer_len;
	answer += n > 0 ? n : 0;
	answer_len -= n > 0 ? (size_t)n : 0;
	if (answer_len == 0) {
		hang_up(loop);
		return;
	}
	ev_io_stop(loop, io);
	ev_io_set(io, client_fd, EV_WRITE);
	ev_io_start(loop, io);
}

static void on_listening(struct ev_loop *loop, ev_io *io, int events)
{
	(void)events;
	hang_up(loop);
	client_fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client_fd < 0)
		return;
	ev_io_init(&client, on_client, client_fd, EV_READ);
	ev_io_start(loop, &client);
}

static void check(enum metric_outcome outcome, const struct metric *metric, const char *detail)
{
	promise(outcome < METRIC_N_OUTCOMES, "an outcome is one that is known");
	promise(memchr(detail, '\0', CURL_ERROR_SIZE) && *detail, "an outcome has words");
	if (outcome == METRIC_OK)
		promise(metric->count <= INT32_MAX, "a count is at most 2^31-1");
}

static void on_done(CURL *easy, CURLcode result, void *arg)
{
	struct metric metric;
	char detail[CURL_ERROR_SIZE];
	struct curlloop *curlloop = *(struct curlloop **)podrequest_arg(easy);

	(void)arg;
	check(podrequest_judge(request, result, &metric, detail, sizeof(detail)), &metric, detail);
	podrequest_stop(request, curlloop);
	done = true;
}

/* As the poller does with a pod whose time is up. */
static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	podrequest_stop(request, timer->data);
	done = true;
}

static uint16_t listen_anywhere(struct ev_loop *loop)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	promise(fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 64) == 0 &&
			getsockname(fd, (struct sockaddr *)&address, &len) == 0,
		"a port of loopback");
	ev_io_init(&listening, on_listening, fd, EV_READ);
	ev_io_start(loop, &listening);
	return ntohs(address.sin_port);
}

static void query_of(struct config_metric *metric, unsigned char choice)
{
	struct metric_words wanted = {
		.format = (enum metric_format)(choice % METRIC_N_FORMATS),
		.max_bytes = MAX_BYTES,
		.keys = {"agentsConnections", "draining", "capacity"},
	};
	enum metric_role bad;
	struct why why;

	if (wanted.format != METRIC_JSON)
		wanted.keys[1] = wanted.keys[2] = NULL;
	metric->scheme = CONFIG_HTTP;
	metric->port = CONFIG_OWN_PORT;
	promise(metric_query_parse(&wanted, &metric->query, &bad, &why), "a query");
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct ev_loop *loop;
	static struct curlloop *curlloop;
	static struct pod pod;
	static char host[] = "127.0.0.1";
	static char path[] = "/metric";
	struct config_metric metric = {.path = path};
	ev_timer timeout;

	if (size < 2)
		return 0;
	if (!loop) {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		loop = ev_default_loop(EVFLAG_AUTO);
		curlloop = curlloop_new(loop, 1, MAX_BYTES + PODREQUEST_HEAD_MAX, on_done, NULL);
		pod.address = host;
		pod.port = listen_anywhere(loop);
	}
	query_of(&metric, data[0]);
	answer = data + 2;
	answer_len = size - 2;
	cut = data[1];
	done = false;
	request = podrequest_new(&metric);
	promise(request && podrequest_start(request, &pod, curlloop, NULL, &curlloop), "a request");
	ev_timer_init(&timeout, on_timeout, TIMEOUT_MS / 1000.0, 0.0);
	timeout.data = curlloop;
	ev_timer_start(loop, &timeout);
	while (!done) {
		int64_t began_ms = used_ms();

		ev_run(loop, EVRUN_ONCE);
		promise(used_ms() - began_ms < TURN_MS, "no answer stops the loop");
	}
	ev_timer_stop(loop, &timeout);
	hang_up(loop);
	podrequest_free(request);
	metric_query_fini(&metric.query);
	return 0;
}
