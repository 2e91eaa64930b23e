/* SPDX-License-Identifier: MIT */
/* The words of the command line: the one table behind parsing, -h and shell completion. */
#ifndef WSB_WORDS_H
#define WSB_WORDS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

/* Whose word it is; an option may be of several. */
enum words_command {
	WORDS_AGENT = 1, /* without a command: the agent itself */
	WORDS_TOP = 2,
	WORDS_STATUS = 4,
	WORDS_CHECK = 8,
	WORDS_ADVISE = 16,
	WORDS_COMPLETION = 32,
};

/* Options without a letter. */
enum { WORDS_DRY_RUN = 256, WORDS_SYNTAX, WORDS_REPLAY, WORDS_TOKEN_FILE, WORDS_CA, WORDS_VERDICT };

enum { WORDS_MAX = 16, WORDS_LETTERS_SIZE = 2 * WORDS_MAX + 4 };

/* What getopt_long wants for a command: it stops at the first word that is no option, and tells a
 * missing value by ':'. */
void words_getopt(enum words_command command, struct option options[WORDS_MAX + 1],
	char letters[WORDS_LETTERS_SIZE]);

/* The lines of -h about its options. */
void words_write_options(FILE *out, enum words_command command);

/* Whose name it is; WORDS_AGENT where it is no command's. */
enum words_command words_find_command(const char *name);
/* What a command prints after -h. */
void words_write_help(FILE *out, enum words_command command);

/* The option's name that was meant by a wrong one; NULL where none is near. Static. */
const char *words_nearest_option(enum words_command command, const char *name);
/* The command that was meant; NULL likewise. */
const char *words_nearest_command(const char *name);

/* A completion script for "bash", "zsh" or "fish". False for any other shell, with nothing
 * written. */
bool words_write_completion(FILE *out, const char *shell);

#endif
