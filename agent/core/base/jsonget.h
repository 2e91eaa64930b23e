/* SPDX-License-Identifier: MIT */
/* Reading JSON from outside, where anything may be missing, null or of another type. */
#ifndef WSB_JSONGET_H
#define WSB_JSONGET_H

#include <json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The member of that name when object is an object and the member of that type; NULL otherwise.
 * object may be NULL. */
struct json_object *jsonget_member(
	struct json_object *object, const char *name, enum json_type type);

/* The same for a text, which lives as long as the object. */
const char *jsonget_text(struct json_object *object, const char *name);

/* The same for a number of either kind, a whole number and a truth value; missing where there is no
 * such member, or a number beyond what a double holds. A whole number beyond an int64_t is the
 * nearest one. */
double jsonget_number(struct json_object *object, const char *name, double missing);
int64_t jsonget_whole(struct json_object *object, const char *name, int64_t missing);
bool jsonget_flag(struct json_object *object, const char *name, bool missing);

/* The length of an array; 0 for NULL. */
size_t jsonget_len(struct json_object *array);

#endif
