/* SPDX-License-Identifier: MIT */
#include "core/haproxy/procvars.h"

#include <stdio.h>
#include <string.h>

#include "core/haproxy/complaint.h"
#include "core/haproxy/hareply.h"

static bool is_same(const struct hastate_info *a, const struct hastate_info *b)
{
	return a->pid != 0 && hastate_is_same_process(a, b);
}

static struct procvars_values wanted(const struct procvars *vars)
{
	return (struct procvars_values){
		.stopping = vars->stopping,
		.synced = is_same(&vars->filled, &vars->seen),
	};
}

void procvars_see(struct procvars *vars, const struct hastate_info *info)
{
	bool is_new = vars->seen.pid != 0 && !is_same(&vars->seen, info);

	vars->seen = *info;
	if (!is_new)
		return;
	vars->told = *info;
	vars->has = (struct procvars_values){.stopping = false};
	vars->refused = false;
	vars->unsure = false;
}

void procvars_fill(struct procvars *vars, const struct hastate_info *info)
{
	procvars_see(vars, info);
	vars->filled = *info;
}

bool procvars_is_due(const struct procvars *vars)
{
	struct procvars_values want = wanted(vars);

	if (vars->unsure)
		return true;
	/* Of an unknown process only what is set matters: one that is left alone stays clean. */
	if (!is_same(&vars->told, &vars->seen))
		return want.stopping || want.synced;
	return want.stopping != vars->has.stopping || want.synced != vars->has.synced;
}

void procvars_write(struct procvars *vars, char line[PROCVARS_LINE_MAX])
{
	/* Who takes the line may be another process than the one seen last, so it says which. */
	static const char end[] = ";show info\n";

	vars->sent = wanted(vars);
	/* Nobody reads proc.synced where nobody fills slots. */
	if (vars->filled.pid == 0) {
		snprintf(line, PROCVARS_LINE_MAX,
			"experimental-mode on;set var proc.stopping int(%d)%s", vars->sent.stopping,
			end);
	} else {
		snprintf(line, PROCVARS_LINE_MAX,
			"experimental-mode on;set var proc.stopping int(%d);"
			"set var proc.synced int(%d)%s",
			vars->sent.stopping, vars->sent.synced, end);
	}
}

/* Where the answer to "show info" begins; len where there is none. */
static size_t find_info(const char *reply, size_t len)
{
	static const char first[] = "Name: ";
	const size_t first_len = sizeof(first) - 1;

	for (size_t at = 0; at + first_len <= len; at++) {
		if ((at == 0 || reply[at - 1] == '\n') && memcmp(reply + at, first, first_len) == 0)
			return at;
	}
	return len;
}

enum procvars_outcome procvars_read(
	struct procvars *vars, const char *reply, size_t len, char *complaint, size_t size)
{
	struct hastate_snapshot snapshot;
	enum hareply_outcome outcome;
	size_t answers = find_info(reply, len);
	bool refused = complaint_find(reply, answers, complaint, size) > 0;

	outcome = hareply_parse(len > 0 ? reply + answers : "", len - answers, &snapshot, NULL);
	if (outcome != HAREPLY_OK) {
		if (!refused)
			snprintf(complaint, size, "%s", hareply_outcome_name(outcome));
		procvars_lose(vars);
		return PROCVARS_LOST;
	}
	if (snapshot.info.stopping) {
		snprintf(complaint, size, "a worker on its way out answered");
		hastate_fini(&snapshot);
		procvars_lose(vars);
		return PROCVARS_LOST;
	}
	procvars_see(vars, &snapshot.info);
	vars->told = snapshot.info;
	vars->has = vars->sent;
	vars->refused = refused;
	vars->unsure = false;
	hastate_fini(&snapshot);
	return refused ? PROCVARS_REFUSED : PROCVARS_TAKEN;
}

void procvars_lose(struct procvars *vars)
{
	vars->unsure = true;
}
