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

static void check(const struct buf *text, bool color)
{
	promise(!text->failed, "memory for a table");
	for (const char *at = buf_text(text); *at; at++)
		promise(*at == '\n' || (unsigned char)*at >= 0x20 || (color && is_color(&at)),
			"nothing foreign moves the terminal's cursor");
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char *const filters[] = {NULL, "web", "e x", "\xff"};
	struct json_object *report;
	struct screen screen = {.n_rows = 0};

	if (size < 2 || jsonparse((const char *)data + 2, size - 2, &report) != JSONPARSE_OK)
		return 0;
	if (json_object_is_type(report, json_type_object)) {
		struct screen_options options = {
			.width = SCREEN_WIDTH_MIN + (data[0] >> 3) * 11,
			.utf8 = data[0] & 1,
			.color = data[0] & 2,
			.whole = data[0] & 4,
			.sort = (enum screen_sort)(data[1] % SCREEN_N_SORTS),
			.down = data[1] & 64,
			.filter = filters[data[1] >> 4 & 3],
		};

		promise(screen_make(&screen, report, &options), "memory for a table");
		promise(screen.n_shown <= screen.n_rows, "a filter adds no pods");
		check(&screen.head, options.color);
		check(&screen.names, options.color);
		check(&screen.rows, options.color);
	}
	screen_fini(&screen);
	json_object_put(report);
	return 0;
}
