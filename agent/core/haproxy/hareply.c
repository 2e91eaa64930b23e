/* SPDX-License-Identifier: MIT */
#include "core/haproxy/hareply.h"

#include <stdlib.h>
#include <string.h>

#include "core/haproxy/harows.h"
#include "core/haproxy/hatable.h"

struct parser {
	const char *why;
	struct hastate_info info;
	struct harows rows;
};

const char *hareply_outcome_name(enum hareply_outcome outcome)
{
	switch (outcome) {
	case HAREPLY_OK:
		return "ok";
	case HAREPLY_TRUNCATED:
		return "the answer breaks off";
	case HAREPLY_DENIED:
		return "permission denied: the stats socket needs 'level admin'";
	case HAREPLY_MALFORMED:
		return "the answer is not what HAProxy writes";
	case HAREPLY_OUT_OF_MEMORY:
		return "out of memory";
	}
	return "?";
}

static bool read_info_line(struct parser *parser, const char *line)
{
	static const char *const keys[] = {
		"Pid: ", "Start_time_sec: ", "Uptime_sec: ", "Stopping: "};
	uint64_t values[] = {(uint64_t)parser->info.pid, (uint64_t)parser->info.start_time_s,
		(uint64_t)parser->info.uptime_s, parser->info.stopping};

	if (strncmp(line, "Version: ", 9) == 0) {
		size_t len = strnlen(line + 9, sizeof(parser->info.version) - 1);

		memcpy(parser->info.version, line + 9, len);
		parser->info.version[len] = '\0';
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		size_t len = strlen(keys[i]);

		if (strncmp(line, keys[i], len) != 0)
			continue;
		if (!hatable_parse_number(line + len, INT64_MAX, &values[i])) {
			parser->why = keys[i];
			return false;
		}
	}
	parser->info.pid = (int64_t)values[0];
	parser->info.start_time_s = (int64_t)values[1];
	parser->info.uptime_s = (int64_t)values[2];
	parser->info.stopping = values[3] != 0;
	return true;
}

enum section { SECTION_NONE, SECTION_INFO, SECTION_STAT, SECTION_STATE, SECTION_END };

/* Every HAProxy has a pid: without one, its reloads would go unseen. */
static bool end_info(struct parser *parser, enum section *section)
{
	if (parser->info.pid == 0) {
		parser->why = "Pid: ";
		return false;
	}
	*section = SECTION_END;
	return true;
}

/* What may stand where an answer begins: the version of the format of "show servers state", and
 * the words for a backend that is not there. */
static bool is_preface(const char *line)
{
	return line[strspn(line, "0123456789")] == '\0' || strcmp(line, "No such proxy.") == 0 ||
	       strcmp(line, "Can't find backend.") == 0;
}

/* The first line of an answer, which tells what it is. */
static enum hareply_outcome begin_section(struct parser *parser, enum section *section, char *line)
{
	bool ok = true;

	if (strncmp(line, "Name: ", 6) == 0) {
		*section = SECTION_INFO;
	} else if (strncmp(line, "# pxname,", 9) == 0) {
		*section = SECTION_STAT;
		ok = harows_stat_header(&parser->rows, line + 2);
	} else if (strncmp(line, "# be_id ", 8) == 0) {
		*section = SECTION_STATE;
		ok = harows_state_header(&parser->rows, line + 2);
	} else if (strncmp(line, "Permission denied", 17) == 0) {
		return HAREPLY_DENIED;
	} else if (strncmp(line, "Unknown command", 15) == 0) {
		parser->why = "it knows no 'show stat': is this HAProxy's master socket? "
			      "haproxy.socket is that of 'stats socket' in haproxy.cfg";
		ok = false;
	} else if (!is_preface(line)) {
		parser->why = "a line that belongs to no answer";
		ok = false;
	}
	return ok ? HAREPLY_OK : HAREPLY_MALFORMED;
}

/* One line, without its newline. */
static enum hareply_outcome read_line(struct parser *parser, enum section *section, char *line)
{
	bool ok = true;

	switch (*section) {
	case SECTION_NONE:
		return *line ? begin_section(parser, section, line) : HAREPLY_OK;
	case SECTION_INFO:
		ok = *line ? read_info_line(parser, line) : end_info(parser, section);
		break;
	case SECTION_STAT:
		if (*line)
			ok = harows_stat_row(&parser->rows, line);
		else
			*section = SECTION_NONE;
		break;
	case SECTION_STATE:
		if (*line)
			ok = harows_state_row(&parser->rows, line);
		else
			*section = SECTION_NONE;
		break;
	case SECTION_END:
		parser->why = "something follows the answer to \"show info\"";
		ok = false;
		break;
	}
	return ok ? HAREPLY_OK : HAREPLY_MALFORMED;
}

static enum hareply_outcome read_lines(struct parser *parser, char *text)
{
	enum section section = SECTION_NONE;
	enum hareply_outcome outcome = HAREPLY_OK;

	while (outcome == HAREPLY_OK && *text) {
		char *end = strchr(text, '\n');

		if (!end)
			return HAREPLY_TRUNCATED;
		*end = '\0';
		outcome = read_line(parser, &section, text);
		text = end + 1;
	}
	if (outcome == HAREPLY_OK && section != SECTION_END)
		return HAREPLY_TRUNCATED;
	return outcome;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

enum hareply_outcome hareply_parse(
	const char *reply, size_t len, struct hastate_snapshot *out, struct why *why)
{
	enum hareply_outcome outcome = HAREPLY_OUT_OF_MEMORY;
	struct parser parser = {.why = NULL};
	char *text = strndup(len > 0 ? reply : "", len);

	if (!text || !harows_init(&parser.rows, count_lines(text)))
		goto out;
	outcome = HAREPLY_MALFORMED;
	if (strlen(text) < len) {
		parser.why = "a NUL byte";
		goto out;
	}
	outcome = read_lines(&parser, text);
	if (outcome == HAREPLY_OK && parser.rows.denied)
		outcome = HAREPLY_DENIED;
	if (outcome == HAREPLY_OK && !harows_join(&parser.rows))
		outcome = parser.rows.out_of_memory ? HAREPLY_OUT_OF_MEMORY : HAREPLY_MALFORMED;
	if (outcome != HAREPLY_OK)
		goto out;
	*out = (struct hastate_snapshot){
		.info = parser.info,
		.backends = parser.rows.backends,
		.n_backends = parser.rows.n_backends,
		.servers = parser.rows.servers,
		.text = text,
	};
	parser.rows.backends = NULL;
	parser.rows.servers = NULL;
	text = NULL;
out:
	if (why)
		why_set(why, "%s", parser.why ? parser.why : harows_why(&parser.rows));
	harows_fini(&parser.rows);
	free(text);
	return outcome;
}
