/* SPDX-License-Identifier: MIT */
#include "core/config/config_metrics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/metric/metric_preset.h"

/* One place of the file with such keys. */
struct place {
	const struct config_node *root;
	const char *path; /* "" or "haproxy.backends[1]." */
	struct config_metric *metric;
	const struct config_metric *top; /* NULL: it is the top itself */
	struct config_mistakes *mistakes;
};

/* A mistake of one of its keys. Always returns false. */
__attribute__((format(printf, 3, 4))) static bool fail(
	const struct place *place, const char *key, const char *format, ...)
{
	struct why why;
	char path[80];
	char message[384];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	snprintf(path, sizeof(path), "%s%s", place->path, key);
	why_set_line(&why, config_yaml_line(place->root, path), "%s: %s", path, message);
	return config_mistakes_add(place->mistakes, &why);
}

/* ---- what is unset ---- */

static bool fail_memory(const struct place *place)
{
	struct why why;

	(void)why_set(&why, "out of memory");
	return config_mistakes_add(place->mistakes, &why);
}

/* Fills *text where it is unset; value may be NULL. */
static bool fill(const struct place *place, char **text, const char *value)
{
	if (*text || !value)
		return true;
	*text = strdup(value);
	return *text || fail_memory(place);
}

static bool copy_header(const struct config_header *from, struct config_header *to)
{
	to->name = strdup(from->name);
	to->value = from->value ? strdup(from->value) : NULL;
	to->file = from->file ? strdup(from->file) : NULL;
	return to->name && !from->value == !to->value && !from->file == !to->file;
}

static bool fill_headers(const struct place *place)
{
	struct config_metric *metric = place->metric;
	const struct config_metric *top = place->top;

	if (metric->n_headers > 0 || !top || top->n_headers == 0)
		return true;
	metric->headers = calloc(top->n_headers, sizeof(*metric->headers));
	if (!metric->headers)
		return fail_memory(place);
	while (metric->n_headers < top->n_headers) {
		size_t i = metric->n_headers++;

		if (!copy_header(&top->headers[i], &metric->headers[i]))
			return fail_memory(place);
	}
	return true;
}

/* What is not text: 0 is unset. */
static void fill_numbers(const struct place *place, const struct metric_preset *preset)
{
	static const struct config_metric defaults = {
		.port = CONFIG_OWN_PORT,
		.scheme = CONFIG_HTTP,
		.proxy = CONFIG_PROXY_OFF,
		.tls_verify = CONFIG_TRUE,
	};
	struct config_metric *metric = place->metric;
	const struct config_metric *above = place->top ? place->top : &defaults;

	if (metric->port == 0)
		metric->port = preset && preset->port ? (int)preset->port : above->port;
	if (metric->scheme == CONFIG_SCHEME_UNSET)
		metric->scheme = above->scheme;
	if (metric->proxy == CONFIG_PROXY_UNSET)
		metric->proxy = above->proxy;
	if (metric->tls_verify == CONFIG_TRUTH_UNSET)
		metric->tls_verify = above->tls_verify;
}

static bool fill_tls(const struct place *place)
{
	static const struct config_metric none = {.port = 0};
	struct config_metric *metric = place->metric;
	const struct config_metric *top = place->top ? place->top : &none;

	/* Of a pair both halves are of one place. */
	if (!metric->tls_cert && !metric->tls_key &&
		(!fill(place, &metric->tls_cert, top->tls_cert) ||
			!fill(place, &metric->tls_key, top->tls_key)))
		return false;
	return fill(place, &metric->tls_ca, top->tls_ca) &&
	       fill(place, &metric->tls_server_name, top->tls_server_name);
}

static enum metric_format format_of(const struct config_metric *metric)
{
	static const enum metric_format formats[] = {
		[CONFIG_FORMAT_UNSET] = METRIC_JSON,
		[CONFIG_JSON] = METRIC_JSON,
		[CONFIG_PROMETHEUS] = METRIC_PROMETHEUS,
		[CONFIG_TEXT] = METRIC_TEXT,
	};

	return formats[metric->format];
}

static enum config_metric_format format_of_preset(const struct metric_preset *preset)
{
	static const enum config_metric_format formats[METRIC_N_FORMATS] = {
		[METRIC_JSON] = CONFIG_JSON,
		[METRIC_PROMETHEUS] = CONFIG_PROMETHEUS,
		[METRIC_TEXT] = CONFIG_TEXT,
	};

	return formats[preset->format];
}

/* What means something in one format only. */
struct words {
	const char *path;
	const char *key; /* NULL: there is no default */
	const char *draining_key;
	const char *capacity_key;
};

static struct words words_of(const struct config_metric *top, const struct metric_preset *preset,
	enum config_metric_format format)
{
	static const struct words defaults[] = {
		[CONFIG_JSON] = {"/metric", "agentsConnections", "draining", "capacity"},
		[CONFIG_PROMETHEUS] = {"/metrics", NULL, "", ""},
		[CONFIG_TEXT] = {"/metric", NULL, "", ""},
	};

	if (preset)
		return (struct words){preset->path, preset->key, "", ""};
	if (top && top->format == format)
		return (struct words){top->path, top->key, top->draining_key, top->capacity_key};
	return defaults[format];
}

static bool fill_by_format(const struct place *place, const struct metric_preset *preset)
{
	struct config_metric *metric = place->metric;
	const struct config_metric *top = place->top;
	struct words words;

	if (preset && metric->format != CONFIG_FORMAT_UNSET &&
		metric->format != format_of_preset(preset))
		return fail(place, "metricFormat", "the preset %s is in %s: remove one of the two",
			preset->name, metric_format_name(preset->format));
	if (metric->format == CONFIG_FORMAT_UNSET) {
		metric->format = preset ? format_of_preset(preset)
				 : top  ? top->format
					: CONFIG_JSON;
	}
	if (metric->max_bytes == 0 && top && !preset && top->format == metric->format)
		metric->max_bytes = top->max_bytes;
	words = words_of(top, preset, metric->format);
	return fill(place, &metric->path, words.path) && fill(place, &metric->key, words.key) &&
	       fill(place, &metric->draining_key, words.draining_key) &&
	       fill(place, &metric->capacity_key, words.capacity_key);
}

/* ---- what is wrong ---- */

static bool check_tls_use(const struct place *place, enum config_scheme scheme)
{
	const struct config_metric *metric = place->metric;
	const struct {
		const char *key;
		const char *value;
	} files[] = {
		{"tlsCA", metric->tls_ca},
		{"tlsCert", metric->tls_cert},
		{"tlsKey", metric->tls_key},
		{"tlsServerName", metric->tls_server_name},
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i].value && scheme != CONFIG_HTTPS)
			ok = fail(place, files[i].key,
				"no effect with metricScheme http: set metricScheme: https");
	}
	if (!metric->tls_cert != !metric->tls_key)
		ok = fail(place, metric->tls_cert ? "tlsCert" : "tlsKey",
			"set both tlsCert and tlsKey, or neither");
	return ok;
}

static bool compile(const struct place *place)
{
	static const char *const names[METRIC_N_ROLES] = {
		[METRIC_ROLE_COUNT] = "metricKey",
		[METRIC_ROLE_DRAINING] = "drainingKey",
		[METRIC_ROLE_CAPACITY] = "capacityKey",
	};
	struct config_metric *metric = place->metric;
	struct metric_words words = {
		.format = format_of(metric),
		.max_bytes = metric->max_bytes,
		.keys = {metric->key, metric->draining_key, metric->capacity_key},
	};
	enum metric_role bad = METRIC_ROLE_COUNT;
	struct why why;

	if (!metric->key) {
		return fail(place, "metricFormat", "%s needs metricKey: set it to %s",
			metric_format_name(words.format),
			words.format == METRIC_TEXT ? "the word before the number"
						    : "the series that counts connections");
	}
	return metric_query_parse(&words, &metric->query, &bad, &why) ||
	       fail(place, names[bad], "not a %s key: %s", metric_format_name(words.format),
		       why.text);
}

static void complete(const struct place *place)
{
	struct config_metric *metric = place->metric;
	const struct metric_preset *preset =
		metric->preset ? metric_preset_find(metric->preset) : NULL;

	fill_numbers(place, preset);
	/* What stands here is looked at before what stands above is filled in. */
	if (check_tls_use(place, metric->scheme) && fill_by_format(place, preset) &&
		fill_tls(place) && fill_headers(place))
		compile(place);
}

void config_metrics_complete(
	const struct config_node *root, struct config *config, struct config_mistakes *mistakes)
{
	struct place place = {
		.root = root, .path = "", .metric = &config->metric, .mistakes = mistakes};
	char path[48];

	complete(&place);
	if (mistakes->n > 0)
		return;
	place.top = &config->metric;
	place.path = path;
	for (size_t i = 0; i < config->n_backends && !config_mistakes_full(mistakes); i++) {
		snprintf(path, sizeof(path), "haproxy.backends[%zu].", i);
		place.metric = &config->backends[i].metric;
		complete(&place);
	}
	for (size_t i = 0; i < config->n_services && !config_mistakes_full(mistakes); i++) {
		snprintf(path, sizeof(path), "services[%zu].", i);
		place.metric = &config->services[i].metric;
		complete(&place);
	}
}
