/* SPDX-License-Identifier: MIT */
/* A stream of JSON objects, in pieces of any size, cut into objects. */
#include "core/base/jsonstream.h"

#include <json.h>
#include <limits.h>

#include "core/base/jsonparse.h"

bool jsonstream_init(struct jsonstream *stream, size_t cap_bytes)
{
	*stream = (struct jsonstream){
		.tokener = jsonparse_tokener_new(),
		.cap_bytes = cap_bytes,
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

enum jsonstream_outcome jsonstream_next(
	struct jsonstream *stream, const char **piece, size_t *len, struct json_object **object)
{
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

	size_t room = stream->cap_bytes - stream->n_bytes;
	size_t taken = *len < room ? *len : room;
	if (taken > INT_MAX)
		taken = INT_MAX;
	if (taken == 0)
		return JSONSTREAM_BAD;
	enum jsoncheck_outcome outcome = jsoncheck_feed(&stream->check, *piece, taken, &taken);
	if (outcome == JSONCHECK_BAD)
		return JSONSTREAM_BAD;
	struct json_object *parsed = json_tokener_parse_ex(stream->tokener, *piece, (int)taken);
	enum json_tokener_error error = json_tokener_get_error(stream->tokener);
	stream->n_bytes += taken;
	*piece += taken;
	*len -= taken;
	if (outcome == JSONCHECK_MORE && error == json_tokener_continue)
		return *len > 0 ? JSONSTREAM_BAD : JSONSTREAM_MORE;
	if (error != json_tokener_success || !jsonparse_has_all(parsed, &stream->check)) {
		json_object_put(parsed);
		return JSONSTREAM_BAD;
	}
	begin_object(stream);
	*object = parsed;
	return JSONSTREAM_OBJECT;
}
