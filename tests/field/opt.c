/* SPDX-License-Identifier: MIT */
/* Strict command lines over getopt_long. */
#include "opt.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTS = 64, FIRST_VAL = 256 };

void opt_complain(const char *program, const char *format, ...)
{
	fprintf(stderr, "%s: ", program);
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, " (try %s --help)\n", program);
}

bool opt_whole(const char *text, int64_t min, int64_t max, int64_t *out)
{
	/* strtoll would also take blanks and a plus sign. */
	const char *digits = text[0] == '-' ? text + 1 : text;
	if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return false;

	errno = 0;
	long long value = strtoll(text, NULL, 10);
	if (errno != 0 || value < min || value > max)
		return false;
	*out = value;
	return true;
}

bool opt_real(const char *text, double min, double max, double *out)
{
	/* Neither blanks nor hexadecimal, "inf" or "nan". */
	if (text[0] == '\0' || text[strspn(text, "0123456789.eE+-")] != '\0')
		return false;

	char *end;
	errno = 0;
	double value = strtod(text, &end);
	if (errno != 0 || *end != '\0' || !isfinite(value) || value < min || value > max)
		return false;
	*out = value;
	return true;
}

bool opt_host_port(const char *text, size_t bytes, char host[256], int *port)
{
	bool bracketed = bytes > 0 && text[0] == '[';
	const char *from = bracketed ? text + 1 : text;
	const char *end = memchr(from, bracketed ? ']' : ':', bytes - (bracketed ? 1 : 0));
	if (bracketed && !end)
		return false;
	size_t host_bytes = end ? (size_t)(end - from) : bytes;
	if (host_bytes == 0 || host_bytes > 255)
		return false;

	const char *rest = from + host_bytes + (bracketed ? 1 : 0);
	size_t rest_bytes = bytes - (size_t)(rest - text);
	int64_t number = -1;
	if (rest_bytes > 0) {
		char digits[8] = "";
		if (rest[0] != ':' || rest_bytes > sizeof(digits))
			return false;
		memcpy(digits, rest + 1, rest_bytes - 1);
		if (!opt_whole(digits, 0, 65535, &number))
			return false;
	}
	memcpy(host, from, host_bytes);
	host[host_bytes] = '\0';
	*port = (int)number;
	return true;
}

bool opt_address(const char *text, struct opt_address *out)
{
	char host[256];
	int port;
	if (!opt_host_port(text, strlen(text), host, &port) || port < 0)
		return false;
	char service[16];
	snprintf(service, sizeof(service), "%d", port);
	struct addrinfo hints = {
		.ai_family = text[0] == '[' ? AF_INET6 : AF_INET,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *found = NULL;
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return false;
	memcpy(&out->at, found->ai_addr, found->ai_addrlen);
	out->at_bytes = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

static void print_help(const char *program, const char *about, const struct opt *opts,
	size_t n_opts, const char *after)
{
	printf("usage: %s [OPTION]...\n%s\n\n", program, about);
	for (size_t i = 0; i < n_opts; i++) {
		char left[64];
		snprintf(left, sizeof(left), "--%s%s%s", opts[i].name, opts[i].arg ? " " : "",
			opts[i].arg ? opts[i].arg : "");
		const char *line = opts[i].help;
		for (const char *label = left; line; label = "") {
			size_t length = strcspn(line, "\n");
			printf("  %-26s %.*s\n", label, (int)length, line);
			line = line[length] ? line + length + 1 : NULL;
		}
	}
	printf("  %-26s %s\n", "--help", "this text");
	if (after)
		printf("\n%s", after);
}

/* One value into its place; false after one line on stderr. */
static bool store(const char *program, const struct opt *opt, const char *value)
{
	const char *why = NULL;
	switch (opt->kind) {
	case OPT_IS_FLAG:
		*opt->out.flag = true;
		return true;
	case OPT_IS_TEXT:
		*opt->out.text = value;
		return true;
	case OPT_IS_WHOLE:
		if (opt_whole(value, opt->min_whole, opt->max_whole, opt->out.whole))
			return true;
		opt_complain(program,
			"--%s: '%s' must be a whole number from %" PRId64 " to %" PRId64, opt->name,
			value, opt->min_whole, opt->max_whole);
		return false;
	case OPT_IS_REAL:
		if (opt_real(value, opt->min_real, opt->max_real, opt->out.real))
			return true;
		opt_complain(program, "--%s: '%s' must be a number from %g to %g", opt->name, value,
			opt->min_real, opt->max_real);
		return false;
	case OPT_IS_TAKEN:
		if (opt->take(opt->out.taken, value, &why))
			return true;
		opt_complain(program, "--%s: '%s' %s", opt->name, value, why);
		return false;
	}
	return false;
}

enum opt_result opt_read(const char *program, const char *about, const struct opt *opts,
	size_t n_opts, const char *after, int argc, char **argv)
{
	struct option longs[MAX_OPTS + 2] = {0};
	if (n_opts > MAX_OPTS)
		abort();
	for (size_t i = 0; i < n_opts; i++) {
		longs[i].name = opts[i].name;
		longs[i].has_arg = opts[i].kind == OPT_IS_FLAG ? no_argument : required_argument;
		longs[i].val = FIRST_VAL + (int)i;
	}
	const int help = FIRST_VAL + (int)n_opts;
	longs[n_opts].name = "help";
	longs[n_opts].val = help;

	int val;
	opterr = 0;
	while ((val = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (val == help || val == 'h') {
			print_help(program, about, opts, n_opts, after);
			return OPT_HELP;
		}
		if (val == ':') {
			opt_complain(program, "%s needs a value", argv[optind - 1]);
			return OPT_WRONG;
		}
		if (val == '?') {
			/* Of one word with several letters only the letter is known. */
			if (optopt > 0 && optopt < FIRST_VAL)
				opt_complain(program, "unknown option '-%c'", optopt);
			else
				opt_complain(program, "unknown option '%s'", argv[optind - 1]);
			return OPT_WRONG;
		}
		if (!store(program, &opts[val - FIRST_VAL], optarg))
			return OPT_WRONG;
	}
	if (optind < argc) {
		opt_complain(program, "'%s' belongs to no option", argv[optind]);
		return OPT_WRONG;
	}
	return OPT_OK;
}
