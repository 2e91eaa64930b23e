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

bool config_refuse(struct config_why *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return false;
}

bool config_refuse_value(struct config_why *why, const char *text, const char *format, ...)
{
	char shown[SHOWN];
	int n = snprintf(
		why->text, sizeof(why->text), "'%s' ", text_show(text, shown, sizeof(shown)));
	va_list args;

	va_start(args, format);
	vsnprintf(why->text + n, sizeof(why->text) - (size_t)n, format, args);
	va_end(args);
	return false;
}

bool config_set_string(char **out, const char *text, size_t len, struct config_why *why)
{
	*out = strndup(text, len);
	return *out || config_refuse(why, "out of memory");
}

static bool take_number(const struct config_setting *setting, const char *text, uint64_t *value,
	struct config_why *why)
{
	if (text_parse_u64(text, (uint64_t)setting->min, (uint64_t)setting->max, value))
		return true;
	return config_refuse_value(why, text,
		"is not allowed: use a whole number from %" PRId64 " to %" PRId64, setting->min,
		setting->max);
}

static bool take_unsigned(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	unsigned *number = out;
	uint64_t value;

	if (!take_number(setting, text, &value, why))
		return false;
	*number = (unsigned)value;
	return true;
}

static bool take_weight(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	int *weight = out;
	uint64_t value;

	if (!take_number(setting, text, &value, why))
		return false;
	*weight = (int)value;
	return true;
}

static bool take_port(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	uint16_t *port = out;
	uint64_t value;

	if (!take_number(setting, text, &value, why))
		return false;
	*port = (uint16_t)value;
	return true;
}

static bool take_duration(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	int64_t *ms = out;
	int64_t value;
	uint64_t seconds;
	char min[24];
	char max[24];

	if (setting->bare_seconds && text_parse_u64(text, 0, INT64_MAX / 1000, &seconds))
		value = (int64_t)seconds * 1000;
	else if (!text_parse_duration(text, &value))
		return config_refuse_value(why, text,
			"is no duration: use a number with ms, s, m or h, such as %s",
			setting->fallback);
	if (value < setting->min || value > setting->max)
		return config_refuse_value(why, text, "is out of range: use %s to %s",
			text_format_duration(setting->min, min, sizeof(min)),
			text_format_duration(setting->max, max, sizeof(max)));
	*ms = value;
	return true;
}

static bool take_size(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	uint64_t *bytes = out;
	uint64_t value;
	char min[24];
	char max[24];

	if (!text_parse_size(text, &value))
		return config_refuse_value(why, text,
			"is no size: use a number with KiB, MiB or GiB, such as %s",
			setting->fallback);
	if (value < (uint64_t)setting->min || value > (uint64_t)setting->max)
		return config_refuse_value(why, text, "is out of range: use %s to %s",
			text_format_size((uint64_t)setting->min, min, sizeof(min)),
			text_format_size((uint64_t)setting->max, max, sizeof(max)));
	*bytes = value;
	return true;
}

static bool take_share(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	double *share = out;
	double value;

	(void)setting;
	if (!text_parse_decimal(text, &value) || value <= 0.0 || value > 1.0)
		return config_refuse_value(why, text,
			"is not allowed: use a number above 0 and up to 1, such as 0.25");
	*share = value;
	return true;
}

static bool take_bool(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	bool *flag = out;

	(void)setting;
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return config_refuse_value(why, text, "is not allowed: use true or false");
	*flag = text[0] == 't';
	return true;
}

static bool take_choice(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	const char *choice = setting->choices;
	size_t len = strlen(text);

	for (unsigned i = 0; *choice; i++) {
		size_t n = strcspn(choice, " ");

		if (n == len && memcmp(choice, text, n) == 0) {
			memcpy(out, &i, sizeof(i));
			return true;
		}
		choice += n;
		choice += *choice == ' ';
	}
	return config_refuse_value(why, text, "is not allowed: use one of: %s", setting->choices);
}

#define KIND(name, type) \
	const struct config_kind config_kind_##name = {.size = sizeof(type), .take = take_##name}

KIND(unsigned, unsigned);
KIND(weight, int);
KIND(port, uint16_t);
KIND(duration, int64_t);
KIND(size, uint64_t);
KIND(share, double);
KIND(bool, bool);
KIND(choice, unsigned);
