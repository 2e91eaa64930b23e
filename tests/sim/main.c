/* SPDX-License-Identifier: MIT */
/* Runs every case at every size under every policy, and says what came of it. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "crowd.h"
#include "goals.h"
#include "report.h"
#include "scenario.h"

struct options {
	const char *json; /* a file to write, or NULL */
	const char *only; /* cases whose name has this in it, or NULL */
	uint64_t seed;
	unsigned n_seeds;
	int poll_ms;
	int spread_ms;
	bool in_short;
	bool all_figures; /* a line for each policy, not for each row */
};

static const char USAGE[] =
	"usage: sim [--short] [--all] [--json FILE] [--only TEXT] [--seed N] [--seeds N]\n"
	"           [--poll MS] [--spread MS]\n"
	"\n"
	"  --short       few sizes: what the tests run\n"
	"  --all         all figures of every policy, not only mean imbalance\n"
	"  --json FILE   write all figures to FILE\n"
	"  --only TEXT   just the cases whose name has TEXT in it\n"
	"  --seed N      the first seed (1)\n"
	"  --seeds N     runs of each, with seeds from there on; figures are means (1)\n"
	"  --poll MS     between two polls and plans (1000)\n"
	"  --spread MS   polls lie within this time before a plan (100)\n"
	"\n"
	"Ends with 1 when a limit was broken.\n";

static long number(const char *text, long least, long most)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < least || value > most) {
		fprintf(stderr, "sim: %s is no number from %ld to %ld\n", text, least, most);
		exit(2);
	}
	return value;
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{"short", no_argument, NULL, 's'},
		{"all", no_argument, NULL, 'a'},
		{"json", required_argument, NULL, 'j'},
		{"only", required_argument, NULL, 'o'},
		{"seed", required_argument, NULL, 'n'},
		{"seeds", required_argument, NULL, 'N'},
		{"poll", required_argument, NULL, 'p'},
		{"spread", required_argument, NULL, 'S'},
		{NULL, 0, NULL, 0},
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (letter) {
		case 's':
			options->in_short = true;
			break;
		case 'a':
			options->all_figures = true;
			break;
		case 'j':
			options->json = optarg;
			break;
		case 'o':
			options->only = optarg;
			break;
		case 'n':
			options->seed = (uint64_t)number(optarg, 0, 1000000000);
			break;
		case 'N':
			options->n_seeds = (unsigned)number(optarg, 1, 1000);
			break;
		case 'p':
			options->poll_ms = (int)number(optarg, 10, 60000);
			break;
		case 'S':
			options->spread_ms = (int)number(optarg, 1, 60000);
			break;
		default:
			fputs(USAGE, stderr);
			exit(2);
		}
	}
	if (optind < argc || options->spread_ms > options->poll_ms) {
		fputs(USAGE, stderr);
		exit(2);
	}
}

/* Means over the seeds; a run that never settles makes the row one that never does. */
static void add(struct measure_result *sum, const struct measure_result *result, unsigned n)
{
	sum->mean_imbalance += result->mean_imbalance / n;
	sum->peak_imbalance += result->peak_imbalance / n;
	sum->settle_s = sum->settle_s < 0.0 || result->settle_s < 0.0
				? -1.0
				: sum->settle_s + result->settle_s / n;
	sum->peak_share += result->peak_share / n;
	sum->writes_per_s += result->writes_per_s / n;
	sum->excess = fmax(sum->excess, result->excess);
	sum->peak_arrivals = fmax(sum->peak_arrivals, result->peak_arrivals);
}

static bool run_row(
	const struct options *options, const struct scenario *scenario, struct goals_row *row)
{
	*row = (struct goals_row){
		.scenario = scenario,
		.seed = options->seed,
		.n_seeds = options->n_seeds,
	};

	size_t n = scenario_n_policies * options->n_seeds;
	struct measure_result *results = calloc(n, sizeof(*results));
	bool done = results && crowd_run(scenario, options->seed, options->n_seeds, results);

	for (size_t i = 0; done && i < n; i++)
		add(&row->results[i / options->n_seeds], &results[i], options->n_seeds);
	free(results);
	return done;
}

static bool is_wanted(const struct options *options, const struct scenario *scenario)
{
	if (options->in_short && !scenario->size->in_short)
		return false;
	if (scenario->size->only && !strstr(scenario->size->only, scenario->what->name))
		return false;
	if (scenario->what->is_named && !scenario->size->only)
		return false;
	/* Pods whose limits leave no choice have none to judge. */
	if (scenario->what->max_share > 0.0 &&
		scenario->what->max_share * scenario->size->pods < 2.0)
		return false;
	return !options->only || strstr(scenario->what->name, options->only);
}

struct tally {
	unsigned rows, stock_met, stock_goals, flow_met, flow_goals;
	double simulated_s;
};

static void count(struct tally *tally, const struct goals_row *row)
{
	struct goals_verdict stock = goals_judge(row, SCENARIO_STOCK);
	struct goals_verdict flow = goals_judge(row, SCENARIO_FLOW);
	tally->rows++;
	tally->simulated_s +=
		(double)row->scenario->what->length_s * row->n_seeds * (double)scenario_n_policies;
	tally->stock_goals += isfinite(stock.goal);
	tally->stock_met += isfinite(stock.goal) && stock.met;
	tally->flow_goals += isfinite(flow.goal);
	tally->flow_met += isfinite(flow.goal) && flow.met;
}

static bool run_all(const struct options *options, FILE *json, struct tally *tally)
{
	bool passed = true;

	if (options->all_figures)
		report_head(stdout);
	else
		report_means_head(stdout);
	for (size_t s = 0; s < scenario_n_sizes; s++) {
		for (size_t c = 0; c < scenario_n_cases; c++) {
			struct scenario scenario = {
				.what = &scenario_cases[c],
				.size = &scenario_sizes[s],
				.poll_ms = scenario_cases[c].poll_ms > 0 ? scenario_cases[c].poll_ms
									 : options->poll_ms,
				.spread_ms = options->spread_ms,
			};
			struct goals_row row;

			if (!is_wanted(options, &scenario))
				continue;
			if (!run_row(options, &scenario, &row)) {
				fprintf(stderr, "sim: a run failed: out of memory?\n");
				return false;
			}
			passed = report_row(options->all_figures ? stdout : NULL, &row) && passed;
			if (!options->all_figures)
				report_means(stdout, &row);
			if (json)
				report_json(json, &row, tally->rows == 0);
			count(tally, &row);
			fflush(stdout);
		}
	}
	return passed;
}

static double processor_s(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_CHILDREN, &usage) != 0)
		return 0.0;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	struct options options = {.seed = 1, .n_seeds = 1, .poll_ms = 1000, .spread_ms = 100};
	struct tally tally = {.rows = 0};
	FILE *json = NULL;
	time_t begin = time(NULL);
	bool passed;

	parse(argc, argv, &options);
	if (options.json) {
		json = fopen(options.json, "w");
		if (!json) {
			fprintf(stderr, "sim: %s: %s\n", options.json, strerror(errno));
			return 2;
		}
		fputs("[\n", json);
	}
	passed = run_all(&options, json, &tally);
	if (json) {
		fputs("\n]\n", json);
		passed = fclose(json) == 0 && passed;
	}
	printf("\n%u rows, %.0f simulated seconds in %.1f s of processor time, %.0f s in all; goals met: stock %u of %u, flow %u of "
	       "%u; "
	       "seed %llu\n",
		tally.rows, tally.simulated_s, processor_s(), difftime(time(NULL), begin),
		tally.stock_met, tally.stock_goals, tally.flow_met, tally.flow_goals,
		(unsigned long long)options.seed);
	return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
