/* SPDX-License-Identifier: MIT */
/* What the reports say of HAProxy's certificates. */
#ifndef WSB_REPORT_CERTS_H
#define WSB_REPORT_CERTS_H

#include "core/base/jsonput.h"
#include "core/report/promtext.h"
#include "core/report/report.h"

enum {
	REPORT_CERT_SIZE = 800,
	REPORT_CERTS_TOLD = 3, /* of those that need somebody */
};

/* Says how a certificate stands, to follow its file's name: " is valid for 60 d 0 h"; to buf,
 * returns buf. */
char *report_cert_state(
	const struct report_view *view, const struct hacerts_status *cert, char *buf, size_t size);

/* Whether it needs somebody: it is over, not valid yet, about to end without having been renewed,
 * or its renewed file is not in HAProxy. */
bool report_cert_is_bad(const struct report_view *view, const struct hacerts_status *cert);

/* Those that people are told of: the ones that need somebody, or else the one that ends first.
 * Returns how many. */
size_t report_certs_told(
	const struct report_view *view, const struct hacerts_status *told[REPORT_CERTS_TOLD]);

/* "certificates": one object each; no key without any. */
void report_certs_json(struct jsonput *put, const struct report_view *view);
void report_certs_prom(const struct promtext *text, const struct report_view *view);

#endif
