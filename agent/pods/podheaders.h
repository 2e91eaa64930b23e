/* SPDX-License-Identifier: MIT */
/* The request headers for pods, some of whose values live in files. */
#ifndef WSB_PODHEADERS_H
#define WSB_PODHEADERS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/why.h"
#include "core/config/config.h"

/*
 * A value from a file is its first line. Files are looked at once a second at most and read anew
 * when they changed, so a rotated token is taken up without a signal. While a file cannot be read
 * its last value goes on; before it could be read, its header is not sent.
 */
struct podheaders;

/* Whether a header's file holds a value for it now; *why is set with its path where it does not. */
bool podheaders_check_file(const char *path, struct why *why);

/* What pods are asked with: the configured headers, unless they are withheld from these pods, and
 * Accept by their format unless it is among them. The configuration must outlive it. NULL when out
 * of memory. */
struct podheaders *podheaders_new(const struct config_metric *metric, bool withheld);
void podheaders_free(struct podheaders *headers);

/*
 * The list as of now_ms, for CURLOPT_HTTPHEADER. It belongs to headers and stays valid until
 * podheaders_put was called for it as often as podheaders_get returned it.
 */
struct curl_slist *podheaders_get(struct podheaders *headers, int64_t now_ms);
void podheaders_put(struct podheaders *headers, struct curl_slist *list);

#endif
