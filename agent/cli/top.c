/* SPDX-License-Identifier: MIT */
/* The live table: one thread that waits for the answer, for keys and for signals at once. */
#include "cli/top.h"

#include <curl/curl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "io/clock.h"

struct top {
	struct client client;
	CURLM *multi;
	bool asking;     /* the request is under way */
	int64_t next_ms; /* when to ask again */
	int64_t interval_ms;
	struct json_object *report; /* the last good one, or NULL */
	int64_t report_ms;          /* when it came */
	struct why why;             /* the last failure, no text after an answer */
	int signals;                /* signalfd */
	struct termios before;      /* how the terminal was */
	bool by_name;
	size_t scroll; /* lines */
	bool over;
};

/* Another screen, no cursor, lines cut at the edge, keys as they come. The end puts all of it back.
 */
static bool terminal_enter(struct top *top)
{
	struct termios raw;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &top->before) != 0)
		return false;
	raw = top->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs("\033[?1049h\033[?25l\033[?7l", stdout);
	return true;
}

static void terminal_give_back(const struct top *top)
{
	fputs("\033[?7h\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &top->before);
}

static struct winsize size_of_terminal(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
		size = (struct winsize){.ws_col = 80, .ws_row = 24};
	if (size.ws_col > SCREEN_WIDTH_MAX)
		size.ws_col = SCREEN_WIDTH_MAX;
	if (size.ws_col < SCREEN_WIDTH_MIN)
		size.ws_col = SCREEN_WIDTH_MIN;
	return size;
}

static void put_status_line(const struct top *top)
{
	if (!top->why.text[0]) {
		printf("%s  q quit  s sort by %s\033[K", top->client.url,
			top->by_name ? "connections" : "name");
	} else if (top->report) {
		printf("\033[31m%s, %lld s ago\033[0m\033[K", top->why.text,
			(long long)((clock_now_ms() - top->report_ms) / 1000));
	} else {
		printf("\033[31m%s\033[0m\033[K", top->why.text);
	}
}

/* Shows the lines from *scroll on that fit; *scroll is kept within the text. */
static void put_lines(const char *text, size_t rows, size_t *scroll)
{
	size_t n = 0;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		n++;
	if (*scroll > 0 && *scroll + rows > n)
		*scroll = n > rows ? n - rows : 0;
	for (size_t i = 0; i < *scroll; i++)
		text = strchr(text, '\n') + 1;
	for (size_t i = 0; i < rows; i++) {
		size_t len = strcspn(text, "\n");

		printf("%.*s\033[K\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void draw(struct top *top)
{
	struct winsize size = size_of_terminal();
	struct screen_options options = {
		.width = size.ws_col,
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.color = !getenv("NO_COLOR"),
		.by_name = top->by_name,
	};
	struct buf text = {.bytes = NULL};

	if (top->report)
		screen_write(&text, top->report, &options);
	if (!text.failed) {
		/* Drawn over what stands there, so that nothing flickers. */
		fputs("\033[H", stdout);
		put_lines(buf_text(&text), size.ws_row > 1 ? (size_t)size.ws_row - 1 : 1,
			&top->scroll);
		put_status_line(top);
		fflush(stdout);
	}
	buf_fini(&text);
}

static void ask(struct top *top)
{
	client_reset(&top->client);
	top->asking = curl_multi_add_handle(top->multi, top->client.easy) == CURLM_OK;
	top->next_ms = clock_now_ms() + top->interval_ms;
}

/* Takes an answer that has come. */
static void show_answer(struct top *top)
{
	int left;
	const CURLMsg *message = curl_multi_info_read(top->multi, &left);
	struct json_object *report;

	if (!message || message->msg != CURLMSG_DONE)
		return;
	top->why.text[0] = '\0';
	report = client_report(&top->client, message->data.result, &top->why);
	curl_multi_remove_handle(top->multi, top->client.easy);
	top->asking = false;
	if (report) {
		json_object_put(top->report);
		top->report = report;
		top->report_ms = clock_now_ms();
	}
	draw(top);
}

static void read_keys(struct top *top)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys) - 1);

	if (n <= 0) {
		top->over = true;
		return;
	}
	keys[n] = '\0';
	for (const char *key = keys; *key; key++) {
		bool is_arrow = key[0] == '\033' && key[1] == '[';

		if (is_arrow)
			key += 2;
		if (*key == 'q')
			top->over = true;
		else if (*key == 's')
			top->by_name = !top->by_name;
		else if (*key == 'j' || (is_arrow && *key == 'B'))
			top->scroll++;
		else if ((*key == 'k' || (is_arrow && *key == 'A')) && top->scroll > 0)
			top->scroll--;
		if (!*key)
			break;
	}
	draw(top);
}

static void read_signal(struct top *top)
{
	struct signalfd_siginfo info;

	if (read(top->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo != SIGWINCH)
		top->over = true;
	else
		draw(top);
}

static void turn(struct top *top)
{
	struct curl_waitfd fds[] = {
		{.fd = STDIN_FILENO, .events = CURL_WAIT_POLLIN},
		{.fd = top->signals, .events = CURL_WAIT_POLLIN},
	};
	int64_t wait_ms = top->next_ms - clock_now_ms();
	int running;

	if (!top->asking && wait_ms <= 0) {
		ask(top);
		wait_ms = top->interval_ms;
	}
	curl_multi_perform(top->multi, &running);
	show_answer(top);
	if (curl_multi_poll(top->multi, fds, 2, wait_ms > 0 ? (int)wait_ms : 100, NULL) != CURLM_OK)
		top->over = true;
	if (fds[0].revents)
		read_keys(top);
	if (fds[1].revents)
		read_signal(top);
}

static int run(const struct client_options *options)
{
	struct top top = {.interval_ms = options->interval_ms, .signals = -1};
	struct why why;
	sigset_t mask;

	if (!client_init(&top.client, options, &why)) {
		fprintf(stderr, "wsbalancer top: %s\n", why.text);
		return EXIT_FAILURE;
	}
	sigemptyset(&mask);
	for (size_t i = 0; i < 4; i++)
		sigaddset(&mask, (const int[]){SIGINT, SIGTERM, SIGHUP, SIGWINCH}[i]);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	top.signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	top.multi = curl_multi_init();

	int status = EXIT_FAILURE;

	if (top.signals < 0 || !top.multi) {
		fputs("wsbalancer top: out of memory or descriptors\n", stderr);
	} else if (!terminal_enter(&top)) {
		fputs("wsbalancer top: this is no terminal: see wsbalancer status\n", stderr);
	} else {
		while (!top.over)
			turn(&top);
		terminal_give_back(&top);
		status = EXIT_SUCCESS;
	}
	if (top.asking)
		curl_multi_remove_handle(top.multi, top.client.easy);
	curl_multi_cleanup(top.multi);
	if (top.signals >= 0)
		close(top.signals);
	json_object_put(top.report);
	client_fini(&top.client);
	return status;
}

int top_main(int argc, char **argv)
{
	struct client_options options;
	int status = EXIT_FAILURE;

	setlocale(LC_CTYPE, "");
	switch (client_parse(argc, argv, &options)) {
	case CLIENT_HELP:
		return EXIT_SUCCESS;
	case CLIENT_WRONG:
		return OPTIONS_EXIT_USAGE;
	case CLIENT_RUN:
		break;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
		status = run(&options);
		curl_global_cleanup();
	}
	return status;
}
