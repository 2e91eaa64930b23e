/* SPDX-License-Identifier: MIT */
/* What the reports say of Kubernetes: each Service that fills a backend. */
#ifndef WSB_REPORT_KUBE_H
#define WSB_REPORT_KUBE_H

#include "core/base/jsonput.h"
#include "core/report/promtext.h"
#include "core/report/report.h"

/* "kubernetes": one object a Service; no key without any. */
void report_kube_json(struct jsonput *put, const struct report_view *view);
void report_kube_prom(const struct promtext *text, const struct report_view *view);

#endif
