/* SPDX-License-Identifier: MIT */
/* HAProxy's certificates: watches them, and gives HAProxy those that were renewed. */
#ifndef WSB_CERTIFICATES_H
#define WSB_CERTIFICATES_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/haproxy/hacerts.h"
#include "haproxy/runtime.h"

/*
 * Every ten seconds it asks HAProxy which certificates it has, by which names and until when. Where
 * that is wished, it also looks at the files of these names: one that holds another certificate
 * than HAProxy has is given to it, with its key, by `set ssl cert` and `commit ssl cert`, which
 * cuts no connection. What HAProxy has is asked each time, so a reload, a lost command and an agent
 * that was away need no case of their own.
 *
 * What cannot be given (a key that does not fit, a chain over HAProxy's buffer, somebody else's
 * transaction) is said and tried again at the next look; HAProxy keeps what it has.
 */
struct certificates;

/* NULL when out of memory. */
struct certificates *certificates_new(struct ev_loop *loop);
/* Takes NULL. The loop must not run again before its runtime is freed, whose answers come here. */
void certificates_free(struct certificates *certificates);

/* The way to HAProxy, the caller's, which must last until the next call or the end; NULL: none.
 * gives: renewed files are read and given to HAProxy. */
void certificates_configure(struct certificates *certificates, struct runtime *runtime, bool gives);

/* How they stand, in HAProxy's order; valid until the loop runs again. */
const struct hacerts_status *certificates_report(struct certificates *certificates, size_t *n);

/* How many have been given to HAProxy since the start. */
uint64_t certificates_given(const struct certificates *certificates);

#endif
