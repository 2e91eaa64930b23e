/* SPDX-License-Identifier: MIT */
/* Suspends and resumes libmicrohttpd's connections. */
#include "http/suspended.h"

#include <microhttpd.h>

bool suspended_hold(struct suspended *waiting, struct MHD_Connection *connection)
{
	if (waiting->n_held == SUSPENDED_MAX)
		return false;
	MHD_suspend_connection(connection);
	waiting->held[waiting->n_held++] = connection;
	return true;
}

void suspended_release(struct suspended *waiting)
{
	while (waiting->n_held > 0)
		MHD_resume_connection(waiting->held[--waiting->n_held]);
}
