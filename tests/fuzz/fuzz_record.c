/* SPDX-License-Identifier: MIT */
/* Any bytes as a recorded line: refused with a reason, or planned again, and written as it was read. */
#include <stdlib.h>
#include <string.h>

#include "core/record.h"
#include "core/record_parse.h"
#include "core/record_write.h"
#include "core/rerun.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* What comes back from a line that was written must be written the same again. */
static void check_written(const struct record *record)
{
	const char *why = "";
	struct record back;
	size_t len;
	size_t again_len;
	char *line = record_write(record, &len);
	char *again;

	if (!line || !record_parse(line, len, &back, &why))
		abort();
	again = record_write(&back, &again_len);
	if (!again || len != again_len || memcmp(line, again, len) != 0)
		abort();
	record_fini(&back);
	free(again);
	free(line);
}

static void check_planned(const struct record *record)
{
	struct rerun *rerun = rerun_new(&record->settings);
	size_t n;
	const struct rerun_backend *backends;

	if (!rerun || !rerun_add(rerun, record) || !rerun_add(rerun, record))
		abort();
	backends = rerun_backends(rerun, &n);
	for (size_t i = 0; i < n; i++) {
		if (backends[i].planned > backends[i].rounds || backends[i].largest_difference > 256)
			abort();
	}
	rerun_free(rerun);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct record record;
	const char *why = NULL;

	if (!record_parse((const char *)data, size, &record, &why)) {
		if (!why || !*why)
			abort();
		return 0;
	}
	check_written(&record);
	check_planned(&record);
	record_fini(&record);
	return 0;
}
