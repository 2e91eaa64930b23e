/* SPDX-License-Identifier: MIT */
#include "core/kube/listwatch.h"

#include <string.h>

enum {
	HASTY_MS = 1000,     /* a watch that lives longer did its work */
	HEALTHY_MS = 120000, /* so long without a failure, and the delays begin anew */
};

void listwatch_init(struct listwatch *watch, int64_t silence_ms)
{
	*watch = (struct listwatch){.list = true, .silence_ms = silence_ms};
}

void listwatch_begin(struct listwatch *watch, int64_t now_ms)
{
	watch->began_ms = now_ms;
	watch->events = 0;
}

static bool keep_version(struct listwatch *watch, const char *version)
{
	size_t len = strlen(version);

	if (len == 0 || len >= sizeof(watch->version))
		return false;
	memcpy(watch->version, version, len + 1);
	return true;
}

bool listwatch_listed(struct listwatch *watch, const char *version, int64_t now_ms)
{
	if (!keep_version(watch, version))
		return false;
	watch->list = false;
	watch->listed = true;
	watch->token_retried = false;
	watch->heard_ms = now_ms;
	watch->listed_ms = now_ms;
	watch->lists++;
	return true;
}

bool listwatch_heard(struct listwatch *watch, const char *version, int64_t now_ms)
{
	if (version && !keep_version(watch, version))
		return false;
	watch->events++;
	watch->token_retried = false;
	watch->heard_ms = now_ms;
	return true;
}

/* Half the delay's length is left to chance, so that the agents of a cluster spread out. */
static int64_t back_off(struct listwatch *watch, int64_t now_ms, double random01)
{
	int64_t delay = LISTWATCH_DELAY_MIN_MS;

	if (now_ms - watch->healthy_ms >= HEALTHY_MS)
		watch->failures = 0;
	for (unsigned i = 0; i < watch->failures && delay < LISTWATCH_DELAY_MAX_MS; i++)
		delay *= 2;
	if (delay > LISTWATCH_DELAY_MAX_MS)
		delay = LISTWATCH_DELAY_MAX_MS;
	if (watch->failures < 16)
		watch->failures++;
	watch->healthy_ms = now_ms;
	return delay + (int64_t)((double)delay * 0.5 * random01);
}

static bool overloaded(unsigned code)
{
	return code == 429 || (code >= 500 && code <= 599);
}

/* What a watch's end asks for; true when the next request may go out at once. */
static bool after_watch(
	struct listwatch *watch, const struct listwatch_outcome *outcome, int64_t now_ms)
{
	switch (outcome->end) {
	case LISTWATCH_END_CLEAN:
		/* Some servers and proxies end a watch from a version that they do not know
		 * without a word: the second time in a row, list. */
		watch->list = watch->hasty >= 2;
		return watch->hasty == 0;
	case LISTWATCH_END_HTTP:
	case LISTWATCH_END_EVENT:
		if (overloaded(outcome->code)) {
			watch->list = watch->hasty >= 2;
			return false;
		}
		watch->list = true;
		if (outcome->end == LISTWATCH_END_HTTP &&
			(outcome->code == 400 || outcome->code == 422))
			watch->plain = true;
		/* A version that was forgotten right after its list is no news, but a fault. */
		return outcome->code == 410 && now_ms - watch->listed_ms >= HASTY_MS;
	case LISTWATCH_END_SILENT:
		watch->list = true;
		return true;
	case LISTWATCH_END_TRANSPORT:
	case LISTWATCH_END_MALFORMED:
	case LISTWATCH_ENDS:
		break;
	}
	watch->list = true;
	return false;
}

int64_t listwatch_ended(struct listwatch *watch, const struct listwatch_outcome *outcome,
	int64_t now_ms, double random01)
{
	bool at_once = false;

	watch->ends[outcome->end]++;
	/* The token may have been renewed since it was read: it is read for every request. */
	if (outcome->end == LISTWATCH_END_HTTP && outcome->code == 401 && !watch->token_retried) {
		watch->token_retried = true;
		return 0;
	}
	if (!watch->list) {
		if (watch->events > 0 || now_ms - watch->began_ms >= HASTY_MS)
			watch->hasty = 0;
		else
			watch->hasty++;
		at_once = after_watch(watch, outcome, now_ms);
		/* Watches that end well but bring nothing are silence too. */
		if (listwatch_silence_left(watch, now_ms) == 0)
			watch->list = true;
	}
	if (at_once)
		return 0;
	int64_t delay = back_off(watch, now_ms, random01);
	int64_t asked = outcome->retry_after_ms;
	if (asked > LISTWATCH_RETRY_AFTER_MAX_MS)
		asked = LISTWATCH_RETRY_AFTER_MAX_MS;
	return delay > asked ? delay : asked;
}

int64_t listwatch_silence_left(const struct listwatch *watch, int64_t now_ms)
{
	int64_t left = watch->heard_ms + watch->silence_ms - now_ms;

	return left > 0 ? left : 0;
}

unsigned listwatch_timeout_s(double random01)
{
	return LISTWATCH_TIMEOUT_MIN_S +
	       (unsigned)(random01 * (LISTWATCH_TIMEOUT_MAX_S - LISTWATCH_TIMEOUT_MIN_S));
}

const char *listwatch_end_name(enum listwatch_end end)
{
	switch (end) {
	case LISTWATCH_END_CLEAN:
		return "ended";
	case LISTWATCH_END_TRANSPORT:
		return "transport";
	case LISTWATCH_END_HTTP:
		return "http";
	case LISTWATCH_END_EVENT:
		return "error_event";
	case LISTWATCH_END_MALFORMED:
		return "malformed";
	case LISTWATCH_END_SILENT:
		return "silent";
	case LISTWATCH_ENDS:
		break;
	}
	return "unknown";
}
