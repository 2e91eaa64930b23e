/* SPDX-License-Identifier: MIT */
/* Reads the configuration file. */
#include "io/configfile.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/config/config_parse.h"
#include "io/textfile.h"

static const char *from_environment(const char *name, void *arg)
{
	(void)arg;
	return getenv(name);
}

bool configfile_parse(const char *path, struct config *out, struct config_mistakes *mistakes)
{
	struct why why;
	size_t len;
	char *text = textfile_read_bytes(path, &len, &why);
	bool ok;

	mistakes->n = 0;
	if (!text) {
		why_prepend(&why, "cannot be read: ");
		config_mistakes_add(mistakes, &why);
		return false;
	}
	ok = config_parse(text, len, from_environment, NULL, out, mistakes);
	free(text);
	return ok;
}

/* ---- the files that it names ---- */

/* With errno. */
static void add_file(
	struct config_mistakes *mistakes, const char *key, const char *file, const char *what)
{
	const char *reason = errno == EINVAL ? "not a regular file" : strerror(errno);
	char shown[128];
	struct why why;

	why_set(&why, "%s: '%s' cannot be %s: %s", key, text_show(file, shown, sizeof(shown)), what,
		reason);
	config_mistakes_add(mistakes, &why);
}

static void check_readable(struct config_mistakes *mistakes, const char *key, const char *file)
{
	if (file && access(file, R_OK) != 0)
		add_file(mistakes, key, file, "read");
}

/* A file that is not there yet must be one that can be made. */
static void check_writable(struct config_mistakes *mistakes, const char *key, const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	char dir[PATH_MAX];
	struct stat status;

	/* As it is opened: not through a link. */
	if (file && lstat(file, &status) == 0 && !S_ISREG(status.st_mode)) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : S_ISLNK(status.st_mode) ? ELOOP : EINVAL;
		add_file(mistakes, key, file, "written");
		return;
	}
	if (!file || access(file, W_OK) == 0)
		return;
	if (errno == ENOENT && slash) {
		int len = slash == file ? 1 : (int)(slash - file);

		snprintf(dir, sizeof(dir), "%.*s", len, file);
		if (access(dir, W_OK | X_OK) == 0)
			return;
	}
	add_file(mistakes, key, file, "written");
}

/* Of how pods are asked somewhere in the file; above is "" or "haproxy.backends[1].". What a
 * backend has from the top level is said there alone. */
static void check_metric(struct config_mistakes *mistakes, const char *above,
	const struct config_metric *metric, const struct config_metric *top)
{
	const struct {
		const char *key;
		const char *file;
		const char *inherited;
	} files[] = {
		{"tlsCA", metric->tls_ca, top ? top->tls_ca : NULL},
		{"tlsCert", metric->tls_cert, top ? top->tls_cert : NULL},
		{"tlsKey", metric->tls_key, top ? top->tls_key : NULL},
	};
	char key[192];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(key, sizeof(key), "%s%s", above, files[i].key);
		if (!top || !text_is_same(files[i].file, files[i].inherited))
			check_readable(mistakes, key, files[i].file);
	}
	for (size_t i = 0; i < metric->n_headers; i++) {
		snprintf(key, sizeof(key), "%smetricHeaders.%s", above, metric->headers[i].name);
		if (!top || i >= top->n_headers ||
			!text_is_same(metric->headers[i].file, top->headers[i].file))
			check_readable(mistakes, key, metric->headers[i].file);
	}
}

/* A file that is missing is told now, not by every poll. */
static void check_files(const struct config *config, struct config_mistakes *mistakes)
{
	char above[48];

	check_metric(mistakes, "", &config->metric, NULL);
	for (size_t i = 0; i < config->n_backends; i++) {
		snprintf(above, sizeof(above), "haproxy.backends[%zu].", i);
		check_metric(mistakes, above, &config->backends[i].metric, &config->metric);
	}
	for (size_t i = 0; i < config->n_services; i++) {
		snprintf(above, sizeof(above), "services[%zu].", i);
		check_metric(mistakes, above, &config->services[i].metric, &config->metric);
	}
	check_readable(mistakes, "listenTokenFile", config->listen_token_file);
	check_readable(mistakes, "listenTLSCert", config->listen_tls_cert);
	check_readable(mistakes, "listenTLSKey", config->listen_tls_key);
	check_writable(mistakes, "record", config->record);
}

bool configfile_load(const char *path, struct config *out, struct config_mistakes *mistakes)
{
	struct config config;

	if (!configfile_parse(path, &config, mistakes))
		return false;
	check_files(&config, mistakes);
	if (mistakes->n > 0)
		config_fini(&config);
	else
		*out = config;
	return mistakes->n == 0;
}

/* ---- what is said about it ---- */

char *configfile_format(const char *path, const struct why *mistake, char *buf, size_t size)
{
	char shown[256];
	char at[16] = "";

	if (mistake->line > 0)
		snprintf(at, sizeof(at), ":%u", mistake->line);
	snprintf(buf, size, "%s%s: %s", text_show(path, shown, sizeof(shown)), at, mistake->text);
	return buf;
}

void configfile_complain(const char *path, const struct config_mistakes *mistakes)
{
	char line[CONFIGFILE_LINE_MAX];
	char shown[256];

	for (size_t i = 0; i < mistakes->n; i++)
		fprintf(stderr, "wsbalancer: %s\n",
			configfile_format(path, &mistakes->list[i], line, sizeof(line)));
	if (config_mistakes_full(mistakes))
		fprintf(stderr, "wsbalancer: %s: there may be more mistakes: only %d are shown\n",
			text_show(path, shown, sizeof(shown)), CONFIG_MISTAKES_MAX);
}
