/* SPDX-License-Identifier: MIT */
/* Replays a record. */
#include "cli/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/record/record.h"
#include "core/record/record_columns.h"
#include "core/record/record_parse.h"
#include "core/record/rerun.h"
#include "core/settings.h"
#include "core/terms.h"
#include "io/configfile.h"

struct replay {
	struct rerun *rerun;
	struct cluster_settings settings; /* of the configuration; replicas 0: as recorded */
	uint64_t n_rounds;
	uint64_t n_lines;
	uint64_t n_bad; /* lines that are no round */
	int64_t first_wall_ms;
	int64_t last_wall_ms;
	struct cluster_settings recorded; /* of the last round, without names */
};

/* Always returns false. */
static bool complain(const char *path, const char *what)
{
	char shown[256];

	fprintf(stderr, "wsbalancer: %s: %s\n", text_show(path, shown, sizeof(shown)), what);
	return false;
}

/* ---- reading ---- */

static bool replay_line(struct replay *replay, const char *path, const char *line, size_t len)
{
	struct record record;
	struct why why;
	char shown[256];
	bool ok;

	replay->n_lines++;
	if (!record_parse(line, len, &record, &why)) {
		if (replay->n_bad++ == 0)
			fprintf(stderr, "wsbalancer: %s:%" PRIu64 ": not a round: %s\n",
				text_show(path, shown, sizeof(shown)), replay->n_lines, why.text);
		return true;
	}
	if (replay->n_rounds++ == 0)
		replay->first_wall_ms = record.wall_ms;
	replay->last_wall_ms = record.wall_ms;
	replay->recorded = record.settings;
	ok = rerun_add(replay->rerun, &record) || complain(path, "out of memory");
	record_fini(&record);
	return ok;
}

/* Reads a line of any length, as getline does, but keeps no more than a round can have: the rest of
 * a longer one is left out. False at the end, and when out of memory: line->failed. */
static bool read_line(FILE *in, struct buf *line)
{
	int c;

	buf_clear(line);
	while ((c = getc_unlocked(in)) != EOF) {
		if (line->len <= RECORD_LINE_MAX)
			buf_putc(line, (char)c);
		if (c == '\n')
			break;
	}
	return !line->failed && (c != EOF || line->len > 0);
}

static bool read_rounds(struct replay *replay, const char *path, FILE *in)
{
	struct buf line = {.bytes = NULL};
	bool ok = true;

	while (ok && read_line(in, &line))
		ok = replay_line(replay, path, line.bytes, line.len);
	if (ok && (line.failed || ferror(in)))
		ok = complain(path, line.failed ? "out of memory" : strerror(errno));
	buf_fini(&line);
	if (ok && replay->n_rounds == 0)
		ok = complain(path, "no recorded round in it");
	if (ok && replay->n_bad > 1)
		fprintf(stderr, "wsbalancer: %" PRIu64 " of %" PRIu64 " lines are no rounds\n",
			replay->n_bad, replay->n_lines);
	return ok;
}

/* ---- printing ---- */

static void print_time(int64_t wall_ms)
{
	char text[TEXT_TIME_SIZE];

	fputs(text_format_time_plain(wall_ms, text, sizeof(text)), stdout);
}

static void print_duration(double s)
{
	if (s < 120.0)
		printf("%.0f s", s);
	else if (s < 7200.0)
		printf("%.0f min", s / 60.0);
	else
		printf("%.1f h", s / 3600.0);
}

/* The settings that differ from those of the last round, "as recorded" where none does. */
static void print_settings(const struct replay *replay)
{
	const struct cluster_settings *was = &replay->recorded;
	const struct cluster_settings *now = &replay->settings;
	const struct {
		const char *name;
		double was, now; /* in the unit that is shown */
		const char *unit;
	} numbers[] = {
		{"replicas", was->replicas, now->replicas ? now->replicas : was->replicas, ""},
		{"pollInterval", (double)was->poll_interval_ms / 1000.0,
			(double)now->poll_interval_ms / 1000.0, "s"},
		{"cacheTTL", (double)was->cache_ttl_ms / 1000.0, (double)now->cache_ttl_ms / 1000.0,
			"s"},
		{"ramp", (double)was->ramp_ms / 1000.0, (double)now->ramp_ms / 1000.0, "s"},
		{"maxShare", was->max_share, now->max_share, ""},
		{"capacityMax", was->capacity_max, now->capacity_max, ""},
	};
	bool any = false;

	fputs("settings  ", stdout);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (numbers[i].was == numbers[i].now)
			continue;
		printf("%s%s %g%s, was %g%s", any ? "; " : "", numbers[i].name, numbers[i].now,
			numbers[i].unit, numbers[i].was, numbers[i].unit);
		any = true;
	}
	if (was->percent_steps != now->percent_steps) {
		printf("%s%s agentCheck", any ? "; " : "", now->percent_steps ? "with" : "without");
		any = true;
	}
	if (was->agent_check_only != now->agent_check_only) {
		printf("%s%s haproxy.socket", any ? "; " : "",
			now->agent_check_only ? "without" : "with");
		any = true;
	}
	puts(any ? "" : "as recorded");
	if (was->poll_interval_ms != now->poll_interval_ms)
		puts("          pollInterval is not replayed: pods were asked when they were, and each "
		     "round\n          is planned once");
}

static double per_second(uint64_t n, double seconds)
{
	return seconds > 0.0 ? (double)n / seconds : 0.0;
}

static void print_backend(const struct rerun_backend *backend)
{
	char name[24];
	char as_planned[40];

	text_show(backend->name, name, sizeof(name));
	printf("%-20s %7" PRIu64 "  ", name, backend->rounds);
	if (backend->planned > 0) {
		printf("%9.2f %7d  ", backend->difference / (double)backend->planned,
			backend->largest_difference);
		snprintf(as_planned, sizeof(as_planned), "%.2f",
			per_second(backend->changes, backend->seconds));
		printf("%8.2f %8s  %8" PRIu64 " %8" PRIu64 "  ",
			per_second(backend->changes_recorded, backend->seconds), as_planned,
			backend->fallbacks_recorded, backend->fallbacks);
	} else {
		printf("%17s  %8.2f %8s  %8" PRIu64 " %8s  ", TERM_LEFT_ALONE,
			per_second(backend->changes_recorded, backend->seconds), "-",
			backend->fallbacks_recorded, "-");
	}
	if (backend->imbalance_rounds > 0) {
		printf("%6.1f %% %6.1f %%\n",
			100.0 * backend->imbalance_sum / (double)backend->imbalance_rounds,
			100.0 * backend->imbalance_peak);
	} else {
		printf("%8s %8s\n", "-", "-");
	}
}

static void print_table(const struct rerun_backend *backends, size_t n)
{
	printf("\n%-20s %7s  %17s  %17s  %17s  %17s\n", "", "", "weight difference",
		"changes a second", "fallback, rounds", "imbalance");
	printf("%-20s %7s  %9s %7s  %8s %8s  %8s %8s  %8s %8s\n", "backend", "rounds", "mean",
		"largest", "recorded", "now", "recorded", "now", "mean", "peak");
	for (size_t i = 0; i < n; i++)
		print_backend(&backends[i]);
}

/* How long until balance, of the last round. */
static void print_outlook(const struct rerun_backend *backend)
{
	const struct outlook *outlook = &backend->outlook;
	char name[80];

	printf("%s: %zu pods hold %.0f connections, imbalance %.1f %%, %.1f new ones a second: ",
		text_show(backend->name, name, sizeof(name)), backend->n_pods, backend->connections,
		100.0 * backend->imbalance, backend->arrivals_per_s);
	switch (outlook->verdict) {
	case OUTLOOK_BALANCED:
		puts("balanced");
		break;
	case OUTLOOK_FILLING:
		printf("pods lack %.0f, so balanced in about ", outlook->deficit);
		print_duration(outlook->seconds);
		putchar('\n');
		break;
	case OUTLOOK_ONLY_CLOSING:
	case OUTLOOK_NOT_SENT:
		printf("cannot level " TERM_CANNOT "; %s holds %.0f too many\n",
			text_show(backend->fullest, name, sizeof(name)), backend->surplus);
		break;
	}
}

static void print_all(const struct replay *replay, const char *path)
{
	size_t n;
	const struct rerun_backend *backends = rerun_backends(replay->rerun, &n);
	char shown[256];

	printf("record    %s: %" PRIu64 " rounds from ", text_show(path, shown, sizeof(shown)),
		replay->n_rounds);
	print_time(replay->first_wall_ms);
	fputs(" to ", stdout);
	print_time(replay->last_wall_ms);
	puts(" UTC");
	print_settings(replay);
	print_table(backends, n);
	puts("\nAt the end, as recorded:");
	for (size_t i = 0; i < n; i++)
		print_outlook(&backends[i]);
	puts("\nConnections went where the recorded weights led them: this tells other weights, "
	     "not\n"
	     "what would have become of the imbalance.");
}

bool replay_run(const char *record_path, const char *config_path)
{
	bool from_stdin = strcmp(record_path, "-") == 0;
	struct replay replay = {.rerun = NULL};
	struct config config;
	struct config_mistakes mistakes;
	FILE *in = NULL;
	bool ok;

	if (!configfile_parse(config_path, &config, &mistakes)) {
		configfile_complain(config_path, &mistakes);
		return false;
	}
	if (!settings_for_cluster(&config, 0, &replay.settings)) {
		config_fini(&config);
		return complain(config_path, "out of memory");
	}
	/* How many instances there were is in the record. */
	if (config.replicas_service)
		replay.settings.replicas = 0;
	replay.rerun = rerun_new(&replay.settings);
	in = from_stdin ? stdin : fopen(record_path, "re");
	ok = in ? replay.rerun != NULL : complain(record_path, strerror(errno));
	if (in && !replay.rerun)
		complain(record_path, "out of memory");
	if (ok)
		ok = read_rounds(&replay, record_path, in);
	if (ok)
		print_all(&replay, record_path);
	if (in && !from_stdin)
		fclose(in);
	rerun_free(replay.rerun);
	cluster_settings_fini(&replay.settings);
	config_fini(&config);
	return ok;
}
