/* SPDX-License-Identifier: MIT */
/* Any bytes as HAProxy's answers to the lines that set its variables, an answer up to each NUL:
 * what is due is said until it is taken or refused, and a line is never more than a line. */
#include "core/haproxy/procvars.h"
#include "fuzz.h"

static void check_line(const char line[PROCVARS_LINE_MAX])
{
	const char *end = memchr(line, '\0', PROCVARS_LINE_MAX);

	promise(end && end > line && end[-1] == '\n' &&
			!memchr(line, '\n', (size_t)(end - 1 - line)),
		"what is sent is one line that fits");
}

static void answer(struct procvars *vars, const char *bytes, size_t len)
{
	char line[PROCVARS_LINE_MAX];
	char complaint[40];
	char *reply;
	struct hastate_info asked = vars->seen;
	enum procvars_outcome outcome;

	if (!procvars_is_due(vars))
		return;
	procvars_write(vars, line);
	check_line(line);
	if (len == 0) {
		procvars_lose(vars);
		return;
	}
	reply = fuzz_copy(bytes, len);
	memset(complaint, 'x', sizeof(complaint));
	complaint[0] = '\0';
	outcome = procvars_read(vars, reply, len, complaint, sizeof(complaint));
	free(reply);
	promise(memchr(complaint, '\0', sizeof(complaint)), "a complaint ends within its array");
	/* Another process than the one that was seen may want something else. */
	if (outcome == PROCVARS_TAKEN && hastate_is_same_process(&asked, &vars->seen))
		promise(!procvars_is_due(vars), "what was taken is not said again");
	if (outcome == PROCVARS_REFUSED)
		promise(complaint[0], "a refusal has words");
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct procvars vars = {.stopping = false};
	const char *bytes = (const char *)data;

	while (size > 1) {
		struct hastate_info info = {.version = "2.6", .pid = 1 + (bytes[0] & 3)};
		const char *zero;
		size_t len;

		procvars_see(&vars, &info);
		if (bytes[0] & 4)
			procvars_fill(&vars, &info);
		vars.stopping = bytes[0] & 8;
		bytes++;
		size--;
		zero = memchr(bytes, '\0', size);
		len = zero ? (size_t)(zero - bytes) : size;
		answer(&vars, bytes, len);
		len += zero ? 1 : 0;
		bytes += len;
		size -= len;
	}
	return 0;
}
