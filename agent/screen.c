/* SPDX-License-Identifier: MIT */
/* Lines, columns and bars. */
#include "screen.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "core/jsonget.h"
#include "core/report_age.h"
#include "core/text.h"

enum {
	NAME_MAX_COLUMNS = 32,
	NODE_MAX_COLUMNS = 18,
	STATE_COLUMNS = 24,
	BAR_MIN_COLUMNS = 10,
	WIDE = 100, /* from here on there is room for the node */
};

/* One pod, as the table needs it; strings are the report's. */
struct line {
	const char *name;
	const char *node;
	const char *why;
	const char *state;
	int64_t connections;
	int64_t own;
	int64_t weight;
	double level; /* -1: none */
};

struct table {
	FILE *to;
	const struct screen_options *options;
	struct line *lines;
	size_t n_lines;
	double largest;
	int name_columns;
	int node_columns;
	int bar_columns;
};

static double number(struct json_object *object, const char *name, double missing)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, name, &value) ||
		!(json_object_is_type(value, json_type_double) ||
			json_object_is_type(value, json_type_int)))
		return missing;
	return json_object_get_double(value);
}

static int64_t whole(struct json_object *object, const char *name, int64_t missing)
{
	struct json_object *value = jsonget_member(object, name, json_type_int);

	return value ? json_object_get_int64(value) : missing;
}

static bool flag(struct json_object *object, const char *name)
{
	struct json_object *value = jsonget_member(object, name, json_type_boolean);

	return value && json_object_get_boolean(value);
}

static const char *text(struct json_object *object, const char *name)
{
	const char *value = jsonget_text(object, name);

	return value ? value : "";
}

static void put_spaces(FILE *to, int n)
{
	while (n-- > 0)
		fputc(' ', to);
}

/* Writes what fits into the given columns; returns how many were used. */
static int put_part(const struct table *table, const char *s, int columns)
{
	size_t len = strlen(s);
	int used = 0;

	while (len > 0) {
		uint32_t point = 0;
		size_t n = text_utf8_decode(s, len, &point);
		int width =
			n == 0 || (n > 1 && !table->options->utf8) ? -1 : wcwidth((wchar_t)point);

		/* Controls, marks that reorder text, and what has no width of its own. */
		if (used + (width < 1 ? 1 : width) > columns)
			break;
		if (width < 1)
			fputc('?', table->to);
		else
			fwrite(s, 1, n, table->to);
		used += width < 1 ? 1 : width;
		s += n > 0 ? n : 1;
		len -= n > 0 ? n : 1;
	}
	return used;
}

/* A cell of a certain width, and two blanks. */
static void put_cell(const struct table *table, const char *s, int columns)
{
	put_spaces(table->to, columns - put_part(table, s, columns) + 2);
}

static void put_number(const struct table *table, int64_t n, int columns)
{
	if (n >= 0)
		fprintf(table->to, "%*" PRId64 "  ", columns, n);
	else
		fprintf(table->to, "%*s  ", columns, "-");
}

__attribute__((format(printf, 3, 4))) static void put_colored(
	const struct table *table, const char *color, const char *format, ...)
{
	va_list args;

	if (table->options->color)
		fprintf(table->to, "\033[%sm", color);
	va_start(args, format);
	vfprintf(table->to, format, args);
	va_end(args);
	if (table->options->color)
		fputs("\033[0m", table->to);
}

static int columns_of(const struct table *table, double n)
{
	return (int)(n / table->largest * table->bar_columns + 0.5);
}

/* Held by this HAProxy, by others, and the level as a mark. */
static void put_bar(const struct table *table, const struct line *line)
{
	int64_t own = line->own < line->connections ? line->own : line->connections;
	int own_end = columns_of(table, (double)own);
	int end = columns_of(table, (double)line->connections);
	int mark = line->level < 0 ? -1 : columns_of(table, line->level) - 1;
	bool utf8 = table->options->utf8;

	for (int i = 0; i < table->bar_columns; i++) {
		if (i == mark)
			put_colored(table, "33", "%s", utf8 ? "\u2502" : "|");
		else if (i < own_end)
			put_colored(table, "34", "%s", utf8 ? "\u2588" : "#");
		else if (i < end)
			put_colored(table, "36", "%s", utf8 ? "\u2592" : "=");
		else
			fputc(' ', table->to);
	}
	put_spaces(table->to, 2);
}

static const char *color_of(const char *state)
{
	static const struct {
		const char *state;
		const char *color;
	} colors[] = {
		{"heard", "32"},
		{"stale", "33"},
		{"never_heard", "31"},
		{"disbelieved", "31"},
		{"down", "31"},
	};

	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
		if (strcmp(colors[i].state, state) == 0)
			return colors[i].color;
	}
	return "35";
}

static void put_line(const struct table *table, const struct line *line)
{
	put_cell(table, line->name, table->name_columns);
	if (table->node_columns > 0)
		put_cell(table, line->node, table->node_columns);
	put_number(table, line->connections, 6);
	put_bar(table, line);
	put_number(table, line->own, 6);
	put_number(table, line->weight, 3);
	if (table->options->color)
		fprintf(table->to, "\033[%sm", color_of(line->state));
	put_part(table, line->why, STATE_COLUMNS);
	if (table->options->color)
		fputs("\033[0m", table->to);
	fputc('\n', table->to);
}

static struct line line_of(struct json_object *pod)
{
	struct line line = {
		.name = text(pod, "podName"),
		.node = text(pod, "nodeName"),
		.why = text(pod, "why"),
		.state = text(pod, "state"),
		.connections = whole(pod, "agentsConnections", 0),
		.own = whole(pod, "own_sessions", 0),
		.weight = whole(pod, "sent_weight", whole(pod, "haproxy_weight", -1)),
		.level = number(pod, "level", -1.0),
	};

	if (!line.name[0])
		line.name = text(pod, "server");
	return line;
}

static int by_name(const void *a, const void *b)
{
	const struct line *x = a;
	const struct line *y = b;

	return strverscmp(x->name, y->name);
}

static int by_connections(const void *a, const void *b)
{
	const struct line *x = a;
	const struct line *y = b;

	if (x->connections != y->connections)
		return x->connections < y->connections ? 1 : -1;
	return by_name(a, b);
}

static int longest(const struct table *table, bool node, int most)
{
	size_t columns = 4;

	for (size_t i = 0; i < table->n_lines; i++) {
		size_t len = strlen(node ? table->lines[i].node : table->lines[i].name);

		columns = len > columns ? len : columns;
	}
	return columns > (size_t)most ? most : (int)columns;
}

/* Gives the bar what the other columns leave. */
static void lay_out(struct table *table)
{
	int width = table->options->width;
	int rest;

	table->name_columns = longest(table, false, NAME_MAX_COLUMNS);
	table->node_columns = width >= WIDE ? longest(table, true, NODE_MAX_COLUMNS) : 0;
	rest = width - table->name_columns - 2 -
	       (table->node_columns ? table->node_columns + 2 : 0) - (6 + 2) - 2 - (6 + 2) -
	       (3 + 2) - STATE_COLUMNS;
	if (rest < BAR_MIN_COLUMNS) {
		table->name_columns -= BAR_MIN_COLUMNS - rest;
		table->name_columns = table->name_columns < 6 ? 6 : table->name_columns;
		rest = BAR_MIN_COLUMNS;
	}
	table->bar_columns = rest;
	table->largest = 1.0;
	for (size_t i = 0; i < table->n_lines; i++) {
		const struct line *line = &table->lines[i];

		if ((double)line->connections > table->largest)
			table->largest = (double)line->connections;
		if (line->level > table->largest)
			table->largest = line->level;
	}
}

static void put_heads(const struct table *table)
{
	put_cell(table, "POD", table->name_columns);
	if (table->node_columns > 0)
		put_cell(table, "NODE", table->node_columns);
	fprintf(table->to, "%6s  %-*s  %6s  %3s  %s\n", "CONNS", table->bar_columns, "", "OWN",
		"WGT", "STATE");
}

static void put_service(struct table *table, struct json_object *service, struct json_object *pods)
{
	size_t n = jsonget_len(pods);

	table->lines = calloc(n + 1, sizeof(*table->lines));
	if (!table->lines)
		return;
	table->n_lines = n;
	for (size_t i = 0; i < n; i++)
		table->lines[i] = line_of(json_object_array_get_idx(pods, i));
	qsort(table->lines, n, sizeof(*table->lines),
		table->options->by_name ? by_name : by_connections);
	lay_out(table);
	fputc('\n', table->to);
	if (table->options->color)
		fputs("\033[1m", table->to);
	put_part(table, text(service, "url"), table->options->width - 24);
	if (table->options->color)
		fputs("\033[0m", table->to);
	fprintf(table->to, "  %" PRId64 " connections\n", whole(service, "connections", 0));
	put_heads(table);
	for (size_t i = 0; i < n; i++)
		put_line(table, &table->lines[i]);
	free(table->lines);
}

static void put_haproxy(const struct table *table, struct json_object *report)
{
	struct json_object *haproxy = jsonget_member(report, "haproxy", json_type_object);
	struct json_object *reached = jsonget_member(haproxy, "reached", json_type_boolean);
	char age[40];

	if (!reached) {
		fputs("agent-check alone", table->to);
	} else if (!json_object_get_boolean(reached)) {
		put_colored(table, "31", "HAProxy does not answer: ");
		put_part(table, text(haproxy, "error"), table->options->width / 2);
	} else {
		fputs("HAProxy ", table->to);
		put_part(table, text(haproxy, "version"), 24);
		fprintf(table->to, ", up %s, %" PRId64 " reloads seen",
			report_age(number(haproxy, "uptime_s", 0), age, sizeof(age)),
			whole(haproxy, "reloads", 0));
	}
	fputc('\n', table->to);
}

static void put_head(const struct table *table, struct json_object *report)
{
	struct json_object *totals = jsonget_member(report, "totals", json_type_object);
	struct json_object *agent = jsonget_member(report, "agent", json_type_object);
	double imbalance = number(totals, "imbalance", -1.0);

	fputs("wsbalancer ", table->to);
	put_part(table, text(agent, "version"), 16);
	if (flag(report, "ready"))
		put_colored(table, "32", "  ready  ");
	else
		put_colored(table, "31", "  not ready  ");
	if (flag(report, "dry_run"))
		put_colored(table, "35", "dry run  ");
	put_haproxy(table, report);
	fprintf(table->to, "%" PRId64 " connections, %" PRId64 " of %" PRId64 " pods known",
		whole(totals, "connections", 0), whole(totals, "pods_known", 0),
		whole(totals, "pods", 0));
	if (imbalance >= 0.0)
		fprintf(table->to, ", imbalance %.1f %%", 100.0 * imbalance);
	fputc('\n', table->to);
}

void screen_write(FILE *to, struct json_object *report, const struct screen_options *options)
{
	struct table table = {.to = to, .options = options};
	struct json_object *services = jsonget_member(report, "services", json_type_array);
	struct json_object *pods = jsonget_member(report, "podMetrics", json_type_object);

	put_head(&table, report);
	for (size_t i = 0; i < jsonget_len(services); i++) {
		struct json_object *service = json_object_array_get_idx(services, i);

		put_service(&table, service,
			jsonget_member(pods, text(service, "url"), json_type_array));
	}
}
