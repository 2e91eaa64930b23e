/* SPDX-License-Identifier: MIT */
/* Tables for people, JSON for programs. */
#include "report.h"

#include <math.h>

void report_head(FILE *out)
{
	fprintf(out, "%-46s %-17s %7s %7s %8s %6s %9s\n", "", "", "mean", "peak", "under 5%",
		"peak", "weight");
	fprintf(out, "%-46s %-17s %7s %7s %8s %6s %9s\n", "scenario", "policy", "%", "%", "s",
		"share", "changes/s");
}

static void write_name(const struct scenario *scenario, char *name, size_t size)
{
	snprintf(name, size, "%s, %u pods x %u, %u instances", scenario->what->name,
		scenario->size->pods, scenario->size->per_pod, scenario->size->instances);
}

static void write_settle(double settle_s, char *text, size_t size)
{
	if (settle_s < 0.0)
		snprintf(text, size, "never");
	else
		snprintf(text, size, "%.0f", settle_s);
}

/* What a verdict has to say; "" where all is well. */
static void write_verdict(const struct goals_row *row, const struct goals_verdict *verdict,
	size_t policy, char *text, size_t size)
{
	text[0] = '\0';
	if (verdict->met)
		return;
	if (isinf(verdict->goal))
		snprintf(text, size, "  %.1f connections over the limit",
			row->results[policy].excess);
	else
		snprintf(text, size, "  goal %.2f (%s)", 100.0 * verdict->goal, verdict->against);
}

bool report_row(FILE *out, const struct goals_row *row)
{
	char name[96];
	bool passed = true;

	write_name(row->scenario, name, sizeof(name));
	for (size_t i = 0; i < scenario_n_policies; i++) {
		const struct measure_result *result = &row->results[i];
		struct goals_verdict verdict = goals_judge(row, i);
		char settle[16];
		char words[80];

		write_settle(result->settle_s, settle, sizeof(settle));
		write_verdict(row, &verdict, i, words, sizeof(words));
		if (out)
			fprintf(out, "%-46s %-17s %7.2f %7.2f %8s %6.2f %9.2f%s\n",
				i == 0 ? name : "", scenario_policies[i].name,
				100.0 * result->mean_imbalance, 100.0 * result->peak_imbalance,
				settle, result->peak_share, result->writes_per_s, words);
		if (!verdict.passed) {
			fprintf(stderr,
				"FAILED: %s, %s: seed %llu, %u seeds: mean %.3f %%, limit %.3f "
				"%%%s\n",
				name, scenario_policies[i].name, (unsigned long long)row->seed,
				row->n_seeds, 100.0 * result->mean_imbalance, 100.0 * verdict.limit,
				words);
			passed = false;
		}
	}
	return passed;
}

void report_means_head(FILE *out)
{
	fprintf(out, "\nmean of max/mean - 1, %%\n%-46s", "");
	for (size_t i = 0; i < scenario_n_policies; i++)
		fprintf(out, " %9.9s", scenario_policies[i].name);
	fputc('\n', out);
}

void report_means(FILE *out, const struct goals_row *row)
{
	char name[96];

	write_name(row->scenario, name, sizeof(name));
	fprintf(out, "%-46s", name);
	for (size_t i = 0; i < scenario_n_policies; i++)
		fprintf(out, " %8.2f%s", 100.0 * row->results[i].mean_imbalance,
			goals_judge(row, i).met ? " " : "!");
	fputc('\n', out);
}

void report_json(FILE *out, const struct goals_row *row, bool is_first)
{
	for (size_t i = 0; i < scenario_n_policies; i++) {
		const struct measure_result *result = &row->results[i];

		fprintf(out,
			"%s{\"scenario\": \"%s\", \"pods\": %u, \"per_pod\": %u, \"instances\": %u, \"poll_s\": %g, "
			"\"policy\": \"%s\", \"mean_imbalance\": %.6f, \"peak_imbalance\": %.6f, ",
			is_first && i == 0 ? "" : ",\n", row->scenario->what->name,
			row->scenario->size->pods, row->scenario->size->per_pod,
			row->scenario->size->instances, row->scenario->poll_ms / 1000.0,
			scenario_policies[i].name, result->mean_imbalance, result->peak_imbalance);
		if (result->settle_s < 0.0)
			fprintf(out, "\"settle_s\": null, ");
		else
			fprintf(out, "\"settle_s\": %.1f, ", result->settle_s);
		fprintf(out, "\"peak_share\": %.4f, \"writes_per_s\": %.4f}", result->peak_share,
			result->writes_per_s);
	}
}
