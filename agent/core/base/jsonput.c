/* SPDX-License-Identifier: MIT */
#include "core/base/jsonput.h"

#include <math.h>
#include <stddef.h>

#include "core/base/text.h"

/* What stands before a value. */
static void begin(struct jsonput *put, const char *key)
{
	if (put->follows)
		buf_putc(put->to, ',');
	put->follows = true;
	if (!key)
		return;
	buf_putc(put->to, '"');
	text_write_jsonstring(put->to, key);
	buf_append(put->to, "\":", 2);
}

static void open_with(struct jsonput *put, const char *key, char c)
{
	begin(put, key);
	buf_putc(put->to, c);
	put->follows = false;
}

static void close_with(struct jsonput *put, char c)
{
	buf_putc(put->to, c);
	put->follows = true;
}

void jsonput_object(struct jsonput *put, const char *key)
{
	open_with(put, key, '{');
}

void jsonput_object_end(struct jsonput *put)
{
	close_with(put, '}');
}

void jsonput_array(struct jsonput *put, const char *key)
{
	open_with(put, key, '[');
}

void jsonput_array_end(struct jsonput *put)
{
	close_with(put, ']');
}

static void put_null(struct jsonput *put, const char *key)
{
	begin(put, key);
	buf_append(put->to, "null", 4);
}

void jsonput_string(struct jsonput *put, const char *key, const char *s)
{
	begin(put, key);
	buf_putc(put->to, '"');
	text_write_jsonstring(put->to, s);
	buf_putc(put->to, '"');
}

void jsonput_string_or_null(struct jsonput *put, const char *key, const char *s)
{
	if (s[0])
		jsonput_string(put, key, s);
	else
		put_null(put, key);
}

void jsonput_number(struct jsonput *put, const char *key, int64_t n)
{
	begin(put, key);
	text_write_i64(put->to, n);
}

void jsonput_double(struct jsonput *put, const char *key, double d)
{
	begin(put, key);
	text_write_decimal(put->to, isfinite(d) ? d : 0.0, 1);
}

void jsonput_bool(struct jsonput *put, const char *key, bool b)
{
	begin(put, key);
	buf_puts(put->to, b ? "true" : "false");
}

void jsonput_double_if(struct jsonput *put, const char *key, bool known, double d)
{
	if (known)
		jsonput_double(put, key, d);
	else
		put_null(put, key);
}

void jsonput_number_if(struct jsonput *put, const char *key, bool known, int64_t n)
{
	if (known)
		jsonput_number(put, key, n);
	else
		put_null(put, key);
}

void jsonput_bool_if(struct jsonput *put, const char *key, bool known, bool b)
{
	if (known)
		jsonput_bool(put, key, b);
	else
		put_null(put, key);
}
