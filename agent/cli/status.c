/* SPDX-License-Identifier: MIT */
/* The report once, as a table or as JSON. */
#include "cli/status.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "core/base/jsonget.h"

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

static int print_report(const struct client *client, struct json_object *report, bool as_json)
{
	struct screen_options options = {
		.width = width_of_stdout(),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
	};
	struct buf text = {.bytes = NULL};
	bool ok;

	if (as_json)
		printf("%s\n", buf_text(&client->body));
	else
		screen_write(&text, report, &options);
	fputs(buf_text(&text), stdout);
	ok = !text.failed && fflush(stdout) == 0;
	buf_fini(&text);
	if (!ok)
		return EXIT_FAILURE;
	return jsonget_flag(report, "ready", false) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int ask(const struct client_options *options)
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
		status = print_report(&client, report, options->json);
	else
		fprintf(stderr, "wsbalancer status: %s: %s\n", client.url, why.text);
	json_object_put(report);
	client_fini(&client);
	return status;
}

int status_main(int argc, char **argv)
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
		status = ask(&options);
		curl_global_cleanup();
	}
	return status;
}
