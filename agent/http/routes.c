/* SPDX-License-Identifier: MIT */
/* Requests to the HTTP endpoint and their answers. */
#include "http/routes.h"

#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/report/negotiate.h"
#include "haproxy/drain.h"
#include "http/access.h"
#include "http/reports.h"
#include "http/suspended.h"

enum {
	REFRESH_DEFAULT_S = 5,
	REFRESH_MAX_S = 3600,
};

static const char text_plain[] = "text/plain; charset=utf-8";
static const char text_html[] = "text/html; charset=utf-8";
static const char json_type[] = "application/json";
static const char prometheus_type[] = "text/plain; version=0.0.4; charset=utf-8";
static const char openmetrics_type[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/* A request under way. */
struct http_request {
	const struct routes *routes;
	struct MHD_Connection *connection;
	const char *method;
	bool *held; /* in: the request has waited; out: it is to wait */
};

/* What goes with every answer: it is of this moment, and of the type that it says. */
static bool add_headers(struct MHD_Response *response, const char *type)
{
	return MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES &&
	       MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") ==
		       MHD_YES &&
	       MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding") ==
		       MHD_YES &&
	       MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES;
}

/* Takes over the response, which may be NULL. name and value are one more header, or NULL. */
static int queue(const struct http_request *request, unsigned status, struct MHD_Response *response,
	const char *type, const char *name, const char *value)
{
	int result = MHD_NO;

	if (!response)
		return MHD_NO;
	if (add_headers(response, type) &&
		(!name || MHD_add_response_header(response, name, value) == MHD_YES))
		result = (int)MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static int answer_text(const struct http_request *request, unsigned status, const char *text,
	const char *name, const char *value)
{
	char *copy = strdup(text);
	struct MHD_Response *response;

	if (!copy)
		return MHD_NO;
	response = MHD_create_response_from_buffer(strlen(copy), copy, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(copy);
	return queue(request, status, response, text_plain, name, value);
}

static const char *header_of(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* A query's value; NULL where there is none or it is empty. */
static const char *query_of(const struct http_request *request, const char *name)
{
	const char *value =
		MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);

	return value && value[0] ? value : NULL;
}

static unsigned refresh_of(const struct http_request *request)
{
	const char *text = query_of(request, "refreshInterval");
	uint64_t seconds = REFRESH_DEFAULT_S;

	if (text && strcmp(text, "off") == 0)
		return 0;
	if (text)
		text_parse_u64(text, 0, REFRESH_MAX_S, &seconds);
	return (unsigned)seconds;
}

/* ---- reports ---- */

static const char *const types[REPORT_N_FORMATS] = {
	[REPORT_JSON] = json_type,
	[REPORT_PROMETHEUS] = prometheus_type,
	[REPORT_OPENMETRICS] = openmetrics_type,
	[REPORT_PAGE] = text_html,
};

/* How it is sent, how old it is, and of a page what it may do. */
static bool describe(struct MHD_Response *response, const struct reports_wish *wish, int64_t age_ms)
{
	char policy[500];
	char age[32];

	snprintf(age, sizeof(age), "%.3f", (double)age_ms / 1000.0);
	return MHD_add_response_header(response, "Report-Age", age) == MHD_YES &&
	       (!wish->gzip || MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING,
				       "gzip") == MHD_YES) &&
	       (wish->format != REPORT_PAGE ||
		       MHD_add_response_header(response, "Content-Security-Policy",
			       report_html_policy(policy, sizeof(policy))) == MHD_YES);
}

/* Takes over a hold on the text. */
static int send_report(const struct http_request *request, const struct reports_wish *wish,
	struct reports_text *text)
{
	int64_t age_ms = reports_text_age_ms(text);
	struct MHD_Response *response;
	const char *bytes;
	size_t len;

	bytes = reports_text_bytes(text, &len);
	/* libmicrohttpd only reads them. */
	response = MHD_create_response_from_buffer_with_free_callback_cls(
		len, (void *)(uintptr_t)bytes, reports_text_release, text);
	if (!response) {
		reports_text_release(text);
		return MHD_NO;
	}
	if (!describe(response, wish, age_ms)) {
		MHD_destroy_response(response);
		return MHD_NO;
	}
	return queue(request, MHD_HTTP_OK, response, types[wish->format], NULL, NULL);
}

static int answer_report(const struct http_request *request, struct reports_wish *wish)
{
	struct reports_text *text = NULL;
	bool again = *request->held;

	wish->gzip = negotiate_takes(header_of(request, MHD_HTTP_HEADER_ACCEPT_ENCODING), "gzip");
	*request->held = false;
	switch (reports_get(request->routes->reports, wish, request->connection, again, &text)) {
	case REPORTS_READY:
		return send_report(request, wish, text);
	case REPORTS_HELD:
		*request->held = true;
		return MHD_YES;
	case REPORTS_CROWDED:
		return answer_text(request, MHD_HTTP_SERVICE_UNAVAILABLE,
			"So many reports were asked for that steering comes first.\n",
			MHD_HTTP_HEADER_RETRY_AFTER, "1");
	case REPORTS_FAILED:
		break;
	}
	return MHD_NO;
}

static int answer_metrics(const struct http_request *request)
{
	static const char *const offers[] = {"text/plain", "application/openmetrics-text"};
	const char *accept = header_of(request, MHD_HTTP_HEADER_ACCEPT);
	struct reports_wish wish = {.format = REPORT_PROMETHEUS};

	if (negotiate_choose(accept, offers, 2) == 1)
		wish.format = REPORT_OPENMETRICS;
	return answer_report(request, &wish);
}

static int answer_balancer(const struct http_request *request)
{
	static const char *const offers[] = {"text/html", "application/json"};
	const char *accept = header_of(request, MHD_HTTP_HEADER_ACCEPT);
	const char *format = query_of(request, "format");

	/* A proxy may lead here and not to /metrics. */
	if (format && strcmp(format, "prometheus") == 0)
		return answer_metrics(request);

	bool is_json =
		format ? strcmp(format, "json") == 0 : negotiate_choose(accept, offers, 2) == 1;
	struct reports_wish wish = {
		.format = is_json ? REPORT_JSON : REPORT_PAGE,
		.service = query_of(request, "service"),
		.pod = query_of(request, "pod"),
		.refresh_s = is_json ? 0 : refresh_of(request),
	};

	return answer_report(request, &wish);
}

static int answer_ready(const struct http_request *request)
{
	struct report_view view = {0};
	char text[400];

	request->routes->view(&view, request->routes->arg);
	if (!view.unready)
		return answer_text(request, MHD_HTTP_OK, "ready\n", NULL, NULL);
	snprintf(text, sizeof(text), "not ready: %s\n", view.unready);
	return answer_text(request, MHD_HTTP_SERVICE_UNAVAILABLE, text, NULL, NULL);
}

static int answer_alive(const struct http_request *request)
{
	return answer_text(request, MHD_HTTP_OK, "ok\n", NULL, NULL);
}

static int answer_root(const struct http_request *request)
{
	return answer_text(request, MHD_HTTP_FOUND, "See the balancer's metrics.\n",
		MHD_HTTP_HEADER_LOCATION, request->routes->balancer_metric_path);
}

static int answer_not_found(const struct http_request *request)
{
	char text[512];

	snprintf(text, sizeof(text),
		"Not found. There are %s, /metrics, /healthz, /readyz, /startz, /drain.\n",
		request->routes->balancer_metric_path);
	return answer_text(request, MHD_HTTP_NOT_FOUND, text, NULL, NULL);
}

static int answer_drain(const struct http_request *request)
{
	const struct routes *routes = request->routes;
	char text[400];
	bool ok;

	/* Unlike all else here it changes something, which a look at it must not. */
	if (strcmp(request->method, MHD_HTTP_METHOD_GET) != 0)
		return answer_text(request, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET.\n",
			MHD_HTTP_HEADER_ALLOW, "GET");
	if (!*request->held && !access_may_drain(routes->access, request->connection))
		return answer_text(request, MHD_HTTP_FORBIDDEN,
			"Refused: the agent's log says why.\n", NULL, NULL);
	if (!*request->held && drain_ask(routes->drain)) {
		*request->held = suspended_hold(routes->suspended, request->connection);
		if (*request->held)
			return MHD_YES;
		return answer_text(request, MHD_HTTP_SERVICE_UNAVAILABLE,
			"Too many wait already.\n", NULL, NULL);
	}
	ok = drain_answer(routes->drain, text, sizeof(text));
	return answer_text(
		request, ok ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, text, NULL, NULL);
}

struct route {
	const char *path; /* NULL: balancer_metric_path */
	bool open;        /* to whoever can connect, or asks by itself */
	int (*answer)(const struct http_request *request);
};

static const struct route *find_route(const struct routes *routes, const char *path)
{
	static const struct route all[] = {
		{"/healthz", true, answer_alive},
		{"/readyz", true, answer_ready},
		{"/startz", true, answer_alive},
		{"/drain", true, answer_drain},
		{NULL, false, answer_balancer},
		{"/metrics", false, answer_metrics},
		{"/", false, answer_root},
	};
	static const struct route none = {NULL, false, answer_not_found};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(all[i].path ? all[i].path : routes->balancer_metric_path, path) == 0)
			return &all[i];
	}
	return &none;
}

int routes_answer(const struct routes *routes, struct MHD_Connection *connection, const char *path,
	const char *method, bool *held)
{
	struct http_request request = {routes, connection, method, held};
	const struct route *route = find_route(routes, path);

	if (!route->open && !access_is_our_host(routes->access, connection))
		return answer_text(&request, MHD_HTTP_FORBIDDEN,
			"This name is not the agent's: see listenNames.\n", NULL, NULL);
	if (!route->open && !access_has_token(routes->access, connection))
		return answer_text(&request, MHD_HTTP_UNAUTHORIZED, "A token is needed.\n",
			MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"wsbalancer\"");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(&request, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD.\n",
			MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	return route->answer(&request);
}
