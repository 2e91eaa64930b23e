/* SPDX-License-Identifier: MIT */
#include "announce/announce_turns.h"

static void say(struct log_repeat *repeat, const char *event, double seconds, double busy_s)
{
	int64_t took_ms = (int64_t)(1000.0 * seconds);
	int64_t worked_ms = (int64_t)(1000.0 * busy_s);

	if (!log_repeat(repeat))
		return;
	log_info(event, log_int("took_ms", took_ms), log_int("worked_ms", worked_ms),
		log_int("times", (int64_t)repeat->times));
}

void announce_turn(struct announced_turns *turns, double seconds, double busy_s)
{
	if (busy_s >= seconds / 2.0)
		say(&turns->worked, "all waited for the agent's own work", seconds, busy_s);
	else
		say(&turns->kept,
			"the agent was kept from its work: no processor was free, a disk was slow, or "
			"it was stopped",
			seconds, busy_s);
}
