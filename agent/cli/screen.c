/* SPDX-License-Identifier: MIT */
#include "cli/screen.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/columns.h"
#include "core/base/jsonget.h"
#include "core/report/report_age.h"

enum {
	NAME_MIN = 12,
	BAR_MIN = 8,
	BAR_MAX = 60,
	STATE_MIN = 24,     /* what is left to the reason at least */
	FIXED_COLUMNS = 32, /* mark, connections, level, since, and the blanks between */
	NEXT_MIN = 4,
	NEXT_MAX = 12,
	NEEDS_MAX = 8,
	DEVIATION_MAX = 9999, /* shown, in hundreds of per cent */
};

/* One pod, as the table needs it; strings are the report's. */
struct line {
	struct json_object *pod;
	const char *name;
	const char *why;
	const char *look;
	bool reckoned;
	int64_t trouble;
	int64_t connections;
	int64_t own;
	double level; /* these four: NAN where there is none */
	double deviation;
	double share;
	double since_s;
	const char *next; /* the share in words */
};

struct layout {
	struct columns to;
	const struct screen_options *options;
	int name_columns;
	int bar_columns;
	int next_columns;
	double largest;
	double written_at; /* the report, s since the epoch */
};

static const char *const sort_names[SCREEN_N_SORTS] = {
	[SCREEN_BY_NEED] = "trouble",
	[SCREEN_BY_NAME] = "name",
	[SCREEN_BY_CONNECTIONS] = "connections",
	[SCREEN_BY_LEVEL] = "level",
	[SCREEN_BY_SHARE] = "next",
	[SCREEN_BY_SINCE] = "since",
};

const char *screen_sort_name(enum screen_sort sort)
{
	return sort_names[sort];
}

static const char *text(struct json_object *object, const char *name)
{
	const char *value = jsonget_text(object, name);

	return value ? value : "";
}

static const char *color_of(const char *look)
{
	static const struct {
		const char *look;
		const char *color;
	} colors[] = {
		{"good", "32"},
		{"warn", "33"},
		{"bad", "31"},
		{"calm", "35"},
	};

	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
		if (strcmp(colors[i].look, look) == 0)
			return colors[i].color;
	}
	return "0";
}

/* ---- head ---- */

static void put_named(const struct columns *to, int width, const char *name, const char *s)
{
	if (!s[0])
		return;
	buf_printf(to->to, "  %-4s ", name);
	columns_part(to, s, width);
	buf_putc(to->to, '\n');
}

static void put_verdict(
	const struct columns *to, const struct screen_options *options, struct json_object *verdict)
{
	const char *state = text(verdict, "state");
	bool bad = strcmp(state, "not_steering") == 0;
	bool warn = strcmp(state, "cannot_level") == 0 || strcmp(state, "starting") == 0;
	int width = options->whole ? SCREEN_WIDTH_MAX : options->width - 7;

	columns_color(to, bad ? "1;31" : warn ? "1;33" : "1;32");
	columns_part(to, text(verdict, "text"), options->whole ? SCREEN_WIDTH_MAX : options->width);
	columns_plain(to);
	buf_putc(to->to, '\n');
	if (strcmp(state, "left_alone") == 0)
		return;
	put_named(to, width, "now", text(verdict, "now"));
	put_named(to, width, "why", text(verdict, "why"));
	put_named(to, width, "how", text(verdict, "how"));
	put_named(to, width, "you", text(verdict, "you"));
}

/* A backend that is left alone is worth a word only where there is no other. */
static void put_verdicts(
	const struct columns *to, const struct screen_options *options, struct json_object *report)
{
	struct json_object *backends = jsonget_member(report, "backends", json_type_array);
	struct json_object *worst = jsonget_member(report, "verdict", json_type_object);
	bool all_alone = strcmp(text(worst, "state"), "left_alone") == 0;

	for (size_t i = 0; i < jsonget_len(backends); i++) {
		struct json_object *verdict = jsonget_member(
			json_object_array_get_idx(backends, i), "verdict", json_type_object);

		if (verdict && (all_alone || strcmp(text(verdict, "state"), "left_alone") != 0))
			put_verdict(to, options, verdict);
	}
}

/* How long ago something was, s, when the report was written; NAN where that is not known. */
static double age_of(struct json_object *object, const char *name, double written_at)
{
	double at = jsonget_number(object, name, (double)NAN);

	return isnan(at) ? at : fmax(0.0, written_at - at);
}

/* As many in a line as there is room for. */
static void put_facts(
	const struct columns *to, const struct screen_options *options, struct json_object *report)
{
	struct json_object *facts = jsonget_member(report, "facts", json_type_array);
	int room = options->width;

	for (size_t i = 0; i < jsonget_len(facts); i++) {
		struct json_object *fact = json_object_array_get_idx(facts, i);
		const char *said = text(fact, "text");

		if (i > 0 && (int)strlen(said) + 2 > room) {
			buf_puts(to->to, ";\n");
			room = options->width;
		} else if (i > 0) {
			buf_puts(to->to, "; ");
			room -= 2;
		}
		if (text(fact, "look")[0])
			columns_color(to, "31");
		room -= columns_part(to, said, options->whole ? SCREEN_WIDTH_MAX : room);
		columns_plain(to);
	}
	buf_putc(to->to, '\n');
}

static size_t count_needs(struct json_object *pods)
{
	size_t n = 0;

	json_object_object_foreach(pods, url, list)
	{
		(void)url;
		for (size_t i = 0; i < jsonget_len(list); i++)
			n += jsonget_whole(json_object_array_get_idx(list, i), "trouble", 0) > 0;
	}
	return n;
}

static void put_title(const struct columns *to, struct json_object *report, const char *name)
{
	struct json_object *titles = jsonget_member(report, "titles", json_type_object);

	columns_color(to, "1");
	columns_part(to, text(titles, name), SCREEN_WIDTH_MAX);
	columns_plain(to);
	buf_putc(to->to, '\n');
}

static void put_need(
	const struct columns *to, const struct screen_options *options, struct json_object *pod)
{
	const char *name = text(pod, "podName")[0] ? text(pod, "podName") : text(pod, "server");
	const char *remedy = text(pod, "remedy");
	int width = options->whole ? SCREEN_WIDTH_MAX : options->width - 2;

	buf_puts(to->to, "  ");
	columns_color(to, color_of(text(pod, "look")));
	width -= columns_part(to, name, width);
	columns_plain(to);
	buf_puts(to->to, "  ");
	width -= 2 + columns_part(to, text(pod, "why"), width - 2);
	if (remedy[0] && width > 3) {
		buf_puts(to->to, ": ");
		columns_part(to, remedy, width - 2);
	}
	buf_putc(to->to, '\n');
}

static void put_needs(
	const struct columns *to, const struct screen_options *options, struct json_object *report)
{
	struct json_object *pods = jsonget_member(report, "podMetrics", json_type_object);
	size_t n = pods ? count_needs(pods) : 0;
	size_t n_told = 0;

	if (n == 0)
		return;
	put_title(to, report, "needs");
	for (int64_t trouble = 2; trouble > 0; trouble--) {
		json_object_object_foreach(pods, url, list)
		{
			(void)url;
			for (size_t i = 0; i < jsonget_len(list) && n_told < NEEDS_MAX; i++) {
				struct json_object *pod = json_object_array_get_idx(list, i);

				if (jsonget_whole(pod, "trouble", 0) != trouble)
					continue;
				put_need(to, options, pod);
				n_told++;
			}
		}
	}
	if (n > n_told)
		buf_printf(to->to, "  and %zu more\n", n - n_told);
}

static void put_not_asked(
	const struct columns *to, const struct screen_options *options, struct json_object *report)
{
	struct json_object *backends = jsonget_member(report, "backends", json_type_array);
	size_t n = 0;

	for (size_t b = 0; b < jsonget_len(backends); b++) {
		struct json_object *backend = json_object_array_get_idx(backends, b);
		struct json_object *list = jsonget_member(backend, "not_asked", json_type_array);

		for (size_t i = 0; i < jsonget_len(list); i++) {
			struct json_object *server = json_object_array_get_idx(list, i);
			char line[512];

			if (n == 0)
				put_title(to, report, "not_asked");
			if (n++ >= NEEDS_MAX)
				continue;
			snprintf(line, sizeof(line), "  %s/%s  %s", text(backend, "name"),
				text(server, "server"), text(server, "why"));
			columns_part(to, line, options->whole ? SCREEN_WIDTH_MAX : options->width);
			buf_putc(to->to, '\n');
		}
	}
	if (n > NEEDS_MAX)
		buf_printf(to->to, "  and %zu more\n", n - NEEDS_MAX);
}

/* ---- rows ---- */

static int columns_of(const struct layout *layout, double n)
{
	double part = n / layout->largest;

	return (int)(fmin(fmax(part, 0.0), 1.0) * layout->bar_columns + 0.5);
}

/* Held by this HAProxy, by others, and the level as a mark; what is only reckoned is an outline. */
static void put_bar(const struct layout *layout, const struct line *line)
{
	int64_t own = line->own < line->connections ? line->own : line->connections;
	int own_end = columns_of(layout, (double)own);
	int end = columns_of(layout, (double)line->connections);
	int mark = isnan(line->level) ? -1 : columns_of(layout, line->level);
	bool utf8 = layout->to.utf8;

	for (int i = 0; i < layout->bar_columns; i++) {
		if (i == (mark > 0 ? mark - 1 : mark))
			columns_colored(&layout->to, "33", utf8 ? "\u2502" : "|");
		else if (i < end && line->reckoned)
			columns_colored(&layout->to, "36", utf8 ? "\u2591" : ".");
		else if (i < own_end)
			columns_colored(&layout->to, "34", utf8 ? "\u2588" : "#");
		else if (i < end)
			columns_colored(&layout->to, "36", utf8 ? "\u2592" : "=");
		else
			buf_putc(layout->to.to, ' ');
	}
	columns_spaces(&layout->to, 2);
}

/* A state is told by a letter too, where there is no colour. */
static char mark_of(const struct line *line)
{
	static const struct {
		const char *look;
		char mark;
	} marks[] = {{"good", ' '}, {"warn", '?'}, {"bad", '!'}, {"calm", '-'}};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (strcmp(marks[i].look, line->look) == 0)
			return marks[i].mark;
	}
	return '.';
}

/* A name longer than its column keeps its end, which tells pods of Kubernetes apart. */
static void put_name(const struct layout *layout, const char *name)
{
	size_t len = strlen(name);
	size_t most = (size_t)layout->name_columns;

	if (len > most) {
		name += len - most + 1;
		while (((unsigned char)*name & 0xc0) == 0x80)
			name++;
		buf_putc(layout->to.to, '~');
		columns_text(&layout->to, name, layout->name_columns - 1);
	} else {
		columns_text(&layout->to, name, layout->name_columns);
	}
}

static void put_line(const struct layout *layout, const struct line *line)
{
	struct buf *to = layout->to.to;
	char part[40] = "";
	int width = layout->options->whole
			    ? SCREEN_WIDTH_MAX
			    : layout->options->width - layout->name_columns - layout->bar_columns -
				      layout->next_columns - FIXED_COLUMNS;

	columns_color(&layout->to, color_of(line->look));
	buf_putc(to, mark_of(line));
	columns_plain(&layout->to);
	put_name(layout, line->name);
	buf_printf(to, "%s%6" PRId64 "  ", line->reckoned ? "~" : " ", line->connections);
	if (!isnan(line->deviation)) {
		snprintf(part, sizeof(part), "%s%.0f%%",
			line->deviation <= -0.005  ? "-"
			: line->deviation >= 0.005 ? "+"
						   : "",
			100.0 * fmin(fabs(line->deviation), DEVIATION_MAX));
	}
	buf_printf(to, "%6s  ", part);
	put_bar(layout, line);
	columns_right(&layout->to, line->next, layout->next_columns);
	part[0] = '\0';
	if (!isnan(line->since_s))
		report_age_whole(line->since_s, part, sizeof(part));
	/* "3 h 10 min" is more than there is room for. */
	if (strlen(part) > 6)
		part[strcspn(part, "hd") + 1] = '\0';
	buf_printf(to, "%6s  ", part);
	columns_color(&layout->to, color_of(line->look));
	columns_part(&layout->to, line->why, width > 0 ? width : 0);
	columns_plain(&layout->to);
	buf_putc(to, '\n');
}

static struct line line_of(const struct layout *layout, struct json_object *pod)
{
	struct line line = {
		.pod = pod,
		.name = text(pod, "podName"),
		.why = text(pod, "why"),
		.look = text(pod, "look"),
		.reckoned = jsonget_flag(pod, "reckoned", false),
		.trouble = jsonget_whole(pod, "trouble", 0),
		.connections = jsonget_whole(pod, "agentsConnections", 0),
		.own = jsonget_whole(pod, "own_sessions", 0),
		.level = jsonget_number(pod, "level", (double)NAN),
		.deviation = jsonget_number(pod, "deviation", (double)NAN),
		.share = jsonget_number(pod, "share_next", (double)NAN),
		.next = text(pod, "next"),
		.since_s = age_of(pod, "since", layout->written_at),
	};

	if (!line.name[0])
		line.name = text(pod, "server");
	return line;
}

static bool has_words(const struct line *line, const char *filter)
{
	const char *const texts[] = {line->name, line->why, text(line->pod, "nodeName"),
		text(line->pod, "address"), text(line->pod, "server"), text(line->pod, "proxy"),
		text(line->pod, "state")};
	char word[128];

	while (filter && *filter) {
		size_t len = strcspn(filter, " ");
		bool found = len == 0;

		snprintf(word, sizeof(word), "%.*s", (int)len, filter);
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !found; i++)
			found = strcasestr(texts[i], word) != NULL;
		if (!found)
			return false;
		filter += len + (filter[len] == ' ');
	}
	return true;
}

static int by_number(double x, double y)
{
	/* What is not known comes last. */
	if (isnan(x) || isnan(y))
		return isnan(x) - isnan(y);
	return (x < y) - (x > y);
}

static int by_need(const struct line *x, const struct line *y)
{
	double far_x = isnan(x->deviation) ? 0.0 : floor(10.0 * fabs(x->deviation));
	double far_y = isnan(y->deviation) ? 0.0 : floor(10.0 * fabs(y->deviation));

	return x->trouble != y->trouble ? (x->trouble < y->trouble ? 1 : -1)
					: by_number(far_x, far_y);
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct line *x = a;
	const struct line *y = b;
	const struct screen_options *options = arg;
	int order = 0;

	switch (options->sort) {
	case SCREEN_BY_NEED:
		order = by_need(x, y);
		break;
	case SCREEN_BY_CONNECTIONS:
		order = by_number((double)x->connections, (double)y->connections);
		break;
	case SCREEN_BY_LEVEL:
		order = by_number(x->deviation, y->deviation);
		break;
	case SCREEN_BY_SHARE:
		order = by_number(x->share, y->share);
		break;
	case SCREEN_BY_SINCE:
		order = by_number(y->since_s, x->since_s);
		break;
	case SCREEN_BY_NAME:
	case SCREEN_N_SORTS:
		break;
	}
	if (order == 0)
		order = strverscmp(x->name, y->name);
	return options->down ? -order : order;
}

/* The columns that the longest name and the longest word for what is next take. */
static void find_longest(struct layout *layout, struct json_object *pods)
{
	size_t name = NAME_MIN;
	size_t next = NEXT_MIN;

	json_object_object_foreach(pods, url, list)
	{
		(void)url;
		for (size_t i = 0; i < jsonget_len(list); i++) {
			struct line line = line_of(layout, json_object_array_get_idx(list, i));
			size_t len = strlen(line.name);

			name = len > name ? len : name;
			len = strlen(line.next);
			next = len > next ? len : next;
		}
	}
	layout->name_columns = name > SCREEN_WIDTH_MAX ? SCREEN_WIDTH_MAX : (int)name;
	layout->next_columns = next > NEXT_MAX ? NEXT_MAX : (int)next;
}

/* Name and bar share what the other columns leave; a name is not cut while there is room. */
static void lay_out(struct layout *layout, struct json_object *pods)
{
	int room;

	find_longest(layout, pods);
	room = layout->options->width - FIXED_COLUMNS - layout->next_columns - STATE_MIN;
	if (layout->name_columns > room - BAR_MIN)
		layout->name_columns = room - BAR_MIN < NAME_MIN ? NAME_MIN : room - BAR_MIN;
	layout->bar_columns = room - layout->name_columns;
	if (layout->bar_columns < BAR_MIN)
		layout->bar_columns = room - layout->name_columns < 0 ? 0 : BAR_MIN;
	if (layout->bar_columns > BAR_MAX)
		layout->bar_columns = BAR_MAX;
}

static void put_names(const struct layout *layout)
{
	buf_printf(layout->to.to, " %-*s   %6s  %6s  %-*s  %*s  %6s  %s\n", layout->name_columns,
		"POD", "CONNS", "LEVEL", layout->bar_columns, "", layout->next_columns, "NEXT",
		"SINCE", "STATE");
}

/* title: "" where there is one service only. */
static void put_service(
	struct screen *screen, struct layout *layout, struct json_object *list, const char *title)
{
	size_t n = jsonget_len(list);
	struct line *lines = calloc(n + 1, sizeof(*lines));
	size_t n_lines = 0;

	if (!lines) {
		screen->rows.failed = true;
		return;
	}
	layout->largest = 1.0;
	for (size_t i = 0; i < n; i++) {
		struct line line = line_of(layout, json_object_array_get_idx(list, i));

		layout->largest = fmax(layout->largest, (double)line.connections);
		layout->largest = fmax(layout->largest, isnan(line.level) ? 0.0 : line.level);
		if (has_words(&line, layout->options->filter))
			lines[n_lines++] = line;
	}
	qsort_r(lines, n_lines, sizeof(*lines), compare, (void *)(uintptr_t)layout->options);
	if (title[0] && n_lines > 0) {
		columns_color(&layout->to, "1");
		columns_part(&layout->to, title, layout->options->width);
		columns_plain(&layout->to);
		buf_putc(layout->to.to, '\n');
		screen->n_rows++;
	}
	for (size_t i = 0; i < n_lines; i++)
		put_line(layout, &lines[i]);
	screen->n_rows += n_lines;
	screen->n_shown += n_lines;
	free(lines);
}

static void put_services(struct screen *screen, struct layout *layout, struct json_object *services,
	struct json_object *pods)
{
	size_t n = jsonget_len(services);

	for (size_t i = 0; i < n; i++) {
		const char *url = text(json_object_array_get_idx(services, i), "url");

		put_service(screen, layout, jsonget_member(pods, url, json_type_array),
			n > 1 ? url : "");
	}
}

bool screen_make(
	struct screen *screen, struct json_object *report, const struct screen_options *options)
{
	struct columns to = {.to = &screen->head, .utf8 = options->utf8, .color = options->color};
	struct layout layout = {
		.options = options,
		.to = to,
		.written_at = jsonget_number(report, "written_at", 0.0),
	};
	struct json_object *services = jsonget_member(report, "services", json_type_array);
	struct json_object *pods = jsonget_member(report, "podMetrics", json_type_object);

	put_verdicts(&to, options, report);
	put_needs(&to, options, report);
	put_not_asked(&to, options, report);
	put_facts(&to, options, report);
	if (pods) {
		lay_out(&layout, pods);
		layout.to.to = &screen->names;
		put_names(&layout);
		layout.to.to = &screen->rows;
		put_services(screen, &layout, services, pods);
	}
	return !screen->head.failed && !screen->names.failed && !screen->rows.failed;
}

void screen_fini(struct screen *screen)
{
	buf_fini(&screen->head);
	buf_fini(&screen->names);
	buf_fini(&screen->rows);
	*screen = (struct screen){.n_rows = 0};
}
