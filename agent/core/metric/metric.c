/* SPDX-License-Identifier: MIT */
#include "core/metric/metric.h"

static const struct {
	const char *label;
	const char *text;
} outcomes[METRIC_N_OUTCOMES] = {
	[METRIC_OK] = {"ok", "ok"},
	[METRIC_CONNECT_FAILED] = {"connect_failed", "no connection"},
	[METRIC_TIMED_OUT] = {"timed_out", "no answer in time"},
	[METRIC_TLS_FAILED] = {"tls_failed", "TLS failed"},
	[METRIC_BROKEN] = {"broken", "the answer broke off"},
	[METRIC_NOT_HTTP] = {"not_http", "the answer is not HTTP"},
	[METRIC_TOO_LARGE] = {"too_large", "the answer is larger than metricMaxSize"},
	[METRIC_TOO_COSTLY] = {"too_costly",
		"the answer has more values than its metricMaxSize allows"},
	[METRIC_COMPRESSED] = {"compressed",
		"the answer is compressed, although it was asked for plain"},
	[METRIC_REDIRECT] = {"redirect", "a redirect, which is not followed"},
	[METRIC_BAD_STATUS] = {"bad_status", "the status is not 200"},
	[METRIC_SERVER_ERROR] = {"server_error", "the server says that it failed"},
	[METRIC_NOT_JSON] = {"not_json", "the answer is not JSON"},
	[METRIC_DUPLICATE_KEY] = {"duplicate_key", "the answer has a key twice"},
	[METRIC_NOT_PROMETHEUS] = {"not_prometheus",
		"the line of metricKey's series is not in Prometheus text format"},
	[METRIC_NO_KEY] = {"no_key", "the answer lacks metricKey"},
	[METRIC_NO_SAMPLE] = {"no_sample", "metricKey's series is announced but has no sample now"},
	[METRIC_NOT_A_COUNT] = {"not_a_count", "the count is no whole number from 0 to 2147483647"},
	[METRIC_OUT_OF_MEMORY] = {"out_of_memory", "out of memory"},
};

static const struct {
	const char *name;
	const char *accept;
} formats[METRIC_N_FORMATS] = {
	/* Exactly this: EMQX answers JSON to nothing longer. */
	[METRIC_JSON] = {"json", "application/json"},
	/* jicofo goes by how it begins; the plain format first, since OpenTelemetry for .NET takes
	 * any word of OpenMetrics for a wish. */
	[METRIC_PROMETHEUS] = {"prometheus", "text/plain;version=0.0.4, */*;q=0.1"},
	[METRIC_TEXT] = {"text", "text/plain, */*;q=0.1"},
};

const char *metric_outcome_label(enum metric_outcome outcome)
{
	return outcomes[outcome].label;
}

const char *metric_outcome_name(enum metric_outcome outcome)
{
	return outcomes[outcome].text;
}

bool metric_outcome_is_strange(enum metric_outcome outcome)
{
	switch (outcome) {
	case METRIC_NOT_HTTP:
	case METRIC_TOO_LARGE:
	case METRIC_COMPRESSED:
	case METRIC_REDIRECT:
	case METRIC_BAD_STATUS:
	case METRIC_NOT_JSON:
	case METRIC_DUPLICATE_KEY:
	case METRIC_NOT_PROMETHEUS:
	case METRIC_NO_KEY:
	case METRIC_NOT_A_COUNT:
	case METRIC_TOO_COSTLY:
		return true;
	case METRIC_OK:
	case METRIC_CONNECT_FAILED:
	case METRIC_TIMED_OUT:
	case METRIC_TLS_FAILED:
	case METRIC_BROKEN:
	case METRIC_SERVER_ERROR:
	case METRIC_NO_SAMPLE:
	case METRIC_OUT_OF_MEMORY:
	case METRIC_N_OUTCOMES:
		break;
	}
	return false;
}

const char *metric_format_name(enum metric_format format)
{
	return formats[format].name;
}

const char *metric_format_accept(enum metric_format format)
{
	return formats[format].accept;
}
