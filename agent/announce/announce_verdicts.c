/* SPDX-License-Identifier: MIT */
/* Logs verdicts. */
#include "announce/announce_verdicts.h"

#include "core/report/report_backends.h"
#include "io/log.h"

static bool needs_somebody(enum verdict_state state)
{
	return state == VERDICT_CANNOT_LEVEL || state == VERDICT_NOT_STEERING;
}

static void announce_verdict(struct said_verdict *said, const struct report_backend *backend)
{
	const struct verdict *verdict = &backend->verdict;
	bool stands = verdict->state == said->seen;

	said->seen = verdict->state;
	if (!stands || verdict->state == said->said)
		return;
	if (needs_somebody(verdict->state)) {
		log_warn("verdict", log_str("backend", backend->backend->name),
			log_str("says", verdict->text), log_str("why", verdict->why),
			log_str("you", verdict->you));
	} else if (needs_somebody(said->said)) {
		log_info("verdict", log_str("backend", backend->backend->name),
			log_str("says", verdict->text));
	}
	said->said = verdict->state;
}

void announce_verdicts(struct said_table *table, const struct report_view *view)
{
	struct report_backends backends;

	if (!report_backends_init(&backends, view))
		return;
	said_begin(table);
	for (size_t i = 0; i < backends.n; i++) {
		struct said *said = said_of(table, backends.list[i].backend->name);

		if (said)
			announce_verdict(&said->verdict, &backends.list[i]);
	}
	said_end(table, NULL, NULL);
	report_backends_fini(&backends);
}
