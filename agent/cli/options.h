/* SPDX-License-Identifier: MIT */
/* The command line. */
#ifndef WSB_OPTIONS_H
#define WSB_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "build.h"

#define OPTIONS_DEFAULT_CONFIG WSB_SYSCONFDIR "/wsbalancer/wsbalancer.yaml"

enum {
	OPTIONS_EXIT_USAGE = 2,        /* what main exits with after a wrong command line */
	OPTIONS_EXIT_CONFIG = 78,      /* a start with a configuration that is refused: EX_CONFIG */
	OPTIONS_EXIT_NOT_RESTORED = 3, /* HAProxy has not taken its configured weights back */
};

enum options_action {
	OPTIONS_RUN,     /* steer, in the foreground */
	OPTIONS_CHECK,   /* -t: check the configuration and exit */
	OPTIONS_SYNTAX,  /* --syntax: check its text alone */
	OPTIONS_REPLAY,  /* --replay: plan recorded rounds again, show what differs, exit */
	OPTIONS_VERSION, /* -V */
	OPTIONS_HELP,    /* -h */
};

/* Strings are argv's or static. */
struct options {
	enum options_action action;
	const char *config_path; /* never NULL */
	const char *record_path; /* "-" for standard input; with OPTIONS_REPLAY */
	bool dry_run;            /* plan and report, send nothing */
};

/* Parses the command line of main. On false one line on stderr has said what is wrong, and *out is
 * untouched. The last of -t, --syntax, --replay, -V and -h wins. */
bool options_parse(int argc, char **argv, struct options *out);

/* What -h and -V print. */
void options_write_help(FILE *out);
void options_write_version(FILE *out);

#endif
