/* SPDX-License-Identifier: MIT */
/* The live table: one thread that waits for the answer, for keys and for signals at once. */
#include "cli/top.h"

#include <curl/curl.h>
#include <langinfo.h>
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

enum { FILTER_SIZE = 64, PICTURE_SIZE = 1 << 16 };

struct top {
	struct client client;
	CURLM *multi;
	bool asking;     /* the request is under way */
	int64_t next_ms; /* when to ask again */
	int64_t interval_ms;
	struct json_object *report; /* the last good one, or NULL */
	int64_t report_ms;          /* when it came */
	struct why why;             /* the last failure, "" after an answer */
	int signals;                /* signalfd */
	struct termios before;      /* how the terminal was */
	bool color;
	enum screen_sort sort;
	bool down;
	char filter[FILTER_SIZE];
	bool filtering; /* keys go into the filter */
	bool helping;   /* the keys are shown */
	size_t scroll;  /* rows */
	size_t page;    /* rows that fit, as drawn last */
	bool over;
};

/* Another screen, no cursor, lines cut at the edge, keys as they come. The end puts all of it back.
 */
static bool terminal_enter(struct top *top)
{
	struct termios raw;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &top->before) != 0)
		return false;
	/* Already ours, after a signal to go on that nothing had stopped. */
	top->before.c_lflag |= ICANON | ECHO;
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

static void put_red(const struct top *top, const char *text)
{
	printf("%s%s%s", top->color ? "\033[31m" : "", text, top->color ? "\033[0m" : "");
}

/* The last line: what is amiss, what is typed, or the keys. The terminal cuts it at its edge. */
static void put_footer(const struct top *top)
{
	struct buf line = {.bytes = NULL};

	if (top->filtering)
		buf_printf(&line, "filter: %s_  (Enter keeps it, Esc clears it)", top->filter);
	else if (top->why.text[0])
		buf_puts(&line, top->why.text);
	else {
		buf_printf(&line, "q quit  ? keys  / filter%s%s  s sort: %s%s",
			top->filter[0] ? ": " : "", top->filter, screen_sort_name(top->sort),
			top->down ? ", reversed" : "");
	}
	if (top->why.text[0] && top->report && !top->filtering)
		buf_printf(&line, ", %lld s ago",
			(long long)((clock_now_ms() - top->report_ms) / 1000));
	if (top->why.text[0] && !top->filtering)
		put_red(top, buf_text(&line));
	else
		fputs(buf_text(&line), stdout);
	buf_fini(&line);
	fputs("\033[K", stdout);
}

static const char help[] =
	"Keys\n"
	"\n"
	"  q              quit\n"
	"  ?              these lines, and back\n"
	"  /              filter by pod, node, address, state: all words must be there\n"
	"  Esc            no filter\n"
	"  s  S           sort by the next column, by the one before\n"
	"  r              the other way round\n"
	"  arrows, j k    a row down, up\n"
	"  PageUp, PageDown, Home, End\n"
	"  Ctrl-Z         stop; fg goes on\n"
	"\n"
	"LEVEL is how far a pod is above or below the connections at which all would\n"
	"be even; NEXT is how many of the next 100 connections it gets. Behind ~ stands\n"
	"what is only reckoned. Marks: ! needs you, ? may mend itself, - drains.\n";

/* Writes up to rows lines of text, each cut off by the terminal at its edge; returns how many. */
static size_t put_lines(const char *text, size_t skip, size_t rows)
{
	size_t n = 0;

	for (; skip > 0 && *text; skip--)
		text += strcspn(text, "\n") + 1;
	while (n < rows && *text) {
		size_t len = strcspn(text, "\n");

		printf("%.*s\033[K\n", (int)len, text);
		text += len + (text[len] == '\n');
		n++;
	}
	return n;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

/* Head and column names stay; the rows scroll in what is left, which is half at least. */
static void put_screen(struct top *top, const struct screen *screen, size_t rows)
{
	size_t head = count_lines(buf_text(&screen->head));
	size_t used = 0;

	if (head > rows / 2)
		head = rows / 2;
	used += put_lines(buf_text(&screen->head), 0, head);
	used += put_lines(buf_text(&screen->names), 0, 1);
	top->page = rows > used ? rows - used : 1;
	if (top->scroll + top->page > screen->n_rows)
		top->scroll = screen->n_rows > top->page ? screen->n_rows - top->page : 0;
	used += put_lines(buf_text(&screen->rows), top->scroll, top->page);
	if (screen->n_shown == 0 && top->filter[0] && used < rows)
		used += put_lines("no pod matches the filter\n", 0, 1);
	for (; used < rows; used++)
		fputs("\033[K\n", stdout);
}

static void draw(struct top *top)
{
	struct winsize size = size_of_terminal();
	struct screen_options options = {
		.width = size.ws_col,
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.color = top->color,
		.sort = top->sort,
		.down = top->down,
		.filter = top->filter,
	};
	struct screen screen = {.n_rows = 0};
	size_t rows = size.ws_row > 1 ? (size_t)size.ws_row - 1 : 1;

	if (top->helping || !top->report || screen_make(&screen, top->report, &options)) {
		/* Drawn over what stands there, so that nothing flickers. */
		fputs("\033[H", stdout);
		if (top->helping)
			rows -= put_lines(help, 0, rows);
		if (top->helping || !top->report) {
			for (; rows > 0; rows--)
				fputs("\033[K\n", stdout);
		} else {
			put_screen(top, &screen, rows);
		}
		put_footer(top);
		fflush(stdout);
	}
	screen_fini(&screen);
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

/* ---- keys ---- */

enum key { KEY_UP = 256, KEY_DOWN, KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_HOME, KEY_END, KEY_OTHER };

/* The next key of those that were read; *keys moves behind it. */
static int next_key(const char **keys)
{
	static const struct {
		const char *bytes; /* behind the escape */
		int key;
	} sequences[] = {
		{"[A", KEY_UP},
		{"OA", KEY_UP},
		{"[B", KEY_DOWN},
		{"OB", KEY_DOWN},
		{"[5~", KEY_PAGE_UP},
		{"[6~", KEY_PAGE_DOWN},
		{"[H", KEY_HOME},
		{"OH", KEY_HOME},
		{"[1~", KEY_HOME},
		{"[7~", KEY_HOME},
		{"[F", KEY_END},
		{"OF", KEY_END},
		{"[4~", KEY_END},
		{"[8~", KEY_END},
	};
	const char *at = *keys + 1;

	*keys = at;
	if (at[-1] != '\033' || (*at != '[' && *at != 'O'))
		return (unsigned char)at[-1];
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		size_t len = strlen(sequences[i].bytes);

		if (strncmp(at, sequences[i].bytes, len) == 0) {
			*keys = at + len;
			return sequences[i].key;
		}
	}
	/* One that is not known ends in a letter or a tilde. */
	at++;
	at += strspn(at, "0123456789;");
	*keys = at + (*at != '\0');
	return KEY_OTHER;
}

static void edit_filter(struct top *top, int key)
{
	size_t len = strlen(top->filter);

	if (key == '\r' || key == '\n') {
		top->filtering = false;
	} else if (key == '\033') {
		top->filtering = false;
		top->filter[0] = '\0';
	} else if (key == 0x7f || key == '\b') {
		/* A whole character of UTF-8. */
		while (len > 0 && ((unsigned char)top->filter[len - 1] & 0xc0) == 0x80)
			len--;
		top->filter[len > 0 ? len - 1 : 0] = '\0';
	} else if (key >= ' ' && key < 256 && len + 1 < sizeof(top->filter)) {
		top->filter[len] = (char)key;
		top->filter[len + 1] = '\0';
	}
	top->scroll = 0;
}

static void sort_by(struct top *top, int step)
{
	top->sort = (enum screen_sort)(((int)top->sort + step + SCREEN_N_SORTS) % SCREEN_N_SORTS);
	top->scroll = 0;
}

static void press(struct top *top, int key)
{
	switch (key) {
	case 'q':
		top->over = true;
		break;
	case '?':
		top->helping = !top->helping;
		break;
	case '/':
		top->filtering = true;
		break;
	case '\033':
		top->filter[0] = '\0';
		top->helping = false;
		break;
	case 's':
		sort_by(top, 1);
		break;
	case 'S':
		sort_by(top, -1);
		break;
	case 'r':
		top->down = !top->down;
		break;
	case 'j':
	case KEY_DOWN:
		top->scroll++;
		break;
	case 'k':
	case KEY_UP:
		top->scroll -= top->scroll > 0;
		break;
	case ' ':
	case KEY_PAGE_DOWN:
		top->scroll += top->page;
		break;
	case KEY_PAGE_UP:
		top->scroll -= top->scroll < top->page ? top->scroll : top->page;
		break;
	case KEY_HOME:
		top->scroll = 0;
		break;
	case KEY_END:
		/* Drawing keeps it within the rows. */
		top->scroll = SIZE_MAX / 2;
		break;
	default:
		break;
	}
}

static void read_keys(struct top *top)
{
	char bytes[64];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes) - 1);
	const char *keys = bytes;

	if (n <= 0) {
		top->over = true;
		return;
	}
	bytes[n] = '\0';
	while (*keys) {
		int key = next_key(&keys);

		if (top->filtering)
			edit_filter(top, key);
		else
			press(top, key);
	}
	draw(top);
}

/* Ctrl-Z: the shell gets its terminal as it was, and fg brings back ours. */
static void suspend(struct top *top)
{
	terminal_give_back(top);
	kill(getpid(), SIGSTOP);
	terminal_enter(top);
}

static void read_signal(struct top *top)
{
	struct signalfd_siginfo info;

	if (read(top->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGWINCH:
		break;
	case SIGTSTP:
		suspend(top);
		break;
	case SIGCONT:
		/* Somebody else stopped us, and a shell has set its own modes meanwhile. */
		terminal_enter(top);
		break;
	default:
		top->over = true;
		return;
	}
	draw(top);
}

/* libcurl's poll tells of input alone: of a terminal that has gone it would return at once, for
 * ever. What is written to may be another one. */
static bool has_terminal(void)
{
	struct pollfd ends[] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = STDOUT_FILENO, .events = 0},
	};

	return poll(ends, 2, 0) >= 0 &&
	       ((ends[0].revents | ends[1].revents) & (POLLHUP | POLLERR | POLLNVAL)) == 0;
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
	if (curl_multi_poll(top->multi, fds, 2, wait_ms > 0 ? (int)wait_ms : 100, NULL) !=
			CURLM_OK ||
		!has_terminal())
		top->over = true;
	if (fds[0].revents)
		read_keys(top);
	if (fds[1].revents)
		read_signal(top);
}

static int run(const struct commandline *options)
{
	struct top top = {.interval_ms = options->interval_ms,
		.signals = -1,
		.color = !getenv("NO_COLOR"),
		.page = 1};
	struct why why;
	static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT};
	sigset_t mask;

	if (!client_init(&top.client, options, &why)) {
		fprintf(stderr, "wsbalancer top: %s\n", why.text);
		return EXIT_FAILURE;
	}
	/* A picture is written at once: line by line a terminal would show half of two. */
	setvbuf(stdout, NULL, _IOFBF, PICTURE_SIZE);
	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		sigaddset(&mask, watched[i]);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	top.signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	top.multi = curl_multi_init();

	int status = EXIT_FAILURE;

	if (top.signals < 0 || !top.multi) {
		fputs("wsbalancer top: out of memory or descriptors\n", stderr);
	} else if (!terminal_enter(&top)) {
		fputs("wsbalancer top: this is not a terminal: see wsbalancer status\n", stderr);
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
	return commandline_main(argc, argv, run);
}
