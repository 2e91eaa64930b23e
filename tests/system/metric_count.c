/* SPDX-License-Identifier: MIT */
/* Reads bodies from stdin, each a line with its length and then its bytes; says of each what a pod
 * with this body counts, or "-" where it is refused. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/metric/metric_json.h"

int main(void)
{
	struct metric_words words = {.format = METRIC_JSON, .keys = {"n", NULL, NULL}};
	struct metric_query query;
	enum metric_role bad;
	struct why why;
	size_t len;

	if (!metric_query_parse(&words, &query, &bad, &why))
		return EXIT_FAILURE;
	while (scanf("%zu", &len) == 1 && getchar() == '\n') {
		char *body = malloc(len + 1);
		struct metric metric;

		if (!body || fread(body, 1, len, stdin) != len)
			return EXIT_FAILURE;
		if (metric_json_read(body, len, &query, &metric) == METRIC_OK)
			printf("%" PRIu32 "\n", metric.count);
		else
			puts("-");
		free(body);
	}
	metric_query_fini(&query);
	return EXIT_SUCCESS;
}
