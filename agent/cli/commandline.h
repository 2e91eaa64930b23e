/* SPDX-License-Identifier: MIT */
/* The words behind a command's name: of top, status, check, advise and completion. */
#ifndef WSB_COMMANDLINE_H
#define WSB_COMMANDLINE_H

#include <stdbool.h>
#include <stdint.h>

/* Which of them a command has, words.c says. Strings are argv's or static. */
struct commandline {
	const char *url;         /* NULL: what the configuration says */
	const char *config_path; /* NULL: the default one, if it is there */
	const char *token_file;  /* NULL: none, or what the configuration says */
	const char *ca_file;     /* NULL: the system's, or the certificate in the configuration */
	const char *shell;       /* of completion: the word behind it, or NULL */
	char *socket;            /* of advise: a Unix socket; NULL: what the configuration says */
	char *master;            /* of advise: HAProxy's master socket; NULL: none is named */
	int64_t interval_ms;     /* of top */
	int64_t watch_ms;        /* of advise */
	bool json;               /* these two are of status */
	bool verdict;
};

/* The whole of a command: parses its words from its name (argv[0]) on, and calls run, with libcurl
 * begun, where they are right. Returns the exit status: run's, 0 after -h, 2 after wrong words,
 * which a line on stderr has told, or 1 where libcurl does not start. */
int commandline_main(int argc, char **argv, int (*run)(const struct commandline *options));

#endif
