/* SPDX-License-Identifier: MIT */
/* One condition of a selector: a label, an operator, a value. */
#ifndef WSB_METRIC_MATCHER_H
#define WSB_METRIC_MATCHER_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/why.h"

enum metric_operator { METRIC_EQUAL, METRIC_NOT_EQUAL, METRIC_MATCHES, METRIC_NOT_MATCHES };

/* The texts are its own. */
struct metric_matcher {
	char *label;
	size_t label_len;
	enum metric_operator op;
	char *value;
	size_t value_len;
	regex_t regex; /* of METRIC_MATCHES and METRIC_NOT_MATCHES, once it is compiled */
};

/* How a sample of the series' name meets a matcher, or all of them. The worse, the greater. */
enum metric_fit {
	METRIC_FITS,
	METRIC_MISFIT,
	METRIC_GARBLED /* the labels cannot be read */
};

/* Compiles what is to be compiled, once label, op and value are set. False: *why says why, and
 * value is freed and NULL. */
bool metric_matcher_compile(struct metric_matcher *matcher, struct why *why);

/* Takes a zeroed struct, and one whose value is NULL. */
void metric_matcher_fini(struct metric_matcher *matcher);

/* value[0..len) is followed by a NUL, and holds none. */
enum metric_fit metric_matcher_accepts(
	const struct metric_matcher *matcher, const char *value, size_t len);

#endif
