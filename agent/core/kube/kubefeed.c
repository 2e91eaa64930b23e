/* SPDX-License-Identifier: MIT */
#include "core/kube/kubefeed.h"

#include <json.h>
#include <stdio.h>
#include <string.h>

#include "core/base/jsonget.h"
#include "core/base/jsonparse.h"

enum {
	EVENT_MAX = 8 * 1024 * 1024, /* bytes of one event; a full slice has about 1 MiB */
	LIST_MAX = 16 * 1024 * 1024, /* 2,000 endpoints are 0.5 MB */
	/* An endpoint with all that belongs to it costs 56, in which json-c needs 3 to 5 kB: 1,000
	 * in a slice, and 12,000 in all. */
	EVENT_COST_MAX = 150000,
	LIST_COST_MAX = 700000,
};

bool kubefeed_init(struct kubefeed *feed, const char *service, const char *port, int64_t silence_ms)
{
	*feed = (struct kubefeed){.slices = slicestore_new(service, port)};
	listwatch_init(&feed->watch, silence_ms);
	if (feed->slices && jsonstream_init(&feed->stream, LIST_MAX, LIST_COST_MAX))
		return true;
	kubefeed_fini(feed);
	return false;
}

void kubefeed_fini(struct kubefeed *feed)
{
	slicestore_free(feed->slices);
	jsonstream_fini(&feed->stream);
	json_object_put(feed->listing);
	*feed = (struct kubefeed){.slices = NULL};
}

void kubefeed_begin(struct kubefeed *feed, int64_t now_ms)
{
	feed->list = feed->watch.list;
	json_object_put(feed->listing);
	feed->listing = NULL;
	feed->broken_off = false;
	feed->refusal_len = 0;
	feed->refusal[0] = '\0';
	feed->stream.cap_bytes = feed->list ? LIST_MAX : EVENT_MAX;
	feed->stream.cap_cost = feed->list ? LIST_COST_MAX : EVENT_COST_MAX;
	jsonstream_reset(&feed->stream);
	listwatch_begin(&feed->watch, now_ms);
}

static void fail(struct kubefeed *feed, const char *detail)
{
	why_set(&feed->failure, "%s", detail);
}

static void break_off(
	struct kubefeed *feed, enum listwatch_end end, unsigned code, const char *detail)
{
	feed->broken_off = true;
	feed->verdict = (struct listwatch_outcome){.end = end, .code = code};
	fail(feed, detail);
}

/* A list counts only when its answer has come whole and holds nothing else. */
static void keep_list(struct kubefeed *feed, struct json_object *list)
{
	if (feed->listing)
		break_off(feed, LISTWATCH_END_MALFORMED, 0, "more than one list");
	else
		feed->listing = json_object_get(list);
}

static void apply_event(struct kubefeed *feed, struct json_object *event, int64_t now_ms)
{
	struct why why;
	struct slicestore_news news = slicestore_apply(feed->slices, event, &why);

	switch (news.event) {
	case SLICESTORE_CHANGED:
		feed->changed = true;
		break;
	case SLICESTORE_BOOKMARK:
	case SLICESTORE_IGNORED:
		break;
	case SLICESTORE_ERROR:
		break_off(feed, LISTWATCH_END_EVENT, news.code, why.text);
		return;
	case SLICESTORE_MALFORMED:
		break_off(feed, LISTWATCH_END_MALFORMED, 0, why.text);
		return;
	}
	if (!listwatch_heard(&feed->watch, news.version, now_ms))
		break_off(feed, LISTWATCH_END_MALFORMED, 0, "a version that is too long");
}

static void keep_refusal(struct kubefeed *feed, const char *bytes, size_t len)
{
	size_t room = sizeof(feed->refusal) - 1 - feed->refusal_len;

	if (len > room)
		len = room;
	memcpy(feed->refusal + feed->refusal_len, bytes, len);
	feed->refusal_len += len;
	feed->refusal[feed->refusal_len] = '\0';
}

bool kubefeed_feed(
	struct kubefeed *feed, unsigned code, const char *bytes, size_t len, int64_t now_ms)
{
	if (code != 200) {
		keep_refusal(feed, bytes, len);
		return true;
	}
	while (!feed->broken_off) {
		struct json_object *object;
		enum jsonstream_outcome outcome =
			jsonstream_next(&feed->stream, &bytes, &len, &object);

		if (outcome == JSONSTREAM_MORE)
			return true;
		if (outcome != JSONSTREAM_OBJECT) {
			/* Want of memory is not the server's fault. */
			break_off(feed,
				outcome == JSONSTREAM_OUT_OF_MEMORY ? LISTWATCH_END_TRANSPORT
								    : LISTWATCH_END_MALFORMED,
				0, jsonstream_outcome_name(outcome));
			break;
		}
		if (feed->list)
			keep_list(feed, object);
		else
			apply_event(feed, object, now_ms);
		json_object_put(object);
	}
	return false;
}

/* A Status says in words who may not do what. */
static void read_refusal(struct kubefeed *feed, unsigned code)
{
	struct json_object *status;
	const char *message;

	/* A page of a proxy's, or a Status that was cut, says nothing: the code alone is told. */
	jsonparse(feed->refusal, feed->refusal_len, &status);
	message = jsonget_text(status, "message");
	if (message)
		why_set(&feed->failure, "HTTP %u: %s", code, message);
	else
		why_set(&feed->failure, "HTTP %u", code);
	json_object_put(status);
}

static struct listwatch_outcome judge(struct kubefeed *feed, const struct kubefeed_end *end)
{
	struct listwatch_outcome outcome = {.end = LISTWATCH_END_CLEAN};

	if (feed->broken_off)
		return feed->verdict;
	if (!end->whole) {
		outcome.end = LISTWATCH_END_TRANSPORT;
		fail(feed, end->detail);
	} else if (end->code != 200) {
		outcome.end = LISTWATCH_END_HTTP;
		outcome.code = end->code;
		outcome.retry_after_ms = end->retry_after_ms;
		read_refusal(feed, end->code);
	} else if (feed->stream.n_bytes > 0) {
		outcome.end = LISTWATCH_END_TRANSPORT;
		fail(feed, "ended within an object");
	} else if (feed->list && !feed->listing) {
		outcome.end = LISTWATCH_END_MALFORMED;
		fail(feed, "an empty answer");
	}
	return outcome;
}

static bool apply_list(struct kubefeed *feed, int64_t now_ms)
{
	const char *version;
	struct why why;

	if (!slicestore_replace(feed->slices, feed->listing, &version, &why)) {
		fail(feed, why.text);
		return false;
	}
	feed->changed = true;
	if (!listwatch_listed(&feed->watch, version, now_ms)) {
		fail(feed, "a version that is too long");
		return false;
	}
	feed->failure.text[0] = '\0';
	return true;
}

static struct kubefeed_next next(
	struct kubefeed *feed, struct listwatch_outcome outcome, int64_t now_ms, double random01)
{
	return (struct kubefeed_next){
		.outcome = outcome,
		.delay_ms = listwatch_ended(&feed->watch, &outcome, now_ms, random01),
	};
}

struct kubefeed_next kubefeed_ended(
	struct kubefeed *feed, const struct kubefeed_end *end, int64_t now_ms, double random01)
{
	struct listwatch_outcome outcome = judge(feed, end);

	if (feed->list && outcome.end == LISTWATCH_END_CLEAN) {
		if (apply_list(feed, now_ms))
			return (struct kubefeed_next){.listed = true};
		outcome.end = LISTWATCH_END_MALFORMED;
	}
	return next(feed, outcome, now_ms, random01);
}

struct kubefeed_next kubefeed_silent(struct kubefeed *feed, int64_t now_ms, double random01)
{
	fail(feed, "no event and no bookmark");
	return next(
		feed, (struct listwatch_outcome){.end = LISTWATCH_END_SILENT}, now_ms, random01);
}
