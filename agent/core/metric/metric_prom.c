/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_prom.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Calls visit for each term of the query that is wanted on a line, with what it found so far. */
typedef void (*visit_term)(struct metric_prom *prom, const struct metric_series *series,
	const struct metric_promline *line, struct metric_found *found);

static void each_term(
	struct metric_prom *prom, const struct metric_promline *line, visit_term visit)
{
	struct metric_found *found = prom->found;

	for (size_t role = 0; role < METRIC_N_ROLES; role++) {
		const struct metric_key *key = &prom->query->keys[role];

		for (size_t i = 0; i < key->n_terms; i++)
			visit(prom, &key->terms[i].is.series, line, found++);
	}
}

static void note_announcement(struct metric_prom *prom, const struct metric_series *series,
	const struct metric_promline *line, struct metric_found *found)
{
	(void)prom;
	if (metric_series_is_announced(series, line))
		metric_found_note(found, METRIC_FOUND_ANNOUNCED);
}

static void add_sample(struct metric_prom *prom, const struct metric_series *series,
	const struct metric_promline *line, struct metric_found *found)
{
	double value;
	char *room;

	if (line->name_len != series->name_len ||
		memcmp(line->name, series->name, series->name_len) != 0)
		return;
	room = buf_reserve(&prom->scratch, line->labels_len + 1);
	if (!room)
		return;
	switch (metric_series_match(series, line, room)) {
	case METRIC_GARBLED:
		metric_found_note(found, METRIC_FOUND_BAD);
		break;
	case METRIC_MISFIT:
		metric_found_note(found, METRIC_FOUND_MISFITS);
		break;
	case METRIC_FITS:
		if (metric_promline_value(line, &value))
			metric_found_add(found, value);
		else
			metric_found_note(found, METRIC_FOUND_BAD);
		break;
	}
}

/*
 * The line may be of a wanted series, by its first bytes: nearly all lines are of others, and cost
 * no more than this. Where a line breaks off, the end of a name is no sign.
 */
static bool may_be_wanted(const struct metric_prom *prom, const char *line, size_t len, bool whole)
{
	if (*line == '{')
		return true;
	for (size_t role = 0; role < METRIC_N_ROLES; role++) {
		const struct metric_key *key = &prom->query->keys[role];

		for (size_t i = 0; i < key->n_terms; i++) {
			const struct metric_series *series = &key->terms[i].is.series;
			size_t n = series->name_len;

			if (!whole && n > len)
				n = len;
			if (n <= len && memcmp(line, series->name, n) == 0)
				return true;
		}
	}
	return false;
}

static void skip_blanks(const char **line, size_t *len)
{
	while (*len > 0 && (**line == ' ' || **line == '\t' || **line == '\r')) {
		(*line)++;
		(*len)--;
	}
}

void metric_prom_line(const char *line, size_t len, void *arg)
{
	struct metric_prom *prom = arg;
	struct metric_promline cut;

	skip_blanks(&line, &len);
	if (len == 0 || prom->ended || (*line != '#' && !may_be_wanted(prom, line, len, true)))
		return;
	metric_promline_cut(line, len, &cut);
	switch (cut.kind) {
	case METRIC_PROMLINE_SAMPLE:
		each_term(prom, &cut, add_sample);
		break;
	case METRIC_PROMLINE_HELP:
	case METRIC_PROMLINE_TYPE:
		each_term(prom, &cut, note_announcement);
		break;
	case METRIC_PROMLINE_EOF:
		prom->ended = true;
		break;
	case METRIC_PROMLINE_NONE:
		break;
	}
}

bool metric_prom_end(struct metric_prom *prom, const char *rest, size_t len)
{
	struct metric_promline cut;

	skip_blanks(&rest, &len);
	if (len == 0 || prom->ended)
		return true;
	if (*rest != '#')
		return !may_be_wanted(prom, rest, len, false);
	/* Of the comments only this one is sure to be whole. */
	metric_promline_cut(rest, len, &cut);
	prom->ended = cut.kind == METRIC_PROMLINE_EOF;
	return true;
}
