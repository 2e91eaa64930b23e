/* SPDX-License-Identifier: MIT */
#include "core/report/report_certs.h"

static void add_certificate(struct jsonput *put, const struct hacerts_status *cert)
{
	jsonput_object(put, NULL);
	jsonput_string(put, "file", cert->file);
	jsonput_double_if(put, "begins_at", cert->begins_s > 0, (double)cert->begins_s);
	jsonput_double_if(put, "ends_at", cert->ends_s > 0, (double)cert->ends_s);
	jsonput_string_or_null(put, "error", cert->failed ? cert->failed : "");
	jsonput_object_end(put);
}

void report_certs_json(struct jsonput *put, const struct report_view *view)
{
	if (view->n_certificates == 0)
		return;
	jsonput_array(put, "certificates");
	for (size_t i = 0; i < view->n_certificates; i++)
		add_certificate(put, &view->certificates[i]);
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
