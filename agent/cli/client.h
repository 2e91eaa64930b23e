/* SPDX-License-Identifier: MIT */
/* Asking a running agent for its report: what `wsbalancer top` and `wsbalancer status` share. */
#ifndef WSB_CLIENT_H
#define WSB_CLIENT_H

#include <curl/curl.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/commandline.h"
#include "core/base/buf.h"
#include "core/base/why.h"
#include "io/answerguard.h"

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
bool client_init(struct client *out, const struct commandline *options, struct why *why);
void client_fini(struct client *client);

/* Forgets the last answer, before the request is made (again). */
void client_reset(struct client *client);

/* The report out of a request that ended with code; the caller puts it. NULL, with *why
 * set, when there is none. */
struct json_object *client_report(struct client *client, CURLcode code, struct why *why);

#endif
