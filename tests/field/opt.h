/* SPDX-License-Identifier: MIT */
/* Strict command lines: one table gives the parser, the limits and the text of --help. */
#ifndef FIELD_OPT_H
#define FIELD_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Takes one value. On false *why says what is allowed, as in "must be ADDR:PORT". */
typedef bool opt_take(void *out, const char *value, const char **why);

/* A row of the table; write it with the macros below. */
struct opt {
	const char *name; /* without the dashes */
	const char *arg;  /* what --help calls the value; NULL: takes none */
	const char *help; /* lines parted by '\n' */
	enum { OPT_IS_FLAG, OPT_IS_WHOLE, OPT_IS_REAL, OPT_IS_TEXT, OPT_IS_TAKEN } kind;
	union {
		bool *flag;
		int64_t *whole;
		double *real;
		const char **text;
		void *taken;
	} out;
	int64_t min_whole, max_whole;
	double min_real, max_real;
	opt_take *take;
};

/* Set to true. */
#define OPT_FLAG(name_, out_, help_)                                                      \
	{                                                                                 \
		.name = (name_), .help = (help_), .kind = OPT_IS_FLAG, .out.flag = (out_) \
	}
/* Decimal digits with an optional '-', within the limits. */
#define OPT_WHOLE(name_, arg_, out_, min_, max_, help_)                                \
	{                                                                              \
		.name = (name_), .arg = (arg_), .help = (help_), .kind = OPT_IS_WHOLE, \
		.out.whole = (out_), .min_whole = (min_), .max_whole = (max_)          \
	}
/* A finite decimal number within the limits. */
#define OPT_REAL(name_, arg_, out_, min_, max_, help_)                                \
	{                                                                             \
		.name = (name_), .arg = (arg_), .help = (help_), .kind = OPT_IS_REAL, \
		.out.real = (out_), .min_real = (min_), .max_real = (max_)            \
	}
/* Kept as it is, pointing into argv. */
#define OPT_TEXT(name_, arg_, out_, help_)                                            \
	{                                                                             \
		.name = (name_), .arg = (arg_), .help = (help_), .kind = OPT_IS_TEXT, \
		.out.text = (out_)                                                    \
	}
/* Given to a function, each time that the option is there. */
#define OPT_TAKE(name_, arg_, take_, out_, help_)                                      \
	{                                                                              \
		.name = (name_), .arg = (arg_), .help = (help_), .kind = OPT_IS_TAKEN, \
		.out.taken = (out_), .take = (take_)                                   \
	}

enum opt_result {
	OPT_OK,
	OPT_HELP,  /* --help was asked for and printed to stdout: exit 0 */
	OPT_WRONG, /* one line said what is wrong on stderr: exit 2 */
};

/* Reads the command line of `program` by a table of n_opts options; --help is added to it. `about`
 * is printed above the options, and `after` (may be NULL) below them. Values that are not given
 * stay as they are. Words that belong to no option are refused. */
enum opt_result opt_read(const char *program, const char *about, const struct opt *opts,
	size_t n_opts, const char *after, int argc, char **argv);

/* Whole numbers and reals as the options above take them; false leaves *out untouched. */
bool opt_whole(const char *text, int64_t min, int64_t max, int64_t *out);
bool opt_real(const char *text, double min, double max, double *out);

/* Splits "HOST:PORT", "[IPV6]:PORT" or either without a port, `bytes` long; the brackets go. *port
 * is -1 when there is none. False if it is neither, or HOST is longer than 255. */
bool opt_host_port(const char *text, size_t bytes, char host[256], int *port);

struct opt_address {
	struct sockaddr_storage at;
	socklen_t at_bytes;
};

/* "192.0.2.1:80" or "[::1]:80": a numeric address and a port from 0 to 65535. */
bool opt_address(const char *text, struct opt_address *out);

/* Says on stderr what is wrong beyond single values, in the form that opt_read() has. */
void opt_complain(const char *program, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
