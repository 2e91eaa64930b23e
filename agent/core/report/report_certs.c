/* SPDX-License-Identifier: MIT */
#include "core/report/report_certs.h"

#include <stdio.h>

#include "core/report/report_age.h"

/* As in the alert: a short-lived one is renewed late. */
static bool ends_soon(const struct hacerts_status *cert, double left_s)
{
	static const double soon_s = 14.0 * 86400.0;

	return left_s < soon_s && left_s < 0.2 * (double)(cert->ends_s - cert->begins_s);
}

static double left_s(const struct report_view *view, const struct hacerts_status *cert)
{
	return (double)cert->ends_s - (double)view->wall_ms / 1000.0;
}

static double until_valid_s(const struct report_view *view, const struct hacerts_status *cert)
{
	return (double)cert->begins_s - (double)view->wall_ms / 1000.0;
}

bool report_cert_is_bad(const struct report_view *view, const struct hacerts_status *cert)
{
	if (cert->failed || until_valid_s(view, cert) > 0.0)
		return true;
	return cert->ends_s > 0 && ends_soon(cert, left_s(view, cert));
}

char *report_cert_state(
	const struct report_view *view, const struct hacerts_status *cert, char *buf, size_t size)
{
	char age[40];
	char valid[80] = "";
	char given[80] = "";

	if (until_valid_s(view, cert) > 0.0)
		snprintf(valid, sizeof(valid), " is not valid for another %s",
			report_age_whole(until_valid_s(view, cert), age, sizeof(age)));
	else if (cert->ends_s > 0 && left_s(view, cert) <= 0.0)
		snprintf(valid, sizeof(valid), " ended %s ago",
			report_age_whole(-left_s(view, cert), age, sizeof(age)));
	else if (cert->ends_s > 0)
		snprintf(valid, sizeof(valid),
			ends_soon(cert, left_s(view, cert)) ? " ends in %s" : " is valid for %s",
			report_age_whole(left_s(view, cert), age, sizeof(age)));
	if (cert->given_ms > 0)
		snprintf(given, sizeof(given), ", renewed %s ago",
			report_age_whole((double)(view->now_ms - cert->given_ms) / 1000.0, age,
				sizeof(age)));
	snprintf(buf, size, "%s%s%s%s", valid, given,
		cert->failed ? "; its renewed file is not in HAProxy: " : "",
		cert->failed ? cert->failed : "");
	return buf;
}

size_t report_certs_told(
	const struct report_view *view, const struct hacerts_status *told[REPORT_CERTS_TOLD])
{
	const struct hacerts_status *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < view->n_certificates && n < REPORT_CERTS_TOLD; i++) {
		const struct hacerts_status *cert = &view->certificates[i];

		if (report_cert_is_bad(view, cert))
			told[n++] = cert;
		else if (cert->ends_s > 0 && (!first || cert->ends_s < first->ends_s))
			first = cert;
	}
	if (n == 0 && first)
		told[n++] = first;
	return n;
}

static void add_certificate(
	struct jsonput *put, const struct report_view *view, const struct hacerts_status *cert)
{
	char state[REPORT_CERT_SIZE];
	char text[REPORT_CERT_SIZE + 320];

	snprintf(text, sizeof(text), "certificate %.300s%s", cert->file,
		report_cert_state(view, cert, state, sizeof(state)));
	jsonput_object(put, NULL);
	jsonput_string(put, "file", cert->file);
	jsonput_double_if(put, "begins_at", cert->begins_s > 0, (double)cert->begins_s);
	jsonput_double_if(put, "ends_at", cert->ends_s > 0, (double)cert->ends_s);
	jsonput_double_if(put, "given_at", cert->given_ms > 0, report_wall_s(view, cert->given_ms));
	jsonput_string_or_null(put, "error", cert->failed ? cert->failed : "");
	jsonput_bool(put, "bad", report_cert_is_bad(view, cert));
	jsonput_string(put, "text", text);
	jsonput_object_end(put);
}

void report_certs_json(struct jsonput *put, const struct report_view *view)
{
	if (view->n_certificates == 0)
		return;
	jsonput_array(put, "certificates");
	for (size_t i = 0; i < view->n_certificates; i++)
		add_certificate(put, view, &view->certificates[i]);
	jsonput_array_end(put);
}

static void sample(const struct promtext *text, const char *name, const char *file, double value)
{
	buf_printf(text->to, "%s{", name);
	promtext_label(text, "file", file);
	buf_puts(text->to, "} ");
	promtext_value(text, value);
}

void report_certs_prom(const struct promtext *text, const struct report_view *view)
{
	static const char begins[] = "wsbalancer_haproxy_certificate_begin_timestamp_seconds";
	static const char ends[] = "wsbalancer_haproxy_certificate_end_timestamp_seconds";
	static const char failed[] = "wsbalancer_haproxy_certificate_failed";
	const struct hacerts_status *certs = view->certificates;

	if (view->n_certificates == 0)
		return;
	promtext_family(text, begins, PROMTEXT_GAUGE,
		"From when on the certificate is valid that HAProxy has, since the epoch.");
	for (size_t i = 0; i < view->n_certificates; i++) {
		if (certs[i].begins_s > 0)
			sample(text, begins, certs[i].file, (double)certs[i].begins_s);
	}
	promtext_family(text, ends, PROMTEXT_GAUGE,
		"Until when the certificate is valid that HAProxy has, since the epoch.");
	for (size_t i = 0; i < view->n_certificates; i++) {
		if (certs[i].ends_s > 0)
			sample(text, ends, certs[i].file, (double)certs[i].ends_s);
	}
	promtext_family(text, failed, PROMTEXT_GAUGE,
		"1 where the certificate's file could not be given to HAProxy.");
	for (size_t i = 0; i < view->n_certificates; i++)
		sample(text, failed, certs[i].file, certs[i].failed != NULL);
	promtext_counter(text, "wsbalancer_haproxy_certificates_reloaded",
		"Renewed certificates that HAProxy has got.", (double)view->n_certificates_given);
}
