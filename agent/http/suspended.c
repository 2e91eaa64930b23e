/* SPDX-License-Identifier: MIT */
/* Suspends and resumes libmicrohttpd's connections. */
#include "http/suspended.h"

#include <microhttpd.h>

bool waiting_hold(struct waiting *waiting, struct MHD_Connection *connection)
{
	if (waiting->n_held == WAITING_MAX)
		return false;
	MHD_suspend_connection(connection);
	waiting->held[waiting->n_held++] = connection;
	return true;
}

void waiting_release(struct waiting *waiting)
{
	while (waiting->n_held > 0)
		MHD_resume_connection(waiting->held[--waiting->n_held]);
}
