/* SPDX-License-Identifier: MIT */
/* The moment that a pod's count is of. */
#ifndef WSB_MOMENT_H
#define WSB_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Many applications do not count when they are asked: a timer writes a gauge every few seconds, or
 * an answer is cached. Such a count is true, but of a moment before the answer. Taken to be of now,
 * all that came since would look as if it had not come: the pod is filled anew with each answer,
 * until the next count, far beyond the others.
 *
 * When they count nobody tells; it shows when the number changes. An answer that repeats the one
 * before, while HAProxy's sessions on the pod have moved, is no news: its count stays one of the
 * moment when it was new, and what HAProxy has seen since is added to it.
 *
 * That is for pods that were seen to count now and then: whose number stood while sessions moved
 * and then jumped, again and again; and for those that HAProxy has just begun to use. Any other is
 * held to its word at each answer. So is one whose number has stood for half a minute.
 */
struct moment {
	/* Zeroed memory is a pod that has not answered. */
	unsigned weight;    /* of what speaks for one who counts now and then; 0: nothing does */
	unsigned repeats;   /* answers that said the number again while sessions had moved */
	bool joined;        /* since its last answer */
	uint32_t held;      /* sessions that HAProxy had on it at since_ms */
	uint32_t held_last; /* the same at the last answer */
	int64_t rest_ms;    /* since when that is held_last */
	int64_t since_ms;   /* when its number was new, or was last borne out by held */
	int64_t ms;         /* what its count is taken to be of; 0: it has not answered */
};

/* An answer came at now_ms, whose number is by so many another than the one before; 0: the same, or
 * the first. held: sessions that this HAProxy has on the pod, 0 where nobody knows. */
void moment_observe(struct moment *moment, uint32_t by, uint32_t held, int64_t now_ms);

/* HAProxy begins to use the pod, or does again: what it says next is news, whatever it said before.
 * It was empty a moment ago, so of all pods this one is the least to be held to a number that
 * stands while HAProxy fills it. */
void moment_join(struct moment *moment);

#endif
