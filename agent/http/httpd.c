/* SPDX-License-Identifier: MIT */
/* The endpoint's settings, sockets and credentials. */
#include "http/httpd.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "haproxy/drain.h"
#include "http/access.h"
#include "http/mhdloop.h"
#include "http/reports.h"
#include "http/routes.h"
#include "http/suspended.h"
#include "io/certificate.h"
#include "io/credentials.h"
#include "io/listener.h"
#include "io/log.h"

/* How often files are looked at; a renewed certificate may take so long to be shown. */
static const double LOOK_S = 5.0;

/* How long one serves what it had when another took its place. */
static const double LEAVE_S = 1.0;

/* Copies of the options, and what the files hold. */
struct settings {
	struct routes routes;
	struct access access; /* its token is the credentials' */
	struct config_endpoint listen;
	struct credentials credentials;
};

struct httpd {
	struct ev_loop *loop;
	struct settings settings;
	struct suspended suspended;
	struct reports *reports;
	struct mhdloop *mhdloops[LISTENER_MAX];
	size_t n_mhdloops;
	struct mhdloop *leaving[LISTENER_MAX]; /* those that others took the place of */
	size_t n_leaving;
	ev_timer leave; /* when they close */
	ev_timer look;
	struct drain_listener drained;
	struct log_repeat refused; /* changed files that were no good */
};

static void settings_fini(struct settings *settings)
{
	free(settings->routes.balancer_metric_path);
	free(settings->listen.host);
	for (size_t i = 0; i < settings->access.n_names; i++)
		free(settings->access.names[i]);
	free(settings->access.names);
	credentials_fini(&settings->credentials);
}

static bool has_good_pair(const struct credentials *credentials)
{
	const char *cert = credentials_text(credentials, CREDENTIALS_CERT);
	const char *key = credentials_text(credentials, CREDENTIALS_KEY);

	return !cert || mhdloop_is_pair(cert, key);
}

/* False when out of memory. */
static bool copy_names(struct access *access, char *const *names, size_t n)
{
	access->names = calloc(n + 1, sizeof(*access->names));
	for (size_t i = 0; access->names && i < n; i++) {
		access->names[i] = strdup(names[i]);
		if (!access->names[i])
			return false;
		access->n_names++;
	}
	return access->names != NULL;
}

static bool settings_init(
	struct settings *settings, const struct httpd_options *options, struct why *why)
{
	const char *paths[CREDENTIALS_N_FILES] = {
		[CREDENTIALS_TOKEN] = options->token_file,
		[CREDENTIALS_CERT] = options->tls_cert_file,
		[CREDENTIALS_KEY] = options->tls_key_file,
	};

	memset(settings, 0, sizeof(*settings));
	if (!credentials_load(&settings->credentials, paths, why))
		return false;
	settings->routes.balancer_metric_path = strdup(options->balancer_metric_path);
	settings->routes.view = options->view;
	settings->routes.stats = options->stats;
	settings->routes.drain = options->drain;
	settings->routes.arg = options->arg;
	if (options->tls_cert_file)
		settings->routes.certificate_ends_s = certificate_ends_s(
			credentials_text(&settings->credentials, CREDENTIALS_CERT));
	settings->listen.host = strdup(options->listen->host);
	settings->listen.port = options->listen->port;
	settings->access.is_local = listener_is_local(options->listen);
	settings->access.token = credentials_text(&settings->credentials, CREDENTIALS_TOKEN);
	if (!copy_names(&settings->access, options->names, options->n_names) ||
		!settings->routes.balancer_metric_path || !settings->listen.host)
		why_set(why, "out of memory");
	else if (!has_good_pair(&settings->credentials))
		why_set(why, "listenTLSCert and listenTLSKey do not belong together");
	else
		return true;
	settings_fini(settings);
	return false;
}

/* Puts a daemon on each of the sockets; on false none is open and the sockets are closed. */
static bool open_mhdloops(struct httpd *httpd, const int *fds, size_t n, struct why *why)
{
	struct settings *settings = &httpd->settings;
	const char *cert = credentials_text(&settings->credentials, CREDENTIALS_CERT);
	const char *key = credentials_text(&settings->credentials, CREDENTIALS_KEY);

	settings->routes.access = &settings->access;
	settings->routes.suspended = &httpd->suspended;
	settings->routes.reports = httpd->reports;
	for (size_t i = 0; i < n; i++) {
		httpd->mhdloops[i] = mhdloop_new(httpd->loop, fds[i], cert, key, &settings->routes);
		if (httpd->mhdloops[i]) {
			httpd->n_mhdloops++;
			continue;
		}
		why_set(why, "the HTTP server does not start");
		for (size_t j = i; j < n; j++)
			close(fds[j]);
		return false;
	}
	return n > 0;
}

/* Connections were resumed. */
static void turn(void *arg)
{
	struct httpd *httpd = arg;

	for (size_t i = 0; i < httpd->n_mhdloops; i++)
		mhdloop_turn(httpd->mhdloops[i]);
	for (size_t i = 0; i < httpd->n_leaving; i++)
		mhdloop_turn(httpd->leaving[i]);
}

/* Answers the hooks that wait. */
static void release(void *arg)
{
	struct httpd *httpd = arg;

	suspended_release(&httpd->suspended);
	turn(httpd);
}

/* What a report is made from, and what only the endpoint knows. */
static void fill_view(struct report_view *view, void *arg)
{
	const struct routes *routes = &((struct httpd *)arg)->settings.routes;

	routes->view(view, routes->arg);
	view->certificate_ends_s = routes->certificate_ends_s;
}

/* Those who wait are answered first. */
static void close_leaving(struct httpd *httpd)
{
	if (httpd->n_leaving == 0)
		return;
	reports_abandon(httpd->reports);
	release(httpd);
	while (httpd->n_leaving > 0)
		mhdloop_free(httpd->leaving[--httpd->n_leaving]);
	ev_timer_stop(httpd->loop, &httpd->leave);
}

/* A request that waits for its answer is not cut. */
static void on_leave(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct httpd *httpd = timer->data;

	(void)loop;
	(void)events;
	if (httpd->suspended.n_held == 0 && reports_n_held(httpd->reports) == 0)
		close_leaving(httpd);
}

static void close_mhdloops(struct httpd *httpd)
{
	suspended_release(&httpd->suspended);
	reports_abandon(httpd->reports);
	while (httpd->n_mhdloops > 0)
		mhdloop_free(httpd->mhdloops[--httpd->n_mhdloops]);
}

/* The daemons serve what they have for a while yet; their sockets are in fds. */
static void leave_mhdloops(struct httpd *httpd, int *fds)
{
	close_leaving(httpd);
	for (size_t i = 0; i < httpd->n_mhdloops; i++) {
		fds[i] = mhdloop_leave(httpd->mhdloops[i]);
		httpd->leaving[i] = httpd->mhdloops[i];
	}
	httpd->n_leaving = httpd->n_mhdloops;
	httpd->n_mhdloops = 0;
	ev_timer_again(httpd->loop, &httpd->leave);
}

/* Opens what the settings say, on sockets of its own. */
static bool listen_anew(struct httpd *httpd, struct why *why)
{
	int fds[LISTENER_MAX];
	size_t n = listener_open(&httpd->settings.listen, fds, why);

	if (open_mhdloops(httpd, fds, n, why))
		return true;
	close_mhdloops(httpd);
	return false;
}

static bool is_same_address(const struct settings *a, const struct settings *b)
{
	return strcmp(a->listen.host, b->listen.host) == 0 && a->listen.port == b->listen.port;
}

static bool is_same_tls(const struct settings *a, const struct settings *b)
{
	static const enum credentials_file files[] = {CREDENTIALS_CERT, CREDENTIALS_KEY};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!text_is_same(credentials_text(&a->credentials, files[i]),
			    credentials_text(&b->credentials, files[i])))
			return false;
	}
	return true;
}

/* Leaves the old daemons and opens new ones by the settings. At the same address the sockets stay,
 * so that nobody is refused or cut off meanwhile. */
static bool change_mhdloops(struct httpd *httpd, bool keeps_sockets, struct why *why)
{
	int fds[LISTENER_MAX];
	size_t n = httpd->n_mhdloops;

	if (!keeps_sockets) {
		/* The new address may overlap the old one, so the old sockets go first. */
		close_mhdloops(httpd);
		return listen_anew(httpd, why);
	}
	leave_mhdloops(httpd, fds);
	if (open_mhdloops(httpd, fds, n, why))
		return true;
	close_mhdloops(httpd);
	return false;
}

/* Takes the wanted settings over, or frees them and goes on with the old ones. */
static bool apply(struct httpd *httpd, struct settings *wanted, struct why *why)
{
	struct settings old = httpd->settings;
	bool keeps_sockets = is_same_address(&old, wanted);
	struct why ignored;

	httpd->settings = *wanted;
	httpd->settings.routes.access = &httpd->settings.access;
	httpd->settings.routes.suspended = &httpd->suspended;
	httpd->settings.routes.reports = httpd->reports;
	if ((keeps_sockets && is_same_tls(&old, wanted)) ||
		change_mhdloops(httpd, keeps_sockets, why)) {
		settings_fini(&old);
		return true;
	}
	httpd->settings = old;
	settings_fini(wanted);
	if (!listen_anew(httpd, &ignored))
		log_error("listen cannot be opened again", log_str("error", ignored.text));
	return false;
}

static struct httpd_options options_of(const struct settings *settings)
{
	const struct credentials *credentials = &settings->credentials;

	return (struct httpd_options){
		.listen = &settings->listen,
		.names = settings->access.names,
		.n_names = settings->access.n_names,
		.balancer_metric_path = settings->routes.balancer_metric_path,
		.token_file = credentials->files[CREDENTIALS_TOKEN].path,
		.tls_cert_file = credentials->files[CREDENTIALS_CERT].path,
		.tls_key_file = credentials->files[CREDENTIALS_KEY].path,
		.view = settings->routes.view,
		.stats = settings->routes.stats,
		.drain = settings->routes.drain,
		.arg = settings->routes.arg,
	};
}

/* Certificate and key are two files, which may be replaced one after the other: what does not
 * belong together yet will be at a later look. */
static void on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct httpd *httpd = timer->data;
	struct httpd_options options = options_of(&httpd->settings);
	struct why why;

	(void)loop;
	(void)events;
	if (httpd->n_leaving > 0 || !credentials_are_old(&httpd->settings.credentials))
		return;
	if (httpd_configure(httpd, &options, &why)) {
		log_repeat_end(&httpd->refused);
		log_info("the endpoint's token or certificate was renewed", LOG_NONE);
	} else if (log_repeat(&httpd->refused)) {
		log_warn("the endpoint's changed files are refused, keeping the previous ones",
			log_str("error", why.text),
			log_int("times", (int64_t)httpd->refused.times));
	}
}

static void warn_if_open(const struct settings *settings)
{
	if (listener_is_local(&settings->listen) ||
		credentials_text(&settings->credentials, CREDENTIALS_TOKEN))
		return;
	log_warn("the page and the metrics are open to other hosts: see listenTokenFile",
		log_str("listen", settings->listen.host), log_int("port", settings->listen.port));
}

struct httpd_options httpd_options_of(const struct config *config)
{
	return (struct httpd_options){
		.listen = &config->listen,
		.names = config->listen_names,
		.n_names = config->n_listen_names,
		.balancer_metric_path = config->balancer_metric_path,
		.token_file = config->listen_token_file,
		.tls_cert_file = config->listen_tls_cert,
		.tls_key_file = config->listen_tls_key,
	};
}

bool httpd_check(const struct httpd_options *options, struct why *why)
{
	struct settings settings;

	if (!settings_init(&settings, options, why))
		return false;
	settings_fini(&settings);
	return true;
}

struct httpd *httpd_new(struct ev_loop *loop, const struct httpd_options *options, struct why *why)
{
	struct httpd *httpd = calloc(1, sizeof(*httpd));

	if (!httpd) {
		why_set(why, "out of memory");
		return NULL;
	}
	httpd->loop = loop;
	ev_timer_init(&httpd->look, on_look, LOOK_S, LOOK_S);
	httpd->look.data = httpd;
	ev_timer_init(&httpd->leave, on_leave, LEAVE_S, LEAVE_S);
	httpd->leave.data = httpd;
	httpd->reports = reports_new(&(struct reports_options){
		.loop = loop, .view = fill_view, .resumed = turn, .arg = httpd});
	if (!httpd->reports)
		why_set(why, "out of memory");
	if (!httpd->reports || !settings_init(&httpd->settings, options, why)) {
		reports_free(httpd->reports);
		free(httpd);
		return NULL;
	}
	if (!listen_anew(httpd, why)) {
		httpd_free(httpd);
		return NULL;
	}
	ev_timer_start(loop, &httpd->look);
	httpd->drained = (struct drain_listener){.released = release, .arg = httpd};
	drain_listen(options->drain, &httpd->drained);
	warn_if_open(&httpd->settings);
	return httpd;
}

bool httpd_configure(struct httpd *httpd, const struct httpd_options *options, struct why *why)
{
	struct settings wanted;

	return settings_init(&wanted, options, why) && apply(httpd, &wanted, why);
}

void httpd_free(struct httpd *httpd)
{
	if (!httpd)
		return;
	ev_timer_stop(httpd->loop, &httpd->look);
	drain_unlisten(httpd->settings.routes.drain, &httpd->drained);
	close_leaving(httpd);
	close_mhdloops(httpd);
	reports_free(httpd->reports);
	settings_fini(&httpd->settings);
	free(httpd);
}
