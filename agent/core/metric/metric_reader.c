/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_reader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/metric/metric_json.h"
#include "core/metric/metric_lines.h"
#include "core/metric/metric_prom.h"
#include "core/metric/metric_text.h"

enum { HEAD_LEN = 3 };

struct metric_reader {
	const struct metric_query *query;
	enum metric_outcome refusal;
	size_t n_bytes;
	char head[HEAD_LEN]; /* the first bytes, until they tell what this is */
	size_t n_head;
	struct metric_found *found; /* not of JSON */
	size_t n_found;
	struct metric_lines lines; /* not of JSON */
	struct metric_prom prom;
	struct metric_text text;
	struct buf body; /* of JSON */
};

struct metric_reader *metric_reader_new(const struct metric_query *query)
{
	struct metric_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->query = query;
	reader->n_found = metric_query_n_terms(query);
	reader->found = calloc(reader->n_found, sizeof(*reader->found));
	if (!reader->found) {
		free(reader);
		return NULL;
	}
	reader->prom = (struct metric_prom){.query = query, .found = reader->found};
	reader->text = (struct metric_text){.query = query, .found = reader->found};
	return reader;
}

void metric_reader_free(struct metric_reader *reader)
{
	if (!reader)
		return;
	metric_lines_fini(&reader->lines);
	buf_fini(&reader->prom.scratch);
	free(reader->found);
	buf_fini(&reader->body);
	free(reader);
}

void metric_reader_begin(struct metric_reader *reader)
{
	memset(reader->found, 0, reader->n_found * sizeof(*reader->found));
	metric_lines_fini(&reader->lines);
	reader->refusal = METRIC_OK;
	reader->n_bytes = 0;
	reader->n_head = 0;
	buf_clear(&reader->body);
	reader->prom.ended = false;
	buf_clear(&reader->prom.scratch);
}

static bool refuse(struct metric_reader *reader, enum metric_outcome outcome)
{
	reader->refusal = outcome;
	return false;
}

static bool feed(struct metric_reader *reader, const char *bytes, size_t len)
{
	bool is_prom = reader->query->format == METRIC_PROMETHEUS;
	enum metric_lines_outcome outcome;

	if (len == 0)
		return true;
	if (reader->query->format == METRIC_JSON) {
		buf_append(&reader->body, bytes, len);
		return !reader->body.failed || refuse(reader, METRIC_OUT_OF_MEMORY);
	}
	outcome = is_prom ? metric_lines_feed(
				    &reader->lines, bytes, len, metric_prom_line, &reader->prom)
			  : metric_lines_feed(
				    &reader->lines, bytes, len, metric_text_line, &reader->text);
	if (outcome == METRIC_LINES_TOO_LONG)
		return refuse(reader, METRIC_TOO_LARGE);
	if (outcome == METRIC_LINES_OUT_OF_MEMORY || reader->prom.scratch.failed)
		return refuse(reader, METRIC_OUT_OF_MEMORY);
	return true;
}

/* The first bytes are known: a byte order mark is skipped; of JSON by its
 * parser. */
static bool feed_head(struct metric_reader *reader)
{
	if (reader->n_head >= 2 && memcmp(reader->head, "\x1f\x8b", 2) == 0)
		return refuse(reader, METRIC_COMPRESSED);
	if (reader->query->format != METRIC_JSON && reader->n_head == HEAD_LEN &&
		memcmp(reader->head, "\xef\xbb\xbf", HEAD_LEN) == 0)
		return true;
	return feed(reader, reader->head, reader->n_head);
}

bool metric_reader_feed(struct metric_reader *reader, const char *bytes, size_t len)
{
	if (reader->refusal != METRIC_OK)
		return false;
	if (len > reader->query->max_bytes - reader->n_bytes)
		return refuse(reader, METRIC_TOO_LARGE);
	reader->n_bytes += len;
	if (reader->n_head < HEAD_LEN) {
		size_t n = HEAD_LEN - reader->n_head;

		if (n > len)
			n = len;
		memcpy(reader->head + reader->n_head, bytes, n);
		reader->n_head += n;
		if (reader->n_head < HEAD_LEN)
			return true;
		if (!feed_head(reader))
			return false;
		bytes += n;
		len -= n;
	}
	return feed(reader, bytes, len);
}

enum metric_outcome metric_reader_refusal(const struct metric_reader *reader)
{
	return reader->refusal;
}

static bool is_openmetrics(const char *content_type)
{
	static const char type[] = "application/openmetrics-text";

	return content_type && strncasecmp(content_type, type, sizeof(type) - 1) == 0;
}

/* The last line may lack its end: is it whole? */
static enum metric_outcome end_lines(struct metric_reader *reader, const char *content_type)
{
	const struct metric_lines *lines = &reader->lines;
	const char *rest = buf_text(&lines->held);

	if (reader->query->format == METRIC_TEXT) {
		metric_text_line(rest, lines->held.len, &reader->text);
		return METRIC_OK;
	}
	if (!metric_prom_end(&reader->prom, rest, lines->held.len))
		return METRIC_BROKEN;
	return is_openmetrics(content_type) && !reader->prom.ended ? METRIC_BROKEN : METRIC_OK;
}

enum metric_outcome metric_reader_end(
	struct metric_reader *reader, const char *content_type, struct metric *out)
{
	enum metric_outcome outcome;

	if (reader->refusal == METRIC_OK && reader->n_head < HEAD_LEN)
		feed_head(reader);
	if (reader->refusal != METRIC_OK)
		return reader->refusal;
	if (reader->query->format == METRIC_JSON)
		return metric_json_read(
			buf_text(&reader->body), reader->body.len, reader->query, out);
	outcome = end_lines(reader, content_type);
	metric_lines_fini(&reader->lines);
	return outcome == METRIC_OK ? metric_query_answer(reader->query, reader->found, out)
				    : outcome;
}
