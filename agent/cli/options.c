/* SPDX-License-Identifier: MIT */
/* Options by getopt_long, errors in one line. */
#include "cli/options.h"

#include <getopt.h>
#include <string.h>

#include "build.h"
#include "core/base/nearest.h"
#include "core/base/text.h"

enum { OPTION_DRY_RUN = 256, OPTION_REPLAY }; /* above every letter */

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, 't'},
	{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	{"replay", required_argument, NULL, OPTION_REPLAY},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

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
	struct nearest nearest;
	char shown[80];

	/* What stands behind the two dashes and before a value. */
	nearest_init(&nearest, word + 2);
	for (const struct option *option = long_options; option->name; option++)
		nearest_offer(&nearest, option->name);
	if (!nearest.best)
		return complain("unknown option", word);
	fprintf(stderr, "wsbalancer: unknown option '%s': did you mean --%s?\n",
		text_show(word, shown, sizeof(shown)), nearest.best);
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
	int found;

	opterr = 0;
	/* The + stops at the first word that is no option, the : tells a missing argument apart. */
	while ((found = getopt_long(argc, argv, "+:c:tVh", long_options, NULL)) != -1) {
		switch (found) {
		case 'c':
			options.config_path = optarg;
			break;
		case 't':
			options.action = OPTIONS_CHECK;
			break;
		case OPTION_DRY_RUN:
			options.dry_run = true;
			break;
		case OPTION_REPLAY:
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
		return complain("no argument is expected, but there is", argv[optind]);
	*out = options;
	return true;
}

void options_write_help(FILE *out)
{
	fputs("usage: wsbalancer [-t] [-c FILE] [--dry-run]\n"
	      "       wsbalancer --replay RECORD [-c FILE]\n"
	      "       wsbalancer check [-c FILE]\n"
	      "       wsbalancer top | status [--url URL | -c FILE]\n"
	      "\n"
	      "Levels WebSocket connections over pods: asks each pod how many it holds and sets\n"
	      "the weights of HAProxy's servers by the answers. Runs in the foreground.\n"
	      "\n"
	      "  -c, --config FILE   configuration (default " OPTIONS_DEFAULT_CONFIG ")\n"
	      "  -t, --check         check the configuration, say what is wrong, exit\n"
	      "      --dry-run       plan and report, but send nothing to HAProxy\n"
	      "      --replay RECORD what the configuration would have made of recorded rounds\n"
	      "  -V, --version       print the version and exit\n"
	      "  -h, --help          print this and exit\n"
	      "\n"
	      "check asks HAProxy and each pod once, changes nothing, and says what is to be\n"
	      "written where something is not as it must be.\n"
	      "top and status show what a running agent knows; see wsbalancer top -h.\n"
	      "\n"
	      "SIGTERM and SIGINT put the configured weights back and end it; SIGHUP reads the\n"
	      "configuration again. See wsbalancer(8) and wsbalancer.yaml(5).\n",
		out);
}

void options_write_version(FILE *out)
{
	fputs("wsbalancer " WSB_VERSION "\n", out);
}
