/* SPDX-License-Identifier: MIT */
/* Pods into HAProxy's server slots: what HAProxy has and what it should have in, commands out. */
#ifndef WSB_SLOTS_H
#define WSB_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/haproxy/hastate.h"
#include "core/kube/slice.h"
#include "core/kube/slots_memory.h"

/*
 * A slot is a server line without a pod: an address that means nothing, and "disabled". A pod gets
 * a slot by `set server`, which needs no reload; where all slots are taken, a server is added, and
 * deleted when its pod has gone. A pure function of HAProxy's own account: run again on what its
 * commands made, it gives none, so whatever undoes them is repaired and a reload is no special
 * case.
 *
 *   pod                          its server
 *   ready                        address, weight as configured, then ready
 *   unready or terminating       drain: standing connections stay, no new ones come
 *   gone                         maint: the same, and the slot is free once it is empty
 *   all terminating, none ready  as if ready: better a pod that ends than none (as kube-proxy does)
 *
 * HAProxy keeps counting a slot's old connections after its address has changed, so a slot that has
 * any is never given to another pod; another uid at the same address is another pod. A pod that is
 * not ready gets no slot, but keeps the one it has.
 *
 * All servers of the backend are slots, except backup servers and those that HAProxy resolves by
 * name: these are left alone.
 */

#define SLOTS_ADDED_PREFIX "extra" /* added servers are extra1, extra2, ... */

struct slots_options {
	/* What an added server has after its address and weight, e.g. "check inter 2s". */
	const char *added_line;
	unsigned added_max; /* how many servers may be added; 0: none */
};

struct slots_plan {
	char **commands; /* for the Runtime API, in order, without line ends */
	size_t n_commands;
	struct slots_memory memory; /* for the next plan, whether the commands succeed or not */

	/* What holds once the commands are carried out. */
	unsigned ready;       /* pods that take new connections */
	unsigned draining;    /* pods that keep their connections */
	unsigned quarantined; /* servers of pods that are gone, with connections */
	unsigned free;        /* slots */
	unsigned added;       /* servers added and not deleted */
	unsigned unplaced;    /* ready pods without a server */
};

/*
 * Plans for one backend. wanted is what slicestore_union wrote: sorted, each address once. True:
 * the caller frees *plan with slots_plan_fini. False: out of memory, *plan is untouched.
 */
bool slots_plan(const struct hastate_backend *backend, const struct endpoint *wanted,
	size_t n_wanted, const struct slots_options *options, const struct slots_memory *memory,
	struct slots_plan *plan);

/* Frees what *plan owns, memory included; takes a zeroed struct. */
void slots_plan_fini(struct slots_plan *plan);

#endif
