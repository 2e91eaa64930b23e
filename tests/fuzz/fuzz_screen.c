/* SPDX-License-Identifier: MIT */
/* Any bytes as the report that `wsbalancer top` and `wsbalancer status` read: the table has no
 * control character but the ends of its lines, and colours where they are wanted. The first byte
 * chooses the terminal. */
#include <json-c/json.h>

#include "cli/screen.h"
#include "core/base/jsonparse.h"
#include "fuzz.h"

static bool is_color(const char **at)
{
	const char *end = *at + 1;

	if (**at != '\033' || *end != '[')
		return false;
	end += 1 + strspn(end + 1, "0123456789;");
	if (*end != 'm')
		return false;
	*at = end;
	return true;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct json_object *report;
	struct buf text = {.bytes = NULL};

	if (size == 0 || jsonparse((const char *)data + 1, size - 1, &report) != JSONPARSE_OK)
		return 0;
	if (json_object_is_type(report, json_type_object)) {
		struct screen_options options = {
			.width = SCREEN_WIDTH_MIN + (data[0] >> 3) * 11,
			.utf8 = data[0] & 1,
			.color = data[0] & 2,
			.by_name = data[0] & 4,
		};

		screen_write(&text, report, &options);
		for (const char *at = buf_text(&text); *at; at++)
			promise(*at == '\n' || (unsigned char)*at >= 0x20 ||
					(options.color && is_color(&at)),
				"nothing foreign moves the terminal's cursor");
	}
	buf_fini(&text);
	json_object_put(report);
	return 0;
}
