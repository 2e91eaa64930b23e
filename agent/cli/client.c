/* SPDX-License-Identifier: MIT */
/* A request to an agent by libcurl. */
#include "cli/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "core/base/jsonparse.h"
#include "core/base/text.h"
#include "io/certificate.h"
#include "io/configfile.h"
#include "io/textfile.h"

enum { BODY_MAX = 64 * 1024 * 1024 };

static const long TIMEOUT_MS = 5000;
#define DEFAULT_PORT "9180"
static const char DEFAULT_URL[] = "http://127.0.0.1:" DEFAULT_PORT;

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct client *client = arg;
	if (size * n > BODY_MAX - client->body.len)
		return 0;
	buf_append(&client->body, bytes, size * n);
	return client->body.failed ? 0 : size * n;
}

/* HOST alone is an agent's default port; a URL says what it means. */
static bool add_port(CURLU *url, const char *given)
{
	char *port = NULL;
	bool ok = true;

	if (!strstr(given, "://") && curl_url_get(url, CURLUPART_PORT, &port, 0) == CURLUE_NO_PORT)
		ok = curl_url_set(url, CURLUPART_PORT, DEFAULT_PORT, 0) == CURLUE_OK;
	curl_free(port);
	return ok;
}

/* The address with the page's path where it has none, asking for JSON. NULL when it is no good. */
static char *complete_url(const char *given, const char *path)
{
	CURLU *url = curl_url();
	char *found = NULL;
	char *text = NULL;
	char *copy = NULL;

	if (url &&
		curl_url_set(url, CURLUPART_URL, given,
			strstr(given, "://") ? 0 : CURLU_GUESS_SCHEME) == CURLUE_OK &&
		add_port(url, given) && curl_url_get(url, CURLUPART_PATH, &found, 0) == CURLUE_OK &&
		(strcmp(found, "/") != 0 ||
			curl_url_set(url, CURLUPART_PATH, path, 0) == CURLUE_OK) &&
		curl_url_set(url, CURLUPART_QUERY, "format=json", CURLU_APPENDQUERY) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK)
		copy = strdup(text);
	curl_free(found);
	curl_free(text);
	curl_url_cleanup(url);
	return copy;
}

/* Where the agent of a configuration listens, as seen from here. */
static char *url_of(const struct config *config)
{
	const char *host = config->listen.host;
	bool anywhere = strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0;
	char address[TEXT_ENDPOINT_SIZE];
	char base[TEXT_ENDPOINT_SIZE + 8];

	if (anywhere)
		host = "127.0.0.1";
	else if (strcmp(host, "::") == 0)
		host = "::1";
	snprintf(base, sizeof(base), "%s://%s", config->listen_tls_cert ? "https" : "http",
		text_format_endpoint(host, config->listen.port, address, sizeof(address)));
	return complete_url(base, config->balancer_metric_path);
}

/* Adds the token, which is in a file. */
static bool add_token(struct client *client, const char *file, struct why *why)
{
	struct curl_slist *grown;
	char *line = NULL;
	char *token;

	if (!file)
		return true;
	token = textfile_read_word(file, why);
	if (!token)
		return why_prepend(why, "%s: ", file);
	if (asprintf(&line, "Authorization: Bearer %s", token) < 0)
		line = NULL;
	free(token);
	grown = line ? curl_slist_append(client->headers, line) : NULL;
	free(line);
	if (!grown)
		return why_set(why, "out of memory");
	client->headers = grown;
	return true;
}

static bool set_options(struct client *client, const char *ca_file, bool is_own_certificate)
{
	CURL *easy = client->easy;
	bool ok = true;

#define SET(option, value) ok = curl_easy_setopt(easy, option, value) == CURLE_OK && ok
	SET(CURLOPT_URL, client->url);
	SET(CURLOPT_HTTPHEADER, client->headers);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	SET(CURLOPT_FAILONERROR, 1L);
	SET(CURLOPT_ERRORBUFFER, client->error);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, client);
	answerguard_begin(&client->guard, easy);
	if (ca_file)
		SET(CURLOPT_CAINFO, ca_file);
	/* Its own certificate and no other is trusted then, whatever name it is for. */
	if (is_own_certificate)
		SET(CURLOPT_SSL_VERIFYHOST, 0L);
#undef SET
	return ok;
}

/* url is NULL where config says it. */
static bool prepare(struct client *client, const struct commandline *options, const char *url,
	const struct config *config, struct why *why)
{
	const char *token_file = options->token_file;
	const char *ca_file = options->ca_file;
	bool is_own_certificate = false;

	if (config && !token_file)
		token_file = config->listen_token_file;
	if (config && !ca_file && config->listen_tls_cert) {
		ca_file = config->listen_tls_cert;
		is_own_certificate = true;
	}
	client->easy = curl_easy_init();
	client->headers = curl_slist_append(NULL, "Accept: application/json");
	client->url = config ? url_of(config) : complete_url(url, "/balancer-metrics");
	if (!client->url)
		return why_set(
			why, "invalid address of an agent: use one such as http://127.0.0.1:9180");
	if (!client->easy || !client->headers)
		return why_set(why, "out of memory");
	return add_token(client, token_file, why) &&
	       (!ca_file || certificate_check_ca(ca_file, why)) &&
	       (set_options(client, ca_file, is_own_certificate) ||
		       why_set(why, "libcurl refuses an option"));
}

/* Asks the agent of a configuration. */
static bool init_configured(
	struct client *out, const struct commandline *options, const char *path, struct why *why)
{
	struct config_mistakes mistakes;
	struct config config;
	bool ok;

	if (!configfile_load(path, &config, &mistakes)) {
		char line[CONFIGFILE_LINE_MAX];

		return why_set(
			why, "%s", configfile_format(path, &mistakes.list[0], line, sizeof(line)));
	}
	ok = prepare(out, options, NULL, &config, why);
	config_fini(&config);
	return ok;
}

bool client_init(struct client *out, const struct commandline *options, struct why *why)
{
	const char *path = options->config_path;
	bool ok;

	memset(out, 0, sizeof(*out));
	/* Where the agent runs in a container, its configuration is not here. */
	if (!path && access(OPTIONS_DEFAULT_CONFIG, F_OK) == 0)
		path = OPTIONS_DEFAULT_CONFIG;
	if (options->url || !path)
		ok = prepare(out, options, options->url ? options->url : DEFAULT_URL, NULL, why);
	else
		ok = init_configured(out, options, path, why);
	if (!ok)
		client_fini(out);
	return ok;
}

void client_fini(struct client *client)
{
	curl_easy_cleanup(client->easy);
	curl_slist_free_all(client->headers);
	free(client->url);
	buf_fini(&client->body);
	memset(client, 0, sizeof(*client));
}

void client_reset(struct client *client)
{
	buf_clear(&client->body);
	client->error[0] = '\0';
	answerguard_begin(&client->guard, client->easy);
}

struct json_object *client_report(struct client *client, CURLcode code, struct why *why)
{
	struct json_object *report;

	answerguard_end(&client->guard, client->easy, code);
	if (client->guard.refusal != ANSWERGUARD_NONE) {
		why_set(why, "%s", answerguard_name(&client->guard));
		return NULL;
	}
	if (code != CURLE_OK) {
		why_set(why, "%s", client->error[0] ? client->error : curl_easy_strerror(code));
		if (code == CURLE_COULDNT_CONNECT)
			why_append(why, ": does the agent run, and is this its 'listen'?");
		return NULL;
	}
	jsonparse(buf_text(&client->body), client->body.len, &report);
	if (json_object_is_type(json_object_object_get(report, "podMetrics"), json_type_object))
		return report;
	json_object_put(report);
	why_set(why, "the answer is not an agent's report");
	return NULL;
}
