/* SPDX-License-Identifier: MIT */
/* The log: one event, one line, on standard error. */
#ifndef WSB_LOG_H
#define WSB_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config/config.h"

/*
 * An event is a fixed sentence and facts beside it, as key=value or as JSON members. Foreign bytes
 * may stand in facts, never in the event. No secret is ever a fact.
 *
 *   error  someone must act
 *   warn   degraded, but steering
 *   info   a change of state
 *   debug  each poll and each command
 */

/* One fact. Made by log_str and its kin; text is only read. */
struct log_fact {
	const char *key; /* NULL: no fact */
	enum { LOG_FACT_TEXT, LOG_FACT_INT } type;
	const char *text;
	int64_t integer;
};

struct log_fact log_str(const char *key, const char *text);
struct log_fact log_int(const char *key, int64_t integer);

/* Stands where an event has no facts. */
#define LOG_NONE            \
	(struct log_fact)   \
	{                   \
		.key = NULL \
	}

/* Until this is called: info, text. */
void log_configure(enum config_log_level level, enum config_log_format format);

void log_write(
	enum config_log_level level, const char *event, const struct log_fact *facts, size_t n);

#define LOG_FACTS(...)                          \
	(const struct log_fact[]){__VA_ARGS__}, \
		sizeof((const struct log_fact[]){__VA_ARGS__}) / sizeof(struct log_fact)

/* log_info("HAProxy answers", log_str("version", v), log_int("pid", pid)) */
#define log_error(event, ...) log_write(CONFIG_LOG_ERROR, event, LOG_FACTS(__VA_ARGS__))
#define log_warn(event, ...)  log_write(CONFIG_LOG_WARN, event, LOG_FACTS(__VA_ARGS__))
#define log_info(event, ...)  log_write(CONFIG_LOG_INFO, event, LOG_FACTS(__VA_ARGS__))
#define log_debug(event, ...) log_write(CONFIG_LOG_DEBUG, event, LOG_FACTS(__VA_ARGS__))

/*
 * Something that may repeat: the first is said, then every time the number of repeats doubles.
 * Zeroed memory is a valid start; log_repeat_end resets it and returns how often it happened.
 */
struct log_repeat {
	uint64_t times;
};

bool log_repeat(struct log_repeat *repeat);
uint64_t log_repeat_end(struct log_repeat *repeat);

#endif
