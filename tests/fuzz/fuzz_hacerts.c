/* SPDX-License-Identifier: MIT */
/* Any bytes as HAProxy's answers about its certificates and as a PEM file, one after each NUL: what
 * is asked with a name from them is one line of one command, and what carries a file ends where it
 * is to end. */
#include "core/haproxy/hacerts.h"
#include "core/haproxy/pem.h"
#include "fuzz.h"

enum { WORDS_SIZE = 40 };

/* The next part, up to a NUL or the end. */
static char *next_part(const char **bytes, size_t *size, size_t *len)
{
	const char *zero = memchr(*bytes, '\0', *size);
	char *part;

	*len = zero ? (size_t)(zero - *bytes) : *size;
	part = fuzz_copy(*bytes, *len);
	*bytes += *len + (zero != NULL);
	*size -= *len + (zero != NULL);
	return part;
}

/* As HAProxy reads it, the command's last word is the name. */
static void check_command(const char *name)
{
	struct buf line = {.len = 0};
	const char *at;

	hacerts_write(&line, "show ssl cert", "*", name, ".crt");
	promise(!line.failed, "memory for a line");
	at = buf_text(&line);
	promise(strncmp(at, "show ssl cert *", 15) == 0 && !strchr(at, '\n'),
		"a command is one line");
	for (at += 15; *name; name++, at++) {
		promise(!strchr(" \t;\"'#", *at), "what ends a word is escaped");
		at += *at == '\\';
		promise(*at == *name, "the name is the name");
	}
	promise(strcmp(at, ".crt") == 0, "nothing follows it");
	buf_fini(&line);
}

static void check_names(const struct hacerts *certs)
{
	promise(certs->n <= HACERTS_MAX && (certs->n > 0 || !certs->list), "not more than can be");
	for (size_t i = 0; i < certs->n; i++) {
		const struct hacert *cert = &certs->list[i];

		promise(*cert->name, "a certificate has a name");
		promise(memchr(cert->sha1, '\0', sizeof(cert->sha1)), "a fingerprint ends");
		check_command(cert->name);
	}
}

static void check_set(const char *name, const char *reply, size_t len)
{
	char words[WORDS_SIZE];
	enum hacerts_outcome outcome = hacerts_read_set(reply, len, name, words, sizeof(words));

	promise(memchr(words, '\0', sizeof(words)), "words end within their array");
	promise(outcome != HACERTS_REFUSED || *words, "a refusal has words");
	hacerts_read_commit(reply, len, words, sizeof(words));
	promise(memchr(words, '\0', sizeof(words)), "words end within their array");
}

/* A blank line ends the command; one before that would make commands of the rest. */
static void check_file(const char *name, const char *text)
{
	struct buf pem = {.len = 0};
	struct buf line = {.len = 0};
	const char *end;

	pem_append(&pem, text);
	hacerts_write_set(&line, name, "", buf_text(&pem));
	promise(!pem.failed && !line.failed, "memory for a file");
	promise(pem.len == 0 || strncmp(buf_text(&pem), "-----BEGIN ", 11) == 0,
		"what is sent begins with a block");
	promise(!strchr(buf_text(&pem), '\r'), "no line ends with a carriage return");
	end = strstr(buf_text(&line), "\n\n");
	promise(end && end[2] == '\0', "the first blank line is the last");
	/* A key is a key, though its block may be cut off. */
	promise(!pem_has_key(buf_text(&pem)) || pem_has_key(text), "no key comes from nowhere");
	buf_fini(&line);
	buf_fini(&pem);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct hacerts certs;
	const char *name;
	size_t len;
	char *part = next_part(&bytes, &size, &len);

	promise(hacerts_read_names(part, len, &certs), "memory for names");
	free(part);
	part = next_part(&bytes, &size, &len);
	hacerts_read_details(part, len, &certs);
	check_names(&certs);
	free(part);
	name = certs.n > 0 ? certs.list[0].name : "site.pem";
	part = next_part(&bytes, &size, &len);
	check_set(name, part, len);
	free(part);
	part = malloc(size + 1);
	promise(part, "memory for the input");
	memcpy(part, bytes, size);
	part[size] = '\0';
	check_file(name, part);
	free(part);
	hacerts_fini(&certs);
	return 0;
}
