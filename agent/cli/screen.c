/* SPDX-License-Identifier: MIT */
/* Lines, columns and bars. */
#include "cli/screen.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/columns.h"
#include "core/base/jsonget.h"
#include "core/report/report_age.h"

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

struct hatable {
	struct columns cells;
	const struct screen_options *options;
	struct line *lines;
	size_t n_lines;
	double largest;
	int name_columns;
	int node_columns;
	int bar_columns;
};

static const char *text(struct json_object *object, const char *name)
{
	const char *value = jsonget_text(object, name);

	return value ? value : "";
}

static int columns_of(const struct hatable *table, double n)
{
	return (int)(n / table->largest * table->bar_columns + 0.5);
}

/* Held by this HAProxy, by others, and the level as a mark. */
static void put_bar(const struct hatable *table, const struct line *line)
{
	int64_t own = line->own < line->connections ? line->own : line->connections;
	int own_end = columns_of(table, (double)own);
	int end = columns_of(table, (double)line->connections);
	int mark = line->level < 0 ? -1 : columns_of(table, line->level) - 1;
	bool utf8 = table->cells.utf8;

	for (int i = 0; i < table->bar_columns; i++) {
		if (i == mark)
			columns_colored(&table->cells, "33", utf8 ? "\u2502" : "|");
		else if (i < own_end)
			columns_colored(&table->cells, "34", utf8 ? "\u2588" : "#");
		else if (i < end)
			columns_colored(&table->cells, "36", utf8 ? "\u2592" : "=");
		else
			buf_putc(table->cells.to, ' ');
	}
	columns_spaces(&table->cells, 2);
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

static void put_line(const struct hatable *table, const struct line *line)
{
	columns_text(&table->cells, line->name, table->name_columns);
	if (table->node_columns > 0)
		columns_text(&table->cells, line->node, table->node_columns);
	columns_number(&table->cells, line->connections, 6);
	put_bar(table, line);
	columns_number(&table->cells, line->own, 6);
	columns_number(&table->cells, line->weight, 3);
	columns_color(&table->cells, color_of(line->state));
	columns_part(&table->cells, line->why, STATE_COLUMNS);
	columns_plain(&table->cells);
	buf_putc(table->cells.to, '\n');
}

static struct line line_of(struct json_object *pod)
{
	struct line line = {
		.name = text(pod, "podName"),
		.node = text(pod, "nodeName"),
		.why = text(pod, "why"),
		.state = text(pod, "state"),
		.connections = jsonget_whole(pod, "agentsConnections", 0),
		.own = jsonget_whole(pod, "own_sessions", 0),
		.weight =
			jsonget_whole(pod, "sent_weight", jsonget_whole(pod, "haproxy_weight", -1)),
		.level = jsonget_number(pod, "level", -1.0),
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

static int longest(const struct hatable *table, bool node, int most)
{
	size_t columns = 4;

	for (size_t i = 0; i < table->n_lines; i++) {
		size_t len = strlen(node ? table->lines[i].node : table->lines[i].name);

		columns = len > columns ? len : columns;
	}
	return columns > (size_t)most ? most : (int)columns;
}

/* Gives the bar what the other columns leave. */
static void lay_out(struct hatable *table)
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

static void put_heads(const struct hatable *table)
{
	columns_text(&table->cells, "POD", table->name_columns);
	if (table->node_columns > 0)
		columns_text(&table->cells, "NODE", table->node_columns);
	buf_printf(table->cells.to, "%6s  %-*s  %6s  %3s  %s\n", "CONNS", table->bar_columns, "",
		"OWN", "WGT", "STATE");
}

static void put_service(
	struct hatable *table, struct json_object *service, struct json_object *pods)
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
	buf_putc(table->cells.to, '\n');
	columns_color(&table->cells, "1");
	columns_part(&table->cells, text(service, "url"), table->options->width - 24);
	columns_plain(&table->cells);
	buf_printf(table->cells.to, "  %" PRId64 " connections\n",
		jsonget_whole(service, "connections", 0));
	put_heads(table);
	for (size_t i = 0; i < n; i++)
		put_line(table, &table->lines[i]);
	free(table->lines);
}

static void put_haproxy(const struct hatable *table, struct json_object *report)
{
	struct json_object *haproxy = jsonget_member(report, "haproxy", json_type_object);
	struct json_object *reached = jsonget_member(haproxy, "reached", json_type_boolean);
	char age[40];

	if (!reached) {
		buf_puts(table->cells.to, "agent-check alone");
	} else if (!json_object_get_boolean(reached)) {
		columns_colored(&table->cells, "31", "HAProxy does not answer: ");
		columns_part(&table->cells, text(haproxy, "error"), table->options->width / 2);
	} else {
		buf_puts(table->cells.to, "HAProxy ");
		columns_part(&table->cells, text(haproxy, "version"), 24);
		buf_printf(table->cells.to, ", up %s, %" PRId64 " reloads seen",
			report_age(jsonget_number(haproxy, "uptime_s", 0), age, sizeof(age)),
			jsonget_whole(haproxy, "reloads", 0));
	}
	buf_putc(table->cells.to, '\n');
}

static void put_head(const struct hatable *table, struct json_object *report)
{
	struct json_object *totals = jsonget_member(report, "totals", json_type_object);
	struct json_object *agent = jsonget_member(report, "agent", json_type_object);
	double imbalance = jsonget_number(totals, "imbalance", -1.0);

	buf_puts(table->cells.to, "wsbalancer ");
	columns_part(&table->cells, text(agent, "version"), 16);
	if (jsonget_flag(report, "ready", false))
		columns_colored(&table->cells, "32", "  ready  ");
	else
		columns_colored(&table->cells, "31", "  not ready  ");
	if (jsonget_flag(report, "dry_run", false))
		columns_colored(&table->cells, "35", "dry run  ");
	put_haproxy(table, report);
	buf_printf(table->cells.to,
		"%" PRId64 " connections, %" PRId64 " of %" PRId64 " pods known",
		jsonget_whole(totals, "connections", 0), jsonget_whole(totals, "pods_known", 0),
		jsonget_whole(totals, "pods", 0));
	if (imbalance >= 0.0)
		buf_printf(table->cells.to, ", imbalance %.1f %%", 100.0 * imbalance);
	buf_putc(table->cells.to, '\n');
}

void screen_write(struct buf *to, struct json_object *report, const struct screen_options *options)
{
	struct hatable table = {
		.cells = {.to = to, .utf8 = options->utf8, .color = options->color},
		.options = options,
	};
	struct json_object *services = jsonget_member(report, "services", json_type_array);
	struct json_object *pods = jsonget_member(report, "podMetrics", json_type_object);

	put_head(&table, report);
	for (size_t i = 0; i < jsonget_len(services); i++) {
		struct json_object *service = json_object_array_get_idx(services, i);

		put_service(&table, service,
			jsonget_member(pods, text(service, "url"), json_type_array));
	}
}
