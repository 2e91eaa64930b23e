/* SPDX-License-Identifier: MIT */
/* A stream of JSON objects, in pieces of any size, cut into objects. */
#include "core/base/jsonstream.h"

#include <json.h>
#include <limits.h>

#include "core/base/jsonparse.h"

bool jsonstream_init(struct jsonstream *stream, size_t cap_bytes, size_t cap_cost)
{
	*stream = (struct jsonstream){
		.tokener = jsonparse_tokener_new(),
		.cap_bytes = cap_bytes,
		.cap_cost = cap_cost,
	};
	if (!stream->tokener)
		return false;
	jsonstream_reset(stream);
	return true;
}

void jsonstream_fini(struct jsonstream *stream)
{
	if (stream->tokener)
		json_tokener_free(stream->tokener);
	*stream = (struct jsonstream){.tokener = NULL};
}

static void begin_object(struct jsonstream *stream)
{
	json_tokener_reset(stream->tokener);
	stream->check = (struct jsoncheck){.depth = 0};
	stream->n_bytes = 0;
}

void jsonstream_reset(struct jsonstream *stream)
{
	begin_object(stream);
	stream->n_mark = 0;
}

/* A mark may come in pieces too. False where one began and did not go on. */
static bool skip_mark(struct jsonstream *stream, const char **piece, size_t *len)
{
	while (*len > 0 && stream->n_mark < JSONPARSE_MARK_LEN) {
		if (**piece != JSONPARSE_MARK[stream->n_mark]) {
			bool begun = stream->n_mark > 0;

			stream->n_mark = JSONPARSE_MARK_LEN;
			return !begun;
		}
		stream->n_mark++;
		(*piece)++;
		(*len)--;
	}
	return true;
}

const char *jsonstream_outcome_name(enum jsonstream_outcome outcome)
{
	switch (outcome) {
	case JSONSTREAM_OBJECT:
	case JSONSTREAM_MORE:
		return "ok";
	case JSONSTREAM_BAD:
		return "not a JSON object";
	case JSONSTREAM_DUPLICATE_KEY:
		return "a duplicate key";
	case JSONSTREAM_TOO_LARGE:
		return "too many bytes";
	case JSONSTREAM_TOO_COSTLY:
		return "too many values";
	case JSONSTREAM_OUT_OF_MEMORY:
		break;
	}
	return "out of memory";
}

/* Reads a part of an object, that the check has seen. *object is set at its end. */
static enum jsonstream_outcome parse(struct jsonstream *stream, const char *bytes, size_t len,
	enum jsoncheck_outcome checked, struct json_object **object)
{
	struct json_object *parsed;
	enum json_tokener_error error;

	if (stream->check.cost > stream->cap_cost)
		return JSONSTREAM_TOO_COSTLY;
	if (!jsonparse_has_memory(stream->n_bytes, stream->check.cost))
		return JSONSTREAM_OUT_OF_MEMORY;
	parsed = json_tokener_parse_ex(stream->tokener, bytes, (int)len);
	error = json_tokener_get_error(stream->tokener);
	if (checked == JSONCHECK_MORE && error == json_tokener_continue)
		return JSONSTREAM_MORE;
	/* What has passed the check fails in json-c only for want of memory. */
	if (error != json_tokener_success || checked == JSONCHECK_MORE) {
		json_object_put(parsed);
		return JSONSTREAM_OUT_OF_MEMORY;
	}
	if (!jsonparse_has_all(parsed, &stream->check)) {
		json_object_put(parsed);
		return JSONSTREAM_DUPLICATE_KEY;
	}
	*object = parsed;
	return JSONSTREAM_OBJECT;
}

enum jsonstream_outcome jsonstream_next(
	struct jsonstream *stream, const char **piece, size_t *len, struct json_object **object)
{
	const char *bytes;
	size_t taken;
	enum jsoncheck_outcome checked;
	enum jsonstream_outcome outcome;

	*object = NULL;
	if (!skip_mark(stream, piece, len))
		return JSONSTREAM_BAD;
	/* Space between objects is of no object, however much of it comes. */
	while (stream->n_bytes == 0 && *len > 0 && jsoncheck_is_space(**piece)) {
		(*piece)++;
		(*len)--;
	}
	if (*len == 0)
		return JSONSTREAM_MORE;
	if (stream->n_bytes == 0 && **piece != '{')
		return JSONSTREAM_BAD;
	bytes = *piece;
	taken = stream->cap_bytes - stream->n_bytes;
	if (taken > *len)
		taken = *len;
	if (taken > INT_MAX)
		taken = INT_MAX;
	if (taken == 0)
		return JSONSTREAM_TOO_LARGE;
	checked = jsoncheck_feed(&stream->check, bytes, taken, &taken);
	if (checked == JSONCHECK_BAD)
		return JSONSTREAM_BAD;
	stream->n_bytes += taken;
	*piece += taken;
	*len -= taken;
	outcome = parse(stream, bytes, taken, checked, object);
	if (outcome == JSONSTREAM_MORE && *len > 0)
		return JSONSTREAM_TOO_LARGE;
	if (outcome == JSONSTREAM_OBJECT)
		begin_object(stream);
	return outcome;
}
