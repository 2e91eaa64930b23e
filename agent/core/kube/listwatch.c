/* SPDX-License-Identifier: MIT */
/* When to list and when to watch: what to ask the API server next, from how the last ask ended. */
#include "core/kube/listwatch.h"

#include <string.h>

enum {
	HASTY_MS = 1000,     /* a watch that lives longer did its work */
	HEALTHY_MS = 120000, /* so long without a failure, and the delays begin anew */
};

void watch_init(struct watch *watch, int64_t silence_ms)
{
	*watch = (struct watch){.list = true, .silence_ms = silence_ms};
}

void watch_begin(struct watch *watch, int64_t now_ms)
{
	watch->began_ms = now_ms;
	watch->events = 0;
}

static bool keep_version(struct watch *watch, const char *version)
{
	size_t len = strlen(version);

	if (len == 0 || len >= sizeof(watch->version))
		return false;
	memcpy(watch->version, version, len + 1);
	return true;
}

bool watch_listed(struct watch *watch, const char *version, int64_t now_ms)
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

bool watch_heard(struct watch *watch, const char *version, int64_t now_ms)
{
	if (version && !keep_version(watch, version))
		return false;
	watch->events++;
	watch->token_retried = false;
	watch->heard_ms = now_ms;
	return true;
}

/* Half the delay's length is left to chance, so that the agents of a cluster spread out. */
static int64_t back_off(struct watch *watch, int64_t now_ms, double random01)
{
	int64_t delay = WATCH_DELAY_MIN_MS;

	if (now_ms - watch->healthy_ms >= HEALTHY_MS)
		watch->failures = 0;
	for (unsigned i = 0; i < watch->failures && delay < WATCH_DELAY_MAX_MS; i++)
		delay *= 2;
	if (delay > WATCH_DELAY_MAX_MS)
		delay = WATCH_DELAY_MAX_MS;
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
static bool after_watch(struct watch *watch, const struct watch_outcome *outcome, int64_t now_ms)
{
	switch (outcome->end) {
	case WATCH_END_CLEAN:
		/* Some servers and proxies end a watch from a version that they do not know
		 * without a word: the second time in a row, list. */
		watch->list = watch->hasty >= 2;
		return watch->hasty == 0;
	case WATCH_END_HTTP:
	case WATCH_END_EVENT:
		if (overloaded(outcome->code)) {
			watch->list = watch->hasty >= 2;
			return false;
		}
		watch->list = true;
		if (outcome->end == WATCH_END_HTTP &&
			(outcome->code == 400 || outcome->code == 422))
			watch->plain = true;
		/* A version that was forgotten right after its list is no news, but a fault. */
		return outcome->code == 410 && now_ms - watch->listed_ms >= HASTY_MS;
	case WATCH_END_SILENT:
		watch->list = true;
		return true;
	case WATCH_END_TRANSPORT:
	case WATCH_END_MALFORMED:
	case WATCH_ENDS:
		break;
	}
	watch->list = true;
	return false;
}

int64_t watch_ended(
	struct watch *watch, const struct watch_outcome *outcome, int64_t now_ms, double random01)
{
	bool at_once = false;

	watch->ends[outcome->end]++;
	/* The token may have been renewed since it was read: it is read for every request. */
	if (outcome->end == WATCH_END_HTTP && outcome->code == 401 && !watch->token_retried) {
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
		if (watch_silence_left(watch, now_ms) == 0)
			watch->list = true;
	}
	if (at_once)
		return 0;
	int64_t delay = back_off(watch, now_ms, random01);
	int64_t asked = outcome->retry_after_ms;
	if (asked > WATCH_RETRY_AFTER_MAX_MS)
		asked = WATCH_RETRY_AFTER_MAX_MS;
	return delay > asked ? delay : asked;
}

int64_t watch_silence_left(const struct watch *watch, int64_t now_ms)
{
	int64_t left = watch->heard_ms + watch->silence_ms - now_ms;

	return left > 0 ? left : 0;
}

unsigned watch_timeout_s(double random01)
{
	return WATCH_TIMEOUT_MIN_S +
	       (unsigned)(random01 * (WATCH_TIMEOUT_MAX_S - WATCH_TIMEOUT_MIN_S));
}

const char *watch_end_text(enum watch_end end)
{
	switch (end) {
	case WATCH_END_CLEAN:
		return "ended";
	case WATCH_END_TRANSPORT:
		return "transport";
	case WATCH_END_HTTP:
		return "http";
	case WATCH_END_EVENT:
		return "error_event";
	case WATCH_END_MALFORMED:
		return "malformed";
	case WATCH_END_SILENT:
		return "silent";
	case WATCH_ENDS:
		break;
	}
	return "unknown";
}
