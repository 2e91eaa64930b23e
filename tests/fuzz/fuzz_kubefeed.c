/* SPDX-License-Identifier: MIT */
/* Any bytes in any pieces as the answers of an API server: endpoints stay in order, and some
 * request always follows. */
#include "core/kube/kubefeed.h"
#include "fuzz.h"

static void check_union(const struct kubefeed *feed)
{
	struct endpoint *endpoints;
	size_t n;

	promise(slicestore_union(feed->slices, &endpoints, &n), "memory for the union");
	for (size_t i = 0; i < n; i++)
		promise(endpoints[i].port != 0 &&
				slicestore_find(endpoints, n, endpoints[i].address,
					endpoints[i].port) == &endpoints[i],
			"an endpoint has a port and is found by its address");
	free(endpoints);
}

/* One answer: a byte that says how it ends and how long the pieces are, then its body up to a zero
 * byte. */
static size_t answer(struct kubefeed *feed, const unsigned char *data, size_t size, int64_t now_ms)
{
	static const unsigned codes[] = {200, 200, 200, 200, 401, 410, 429, 500};
	struct kubefeed_end end = {
		.whole = data[0] & 0x80, .code = codes[data[0] & 7], .detail = "broken"};
	size_t piece = (size_t)(data[0] >> 3 & 15) + 1;
	const unsigned char *body = data + 1;
	const unsigned char *zero = memchr(body, 0, size - 1);
	size_t len = zero ? (size_t)(zero - body) : size - 1;

	kubefeed_begin(feed, now_ms);
	for (size_t at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;

		if (!kubefeed_feed(feed, end.code, (const char *)body + at, n, now_ms)) {
			end.whole = false;
			break;
		}
	}
	struct kubefeed_next next = kubefeed_ended(feed, &end, now_ms, 0.5);
	promise(next.delay_ms >= 0 && next.delay_ms <= LISTWATCH_DELAY_MAX_MS * 3 / 2,
		"the next request comes in time");
	promise(feed->watch.list || feed->watch.version[0], "a watch begins at a version");
	return zero ? len + 2 : len + 1;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct kubefeed feed;
	int64_t now_ms = 1000000;

	if (!kubefeed_init(&feed, "web", NULL, LISTWATCH_SILENCE_MS))
		return 0;
	while (size > 0) {
		size_t used = answer(&feed, data, size, now_ms);

		check_union(&feed);
		used = used < size ? used : size;
		data += used;
		size -= used;
		now_ms += 700;
	}
	kubefeed_fini(&feed);
	return 0;
}
