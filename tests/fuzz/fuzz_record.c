/* SPDX-License-Identifier: MIT */
/* Any bytes as a recorded line: refused with a reason, or planned again, and written as it was
 * read. */
#include "core/record/record.h"
#include "core/record/record_parse.h"
#include "core/record/record_write.h"
#include "core/record/rerun.h"
#include "fuzz.h"

/* What comes back from a line that was written must be written the same again. */
static void check_written(const struct record *record)
{
	struct why why;
	struct record back;
	size_t len;
	size_t again_len;
	char *line = record_write(record, &len);
	char *again;

	promise(line && record_parse(line, len, &back, &why), "what was written can be read");
	again = record_write(&back, &again_len);
	promise(again && len == again_len && memcmp(line, again, len) == 0,
		"it is written the same again");
	record_fini(&back);
	free(again);
	free(line);
}

static void check_planned(const struct record *record)
{
	struct rerun *rerun = rerun_new(&record->settings);
	size_t n;
	const struct rerun_backend *backends;

	promise(rerun && rerun_add(rerun, record) && rerun_add(rerun, record),
		"what was read can be planned again");
	backends = rerun_backends(rerun, &n);
	for (size_t i = 0; i < n; i++)
		promise(backends[i].planned <= backends[i].rounds &&
				backends[i].largest_difference <= 256,
			"of a backend's rounds some are planned, with weights of 0 to 256");
	rerun_free(rerun);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct record record;
	struct why why;

	if (!record_parse((const char *)data, size, &record, &why)) {
		promise(*why.text, "a refusal has a reason");
		return 0;
	}
	check_written(&record);
	check_planned(&record);
	record_fini(&record);
	return 0;
}
