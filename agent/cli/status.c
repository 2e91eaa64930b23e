/* SPDX-License-Identifier: MIT */
#include "cli/status.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "core/base/jsonget.h"
#include "core/base/jsonparse.h"
#include "core/base/text.h"

enum { PIPE_WIDTH = 110 };

static int width_of_stdout(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return PIPE_WIDTH;
	return size.ws_col < SCREEN_WIDTH_MIN   ? SCREEN_WIDTH_MIN
	       : size.ws_col > SCREEN_WIDTH_MAX ? SCREEN_WIDTH_MAX
						: size.ws_col;
}

static bool print_table(struct json_object *report)
{
	struct screen_options options = {
		.width = width_of_stdout(),
		.whole = true,
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
	};
	struct screen screen = {.n_rows = 0};
	bool ok = screen_make(&screen, report, &options);

	if (ok)
		printf("%s\n%s%s", buf_text(&screen.head), buf_text(&screen.names),
			buf_text(&screen.rows));
	screen_fini(&screen);
	return ok;
}

/* The verdict's sentence, and its exit status. */
static int print_verdict(struct json_object *report)
{
	struct json_object *verdict = jsonget_member(report, "verdict", json_type_object);
	const char *text = jsonget_text(verdict, "text");
	char shown[512];
	int64_t status;

	if (!text) {
		fputs("wsbalancer status: the agent gives no verdict\n", stderr);
		return EXIT_FAILURE;
	}
	puts(text_show(text, shown, sizeof(shown)));
	status = jsonget_whole(verdict, "exit_status", EXIT_FAILURE);
	return status >= 0 && status <= UINT8_MAX ? (int)status : EXIT_FAILURE;
}

static void print_json(const struct client *client)
{
	const char *bytes = buf_text(&client->body);
	struct buf text = {0};

	if (strncmp(bytes, JSONPARSE_MARK, JSONPARSE_MARK_LEN) == 0)
		bytes += JSONPARSE_MARK_LEN;
	text_write_json(&text, bytes);
	puts(text.failed ? "" : buf_text(&text));
	buf_fini(&text);
}

static int print_report(
	const struct client *client, struct json_object *report, const struct commandline *options)
{
	int status = jsonget_flag(report, "ready", false) ? EXIT_SUCCESS : EXIT_FAILURE;

	if (options->verdict)
		status = print_verdict(report);
	else if (options->json)
		print_json(client);
	else if (!print_table(report))
		return EXIT_FAILURE;
	return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}

static int ask(const struct commandline *options)
{
	struct why why;
	struct client client;
	struct json_object *report;
	int status = EXIT_FAILURE;

	if (!client_init(&client, options, &why)) {
		fprintf(stderr, "wsbalancer status: %s\n", why.text);
		return EXIT_FAILURE;
	}
	report = client_report(&client, curl_easy_perform(client.easy), &why);
	if (report)
		status = print_report(&client, report, options);
	else
		fprintf(stderr, "wsbalancer status: %s: %s\n", client.url, why.text);
	json_object_put(report);
	client_fini(&client);
	return status;
}

int status_main(int argc, char **argv)
{
	return commandline_main(argc, argv, ask);
}
