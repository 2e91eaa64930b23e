/* SPDX-License-Identifier: MIT */
/* Where a number stands in JSON. */
#ifndef WSB_METRIC_PATH_H
#define WSB_METRIC_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/why.h"
#include "core/metric/metric_found.h"

struct json_object;

enum { METRIC_PATH_STEPS_MAX = 16 };

enum metric_step_kind {
	METRIC_STEP_MEMBER,  /* name, or ["any name"]: a member of an object */
	METRIC_STEP_INDEX,   /* [N]: an element of an array, from 0 */
	METRIC_STEP_ALL,     /* []: every element of an array; none is a sum of 0 */
	METRIC_STEP_ANY_KEY, /* *: every member of an object, which has one at least */
	METRIC_STEP_WHERE,   /* [name="x"]: the elements that are objects with such a member */
};

struct metric_step {
	enum metric_step_kind kind;
	char *name;  /* of MEMBER and WHERE */
	char *value; /* of WHERE */
	size_t index;
};

/* Steps joined by dots, as in "a.b", "[].clients", "data.*.open", "metrics[name=\"x\"].value" or
 * "[\"a.b\"]". No step at all is the whole answer. */
struct metric_path {
	struct metric_step *steps;
	size_t n_steps;
};

/* text[0..len) becomes a path, to be released with metric_path_fini. False: *why says why, and
 * *path is untouched. */
bool metric_path_parse(const char *text, size_t len, struct metric_path *path, struct why *why);
/* Takes a zeroed struct. */
void metric_path_fini(struct metric_path *path);

/*
 * Adds the numbers at the path to *found, which is zeroed: of them every one must be there. Where
 * the value is optional, null is nothing; where it is a truth, true and false are 1 and 0; else
 * they are no numbers.
 */
void metric_path_find(const struct metric_path *path, struct json_object *root, bool optional,
	bool truth, struct metric_found *found);

#endif
