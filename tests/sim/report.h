/* SPDX-License-Identifier: MIT */
/* The simulator's table and its JSON. */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "goals.h"

/* Two heading lines. */
void report_head(FILE *out);
/* One line for each policy of the row, where out is not NULL; false when a limit was broken, which
 * is told on stderr with the seed. */
bool report_row(FILE *out, const struct goals_row *row);

/* Mean imbalance of every policy, one line a row. */
void report_means_head(FILE *out);
void report_means(FILE *out, const struct goals_row *row);

/* One object a policy, as elements of a JSON list that the caller opens and closes. */
void report_json(FILE *out, const struct goals_row *row, bool is_first);

#endif
