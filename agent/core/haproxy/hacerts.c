/* SPDX-License-Identifier: MIT */
#include "core/haproxy/hacerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/haproxy/haline.h"

/* What follows in a line that starts so; NULL for another line. */
static const char *after(const struct haline *line, const char *start, size_t *len)
{
	size_t start_len = strlen(start);

	if (line->len < start_len || memcmp(line->at, start, start_len) != 0)
		return NULL;
	*len = line->len - start_len;
	return line->at + start_len;
}

static bool is_line(const struct haline *line, const char *text)
{
	return line->len == strlen(text) && memcmp(line->at, text, line->len) == 0;
}

void hacerts_fini(struct hacerts *certs)
{
	for (size_t i = 0; i < certs->n; i++)
		free(certs->list[i].name);
	free(certs->list);
	free(certs->transaction);
	*certs = (struct hacerts){.n = 0};
}

static bool add_name(struct hacerts *certs, const struct haline *line)
{
	struct hacert *grown;

	if (certs->n == HACERTS_MAX) {
		certs->n_left_out++;
		return true;
	}
	grown = reallocarray(certs->list, certs->n + 1, sizeof(*grown));
	if (!grown)
		return false;
	certs->list = grown;
	grown[certs->n] = (struct hacert){.name = strndup(line->at, line->len)};
	if (!grown[certs->n].name)
		return false;
	certs->n++;
	return true;
}

bool hacerts_read_names(const char *reply, size_t len, struct hacerts *out)
{
	struct hacerts certs = {.n = 0};
	enum { NOWHERE, TRANSACTION, FILENAMES } part = NOWHERE;
	struct haline line;
	bool ok = true;

	while (ok && haline_next(&reply, &len, &line)) {
		if (is_line(&line, "# transaction")) {
			part = TRANSACTION;
		} else if (is_line(&line, "# filename")) {
			part = FILENAMES;
		} else if (line.len > 1 && part == TRANSACTION && !certs.transaction) {
			/* Behind its *. */
			certs.transaction = strndup(line.at + 1, line.len - 1);
			ok = certs.transaction != NULL;
		} else if (line.len > 0 && part == FILENAMES) {
			ok = add_name(&certs, &line);
		}
	}
	if (!ok) {
		hacerts_fini(&certs);
		return false;
	}
	*out = certs;
	return true;
}

static struct hacert *find(struct hacerts *certs, const char *name, size_t len)
{
	for (size_t i = 0; i < certs->n; i++) {
		if (strlen(certs->list[i].name) == len &&
			memcmp(certs->list[i].name, name, len) == 0)
			return &certs->list[i];
	}
	return NULL;
}

/* "Nov 28 12:54:38 2026 GMT", in seconds since the epoch; 0 for anything else. */
static int64_t read_time(const char *text, size_t len)
{
	char buf[40];
	struct tm tm = {.tm_sec = 0};
	const char *end;

	if (len >= sizeof(buf))
		return 0;
	memcpy(buf, text, len);
	buf[len] = '\0';
	end = strptime(buf, "%b %d %H:%M:%S %Y", &tm);
	return end && strcmp(end, " GMT") == 0 ? (int64_t)timegm(&tm) : 0;
}

static void read_detail(const struct haline *line, struct hacert *cert)
{
	size_t len;
	const char *value;

	if ((value = after(line, "SHA1 FingerPrint: ", &len)) && len < HACERTS_SHA1_SIZE) {
		memcpy(cert->sha1, value, len);
		cert->sha1[len] = '\0';
	} else if ((value = after(line, "notBefore: ", &len))) {
		cert->begins_s = read_time(value, len);
	} else if ((value = after(line, "notAfter: ", &len))) {
		cert->ends_s = read_time(value, len);
	}
}

void hacerts_read_details(const char *reply, size_t len, struct hacerts *certs)
{
	struct hacert *cert = NULL;
	struct haline line;
	size_t n_named = 0;

	while (haline_next(&reply, &len, &line)) {
		size_t name_len;
		const char *name = after(&line, "Filename: ", &name_len);

		/* Nobody was asked for more, and each is looked for among all. */
		if (name && n_named++ == HACERTS_MAX)
			return;
		if (name)
			cert = find(certs, name, name_len);
		else if (line.len == 0)
			cert = NULL;
		else if (cert)
			read_detail(&line, cert);
	}
}

void hacerts_write(struct buf *to, const char *command, const char *prefix, const char *name,
	const char *suffix)
{
	buf_printf(to, "%s %s", command, prefix);
	for (const char *c = name; *c; c++) {
		if (strchr(" \t;\\\"'#", *c))
			buf_putc(to, '\\');
		buf_putc(to, *c);
	}
	buf_puts(to, suffix);
}

void hacerts_write_set(struct buf *to, const char *name, const char *suffix, const char *pem)
{
	hacerts_write(to, "set ssl cert", "", name, suffix);
	buf_puts(to, " <<\n");
	buf_puts(to, pem);
	buf_putc(to, '\n');
}

/* The lines that are not empty, cut to size. */
static void copy_words(const char *reply, size_t len, char *words, size_t size)
{
	size_t at = 0;
	struct haline line;

	words[0] = '\0';
	while (haline_next(&reply, &len, &line) && at < size) {
		if (line.len > 0)
			at += (size_t)snprintf(words + at, size - at, "%s%.*s", at > 0 ? " " : "",
				(int)line.len, line.at);
	}
}

static bool holds(const char *text, size_t len, const char *part)
{
	return memmem(text, len, part, strlen(part)) != NULL;
}

/* Which transaction took it: "Transaction created for certificate NAME!". NULL: none. */
static const char *find_transaction(const char *reply, size_t len, size_t *name_len)
{
	struct haline line;

	while (haline_next(&reply, &len, &line)) {
		const char *name = after(&line, "Transaction created for certificate ", name_len);

		if (!name)
			name = after(&line, "Transaction updated for certificate ", name_len);
		if (!name || *name_len == 0 || name[*name_len - 1] != '!')
			continue;
		(*name_len)--;
		return name;
	}
	return NULL;
}

enum hacerts_outcome hacerts_read_set(
	const char *reply, size_t len, const char *name, char *words, size_t size)
{
	size_t taken_len;
	const char *taken = find_transaction(reply, len, &taken_len);

	copy_words(reply, len, words, size);
	if (taken && taken_len == strlen(name) && memcmp(taken, name, taken_len) == 0)
		return HACERTS_TAKEN;
	if (taken) {
		snprintf(words, size, "%.*s", (int)taken_len, taken);
		return HACERTS_MIXED_UP;
	}
	if (words[0] == '\0' || holds(reply, len, "too big for the buffer"))
		return HACERTS_TOO_LARGE;
	return holds(reply, len, "not referenced by the configuration") ? HACERTS_UNKNOWN
									: HACERTS_REFUSED;
}

bool hacerts_read_commit(const char *reply, size_t len, char *words, size_t size)
{
	const char *rest = reply;
	size_t rest_len = len;
	struct haline line;

	copy_words(reply, len, words, size);
	while (haline_next(&rest, &rest_len, &line)) {
		if (is_line(&line, "Success!"))
			return true;
	}
	return false;
}
