/* SPDX-License-Identifier: MIT */
/* Lines of an answer's head. */
#include "io/answerguard.h"

#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* line[0..len) is a header of this name with another value than the one that is allowed. */
static bool is_other(const char *line, size_t len, const char *name, const char *allowed)
{
	size_t name_len = strlen(name);

	if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len) != 0)
		return false;
	line += name_len + 1;
	len -= name_len + 1;
	while (len > 0 && is_blank(*line)) {
		line++;
		len--;
	}
	while (len > 0 && is_blank(line[len - 1]))
		len--;
	return len != strlen(allowed) || strncasecmp(line, allowed, len) != 0;
}

static size_t on_line(char *bytes, size_t one, size_t n, void *arg)
{
	struct answerguard *guard = arg;

	(void)one;
	guard->n_bytes += n;
	if (guard->n_bytes > ANSWERGUARD_HEAD_MAX)
		guard->refusal = ANSWERGUARD_LONG_HEAD;
	else if (is_other(bytes, n, "Transfer-Encoding", "chunked") ||
		 is_other(bytes, n, "Content-Encoding", "identity"))
		guard->refusal = ANSWERGUARD_COMPRESSED;
	/* Anything but n ends the transfer. */
	return guard->refusal == ANSWERGUARD_NONE ? n : 0;
}

void answerguard_begin(struct answerguard *guard, CURL *easy)
{
	*guard = (struct answerguard){.refusal = ANSWERGUARD_NONE};
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_line);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, guard);
}

void answerguard_end(struct answerguard *guard, CURL *easy, CURLcode result)
{
	curl_off_t first_byte_us = 0;
	long status = 0;

	if (guard->refusal != ANSWERGUARD_NONE)
		return;
	if (result == CURLE_BAD_CONTENT_ENCODING)
		guard->refusal = ANSWERGUARD_COMPRESSED;
#if LIBCURL_VERSION_NUM >= 0x080600
	if (result == CURLE_TOO_LARGE)
		guard->refusal = ANSWERGUARD_LONG_HEAD;
#endif
	if (result != CURLE_OUT_OF_MEMORY)
		return;
	curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte_us);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	/* An answer has begun, and its head has not ended: nothing else takes memory there. */
	if (first_byte_us > 0 && status != 0)
		guard->refusal = ANSWERGUARD_LONG_HEAD;
}

const char *answerguard_name(const struct answerguard *guard)
{
	switch (guard->refusal) {
	case ANSWERGUARD_NONE:
		return "";
	case ANSWERGUARD_COMPRESSED:
		return "the answer is compressed, which nobody asked for";
	case ANSWERGUARD_LONG_HEAD:
		return "the answer's headers are longer than 32 KiB";
	}
	return "";
}
