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
 * That is for pods whose number was seen to move, or that HAProxy has just begun to use. One that
 * always says the same may be a liar, and is held to its word at each answer; so is, now and then,
 * one that has stood for long.
 */
struct moment {
	/* Zeroed memory is a pod that has not answered. */
	bool moves;    /* two of its answers differed, or it has joined */
	bool joined;   /* since its last answer */
	uint32_t held; /* sessions that HAProxy had on it at ms */
	int64_t ms;    /* when its last answer that was news came; 0: none has */
};

/* An answer came at now_ms, the first or another, or the same as the one before. held: sessions
 * that this HAProxy has on the pod, 0 where nobody knows. */
void moment_observe(struct moment *moment, bool same, uint32_t held, int64_t now_ms);

/* HAProxy begins to use the pod, or does again: what it says next is news, whatever it said before.
 * It was empty a moment ago, so of all pods this one is the least to be held to a number that
 * stands while HAProxy fills it. */
void moment_join(struct moment *moment);

#endif
