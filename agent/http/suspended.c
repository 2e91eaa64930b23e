/* SPDX-License-Identifier: MIT */
/* Suspends and resumes libmicrohttpd's connections. */
#include "http/suspended.h"

#include <microhttpd.h>

bool suspended_hold(struct suspended *suspended, struct MHD_Connection *connection)
{
	if (suspended->n_held == SUSPENDED_MAX)
		return false;
	MHD_suspend_connection(connection);
	suspended->held[suspended->n_held++] = connection;
	return true;
}

void suspended_release(struct suspended *suspended)
{
	while (suspended->n_held > 0)
		MHD_resume_connection(suspended->held[--suspended->n_held]);
}
