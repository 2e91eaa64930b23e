/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <getopt.h>
#include <string.h>

#include "build.h"
#include "cli/words.h"
#include "core/base/text.h"

/* Always returns false. Says what is wrong with word. */
static bool complain(const char *what, const char *word)
{
	char shown[80];

	fprintf(stderr, "wsbalancer: %s '%s': see wsbalancer -h\n", what,
		text_show(word, shown, sizeof(shown)));
	return false;
}

static bool complain_unknown(const char *word)
{
	/* What stands behind the two dashes and before a value. */
	const char *best = words_nearest_option(WORDS_AGENT, word + 2);
	char shown[80];

	if (!best)
		return complain("unknown option", word);
	fprintf(stderr, "wsbalancer: unknown option '%s': did you mean --%s?\n",
		text_show(word, shown, sizeof(shown)), best);
	return false;
}

/* A word where no option stands. */
static bool complain_command(const char *word)
{
	const char *best = words_nearest_command(word);
	char shown[80];

	text_show(word, shown, sizeof(shown));
	if (!best && strpbrk(word, "./")) {
		fprintf(stderr, "wsbalancer: unknown command '%s': did you mean -c %s?\n", shown,
			shown);
		return false;
	}
	if (!best)
		return complain("unknown command", word);
	fprintf(stderr, "wsbalancer: unknown command '%s': did you mean %s?\n", shown, best);
	return false;
}

/* After getopt_long returned '?' or ':'. */
static bool complain_option(int found, char **argv)
{
	const char *word = argv[optind - 1];
	const char letter[] = {'-', (char)optopt, '\0'};

	if (found == ':')
		return complain("a file is needed behind", word);
	if (optopt == 0)
		return complain_unknown(word);
	if (strncmp(word, "--", 2) == 0)
		return complain("no value is allowed for", word);
	return complain("unknown option", letter);
}

bool options_parse(int argc, char **argv, struct options *out)
{
	struct options options = {.action = OPTIONS_RUN, .config_path = OPTIONS_DEFAULT_CONFIG};
	struct option long_options[WORDS_MAX + 1];
	char letters[WORDS_LETTERS_SIZE];
	int found;

	opterr = 0;
	words_getopt(WORDS_AGENT, long_options, letters);
	while ((found = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		switch (found) {
		case 'c':
			options.config_path = optarg;
			break;
		case 't':
			options.action = OPTIONS_CHECK;
			break;
		case WORDS_SYNTAX:
			options.action = OPTIONS_SYNTAX;
			break;
		case WORDS_DRY_RUN:
			options.dry_run = true;
			break;
		case WORDS_REPLAY:
			options.action = OPTIONS_REPLAY;
			options.record_path = optarg;
			break;
		case 'V':
			options.action = OPTIONS_VERSION;
			break;
		case 'h':
			options.action = OPTIONS_HELP;
			break;
		default:
			return complain_option(found, argv);
		}
	}
	if (optind < argc)
		return complain_command(argv[optind]);
	*out = options;
	return true;
}

void options_write_help(FILE *out)
{
	fputs("usage: wsbalancer [-t] [-c FILE] [--dry-run]\n"
	      "       wsbalancer --replay FILE [-c FILE]\n"
	      "       wsbalancer check [-c FILE]\n"
	      "       wsbalancer advise [--for TIME] [--socket PATH | -c FILE] [--master PATH]\n"
	      "       wsbalancer top | status [HOST[:PORT] | --url URL | -c FILE]\n"
	      "       wsbalancer completion bash | zsh | fish\n"
	      "\n"
	      "Levels WebSocket connections over pods: asks each pod how many it holds and sets\n"
	      "the weights of HAProxy's servers by the answers. Runs in the foreground.\n"
	      "\n",
		out);
	words_write_options(out, WORDS_AGENT);
	fputs("\n"
	      "check asks HAProxy and each pod once, changes nothing, and says what is to be\n"
	      "written where something is not as it must be.\n"
	      "advise looks at a HAProxy for some minutes without one, and says what an agent\n"
	      "would gain. top and status show what a running agent knows. -h behind any of\n"
	      "them tells more.\n"
	      "\n"
	      "SIGTERM and SIGINT put the configured weights back and end it; SIGHUP reads the\n"
	      "configuration again. See wsbalancer(8) and wsbalancer.yaml(5).\n",
		out);
}

void options_write_version(FILE *out)
{
	fputs("wsbalancer " WSB_VERSION "\n", out);
}
