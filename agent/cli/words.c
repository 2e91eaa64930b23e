/* SPDX-License-Identifier: MIT */
#include "cli/words.h"

#include <string.h>

#include "build.h"
#include "core/base/nearest.h"

#define CONFIG_PATH WSB_SYSCONFDIR "/wsbalancer/wsbalancer.yaml"
#define SOCKET_PATH "/run/haproxy/admin.sock"

static const struct {
	unsigned commands;
	int id; /* a letter, or above all of them */
	const char *name;
	const char *value; /* what stands behind it: FILE, URL, TIME; NULL: nothing */
	const char *text;
} options[] = {
	{WORDS_TOP | WORDS_STATUS, 'u', "url", "URL",
		"the agent's address (default http://127.0.0.1:9180)"},
	{WORDS_AGENT | WORDS_CHECK | WORDS_ADVISE, 'c', "config", "FILE",
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
	{WORDS_ADVISE, 'f', "for", "TIME", "how long it looks (default 3m)"},
	{WORDS_ADVISE, 's', "socket", "PATH",
		"HAProxy's stats socket (default " SOCKET_PATH ", or as configured)"},
	{WORDS_ADVISE, 'm', "master", "PATH",
		"HAProxy's master socket, which tells what old workers still hold"},
	{WORDS_TOP, 'i', "interval", "TIME", "between two looks (default 1s)"},
	{WORDS_STATUS, 'j', "json", NULL, "print the report as JSON"},
	{WORDS_STATUS, WORDS_VERDICT, "verdict", NULL,
		"print the verdict; exit with 0, 3 (cannot level) or 4 (not steering)"},
	{WORDS_AGENT, 'V', "version", NULL, "print the version and exit"},
	{WORDS_AGENT | WORDS_TOP | WORDS_STATUS | WORDS_CHECK | WORDS_ADVISE | WORDS_COMPLETION,
		'h', "help", NULL, "print this and exit"},
};

#define WHICH_AGENT                                                                \
	"\nWithout any, the agent of " CONFIG_PATH " is asked if that is there,\n" \
	"else http://127.0.0.1:9180.\n"

static const struct {
	const char *name;
	enum words_command command;
	const char *text;  /* in a line, for completion */
	const char *usage; /* what stands behind the name */
	const char *about;
	const char *note; /* below the options */
} commands[] = {
	{"top", WORDS_TOP, "show a running agent's pods, live",
		"[HOST[:PORT] | --url URL | -c FILE] [--interval TIME]",
		"Shows a running agent's verdict and pods in this terminal. ? shows the keys.",
		WHICH_AGENT},
	{"status", WORDS_STATUS, "print a running agent's verdict and pods",
		"[HOST[:PORT] | --url URL | -c FILE] [--json | --verdict]",
		"Prints a running agent's verdict and pods once. Exits with 0 when the agent is\n"
		"ready, else 1.",
		WHICH_AGENT},
	{"check", WORDS_CHECK, "ask HAProxy and each pod once, and say what is amiss", "[-c FILE]",
		"Asks HAProxy and each pod once, changes nothing, and says what is to be written\n"
		"where something is not as it must be. Exits with 0 without a fault, else 1.",
		""},
	{"advise", WORDS_ADVISE,
		"look at a HAProxy for some minutes: would the agent gain anything?",
		"[--for TIME] [--socket PATH | -c FILE] [--master PATH]",
		"Looks at a HAProxy for some minutes, asks no pod and changes nothing, and says\n"
		"whether leastconn is all you need or what the agent would gain. No agent is\n"
		"needed for it, and no configuration.",
		""},
	{"completion", WORDS_COMPLETION, "print a completion script for bash, zsh or fish",
		"bash | zsh | fish",
		"Prints a script that completes wsbalancer's words in a shell.", ""},
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

enum words_command words_find_command(const char *name)
{
	for (size_t i = 0; i < N_OF(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].command;
	}
	return WORDS_AGENT;
}

void words_write_help(FILE *out, enum words_command command)
{
	for (size_t i = 0; i < N_OF(commands); i++) {
		if (commands[i].command != command)
			continue;
		fprintf(out, "usage: wsbalancer %s %s\n\n%s\n\n", commands[i].name,
			commands[i].usage, commands[i].about);
		words_write_options(out, command);
		fputs(commands[i].note, out);
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

static bool is_file(const char *value)
{
	return value && (strcmp(value, "FILE") == 0 || strcmp(value, "PATH") == 0);
}

static void write_bash(FILE *out)
{
	fputs("_wsbalancer()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tcase $before in\n\t",
		out);
	for (size_t i = 0; i < N_OF(options); i++) {
		if (is_file(options[i].value))
			fprintf(out, "--%s|", options[i].name);
	}
	fputs("-c|-s|-m)\n\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n\t\treturn ;;\n"
	      "\t-u|--url|-i|--interval|-f|--for)\n\t\treturn ;;\n"
	      "\tesac\n\tcase ${COMP_WORDS[1]} in\n",
		out);
	for (size_t i = 0; i < N_OF(commands); i++) {
		fprintf(out, "\t%s)\n\t\tCOMPREPLY=($(compgen -W \"", commands[i].name);
		write_names(out, commands[i].command);
		if (commands[i].command == WORDS_COMPLETION)
			fputs(" bash zsh fish", out);
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
		const char *what = !value ? "" : is_file(value) ? ":file:_files" : ":value:";

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
		fprintf(out, "\t%s)\n\t\t_arguments \\\n", commands[i].name);
		write_zsh_options(out, commands[i].command);
		fputs(commands[i].command == WORDS_COMPLETION
				? "\t\t\t\"*:shell:(bash zsh fish)\" ;;\n"
				: "\t\t\t\"*:agent:\" ;;\n",
			out);
	}
	fputs("\t*)\n\t\t_arguments \\\n", out);
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
			fputs(is_file(options[i].value) ? " -r -F" : " -x", out);
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
