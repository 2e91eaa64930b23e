/* SPDX-License-Identifier: MIT */
/* A configuration file is taken as written, or refused with the reason and the place. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config_parse.h"
#include "core/metric/metric_preset.h"
#include "run.h"

static const char mistakes_path[] = "tests/data/config_mistakes.txt";

static const char *lookup(const char *name, void *arg)
{
	(void)arg;
	return strncmp(name, "SET_", 4) == 0 ? name + 4 : NULL;
}

static bool parse(const char *text, struct config *config, struct config_mistakes *found)
{
	return config_parse(text, strlen(text), lookup, NULL, config, found);
}

/* A file that must be good. */
static struct config good(const char *text)
{
	struct config config = {0};
	struct config_mistakes found;

	ck_assert_msg(parse(text, &config, &found), "line %u: %s", found.list[0].line,
		found.list[0].text);
	return config;
}

struct mistake {
	char *name;
	char *answer; /* lines that begin with "> " */
	char *file;
};

static struct mistake *mistakes;
static int n_mistakes;

/* Reads the whole table into one buffer, which the mistakes point into. */
static char *read_mistakes(void)
{
	FILE *in = fopen(mistakes_path, "r");
	char *text = NULL;
	size_t size = 0;
	char *next;

	if (!in || getdelim(&text, &size, '\0', in) < 0) {
		perror(mistakes_path);
		exit(EXIT_FAILURE);
	}
	fclose(in);
	next = strstr(text, "\n## ");
	while (next) {
		struct mistake *mistake;

		mistakes = realloc(mistakes, (size_t)(n_mistakes + 1) * sizeof(*mistakes));
		mistake = &mistakes[n_mistakes++];
		mistake->name = next + 4;
		mistake->answer = strchr(mistake->name, '\n');
		next = strstr(mistake->name, "\n## ");
		*mistake->answer++ = '\0';
		mistake->file = mistake->answer;
		while (strncmp(mistake->file, "> ", 2) == 0)
			mistake->file = strchr(mistake->file, '\n') + 1;
		mistake->file[-1] = '\0';
		if (next)
			*next = '\0';
	}
	return text;
}

START_TEST(mistakes_are_answered_with_their_lines_and_keys)
{
	struct config config;
	struct config untouched;
	struct config_mistakes found;
	char answer[CONFIG_MISTAKES_MAX * 600] = "";

	memset(&config, 0x55, sizeof(config));
	untouched = config;
	ck_assert_msg(!parse(mistakes[_i].file, &config, &found), "%s", mistakes[_i].name);
	ck_assert_mem_eq(&config, &untouched, sizeof(config));
	for (size_t i = 0; i < found.n; i++) {
		char line[16] = "-";

		if (found.list[i].line > 0)
			snprintf(line, sizeof(line), "%u", found.list[i].line);
		snprintf(answer + strlen(answer), sizeof(answer) - strlen(answer), "%s> %s: %s",
			i > 0 ? "\n" : "", line, found.list[i].text);
	}
	ck_assert_msg(strcmp(answer, mistakes[_i].answer) == 0, "%s:\n  want %s\n  have %s",
		mistakes[_i].name, mistakes[_i].answer, answer);
}
END_TEST

START_TEST(a_timeout_that_is_not_given_follows_the_interval)
{
	static const struct {
		const char *interval;
		int64_t interval_ms, timeout_ms;
	} cases[] = {
		{"auto", 0, 500},
		{"250ms", 250, 250},
		{"500ms", 500, 500},
		{"10s", 10000, 500},
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		char text[80];
		struct config config;

		snprintf(text, sizeof(text), "haproxy: {socket: /s}\npollInterval: %s\n",
			cases[i].interval);
		config = good(text);
		ck_assert_int_eq(config.poll_interval_ms, cases[i].interval_ms);
		ck_assert_int_eq(config.poll_timeout_ms, cases[i].timeout_ms);
		config_fini(&config);
	}
}
END_TEST

START_TEST(all_but_the_socket_has_a_default)
{
	struct config config = good("haproxy:\n  socket: /run/haproxy/admin.sock\n");

	ck_assert(config.has_socket);
	ck_assert_str_eq(config.socket.path, "/run/haproxy/admin.sock");
	ck_assert_uint_eq(config.replicas, 1);
	ck_assert_uint_eq(config.n_backends, 0);
	ck_assert_uint_eq(config.n_services, 0);
	ck_assert_str_eq(config.metric.path, "/metric");
	ck_assert_str_eq(config.metric.key, "agentsConnections");
	ck_assert_int_eq(config.metric.port, CONFIG_OWN_PORT);
	ck_assert_int_eq(config.metric.scheme, CONFIG_HTTP);
	ck_assert_uint_eq(config.metric.n_headers, 0);
	ck_assert_int_eq(config.poll_interval_ms, 0);
	ck_assert_int_eq(config.poll_timeout_ms, 500);
	ck_assert_int_eq(config.cache_ttl_ms, 30000);
	ck_assert_int_eq(config.ramp_ms, 0);
	ck_assert_double_eq(config.max_share, 1.0);
	ck_assert_uint_eq(config.capacity_max, 16);
	ck_assert_ptr_null(config.record);
	ck_assert_uint_eq(config.record_max_bytes, 64 << 20);
	ck_assert_int_eq(config.metric.tls_verify, CONFIG_TRUE);
	ck_assert_ptr_null(config.metric.tls_ca);
	ck_assert_ptr_null(config.metric.tls_cert);
	ck_assert_ptr_null(config.metric.tls_key);
	ck_assert_ptr_null(config.metric.tls_server_name);
	ck_assert_str_eq(config.listen.host, "127.0.0.1");
	ck_assert_uint_eq(config.listen.port, 9180);
	ck_assert_str_eq(config.balancer_metric_path, "/balancer-metrics");
	ck_assert_ptr_null(config.listen_token_file);
	ck_assert_ptr_null(config.listen_tls_cert);
	ck_assert_ptr_null(config.listen_tls_key);
	ck_assert(!config.has_agent_check);
	ck_assert_int_eq(config.log_level, CONFIG_LOG_INFO);
	ck_assert_int_eq(config.log_format, CONFIG_LOG_TEXT);
	config_fini(&config);
	config_fini(&config);
	config_fini(NULL);
}
END_TEST

START_TEST(every_key_is_taken)
{
	struct config config =
		good("haproxy: {socket: 'haproxy:9999', replicas: 3, backends: [ws, wss]}\n"
		     "metricPath: /status/metric?x=1\n"
		     "metricKey: stats.open\n"
		     "metricPort: 8081\n"
		     "metricScheme: https\n"
		     "metricHeaders:\n"
		     "  Authorization: {file: /run/secrets/token}\n"
		     "  X-Agent: wsbalancer\n"
		     "pollInterval: 2s\n"
		     "pollTimeout: 1500ms\n"
		     "cacheTTL: 1m\n"
		     "ramp: 45s\n"
		     "maxShare: 0.15\n"
		     "capacityMax: 4\n"
		     "record: /var/lib/wsbalancer/record\n"
		     "recordMaxSize: 2GiB\n"
		     "tlsVerify: false\n"
		     "tlsCA: /ca.pem\n"
		     "tlsCert: /cert.pem\n"
		     "tlsKey: /key.pem\n"
		     "tlsServerName: pods.example.org\n"
		     "listen: '[::1]:80'\n"
		     "balancerMetricPath: /b\n"
		     "listenTokenFile: /run/token\n"
		     "listenTLSCert: /own.pem\n"
		     "listenTLSKey: /own.key\n"
		     "agentCheck: {listen: '*:81'}\n"
		     "log: {level: debug, format: json}\n");

	ck_assert_str_eq(config.socket.host, "haproxy");
	ck_assert_uint_eq(config.socket.port, 9999);
	ck_assert_uint_eq(config.replicas, 3);
	ck_assert_uint_eq(config.n_backends, 2);
	ck_assert_str_eq(config.backends[1].name, "wss");
	ck_assert_str_eq(config.metric.path, "/status/metric?x=1");
	ck_assert_str_eq(config.metric.key, "stats.open");
	ck_assert_int_eq(config.metric.port, 8081);
	ck_assert_int_eq(config.metric.scheme, CONFIG_HTTPS);
	ck_assert_uint_eq(config.metric.n_headers, 2);
	ck_assert_str_eq(config.metric.headers[0].name, "Authorization");
	ck_assert_str_eq(config.metric.headers[0].file, "/run/secrets/token");
	ck_assert_ptr_null(config.metric.headers[0].value);
	ck_assert_str_eq(config.metric.headers[1].value, "wsbalancer");
	ck_assert_int_eq(config.poll_interval_ms, 2000);
	ck_assert_int_eq(config.poll_timeout_ms, 1500);
	ck_assert_int_eq(config.cache_ttl_ms, 60000);
	ck_assert_int_eq(config.ramp_ms, 45000);
	ck_assert_double_eq(config.max_share, 0.15);
	ck_assert_uint_eq(config.capacity_max, 4);
	ck_assert_str_eq(config.record, "/var/lib/wsbalancer/record");
	ck_assert_uint_eq(config.record_max_bytes, UINT64_C(2) << 30);
	ck_assert_int_eq(config.metric.tls_verify, CONFIG_FALSE);
	ck_assert_str_eq(config.metric.tls_ca, "/ca.pem");
	ck_assert_str_eq(config.metric.tls_cert, "/cert.pem");
	ck_assert_str_eq(config.metric.tls_key, "/key.pem");
	ck_assert_str_eq(config.metric.tls_server_name, "pods.example.org");
	ck_assert_str_eq(config.listen.host, "::1");
	ck_assert_uint_eq(config.listen.port, 80);
	ck_assert_str_eq(config.balancer_metric_path, "/b");
	ck_assert_str_eq(config.listen_token_file, "/run/token");
	ck_assert_str_eq(config.listen_tls_cert, "/own.pem");
	ck_assert_str_eq(config.listen_tls_key, "/own.key");
	ck_assert(config.has_agent_check);
	ck_assert_str_eq(config.agent_check.host, "*");
	ck_assert_uint_eq(config.agent_check.port, 81);
	ck_assert_int_eq(config.log_level, CONFIG_LOG_DEBUG);
	ck_assert_int_eq(config.log_format, CONFIG_LOG_JSON);
	config_fini(&config);
}
END_TEST

START_TEST(services_in_kubernetes_are_taken)
{
	struct config config =
		good("haproxy: {socket: /s, replicas: {service: balancer}, backends: [web, chat]}\n"
		     "kubernetes:\n"
		     "  - service: web\n"
		     "  - {service: 'chat-2:ws', namespace: talk, backend: chat,\n"
		     "     serverOptions: check inter 2s}\n"
		     "kubernetesAPI: {server: 'https://[::1]:6443', tokenFile: /t, caFile: /c,\n"
		     "  silence: 2m}\n");

	ck_assert_uint_eq(config.replicas, 1);
	ck_assert_str_eq(config.replicas_service, "balancer");
	ck_assert_uint_eq(config.n_kubernetes, 2);
	ck_assert_str_eq(config.kubernetes[0].service.name, "web");
	ck_assert_ptr_null(config.kubernetes[0].service.port);
	ck_assert_ptr_null(config.kubernetes[0].namespace);
	ck_assert_str_eq(config.kubernetes[0].backend, "web");
	ck_assert_str_eq(config.kubernetes[0].server_options, "check");
	ck_assert_str_eq(config.kubernetes[1].service.name, "chat-2");
	ck_assert_str_eq(config.kubernetes[1].service.port, "ws");
	ck_assert_str_eq(config.kubernetes[1].namespace, "talk");
	ck_assert_str_eq(config.kubernetes[1].backend, "chat");
	ck_assert_str_eq(config.kubernetes[1].server_options, "check inter 2s");
	ck_assert_str_eq(config.kube_server, "https://[::1]:6443");
	ck_assert_str_eq(config.kube_token_file, "/t");
	ck_assert_str_eq(config.kube_ca_file, "/c");
	ck_assert_int_eq(config.kube_silence_ms, 120000);
	config_fini(&config);

	config = good("haproxy: {socket: /s}\n");
	ck_assert_uint_eq(config.n_kubernetes, 0);
	ck_assert_ptr_null(config.kube_server);
	ck_assert_ptr_null(config.replicas_service);
	ck_assert_int_eq(config.kube_silence_ms, 240000);
	config_fini(&config);
}
END_TEST

START_TEST(agent_check_alone_takes_its_servers_from_the_file)
{
	struct config config =
		good("agentCheck: {listen: '127.0.0.1:9181'}\n"
		     "services:\n"
		     "- name: ws\n"
		     "  servers:\n"
		     "  - {name: ws1, address: '10.0.0.1:80'}\n"
		     "  - {name: ws2, address: '[fd00::2]:81', weight: 7}\n"
		     "- {name: b, servers: [{name: ws1, address: 'pod:80', weight: 256}]}\n");

	ck_assert(!config.has_socket);
	ck_assert_uint_eq(config.n_services, 2);
	ck_assert_uint_eq(config.services[0].n_servers, 2);
	ck_assert_str_eq(config.services[0].name, "ws");
	ck_assert_int_eq(config.services[0].servers[0].weight, 100);
	ck_assert_str_eq(config.services[0].servers[1].name, "ws2");
	ck_assert_str_eq(config.services[0].servers[1].address.host, "fd00::2");
	ck_assert_uint_eq(config.services[0].servers[1].address.port, 81);
	ck_assert_int_eq(config.services[0].servers[1].weight, 7);
	ck_assert_int_eq(config.services[1].servers[0].weight, 256);
	config_fini(&config);
}
END_TEST

START_TEST(a_bare_number_is_seconds_for_cache_ttl_as_in_the_traefik_plugin)
{
	struct config config = good("haproxy: {socket: /s}\ncacheTTL: 45\n");

	ck_assert_int_eq(config.cache_ttl_ms, 45000);
	config_fini(&config);
}
END_TEST

START_TEST(variables_are_put_into_values_and_never_into_structure)
{
	struct config config =
		good("haproxy: {socket: '/${SET_run}/a', backends: ['${SET_ws}']}\n"
		     "metricPort: ${SET_80}\n"
		     "metricHeaders: {X-A: '${SET_}${SET_a}${SET_b} $${SET_c} $5'}\n");

	ck_assert_str_eq(config.socket.path, "/run/a");
	ck_assert_str_eq(config.backends[0].name, "ws");
	ck_assert_int_eq(config.metric.port, 80);
	ck_assert_str_eq(config.metric.headers[0].value, "ab ${SET_c} $5");
	config_fini(&config);
}
END_TEST

static const char backends[] =
	"metricPath: /top\n"
	"metricKey: top\n"
	"metricPort: 9000\n"
	"drainingKey: leaving\n"
	"metricHeaders: {X-Top: t}\n"
	"haproxy:\n"
	"  socket: /s\n"
	"  backends:\n"
	"    - plain\n"
	"    - {name: 'web-*', metricKey: own, metricPort: 0, metricProxy: v1}\n"
	"    - {name: prom, metricFormat: prometheus, metricKey: 'ws{a=\"b\"}',"
	" metricMaxSize: 1MiB}\n"
	"    - {name: hub, preset: mercure, metricHeaders: {X-Own: o}}\n"
	"    - {name: bus, preset: nats, metricScheme: https, tlsVerify: false}\n";

START_TEST(what_a_backend_leaves_out_is_as_its_preset_or_the_top_says)
{
	static const struct {
		const char *path;
		const char *key;
		const char *draining_key;
		const char *header;
		int port;
		size_t max_bytes;
		enum metric_format format;
		enum config_scheme scheme;
		enum config_metric_proxy proxy;
		enum config_truth verify;
	} rows[] = {
		{"/top", "top", "leaving", "X-Top", 9000, METRIC_JSON_MAX, METRIC_JSON, CONFIG_HTTP,
			CONFIG_PROXY_OFF, CONFIG_TRUE},
		{"/top", "own", "leaving", "X-Top", CONFIG_OWN_PORT, METRIC_JSON_MAX, METRIC_JSON,
			CONFIG_HTTP, CONFIG_PROXY_V1, CONFIG_TRUE},
		/* In another format the top's path and keys mean nothing. */
		{"/metrics", "ws{a=\"b\"}", "", "X-Top", 9000, 1048576, METRIC_PROMETHEUS,
			CONFIG_HTTP, CONFIG_PROXY_OFF, CONFIG_TRUE},
		{"/metrics", "mercure_subscribers_connected | mercure_subscribers", "", "X-Own",
			9000, METRIC_PROMETHEUS_MAX, METRIC_PROMETHEUS, CONFIG_HTTP,
			CONFIG_PROXY_OFF, CONFIG_TRUE},
		{"/varz", "connections", "", "X-Top", 8222, METRIC_JSON_MAX, METRIC_JSON,
			CONFIG_HTTPS, CONFIG_PROXY_OFF, CONFIG_FALSE},
	};
	struct config config = good(backends);

	ck_assert_uint_eq(config.n_backends, sizeof(rows) / sizeof(rows[0]));
	for (size_t i = 0; i < config.n_backends; i++) {
		const struct config_metric *metric = &config.backends[i].metric;

		ck_assert_str_eq(metric->path, rows[i].path);
		ck_assert_str_eq(metric->key, rows[i].key);
		ck_assert_str_eq(metric->draining_key, rows[i].draining_key);
		ck_assert_str_eq(metric->headers[0].name, rows[i].header);
		ck_assert_int_eq(metric->port, rows[i].port);
		ck_assert_uint_eq(metric->query.max_bytes, rows[i].max_bytes);
		ck_assert_int_eq(metric->query.format, rows[i].format);
		ck_assert_int_eq(metric->scheme, rows[i].scheme);
		ck_assert_int_eq(metric->proxy, rows[i].proxy);
		ck_assert_int_eq(metric->tls_verify, rows[i].verify);
	}
	config_fini(&config);
}
END_TEST

START_TEST(a_prometheus_page_takes_two_lines)
{
	struct config config = good("haproxy: {socket: /s}\nmetricFormat: prometheus\n"
				    "metricKey: ws_connections{app=\"chat\"}\n");

	ck_assert_str_eq(config.metric.path, "/metrics");
	ck_assert_str_eq(config.metric.draining_key, "");
	ck_assert_int_eq(config.metric.query.format, METRIC_PROMETHEUS);
	config_fini(&config);
}
END_TEST

/* A preset's key is one of its format, and its name is found. */
START_TEST(every_preset_can_be_named)
{
	size_t n;
	const struct metric_preset *presets = metric_preset_all(&n);
	char text[128];
	struct config config;

	ck_assert_int_lt(_i, (int)n);
	ck_assert(_i == 0 || strcmp(presets[_i - 1].name, presets[_i].name) < 0);
	snprintf(text, sizeof(text), "haproxy: {socket: /s}\npreset: %s\n", presets[_i].name);
	config = good(text);
	ck_assert_str_eq(config.metric.path, presets[_i].path);
	ck_assert_str_eq(config.metric.key, presets[_i].key);
	ck_assert_int_eq(config.metric.query.format, presets[_i].format);
	ck_assert_int_eq(
		config.metric.port, presets[_i].port ? (int)presets[_i].port : CONFIG_OWN_PORT);
	config_fini(&config);
}
END_TEST

static int n_presets(void)
{
	size_t n;

	metric_preset_all(&n);
	return (int)n;
}

int main(void)
{
	char *table = read_mistakes();
	const struct run_test tests[] = {
		{mistakes_are_answered_with_their_lines_and_keys, n_mistakes},
		{a_timeout_that_is_not_given_follows_the_interval, ONCE},
		{all_but_the_socket_has_a_default, ONCE},
		{every_key_is_taken, ONCE},
		{services_in_kubernetes_are_taken, ONCE},
		{agent_check_alone_takes_its_servers_from_the_file, ONCE},
		{a_bare_number_is_seconds_for_cache_ttl_as_in_the_traefik_plugin, ONCE},
		{variables_are_put_into_values_and_never_into_structure, ONCE},
		{what_a_backend_leaves_out_is_as_its_preset_or_the_top_says, ONCE},
		{a_prometheus_page_takes_two_lines, ONCE},
		{every_preset_can_be_named, n_presets()},
	};

	int status = run_suite("config", tests, N_OF(tests));

	free(mistakes);
	free(table);
	return status;
}
