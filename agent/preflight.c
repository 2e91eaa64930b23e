/* SPDX-License-Identifier: MIT */
/* A start without its consequences. */
#include "preflight.h"

#include "core/base/text.h"
#include "core/settings.h"
#include "http/httpd.h"
#include "io/certificate.h"
#include "io/listener.h"
#include "kube/discovery.h"
#include "pods/podheaders.h"

static void add(struct config_mistakes *mistakes, const char *key, struct why *why)
{
	why_prepend(why, "%s: ", key);
	config_mistakes_add(mistakes, why);
}

static void check_endpoint(const struct config *config, struct config_mistakes *mistakes)
{
	const struct httpd_options options = httpd_options_of(config);
	struct why why;

	if (!httpd_check(&options, &why))
		config_mistakes_add(mistakes, &why);
	if (!listener_check(&config->listen, &why))
		add(mistakes, "listen", &why);
	if (config->has_agent_check && !listener_check(&config->agent_check, &why))
		add(mistakes, "agentCheck.listen", &why);
}

static void check_headers(const struct config_metric *metric, const struct config_metric *before,
	struct config_mistakes *mistakes)
{
	struct why why;

	for (size_t i = 0; i < metric->n_headers; i++) {
		const struct config_header *header = &metric->headers[i];
		bool is_new = !before || i >= before->n_headers ||
			      !text_is_same(header->file, before->headers[i].file);

		if (header->file && is_new && !podheaders_check_file(header->file, &why)) {
			why_prepend(&why, "%s: ", header->name);
			add(mistakes, "metricHeaders", &why);
		}
	}
}

/* How pods are asked; what one source has of another is checked once. */
static void check_sources(const struct config *config, struct config_mistakes *mistakes)
{
	const struct config_metric *before = NULL;
	struct why why;

	for (unsigned i = 0; i < settings_n_sources(config); i++) {
		const struct config_metric *metric = settings_metric(config, i);
		bool new_ca = !before || !text_is_same(metric->tls_ca, before->tls_ca);
		bool new_pair = !before || !text_is_same(metric->tls_cert, before->tls_cert) ||
				!text_is_same(metric->tls_key, before->tls_key);

		if (metric->tls_ca && new_ca && !certificate_check_ca(metric->tls_ca, &why))
			add(mistakes, "tlsCA", &why);
		if (metric->tls_cert && new_pair &&
			!certificate_check_pair(metric->tls_cert, metric->tls_key, &why))
			add(mistakes, "tlsCert", &why);
		check_headers(metric, before, mistakes);
		before = metric;
	}
}

bool preflight_check(const struct config *config, struct config_mistakes *mistakes)
{
	size_t n = mistakes->n;
	struct why why;

	check_endpoint(config, mistakes);
	check_sources(config, mistakes);
	if (discovery_is_wanted(config) && !discovery_check(config, &why))
		add(mistakes, "kubernetes", &why);
	return mistakes->n == n;
}
