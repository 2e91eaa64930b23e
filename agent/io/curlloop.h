/* SPDX-License-Identifier: MIT */
/* A libcurl multi handle driven by the event loop. */
#ifndef WSB_CURLLOOP_H
#define WSB_CURLLOOP_H

#include <curl/curl.h>
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Transfers are started with curlloop_add and end with a call of done, from the loop and never from
 * inside a callback of libcurl's. There the handle's owner takes it out with curlloop_remove, at
 * once or, when it was made with CURLOPT_CONNECT_ONLY and has connected, when it is done with the
 * connection, which lives only while its handle is in.
 */
struct curlloop;

/* arg is what curlloop_new was given. The CURL handle's owner is found by CURLOPT_PRIVATE. The
 * callback may add and remove handles, but must not free the curlloop. */
typedef void (*curlloop_done)(CURL *easy, CURLcode result, void *arg);

/*
 * NULL when out of memory. max_connections is how many idle ones are kept. max_bytes is what a
 * transfer may receive, counted on the wire: head, chunk sizes, extensions, trailers, TLS and all;
 * one that gets more ends with CURLE_FILESIZE_EXCEEDED. 0 is no limit.
 */
struct curlloop *curlloop_new(struct ev_loop *loop, long max_connections, uint64_t max_bytes,
	curlloop_done done, void *arg);

/* Every handle must have been removed, or have ended. Takes NULL. */
void curlloop_free(struct curlloop *curlloop);

/* Within done: when the last bytes of the transfer came, on the clock of io/clock.h. A loop that
 * was kept elsewhere reads them later. */
int64_t curlloop_came_ms(const struct curlloop *curlloop);

/* Whether a transfer waits for this process and not for its peer: there is something to read for
 * it, of which the last came at *came_ms, or it may send. */
enum curlloop_wait { CURLLOOP_FOR_PEER, CURLLOOP_TO_READ, CURLLOOP_TO_SEND };
enum curlloop_wait curlloop_look(
	const struct curlloop *curlloop, const CURL *easy, int64_t *came_ms);

/* Changes how many idle connections are kept; what is over goes as transfers end. */
void curlloop_keep(struct curlloop *curlloop, long max_connections);

/* Starts a transfer. False when libcurl refuses, which out of memory does. */
bool curlloop_add(struct curlloop *curlloop, CURL *easy);

/* Stops a transfer: done will not be called for it. Harmless for one that has ended. */
void curlloop_remove(struct curlloop *curlloop, CURL *easy);

#endif
