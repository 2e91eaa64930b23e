/* SPDX-License-Identifier: MIT */
/* Writes events to standard error. */
#include "io/log.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/text.h"
#include "io/clock.h"
#include "io/logsink.h"

enum { FACT_MAX = 1024 }; /* bytes of a fact in JSON; longer ones end in "..." */

/* The only state of the program that is not in a struct: every module logs. */
static enum config_log_level threshold = CONFIG_LOG_INFO;
static enum config_log_format style = CONFIG_LOG_TEXT;

static const char *const level_names[] = {
	[CONFIG_LOG_ERROR] = "error",
	[CONFIG_LOG_WARN] = "warn",
	[CONFIG_LOG_INFO] = "info",
	[CONFIG_LOG_DEBUG] = "debug",
};

struct log_fact log_str(const char *key, const char *text)
{
	return (struct log_fact){.key = key, .type = LOG_FACT_TEXT, .text = text ? text : ""};
}

struct log_fact log_int(const char *key, int64_t integer)
{
	return (struct log_fact){.key = key, .type = LOG_FACT_INT, .integer = integer};
}

void log_configure(enum config_log_level level, enum config_log_format format)
{
	threshold = level;
	style = format;
}

static void write_text(struct buf *out, const char *time, enum config_log_level level,
	const char *event, const struct log_fact *facts, size_t n)
{
	buf_printf(out, "%s %-5s %s", time, level_names[level], event);
	for (size_t i = 0; i < n && facts[i].key; i++) {
		buf_printf(out, " %s=", facts[i].key);
		switch (facts[i].type) {
		case LOG_FACT_TEXT:
			text_write_logvalue(out, facts[i].text);
			break;
		case LOG_FACT_INT:
			buf_printf(out, "%lld", (long long)facts[i].integer);
			break;
		}
	}
	buf_putc(out, '\n');
}

static struct json_object *to_json(const struct log_fact *fact)
{
	struct json_object *value = NULL;
	char shown[FACT_MAX];

	switch (fact->type) {
	case LOG_FACT_TEXT:
		/* json-c writes bytes as they are; these may be no UTF-8. */
		value = json_object_new_string(text_show(fact->text, shown, sizeof(shown)));
		break;
	case LOG_FACT_INT:
		value = json_object_new_int64(fact->integer);
		break;
	}
	return value;
}

static void write_json(struct buf *out, const char *time, enum config_log_level level,
	const char *event, const struct log_fact *facts, size_t n)
{
	struct json_object *line = json_object_new_object();

	if (!line)
		return;
	json_object_object_add(line, "time", json_object_new_string(time));
	json_object_object_add(line, "level", json_object_new_string(level_names[level]));
	json_object_object_add(line, "event", json_object_new_string(event));
	for (size_t i = 0; i < n && facts[i].key; i++)
		json_object_object_add(line, facts[i].key, to_json(&facts[i]));
	buf_printf(out, "%s\n",
		json_object_to_json_string_ext(
			line, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(line);
}

void log_write(
	enum config_log_level level, const char *event, const struct log_fact *facts, size_t n)
{
	char time[TEXT_TIME_SIZE];
	struct buf line = {.bytes = NULL};

	if (level > threshold)
		return;
	/* Made in memory first, so that a line reaches standard error whole. */
	text_format_time(clock_wall_ms(), time, sizeof(time));
	if (style == CONFIG_LOG_JSON)
		write_json(&line, time, level, event, facts, n);
	else
		write_text(&line, time, level, event, facts, n);
	if (!line.failed)
		logsink_write(line.bytes, line.len);
	buf_fini(&line);
}

bool log_repeat(struct log_repeat *repeat)
{
	repeat->times++;
	/* Powers of two have one bit. */
	return (repeat->times & (repeat->times - 1)) == 0;
}

uint64_t log_repeat_end(struct log_repeat *repeat)
{
	uint64_t times = repeat->times;

	repeat->times = 0;
	return times;
}
