/* SPDX-License-Identifier: MIT */
#include "core/cluster/moment.h"

/* So long a count may stand while sessions move: gauges are written every 5 to 15 s as a rule.
 * Plain requests move sessions too, and may do so for hours while no WebSocket comes or goes. */
static const int64_t STANDS_MAX_MS = 30000;

void moment_observe(struct moment *moment, bool same, uint32_t held, int64_t now_ms)
{
	bool stands = same && moment->moves && !moment->joined && held != moment->held &&
		      now_ms - moment->ms < STANDS_MAX_MS;

	moment->moves = moment->moves || (moment->ms != 0 && !same);
	moment->joined = false;
	if (stands)
		return;
	moment->ms = now_ms;
	moment->held = held;
}

void moment_join(struct moment *moment)
{
	moment->moves = true;
	moment->joined = true;
}
