/* SPDX-License-Identifier: MIT */
/* What the reports say of HAProxy's certificates. */
#ifndef WSB_REPORT_CERTS_H
#define WSB_REPORT_CERTS_H

#include "core/base/jsonput.h"
#include "core/report/promtext.h"
#include "core/report/report.h"

/* "certificates": one object each; no key without any. */
void report_certs_json(struct jsonput *put, const struct report_view *view);
void report_certs_prom(const struct promtext *text, const struct report_view *view);

#endif
