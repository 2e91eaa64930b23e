/* SPDX-License-Identifier: MIT */
/* The report of a run, as text and as JSON. */
#include "tally.h"

#include "target.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/resource.h>

static size_t row_of(const struct tally_reasons *reasons, const char *text)
{
	size_t i = 0;
	while (i < reasons->n_rows && strcmp(reasons->rows[i].text, text) != 0)
		i++;
	return i;
}

void tally_reason(struct tally_reasons *reasons, const char *text)
{
	size_t i = row_of(reasons, text);
	if (i == reasons->n_rows && i >= TALLY_REASONS - 1) {
		text = "other";
		i = row_of(reasons, text);
	}
	if (i == reasons->n_rows) {
		snprintf(reasons->rows[i].text, sizeof(reasons->rows[i].text), "%s", text);
		reasons->n_rows++;
	}
	reasons->rows[i].n++;
}

static void add_count(struct json_object *object, const char *key, uint64_t n)
{
	json_object_object_add(object, key, json_object_new_int64((int64_t)n));
}

/* With a thousandth's digits: json-c would print all seventeen. */
static void add_seconds(struct json_object *object, const char *key, double s)
{
	char text[32];
	snprintf(text, sizeof(text), "%.3f", s);
	json_object_object_add(object, key, json_object_new_double_s(s, text));
}

static void add_reasons(
	struct json_object *object, const char *key, const struct tally_reasons *reasons)
{
	struct json_object *map = json_object_new_object();
	for (size_t i = 0; i < reasons->n_rows; i++)
		add_count(map, reasons->rows[i].text, reasons->rows[i].n);
	json_object_object_add(object, key, map);
}

static void add_hist(struct json_object *object, const char *key, const struct hist *hist)
{
	struct json_object *map = json_object_new_object();
	add_count(map, "count", hist->count);
	add_count(map, "p50", (uint64_t)hist_quantile_us(hist, 0.50));
	add_count(map, "p90", (uint64_t)hist_quantile_us(hist, 0.90));
	add_count(map, "p99", (uint64_t)hist_quantile_us(hist, 0.99));
	add_count(map, "max", (uint64_t)hist->max_us);
	add_count(map, "mean", (uint64_t)hist_mean_us(hist));
	json_object_object_add(object, key, map);
}

static void add_counters(struct json_object *object, const struct tally *tally)
{
	add_count(object, "opened", tally->opened);
	add_count(object, "failed", tally->failed);
	add_count(object, "closed", tally->closed);
	add_count(object, "dropped", tally->dropped);
	add_count(object, "messages", tally->messages);
	add_count(object, "wrong", tally->wrong);
	add_count(object, "lost", tally->lost);
}

static void print_object(struct json_object *object, FILE *to)
{
	const char *text = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	fprintf(to, "%s\n", text ? text : "{}");
	fflush(to);
	json_object_put(object);
}

void tally_progress(struct tally *tally, FILE *to, bool json, double at_s)
{
	int64_t p50 = hist_quantile_us(&tally->recent, 0.50);
	int64_t p99 = hist_quantile_us(&tally->recent, 0.99);
	if (json) {
		struct json_object *object = json_object_new_object();
		add_seconds(object, "at_s", at_s);
		add_count(object, "open", tally->open);
		add_count(object, "connecting", tally->connecting);
		add_counters(object, tally);
		add_count(object, "recent_p50_us", (uint64_t)p50);
		add_count(object, "recent_p99_us", (uint64_t)p99);
		print_object(object, to);
	} else {
		fprintf(to,
			"%6.1f s: %" PRIu64 " open, %" PRIu64 " connecting, %" PRIu64
			" failed, %" PRIu64 " dropped, %" PRIu64 " wrong, %" PRIu64
			" lost, %" PRIu64 " messages, p50 %" PRId64 " us, p99 %" PRId64 " us\n",
			at_s, tally->open, tally->connecting, tally->failed, tally->dropped,
			tally->wrong, tally->lost, tally->messages, p50, p99);
		fflush(to);
	}
	tally->recent = (struct hist){0};
}

/* CPU seconds of this process, user and system, and its largest size. */
static double cpu_s(long *max_rss_kib)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	*max_rss_kib = usage.ru_maxrss;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void write_json(const struct tally_report *report, FILE *to)
{
	const struct tally *tally = report->tally;
	struct json_object *object = json_object_new_object();
	long max_rss_kib;
	double cpu = cpu_s(&max_rss_kib);
	json_object_object_add(object, "ok", json_object_new_boolean(report->ok));
	add_count(object, "connections", (uint64_t)report->connections);
	add_count(object, "message_bytes", (uint64_t)report->message_bytes);
	add_seconds(object, "ran_s", report->ran_s);
	add_counters(object, tally);
	add_count(object, "most_open", tally->most_open);
	add_count(object, "bytes", tally->bytes);
	add_count(object, "pongs", tally->pongs);
	add_hist(object, "handshake_us", &tally->handshake);
	add_hist(object, "echo_us", &tally->echo);
	add_hist(object, "ping_us", &tally->ping);
	add_reasons(object, "why_failed", &tally->why_failed);
	add_reasons(object, "why_dropped", &tally->why_dropped);
	struct json_object *list = json_object_new_array();
	for (size_t i = 0; i < report->n_targets; i++) {
		struct json_object *row = json_object_new_object();
		json_object_object_add(row, "url", json_object_new_string(report->targets[i].url));
		add_count(row, "opened", report->targets[i].opened);
		add_count(row, "failed", report->targets[i].failed);
		add_count(row, "dropped", report->targets[i].dropped);
		json_object_array_add(list, row);
	}
	json_object_object_add(object, "targets", list);
	add_seconds(object, "cpu_s", cpu);
	add_count(object, "max_rss_kib", (uint64_t)max_rss_kib);
	print_object(object, to);
}

static void print_hist(FILE *to, const char *name, const struct hist *hist)
{
	if (hist->count == 0)
		return;
	fprintf(to, "%-10s p50 %.2f ms, p90 %.2f ms, p99 %.2f ms, max %.2f ms (%" PRIu64 ")\n",
		name, (double)hist_quantile_us(hist, 0.50) / 1e3,
		(double)hist_quantile_us(hist, 0.90) / 1e3,
		(double)hist_quantile_us(hist, 0.99) / 1e3, (double)hist->max_us / 1e3,
		hist->count);
}

static void print_reasons(FILE *to, const char *name, const struct tally_reasons *reasons)
{
	for (size_t i = 0; i < reasons->n_rows; i++)
		fprintf(to, "%-10s %" PRIu64 " times: %s\n", name, reasons->rows[i].n,
			reasons->rows[i].text);
}

static void write_text(const struct tally_report *report, FILE *to)
{
	const struct tally *tally = report->tally;
	long max_rss_kib;
	double cpu = cpu_s(&max_rss_kib);
	fprintf(to, "opened     %" PRIu64 " (at most %" PRIu64 " at once, %" PRId64 " wanted)\n",
		tally->opened, tally->most_open, report->connections);
	fprintf(to, "failed     %" PRIu64 "\n", tally->failed);
	fprintf(to, "closed     %" PRIu64 "\n", tally->closed);
	fprintf(to, "dropped    %" PRIu64 "\n", tally->dropped);
	fprintf(to, "messages   %" PRIu64 " (%" PRIu64 " bytes)\n", tally->messages, tally->bytes);
	fprintf(to, "wrong      %" PRIu64 "\n", tally->wrong);
	fprintf(to, "lost       %" PRIu64 "\n", tally->lost);
	print_hist(to, "handshake", &tally->handshake);
	print_hist(to, "echo", &tally->echo);
	print_hist(to, "ping", &tally->ping);
	print_reasons(to, "failed", &tally->why_failed);
	print_reasons(to, "dropped", &tally->why_dropped);
	for (size_t i = 0; i < report->n_targets && report->n_targets > 1; i++)
		fprintf(to,
			"target     %s: %" PRIu64 " opened, %" PRIu64 " failed, %" PRIu64
			" dropped\n",
			report->targets[i].url, report->targets[i].opened,
			report->targets[i].failed, report->targets[i].dropped);
	fprintf(to, "ran        %.1f s, %.2f s of CPU, %.1f MiB\n", report->ran_s, cpu,
		(double)max_rss_kib / 1024.0);
	fprintf(to, "%s\n", report->ok ? "ok" : "NOT ok");
	fflush(to);
}

void tally_write(const struct tally_report *report, FILE *to, bool json)
{
	if (json)
		write_json(report, to);
	else
		write_text(report, to);
}
