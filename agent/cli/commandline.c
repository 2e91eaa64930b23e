/* SPDX-License-Identifier: MIT */
#include "cli/commandline.h"

#include <curl/curl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/words.h"
#include "core/base/text.h"

enum parsed { PARSED_RUN, PARSED_HELP, PARSED_WRONG };

static const int64_t INTERVAL_MS = 1000;
static const int64_t WATCH_MS = 180000;

static enum parsed complain(const char *name, const char *what, const char *word)
{
	char shown[80];

	fprintf(stderr, "wsbalancer %s: %s '%s': see wsbalancer %s -h\n", name, what,
		text_show(word, shown, sizeof(shown)), name);
	return PARSED_WRONG;
}

static enum parsed complain_option(enum words_command command, const char *name, const char *word)
{
	const char *best =
		strncmp(word, "--", 2) == 0 ? words_nearest_option(command, word + 2) : NULL;
	char shown[80];

	if (!best)
		return complain(name, "unknown option", word);
	fprintf(stderr, "wsbalancer %s: unknown option '%s': did you mean --%s?\n", name,
		text_show(word, shown, sizeof(shown)), best);
	return PARSED_WRONG;
}

static bool parse_time(const char *word, int64_t min_ms, int64_t max_ms, int64_t *out)
{
	int64_t ms;

	if (!text_parse_duration(word, &ms) || ms < min_ms || ms > max_ms)
		return false;
	*out = ms;
	return true;
}

/* The word behind the options, where the command has one. */
static enum parsed parse_argument(
	enum words_command command, const char *name, char **rest, struct commandline *out)
{
	if (*rest && (command & (WORDS_TOP | WORDS_STATUS)) && !out->url)
		out->url = *rest++;
	else if (*rest && command == WORDS_COMPLETION)
		out->shell = *rest++;
	if (*rest)
		return complain(name, "no further argument is expected, but there is", *rest);
	return PARSED_RUN;
}

/* Takes the option that getopt_long has found. */
static enum parsed parse_option(enum words_command command, const char *name, int found,
	char **argv, struct commandline *out)
{
	switch (found) {
	case 'u':
		out->url = optarg;
		break;
	case 'c':
		out->config_path = optarg;
		break;
	case WORDS_TOKEN_FILE:
		out->token_file = optarg;
		break;
	case WORDS_CA:
		out->ca_file = optarg;
		break;
	case 's':
		out->socket = optarg;
		break;
	case 'm':
		out->master = optarg;
		break;
	case 'i':
		if (!parse_time(optarg, 100, 3600000, &out->interval_ms))
			return complain(name, "a time from 100ms to 1h is needed, not", optarg);
		break;
	case 'f':
		if (!parse_time(optarg, 2000, 86400000, &out->watch_ms))
			return complain(name, "a time from 2s to 24h is needed, not", optarg);
		break;
	case 'j':
		out->json = true;
		break;
	case WORDS_VERDICT:
		out->verdict = true;
		break;
	case 'h':
		words_write_help(stdout, command);
		return PARSED_HELP;
	case ':':
		return complain(name, "a value is needed behind", argv[optind - 1]);
	default:
		return complain_option(command, name, argv[optind - 1]);
	}
	return PARSED_RUN;
}

static enum parsed parse(int argc, char **argv, struct commandline *out)
{
	enum words_command command = words_find_command(argv[0]);
	struct commandline options = {.interval_ms = INTERVAL_MS, .watch_ms = WATCH_MS};
	struct option long_options[WORDS_MAX + 1];
	char letters[WORDS_LETTERS_SIZE];
	enum parsed parsed = PARSED_RUN;
	int found;

	opterr = 0;
	optind = 1;
	words_getopt(command, long_options, letters);
	while (parsed == PARSED_RUN &&
		(found = getopt_long(argc, argv, letters, long_options, NULL)) != -1)
		parsed = parse_option(command, argv[0], found, argv, &options);
	if (parsed == PARSED_RUN)
		parsed = parse_argument(command, argv[0], argv + optind, &options);
	if (parsed == PARSED_RUN && options.json && options.verdict)
		parsed = complain(argv[0], "not allowed together with --verdict:", "--json");
	if (parsed == PARSED_RUN)
		*out = options;
	return parsed;
}

int commandline_main(int argc, char **argv, int (*run)(const struct commandline *options))
{
	struct commandline options;
	int status = EXIT_FAILURE;

	setlocale(LC_CTYPE, "");
	switch (parse(argc, argv, &options)) {
	case PARSED_HELP:
		return EXIT_SUCCESS;
	case PARSED_WRONG:
		return OPTIONS_EXIT_USAGE;
	case PARSED_RUN:
		break;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
		status = run(&options);
		curl_global_cleanup();
	}
	return status;
}
