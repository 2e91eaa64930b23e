/* SPDX-License-Identifier: MIT */
/* Asking a running agent for its report: what `wsbalancer top` and `wsbalancer status` share. */
#ifndef WSB_QUERY_H
#define WSB_QUERY_H

#include <curl/curl.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The words behind the command's name. Strings are argv's or static. */
struct query_options {
	const char *url;         /* NULL: what the configuration says */
	const char *config_path; /* never NULL */
	const char *token_file;  /* NULL: none, or what the configuration says */
	const char *ca_file;     /* NULL: the system's, or the certificate in the configuration */
	int64_t interval_ms;     /* of top */
	bool json;               /* of status */
};

enum query_parsed {
	QUERY_RUN,
	QUERY_HELP,  /* was asked for and is printed */
	QUERY_WRONG, /* a line on stderr has said so */
};

/* Parses the command line from the command's name (argv[0]) on: "top" takes --interval, "status"
 * takes --json. */
enum query_parsed query_parse(int argc, char **argv, struct query_options *out);

/* A prepared question. */
struct query {
	CURL *easy;
	struct curl_slist *headers;
	char *url;
	char *body; /* what has come so far */
	size_t len;
	char error[CURL_ERROR_SIZE];
};

/* Reads the files that the options name and prepares the request. On true the caller ends *out with
 * query_fini, and *out stays where it is. On false *out is untouched, and why, cut to size, says
 * why. */
bool query_init(struct query *out, const struct query_options *options, char *why, size_t size);
void query_fini(struct query *query);

/* Forgets the last answer, before the request is made (again). */
void query_reset(struct query *query);

/* The report out of a request that ended with code; the caller puts it. NULL when there is none:
 * why, cut to size, says why. */
struct json_object *query_report(struct query *query, CURLcode code, char *why, size_t size);

#endif
