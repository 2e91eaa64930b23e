/* SPDX-License-Identifier: MIT */
/* Values that are numbers, and what all kinds of values share. */
#include "core/config/config_value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"

enum { SHOWN = 64 }; /* bytes of a value in a message */

bool config_value_invalid(
	struct why *why, const char *what, const char *text, const char *format, ...)
{
	char shown[SHOWN];
	char rest[256];
	va_list args;

	va_start(args, format);
	vsnprintf(rest, sizeof(rest), format, args);
	va_end(args);
	return why_set(
		why, "invalid %s '%s': %s", what, text_show(text, shown, sizeof(shown)), rest);
}

bool config_value_copy(char **out, const char *text, size_t len, struct why *why)
{
	*out = strndup(text, len);
	return *out || why_set(why, "out of memory");
}

void config_value_release_string(void *out)
{
	char **string = out;

	free(*string);
	*string = NULL;
}

static bool parse_number(
	const struct config_key *row, const char *text, uint64_t *value, struct why *why)
{
	return text_parse_u64(text, (uint64_t)row->min, (uint64_t)row->max, value) ||
	       config_value_invalid(why, "number", text,
		       "use a whole number from %" PRId64 " to %" PRId64, row->min, row->max);
}

static bool parse_unsigned(
	const struct config_key *row, const char *text, void *out, struct why *why)
{
	unsigned *number = out;
	uint64_t value;

	if (!parse_number(row, text, &value, why))
		return false;
	*number = (unsigned)value;
	return true;
}

static bool parse_weight(const struct config_key *row, const char *text, void *out, struct why *why)
{
	int *weight = out;
	uint64_t value;

	if (!parse_number(row, text, &value, why))
		return false;
	*weight = (int)value;
	return true;
}

static bool parse_port(const struct config_key *row, const char *text, void *out, struct why *why)
{
	uint16_t *port = out;
	uint64_t value;

	if (!parse_number(row, text, &value, why))
		return false;
	*port = (uint16_t)value;
	return true;
}

static bool fail_range(struct why *why, const char *text, const char *min, const char *max)
{
	char shown[SHOWN];

	return why_set(why, "'%s' is out of range: use %s to %s",
		text_show(text, shown, sizeof(shown)), min, max);
}

static bool parse_duration(
	const struct config_key *row, const char *text, void *out, struct why *why)
{
	int64_t *ms = out;
	int64_t value;
	uint64_t seconds;
	char min[24];
	char max[24];

	if (row->automatic && strcmp(text, "auto") == 0) {
		*ms = 0;
		return true;
	}
	if (row->bare_seconds && text_parse_u64(text, 0, INT64_MAX / 1000, &seconds))
		value = (int64_t)seconds * 1000;
	else if (!text_parse_duration(text, &value)) {
		return config_value_invalid(why, "duration", text,
			"use %sa number with ms, s, m or h, such as %s",
			row->automatic ? "auto, or " : "",
			row->automatic ? row->example : row->fallback);
	}
	if (value < row->min || value > row->max)
		return fail_range(why, text, text_format_duration(row->min, min, sizeof(min)),
			text_format_duration(row->max, max, sizeof(max)));
	*ms = value;
	return true;
}

static bool parse_size(const struct config_key *row, const char *text, void *out, struct why *why)
{
	uint64_t *bytes = out;
	uint64_t value;
	char min[24];
	char max[24];

	if (!text_parse_size(text, &value)) {
		return config_value_invalid(why, "size", text,
			"use a number with KiB, MiB or GiB, such as %s",
			row->fallback ? row->fallback : row->example);
	}
	if (value < (uint64_t)row->min || value > (uint64_t)row->max)
		return fail_range(why, text, text_format_size((uint64_t)row->min, min, sizeof(min)),
			text_format_size((uint64_t)row->max, max, sizeof(max)));
	*bytes = value;
	return true;
}

static bool parse_share(const struct config_key *row, const char *text, void *out, struct why *why)
{
	double *share = out;
	double value;

	(void)row;
	if (!text_parse_decimal(text, &value) || value <= 0.0 || value > 1.0)
		return config_value_invalid(
			why, "share", text, "use a number above 0 and up to 1, such as 0.25");
	*share = value;
	return true;
}

static bool parse_bool(const struct config_key *row, const char *text, void *out, struct why *why)
{
	bool *flag = out;

	(void)row;
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return config_value_invalid(why, "boolean", text, "use true or false");
	*flag = text[0] == 't';
	return true;
}

/* "a b c" as "a, b or c". */
static void list_choices(const char *choices, char *buf, size_t size)
{
	const char *last = strrchr(choices, ' ');
	size_t used = 0;

	for (const char *c = choices; *c && used + sizeof(" or ") < size; c++) {
		if (*c == ' ')
			used += (size_t)sprintf(buf + used, "%s", c == last ? " or " : ", ");
		else
			buf[used++] = *c;
	}
	buf[used] = '\0';
}

/* The first of them is number first of the enum. */
static bool parse_one_of(
	const struct config_key *row, const char *text, unsigned first, void *out, struct why *why)
{
	const char *choice = row->choices;
	size_t len = strlen(text);
	char list[128];

	for (unsigned i = first; *choice; i++) {
		size_t n = strcspn(choice, " ");

		if (n == len && memcmp(choice, text, n) == 0) {
			memcpy(out, &i, sizeof(i));
			return true;
		}
		choice += n;
		choice += *choice == ' ';
	}
	list_choices(row->choices, list, sizeof(list));
	return config_value_invalid(why, "value", text, "use %s", list);
}

static bool parse_choice(const struct config_key *row, const char *text, void *out, struct why *why)
{
	return parse_one_of(row, text, 0, out, why);
}

static bool parse_optional(
	const struct config_key *row, const char *text, void *out, struct why *why)
{
	return parse_one_of(row, text, 1, out, why);
}

static bool parse_truth(const struct config_key *row, const char *text, void *out, struct why *why)
{
	enum config_truth *truth = out;
	bool value = false;

	if (!parse_bool(row, text, &value, why))
		return false;
	*truth = value ? CONFIG_TRUE : CONFIG_FALSE;
	return true;
}

static bool parse_own_port(
	const struct config_key *row, const char *text, void *out, struct why *why)
{
	int *port = out;
	uint64_t value;

	if (!parse_number(row, text, &value, why))
		return false;
	*port = value == 0 ? CONFIG_OWN_PORT : (int)value;
	return true;
}

CONFIG_KIND(unsigned, unsigned, NULL);
CONFIG_KIND(weight, int, NULL);
CONFIG_KIND(port, uint16_t, NULL);
CONFIG_KIND(duration, int64_t, NULL);
CONFIG_KIND(size, uint64_t, NULL);
CONFIG_KIND(share, double, NULL);
CONFIG_KIND(bool, bool, NULL);
CONFIG_KIND(choice, unsigned, NULL);
CONFIG_KIND(truth, enum config_truth, NULL);
CONFIG_KIND(optional, unsigned, NULL);
CONFIG_KIND(own_port, int, NULL);
