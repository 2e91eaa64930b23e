/* SPDX-License-Identifier: MIT */
/* The request headers for pods, some of whose values live in files. */
#ifndef WSB_HEADERS_H
#define WSB_HEADERS_H

#include <curl/curl.h>
#include <stdint.h>

#include "core/config/config.h"

/*
 * A value from a file is its first line. Files are looked at once a second at most and read anew
 * when they changed, so a rotated token is taken up without a signal. While a file cannot be read
 * its last value goes on; before it could be read, its header is not sent.
 */
struct headers;

/* The configuration's strings must outlive it. NULL when out of memory. */
struct headers *headers_new(const struct config_header *list, size_t n);
void headers_free(struct headers *headers);

/*
 * The list as of now_ms, for CURLOPT_HTTPHEADER. It belongs to headers and stays valid until
 * headers_put was called for it as often as headers_get returned it.
 */
struct curl_slist *headers_get(struct headers *headers, int64_t now_ms);
void headers_put(struct headers *headers, struct curl_slist *list);

#endif
