/* SPDX-License-Identifier: MIT */
/* Content negotiation: which of the offered media types an Accept header likes best. */
#ifndef WSB_NEGOTIATE_H
#define WSB_NEGOTIATE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * By RFC 9110, 12.5.1: the most specific range that matches a type gives its quality; the highest
 * quality wins, and the earlier offer among equals. Parameters other than q are not looked at, and
 * what is no media range is passed over.
 *
 * header may be NULL. Returns an index below n; 0 too when nothing offered is acceptable: an answer
 * in the wrong type serves a person better than none.
 */
size_t negotiate_choose(const char *header, const char *const *offers, size_t n);

/* Whether a header of codings (Accept-Encoding, RFC 9110, 12.5.3), which may be NULL, names this
 * one, or any by "*", and does not refuse it. */
bool negotiate_takes(const char *header, const char *coding);

#endif
