/* SPDX-License-Identifier: MIT */
#include "core/base/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool why_set(struct why *why, const char *format, ...)
{
	va_list args;

	why->line = 0;
	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return false;
}

bool why_set_line(struct why *why, size_t line, const char *format, ...)
{
	va_list args;

	why->line = (unsigned)line;
	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return false;
}

bool why_append(struct why *why, const char *format, ...)
{
	size_t used = strlen(why->text);
	va_list args;

	va_start(args, format);
	vsnprintf(why->text + used, sizeof(why->text) - used, format, args);
	va_end(args);
	return false;
}

bool why_prepend(struct why *why, const char *format, ...)
{
	char text[sizeof(why->text)];
	va_list args;

	memcpy(text, why->text, sizeof(text));
	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return why_append(why, "%s", text);
}
