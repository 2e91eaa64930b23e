/* SPDX-License-Identifier: MIT */
/* What the reports say of Kubernetes: each Service that fills a backend. */
#ifndef WSB_REPORT_KUBE_H
#define WSB_REPORT_KUBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/jsonput.h"
#include "core/kube/listwatch.h"
#include "core/report/promtext.h"
#include "core/report/report.h"

/* A Service, as it stands now. Texts and watch belong to whoever fills this in. */
struct report_kube {
	const char *namespace;
	const char *service;
	const char *backend;
	const char *error;             /* the last failure in words; "" since the last list */
	bool watching;                 /* a watch is running; otherwise what was told last stands */
	const struct listwatch *watch; /* its counters and times */
	size_t n_slices;
	size_t n_ready, n_terminating, n_unready; /* endpoints */
	unsigned quarantined;                     /* the last plan's, see struct slots_plan */
	unsigned free;
	unsigned added;
	unsigned unplaced;
};

/* "kubernetes": one object a Service; no key without any. */
void report_kube_json(
	struct jsonput *put, struct json_object *report, const struct report_view *view);
void report_kube_prom(const struct promtext *text, const struct report_view *view);

#endif
