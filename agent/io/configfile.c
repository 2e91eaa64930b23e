/* SPDX-License-Identifier: MIT */
/* Reads the configuration file. */
#include "io/configfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"

/* Always returns false. The message begins with the path and, when it is not 0, the line. */
__attribute__((format(printf, 4, 5))) static bool fail(
	struct configfile_why *why, const char *path, unsigned line, const char *format, ...)
{
	char shown[256];
	char at[16] = "";
	va_list args;
	int n;

	if (line > 0)
		snprintf(at, sizeof(at), ":%u", line);
	n = snprintf(
		why->text, sizeof(why->text), "%s%s: ", text_show(path, shown, sizeof(shown)), at);
	va_start(args, format);
	vsnprintf(why->text + n, sizeof(why->text) - (size_t)n, format, args);
	va_end(args);
	return false;
}

/* Reads up to size bytes; -1 with errno on an error. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* The whole file, to be freed; NULL: *why says why. */
static char *read_file(const char *path, size_t *len, struct configfile_why *why)
{
	/* One byte more than is allowed tells a file that is too long. */
	const size_t size = CONFIGFILE_MAX_BYTES + 1;
	char *text = malloc(size);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 || !text ? -1 : read_all(fd, text, size);

	if (n >= 0 && (size_t)n < size) {
		*len = (size_t)n;
		close(fd);
		return text;
	}
	if (n >= 0)
		fail(why, path, 0, "longer than %d bytes", CONFIGFILE_MAX_BYTES);
	else
		fail(why, path, 0, "cannot be read: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	free(text);
	return NULL;
}

static bool check_readable(
	const char *path, const char *key, const char *file, struct configfile_why *why)
{
	char shown[128];

	if (!file || access(file, R_OK) == 0)
		return true;
	return fail(why, path, 0, "%s: '%s' cannot be read: %s", key,
		text_show(file, shown, sizeof(shown)), strerror(errno));
}

/* A file that is not there yet must be one that can be made. */
static bool check_writable(
	const char *path, const char *key, const char *file, struct configfile_why *why)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	char dir[PATH_MAX];
	char shown[128];

	if (!file || access(file, W_OK) == 0)
		return true;
	if (errno == ENOENT && slash) {
		int len = slash == file ? 1 : (int)(slash - file);

		snprintf(dir, sizeof(dir), "%.*s", len, file);
		if (access(dir, W_OK | X_OK) == 0)
			return true;
	}
	return fail(why, path, 0, "%s: '%s' cannot be written: %s", key,
		text_show(file, shown, sizeof(shown)), strerror(errno));
}

/* A file that is missing is told now, not by every poll. */
static bool check_files(const char *path, const struct config *config, struct configfile_why *why)
{
	if (!check_readable(path, "tlsCA", config->tls_ca, why) ||
		!check_readable(path, "tlsCert", config->tls_cert, why) ||
		!check_readable(path, "tlsKey", config->tls_key, why) ||
		!check_readable(path, "listenTokenFile", config->listen_token_file, why) ||
		!check_readable(path, "listenTLSCert", config->listen_tls_cert, why) ||
		!check_readable(path, "listenTLSKey", config->listen_tls_key, why) ||
		!check_writable(path, "record", config->record, why))
		return false;
	for (size_t i = 0; i < config->n_metric_headers; i++) {
		const struct config_header *header = &config->metric_headers[i];
		char key[128];

		snprintf(key, sizeof(key), "metricHeaders.%s", header->name);
		if (!check_readable(path, key, header->file, why))
			return false;
	}
	return true;
}

static const char *from_environment(const char *name, void *arg)
{
	(void)arg;
	return getenv(name);
}

bool configfile_parse(const char *path, struct config *out, struct configfile_why *why)
{
	size_t len;
	char *text = read_file(path, &len, why);
	struct config_error error;
	bool good;

	if (!text)
		return false;
	good = config_parse(text, len, from_environment, NULL, out, &error);
	free(text);
	return good || fail(why, path, error.line, "%s", error.message);
}

bool configfile_load(const char *path, struct config *out, struct configfile_why *why)
{
	struct config config;

	if (!configfile_parse(path, &config, why))
		return false;
	if (!check_files(path, &config, why)) {
		config_fini(&config);
		return false;
	}
	*out = config;
	return true;
}

bool configfile_check(const char *path)
{
	struct config config;
	struct configfile_why why;
	char shown[256];

	if (!configfile_load(path, &config, &why)) {
		fprintf(stderr, "wsbalancer: %s\n", why.text);
		return false;
	}
	config_fini(&config);
	printf("wsbalancer: %s: good\n", text_show(path, shown, sizeof(shown)));
	return true;
}
