/* SPDX-License-Identifier: MIT */
/* A stream of JSON objects, in pieces of any size, cut into objects. */
#include "core/base/jsonstream.h"

#include <json.h>
#include <limits.h>

/* An EndpointSlice with its managed fields is about 12 deep. */
enum { DEPTH_MAX = 64 };

bool jsonstream_init(struct jsonstream *stream, size_t cap_bytes)
{
	*stream = (struct jsonstream){
		.tokener = json_tokener_new_ex(DEPTH_MAX),
		.cap_bytes = cap_bytes,
	};
	if (!stream->tokener)
		return false;
	/* Not JSON_TOKENER_VALIDATE_UTF8: json-c 0.16 takes a character that is split between two
	 * pieces for a wrong one. */
	json_tokener_set_flags(
		stream->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	return true;
}

void jsonstream_fini(struct jsonstream *stream)
{
	if (stream->tokener)
		json_tokener_free(stream->tokener);
	*stream = (struct jsonstream){.tokener = NULL};
}

void jsonstream_reset(struct jsonstream *stream)
{
	json_tokener_reset(stream->tokener);
	stream->n_bytes = 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

enum jsonstream_outcome jsonstream_next(
	struct jsonstream *stream, const char **piece, size_t *len, struct json_object **object)
{
	*object = NULL;
	/* Space between objects is of no object, however much of it comes. */
	while (stream->n_bytes == 0 && *len > 0 && is_space(**piece)) {
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
	struct json_object *parsed = json_tokener_parse_ex(stream->tokener, *piece, (int)taken);
	enum json_tokener_error error = json_tokener_get_error(stream->tokener);
	if (error == json_tokener_continue) {
		stream->n_bytes += taken;
		*piece += taken;
		*len -= taken;
		return *len > 0 ? JSONSTREAM_BAD : JSONSTREAM_MORE;
	}
	if (error != json_tokener_success)
		return JSONSTREAM_BAD;
	size_t end = json_tokener_get_parse_end(stream->tokener);
	*piece += end;
	*len -= end;
	jsonstream_reset(stream);
	*object = parsed;
	return JSONSTREAM_OBJECT;
}
