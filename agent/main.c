/* SPDX-License-Identifier: MIT */
/* wsbalancer: weights for HAProxy from what WebSocket pods say of themselves. */
#include <curl/curl.h>
#include <ev.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "advisecmd.h"
#include "agent.h"
#include "checkcmd.h"
#include "cli/commandline.h"
#include "cli/options.h"
#include "cli/replay.h"
#include "cli/status.h"
#include "cli/top.h"
#include "cli/words.h"
#include "core/base/text.h"
#include "hintcmd.h"
#include "io/configfile.h"
#include "io/log.h"
#include "io/logsink.h"
#include "io/loopmemory.h"
#include "preflight.h"

static void on_stop_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
	(void)loop;
	(void)events;
	agent_stop(watcher->data);
}

static void on_reload_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
	(void)loop;
	(void)events;
	agent_reload(watcher->data);
}

/* What large reports took is given back when they are sent: left alone, malloc learns from the
 * first to take such blocks from the heap, where whatever comes behind them keeps them. */
static void give_memory_back(void)
{
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

/* Runs until a signal says stop. */
static void run_loop(struct ev_loop *loop, struct agent *agent)
{
	ev_signal term;
	ev_signal interrupt;
	ev_signal hangup;

	ev_signal_init(&term, on_stop_signal, SIGTERM);
	ev_signal_init(&interrupt, on_stop_signal, SIGINT);
	ev_signal_init(&hangup, on_reload_signal, SIGHUP);
	term.data = agent;
	interrupt.data = agent;
	hangup.data = agent;
	ev_signal_start(loop, &term);
	ev_signal_start(loop, &interrupt);
	ev_signal_start(loop, &hangup);
	ev_run(loop, 0);
	ev_signal_stop(loop, &term);
	ev_signal_stop(loop, &interrupt);
	ev_signal_stop(loop, &hangup);
}

/* A connection to each pod takes a descriptor, and the usual soft limit is 1,024. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The text, and unless that is all that is wanted, whatever a start would look at. */
static bool load(const struct options *options, bool text_only, struct config *config)
{
	struct config_mistakes mistakes;
	bool ok = text_only ? configfile_parse(options->config_path, config, &mistakes)
			    : configfile_load(options->config_path, config, &mistakes);

	if (ok && !text_only && !preflight_check(config, &mistakes)) {
		config_fini(config);
		ok = false;
	}
	if (!ok)
		configfile_complain(options->config_path, &mistakes);
	return ok;
}

static int check(const struct options *options)
{
	struct config config;
	char shown[256];

	if (!load(options, options->action == OPTIONS_SYNTAX, &config))
		return EXIT_FAILURE;
	if (options->action == OPTIONS_CHECK)
		hintcmd_run(&config, options->config_path);
	config_fini(&config);
	printf("wsbalancer: %s: ok\n", text_show(options->config_path, shown, sizeof(shown)));
	return EXIT_SUCCESS;
}

static int run(const struct options *options)
{
	struct agent_options agent_options = {
		.config_path = options->config_path,
		.dry_run = options->dry_run,
	};
	struct config *config = calloc(1, sizeof(*config));
	struct ev_loop *loop;
	struct agent *agent;
	int status = EXIT_FAILURE;

	if (!config) {
		fputs("wsbalancer: out of memory\n", stderr);
		return EXIT_FAILURE;
	}
	if (!load(options, false, config)) {
		free(config);
		return OPTIONS_EXIT_CONFIG;
	}
	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	give_memory_back();
	loop = loopmemory_init() ? ev_default_loop(EVFLAG_AUTO) : NULL;
	if (!loop || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		fprintf(stderr, "wsbalancer: %s does not start\n", loop ? "libcurl" : "libev");
		config_fini(config);
		free(config);
		return EXIT_FAILURE;
	}
	agent = agent_new(loop, config, &agent_options);
	if (agent) {
		run_loop(loop, agent);
		status = !agent_is_restored(agent) ? OPTIONS_EXIT_NOT_RESTORED
			 : loopmemory_is_short()   ? EXIT_FAILURE
						   : EXIT_SUCCESS;
		agent_free(agent);
		log_info("stopped", LOG_NONE);
	}
	logsink_finish();
	curl_global_cleanup();
	ev_loop_destroy(loop);
	return status;
}

static int complete(const struct commandline *options)
{
	if (options->shell && words_write_completion(stdout, options->shell))
		return EXIT_SUCCESS;
	fputs("wsbalancer completion: name a shell: bash, zsh or fish\n", stderr);
	return OPTIONS_EXIT_USAGE;
}

static int completion_main(int argc, char **argv)
{
	return commandline_main(argc, argv, complete);
}

/* Who started this may have closed one of them: the next file or socket would get its number, and
 * HAProxy or a pod what is meant for the log. */
static void open_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static int (*const commands[])(int argc, char **argv) = {
		[WORDS_TOP] = top_main,
		[WORDS_STATUS] = status_main,
		[WORDS_CHECK] = checkcmd_main,
		[WORDS_ADVISE] = advisecmd_main,
		[WORDS_COMPLETION] = completion_main,
	};
	enum words_command command = argc > 1 ? words_find_command(argv[1]) : WORDS_AGENT;
	struct options options;

	open_standard_streams();
	if (command != WORDS_AGENT)
		return commands[command](argc - 1, argv + 1);
	if (!options_parse(argc, argv, &options))
		return OPTIONS_EXIT_USAGE;
	switch (options.action) {
	case OPTIONS_RUN:
		return run(&options);
	case OPTIONS_CHECK:
	case OPTIONS_SYNTAX:
		return check(&options);
	case OPTIONS_REPLAY:
		return replay_run(options.record_path, options.config_path) ? EXIT_SUCCESS
									    : EXIT_FAILURE;
	case OPTIONS_VERSION:
		options_write_version(stdout);
		return EXIT_SUCCESS;
	case OPTIONS_HELP:
		options_write_help(stdout);
		return EXIT_SUCCESS;
	}
	return EXIT_FAILURE;
}
