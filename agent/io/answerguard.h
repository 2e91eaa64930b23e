/* SPDX-License-Identifier: MIT */
/* Looks at an HTTP answer's head as it comes, before libcurl acts on it. */
#ifndef WSB_ANSWERGUARD_H
#define WSB_ANSWERGUARD_H

#include <curl/curl.h>
#include <stddef.h>

/*
 * libcurl decodes transfer codings that nobody asked for, four gzips around each other in one call,
 * in which neither timeout nor body limit applies: measured with 7.88, 5 kB stop it for half a
 * minute. It also keeps a copy of each line of a head and of a trailer, however many come. So here
 * the transfer ends at the first coding but "chunked", and when all these lines together are long.
 */

enum { ANSWERGUARD_HEAD_MAX = 32 * 1024 }; /* bytes of heads and trailers of one answer */

enum answerguard_refusal {
	ANSWERGUARD_NONE,
	ANSWERGUARD_COMPRESSED, /* a Transfer-Encoding or Content-Encoding that nobody asked for */
	ANSWERGUARD_LONG_HEAD,
};

struct answerguard {
	enum answerguard_refusal refusal; /* with any but NONE the transfer ends with an error */
	size_t n_bytes;                   /* of head and trailer so far */
};

/* Sets the guard up and the handle's CURLOPT_HEADERFUNCTION; call it before each request. The guard
 * must stay where it is until the transfer has ended. */
void answerguard_begin(struct answerguard *guard, CURL *easy);

/* The transfer has ended with result, which may be libcurl's own refusal. A single header of more
 * than 100 KB is out of memory to it, and it says no more than that, or from 8.6 on too large: it
 * is a LONG_HEAD. Codings that were not asked for it refuses before it shows them (8.14). */
void answerguard_end(struct answerguard *guard, CURL *easy, CURLcode result);

/* For people; static. "" for NONE. */
const char *answerguard_name(const struct answerguard *guard);

#endif
