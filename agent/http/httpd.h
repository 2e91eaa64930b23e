/* SPDX-License-Identifier: MIT */
/* The agent's own HTTP endpoint: page, JSON, Prometheus, probes. */
#ifndef WSB_HTTPD_H
#define WSB_HTTPD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/why.h"
#include "core/config/config.h"
#include "core/report/report.h"

struct drain;
struct ev_loop;
struct httpd;

/*
 * Serves GET and HEAD; libmicrohttpd runs inside the libev loop, with no thread:
 *
 *   balancer_metric_path  the page, or JSON with ?format=json or where Accept prefers it;
 *                         ?service=, ?pod= select, ?refreshInterval= is where the page begins
 *   /metrics              Prometheus text, or OpenMetrics where Accept prefers it
 *   /healthz              200: the loop turns
 *   /readyz               200 when the view is ready, else 503 and why
 *   /startz               200: the agent is up
 *   /drain                makes HAProxy drain, and answers when that is over; GET only
 *   /                     leads to balancer_metric_path
 *
 * The three probes need no token. All else does when one is set: as a bearer token, or as the
 * password of basic authentication, any user, so that a browser can ask for it. Who else may ask
 * for what: access.h.
 */
struct httpd_options {
	const struct config_endpoint *listen; /* host and port */
	char *const *names;                   /* hosts that may be asked for; see access.h */
	size_t n_names;
	const char *balancer_metric_path; /* begins with / */
	const char *token_file;           /* NULL: no token is asked for */
	const char *tls_cert_file;        /* PEM, with tls_key_file: HTTPS only; NULL: plain HTTP */
	const char *tls_key_file;
	/* Fills what the answers are made from; all of it must last until the loop goes on.
	 * service, pod, refresh_s and process are httpd's to fill. */
	void (*view)(struct report_view *out, void *arg);
	void *arg;
	struct stats *stats; /* counts connections; it must outlive httpd */
	struct drain *drain; /* what /drain is about; it must outlive httpd */
};

/* What a configuration says of it; view, arg, stats and drain are NULL. The strings are config's.
 */
struct httpd_options httpd_options_of(const struct config *config);

/* Whether the options' files are good; it listens nowhere. */
bool httpd_check(const struct httpd_options *options, struct why *why);

/*
 * Listens from now on. The files are looked at every few seconds, and what is new in them is taken
 * up. An address that other hosts can reach without a token is warned of in the log. All strings
 * are copied. NULL on failure, with the reason in error, cut to size. The loop must outlive it.
 */
struct httpd *httpd_new(struct ev_loop *loop, const struct httpd_options *options, struct why *why);

/*
 * Takes changed options; where to listen and the certificate may be new too: requests under way are
 * then cut. On failure the old ones go on, with the reason in error, cut to size.
 */
bool httpd_configure(struct httpd *httpd, const struct httpd_options *options, struct why *why);

/* Cuts what is under way and stops listening. No callback runs after it. */
void httpd_free(struct httpd *httpd);

#endif
