/* SPDX-License-Identifier: MIT */
/* Asking a running agent for its report: what `wsbalancer top` and `wsbalancer status` share. */
#ifndef WSB_CLIENT_H
#define WSB_CLIENT_H

#include <curl/curl.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/why.h"
#include "io/answerguard.h"

/* The words behind the command's name. Strings are argv's or static. */
struct client_options {
	const char *url;         /* NULL: what the configuration says */
	const char *config_path; /* NULL: the default one, if it is there */
	const char *token_file;  /* NULL: none, or what the configuration says */
	const char *ca_file;     /* NULL: the system's, or the certificate in the configuration */
	int64_t interval_ms;     /* of top */
	bool json;               /* these two are of status */
	bool verdict;
};

enum client_parsed {
	CLIENT_RUN,
	CLIENT_HELP,  /* was asked for and is printed */
	CLIENT_WRONG, /* a line on stderr has said so */
};

/* Parses the command line from the command's name (argv[0], "top" or "status") on. */
enum client_parsed client_parse(int argc, char **argv, struct client_options *out);

/* The whole of a command that asks: parses its words, and calls run where they are right. Returns
 * the exit status: run's, or what wrong words or a libcurl that does not start come to. */
int client_main(int argc, char **argv, int (*run)(const struct client_options *options));

/* A prepared question. */
struct client {
	CURL *easy;
	struct curl_slist *headers;
	char *url;
	struct buf body; /* what has come so far */
	struct answerguard guard;
	char error[CURL_ERROR_SIZE];
};

/* Reads the files that the options name and prepares the request. On true the caller ends *out with
 * client_fini, and *out stays where it is. On false *out is untouched. */
bool client_init(struct client *out, const struct client_options *options, struct why *why);
void client_fini(struct client *client);

/* Forgets the last answer, before the request is made (again). */
void client_reset(struct client *client);

/* The report out of a request that ended with code; the caller puts it. NULL, with *why
 * set, when there is none. */
struct json_object *client_report(struct client *client, CURLcode code, struct why *why);

#endif
