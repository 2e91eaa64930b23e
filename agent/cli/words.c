/* SPDX-License-Identifier: MIT */
#include "cli/words.h"

#include <string.h>

#include "build.h"
#include "core/base/nearest.h"

#define CONFIG_PATH WSB_SYSCONFDIR "/wsbalancer/wsbalancer.yaml"

static const struct {
	unsigned commands;
	int id; /* a letter, or above all of them */
	const char *name;
	const char *value; /* what stands behind it: FILE, URL, TIME; NULL: nothing */
	const char *text;
} options[] = {
	{WORDS_TOP | WORDS_STATUS, 'u', "url", "URL",
		"the agent's address (default http://127.0.0.1:9180)"},
	{WORDS_AGENT | WORDS_CHECK, 'c', "config", "FILE",
		"configuration (default " CONFIG_PATH ")"},
	{WORDS_TOP | WORDS_STATUS, 'c', "config", "FILE",
		"the agent's configuration, which says where it listens"},
	{WORDS_AGENT, 't', "check", NULL, "check the configuration, say what is wrong, exit"},
	{WORDS_AGENT, WORDS_SYNTAX, "syntax", NULL,
		"check its text alone, not the files that it names"},
	{WORDS_AGENT, WORDS_DRY_RUN, "dry-run", NULL,
		"plan and report, but send nothing to HAProxy"},
	{WORDS_AGENT, WORDS_REPLAY, "replay", "FILE",
		"what the configuration would have made of a record"},
	{WORDS_TOP | WORDS_STATUS, WORDS_TOKEN_FILE, "token-file", "FILE",
		"the token that it asks for, with --url"},
	{WORDS_TOP | WORDS_STATUS, WORDS_CA, "ca", "FILE",
		"whose certificates are trusted, with --url"},
	{WORDS_TOP, 'i', "interval", "TIME", "between two looks (default 1s)"},
	{WORDS_STATUS, 'j', "json", NULL, "print the report as JSON"},
	{WORDS_STATUS, WORDS_VERDICT, "verdict", NULL,
		"print the verdict; exit with 0, 3 (cannot level) or 4 (not steering)"},
	{WORDS_AGENT, 'V', "version", NULL, "print the version and exit"},
	{WORDS_AGENT | WORDS_TOP | WORDS_STATUS | WORDS_CHECK, 'h', "help", NULL,
		"print this and exit"},
};

static const struct {
	const char *name;
	unsigned command;
	const char *text;
} commands[] = {
	{"top", WORDS_TOP, "show a running agent's pods, live"},
	{"status", WORDS_STATUS, "print a running agent's verdict and pods"},
	{"check", WORDS_CHECK, "ask HAProxy and each pod once, and say what is amiss"},
	{"completion", 0, "print a completion script for bash, zsh or fish"},
};

static const char *const shells[] = {"bash", "zsh", "fish"};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

void words_getopt(enum words_command command, struct option found[WORDS_MAX + 1],
	char letters[WORDS_LETTERS_SIZE])
{
	size_t n = 0;
	size_t len = 2;

	memcpy(letters, "+:", 2);
	for (size_t i = 0; i < N_OF(options); i++) {
		if (!(options[i].commands & command))
			continue;
		found[n++] = (struct option){.name = options[i].name,
			.has_arg = options[i].value ? required_argument : no_argument,
			.val = options[i].id};
		if (options[i].id < 256)
			letters[len++] = (char)options[i].id;
		if (options[i].id < 256 && options[i].value)
			letters[len++] = ':';
	}
	found[n] = (struct option){.name = NULL};
	letters[len] = '\0';
}

void words_write_options(FILE *out, enum words_command command)
{
	for (size_t i = 0; i < N_OF(options); i++) {
		char words[40];

		if (!(options[i].commands & command))
			continue;
		snprintf(words, sizeof(words), "--%s%s%s", options[i].name,
			options[i].value ? " " : "", options[i].value ? options[i].value : "");
		if (options[i].id < 256)
			fprintf(out, "  -%c, %-18s %s\n", options[i].id, words, options[i].text);
		else
			fprintf(out, "      %-18s %s\n", words, options[i].text);
	}
}

const char *words_nearest_option(enum words_command command, const char *name)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < N_OF(options); i++) {
		if (options[i].commands & command)
			nearest_offer(&nearest, options[i].name);
	}
	return nearest.best;
}

const char *words_nearest_command(const char *name)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < N_OF(commands); i++)
		nearest_offer(&nearest, commands[i].name);
	return nearest.best;
}

/* ---- completion ---- */

static void write_names(FILE *out, unsigned command)
{
	for (size_t i = 0; i < N_OF(options); i++) {
		if (!(options[i].commands & command))
			continue;
		fprintf(out, " --%s", options[i].name);
		if (options[i].id < 256)
			fprintf(out, " -%c", options[i].id);
	}
}

static void write_bash(FILE *out)
{
	fputs("_wsbalancer()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tcase $before in\n\t",
		out);
	for (size_t i = 0; i < N_OF(options); i++) {
		if (options[i].value && strcmp(options[i].value, "FILE") == 0)
			fprintf(out, "--%s|", options[i].name);
	}
	fputs("-c)\n\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n\t\treturn ;;\n"
	      "\t-u|--url|-i|--interval)\n\t\treturn ;;\n"
	      "\tcompletion)\n\t\tCOMPREPLY=($(compgen -W \"bash zsh fish\" -- \"$word\"))\n"
	      "\t\treturn ;;\n\tesac\n\tcase ${COMP_WORDS[1]} in\n",
		out);
	for (size_t i = 0; i < N_OF(commands); i++) {
		if (commands[i].command == 0)
			continue;
		fprintf(out, "\t%s)\n\t\tCOMPREPLY=($(compgen -W \"", commands[i].name);
		write_names(out, commands[i].command);
		fputs("\" -- \"$word\")) ;;\n", out);
	}
	fputs("\t*)\n\t\tCOMPREPLY=($(compgen -W \"", out);
	write_names(out, WORDS_AGENT);
	for (size_t i = 0; i < N_OF(commands); i++)
		fprintf(out, " %s", commands[i].name);
	fputs("\" -- \"$word\")) ;;\n\tesac\n}\n"
	      "complete -o filenames -F _wsbalancer wsbalancer\n",
		out);
}

/* In double quotes, where ' may stand. */
static void write_zsh_options(FILE *out, unsigned command)
{
	for (size_t i = 0; i < N_OF(options); i++) {
		const char *value = options[i].value;
		const char *what = !value                       ? ""
				   : strcmp(value, "FILE") == 0 ? ":file:_files"
								: ":value:";

		if (!(options[i].commands & command))
			continue;
		if (options[i].id < 256)
			fprintf(out, "\t\t\t\"-%c[%s]%s\" \\\n", options[i].id, options[i].text,
				what);
		fprintf(out, "\t\t\t\"--%s[%s]%s\" \\\n", options[i].name, options[i].text, what);
	}
}

static void write_zsh(FILE *out)
{
	fputs("#compdef wsbalancer\n\n_wsbalancer()\n{\n\tcase $words[2] in\n", out);
	for (size_t i = 0; i < N_OF(commands); i++) {
		if (commands[i].command == 0)
			continue;
		fprintf(out, "\t%s)\n\t\t_arguments \\\n", commands[i].name);
		write_zsh_options(out, commands[i].command);
		fputs("\t\t\t\"*:agent:\" ;;\n", out);
	}
	fputs("\tcompletion)\n\t\t_values shell bash zsh fish ;;\n\t*)\n\t\t_arguments \\\n", out);
	write_zsh_options(out, WORDS_AGENT);
	fputs("\t\t\t\"1:command:((", out);
	for (size_t i = 0; i < N_OF(commands); i++)
		fprintf(out, "%s%s\\:'%s'", i > 0 ? " " : "", commands[i].name, "command");
	fputs("))\" ;;\n\tesac\n}\n\n"
	      "if [ \"$funcstack[1]\" = _wsbalancer ]; then\n\t_wsbalancer\nelse\n"
	      "\tcompdef _wsbalancer wsbalancer\nfi\n",
		out);
}

static void write_fish_options(FILE *out, unsigned command, const char *condition)
{
	for (size_t i = 0; i < N_OF(options); i++) {
		if (!(options[i].commands & command))
			continue;
		fprintf(out, "complete -c wsbalancer -n \"%s\" -l %s", condition, options[i].name);
		if (options[i].id < 256)
			fprintf(out, " -s %c", options[i].id);
		if (options[i].value)
			fputs(strcmp(options[i].value, "FILE") == 0 ? " -r -F" : " -x", out);
		fprintf(out, " -d \"%s\"\n", options[i].text);
	}
}

static void write_fish(FILE *out)
{
	char condition[80];

	fputs("complete -c wsbalancer -f\n", out);
	for (size_t i = 0; i < N_OF(commands); i++) {
		fprintf(out, "complete -c wsbalancer -n __fish_use_subcommand -a %s -d \"%s\"\n",
			commands[i].name, commands[i].text);
		snprintf(condition, sizeof(condition), "__fish_seen_subcommand_from %s",
			commands[i].name);
		write_fish_options(out, commands[i].command, condition);
	}
	write_fish_options(out, WORDS_AGENT, "__fish_use_subcommand");
	fputs("complete -c wsbalancer -n \"__fish_seen_subcommand_from completion\" "
	      "-a \"bash zsh fish\"\n",
		out);
}

bool words_write_completion(FILE *out, const char *shell)
{
	static void (*const writers[])(FILE * out) = {write_bash, write_zsh, write_fish};

	for (size_t i = 0; i < N_OF(shells); i++) {
		if (strcmp(shells[i], shell) == 0) {
			writers[i](out);
			return true;
		}
	}
	return false;
}
