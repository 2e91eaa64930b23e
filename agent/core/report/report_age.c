/* SPDX-License-Identifier: MIT */
#include "core/report/report_age.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

/* What strangers say may be any number; a thousand years are enough. */
static double bounded(double s)
{
	return s > 0.0 ? fmin(s, 365250.0 * 86400.0) : 0.0;
}

char *report_age(double s, char *buf, size_t size)
{
	int64_t whole;

	s = bounded(s);
	whole = (int64_t)s;
	if (s < 10.0)
		snprintf(buf, size, "%.1f s", s);
	else if (s < 60.0)
		snprintf(buf, size, "%" PRId64 " s", whole);
	else if (s < 7200.0)
		snprintf(buf, size, "%" PRId64 " min", whole / 60);
	else if (s < 172800.0)
		snprintf(buf, size, "%" PRId64 " h %" PRId64 " min", whole / 3600, whole / 60 % 60);
	else
		snprintf(
			buf, size, "%" PRId64 " d %" PRId64 " h", whole / 86400, whole / 3600 % 24);
	return buf;
}

char *report_age_whole(double s, char *buf, size_t size)
{
	s = bounded(s);
	if (s >= 10.0)
		return report_age(s, buf, size);
	snprintf(buf, size, "%" PRId64 " s", (int64_t)s);
	return buf;
}
