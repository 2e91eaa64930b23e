/* SPDX-License-Identifier: MIT */
/* HAProxy's certificates: answers of "show ssl cert" in, commands that replace one out. */
#ifndef WSB_HACERTS_H
#define WSB_HACERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"

/*
 * HAProxy reads certificates at its start, and names each by the path in haproxy.cfg. The Runtime
 * API replaces one in three steps: `set ssl cert` opens a transaction, of which there is one in the
 * whole process, `commit ssl cert` puts it into force for new handshakes and leaves connections
 * alone, `abort ssl cert` gives it up. Measured on 2.6.12, 3.0.11 and 3.2.26:
 *
 * - 2.6 takes .crt off the name that `set` is given, and then finds nothing: it wants NAME.crt.crt.
 * - A `set` while a transaction is open for another name is put into that one by 2.6, and refused
 *   from 3.0 on.
 * - A key that does not fit is taken by `set` and refused by `commit`, which leaves the transaction
 *   open.
 * - The command and all it carries must fit tune.bufsize: else 2.6 hangs up without a word, 3.0
 *   says so, and far beyond it all of them reset the connection.
 */

enum {
	HACERTS_MAX = 1000, /* certificates that are looked at */
	HACERTS_SHA1_SIZE = 41,
};

struct hacert {
	char *name;
	char sha1[HACERTS_SHA1_SIZE]; /* of the certificate, hexadecimal; "": not told */
	int64_t begins_s, ends_s;     /* since the epoch; 0: not told */
};

/* Zeroed memory is none. */
struct hacerts {
	struct hacert *list;
	size_t n;
	size_t n_left_out; /* beyond HACERTS_MAX */
	char *transaction; /* the name that a transaction is open for, or NULL */
};

/* Reads the answer to "show ssl cert". A HAProxy that knows no certificates, or does not tell, has
 * none. False when out of memory, with nothing to free. */
bool hacerts_read_names(const char *reply, size_t len, struct hacerts *out);

/* Reads answers to "show ssl cert NAME" into those that are in *certs. */
void hacerts_read_details(const char *reply, size_t len, struct hacerts *certs);

/* Takes zeroed memory. */
void hacerts_fini(struct hacerts *certs);

/* A command on a certificate, such as "show ssl cert", without the end of a line: its name may hold
 * what means something to HAProxy. prefix is "" or "*", suffix "" or ".crt". */
void hacerts_write(struct buf *to, const char *command, const char *prefix, const char *name,
	const char *suffix);

/* The whole line, and lines, that sets a certificate; pem is pem_append's. */
void hacerts_write_set(struct buf *to, const char *name, const char *suffix, const char *pem);

enum hacerts_outcome {
	HACERTS_TAKEN,
	HACERTS_UNKNOWN,   /* HAProxy has none of this name: NAME.crt is to be tried */
	HACERTS_TOO_LARGE, /* for HAProxy's buffer */
	HACERTS_MIXED_UP,  /* it went into somebody else's transaction: see words */
	HACERTS_REFUSED,
};

/* Reads the answer to hacerts_write_set. words, of size, are HAProxy's where it refused, and the
 * name of the transaction where it was mixed up. */
enum hacerts_outcome hacerts_read_set(
	const char *reply, size_t len, const char *name, char *words, size_t size);

/* Whether the answer to "commit ssl cert" says that it succeeded; else words are HAProxy's. */
bool hacerts_read_commit(const char *reply, size_t len, char *words, size_t size);

/* How HAProxy's certificate stands, for the reports. The texts belong to whoever fills it in. */
struct hacerts_status {
	const char *file;
	int64_t begins_s, ends_s; /* since the epoch; 0: not known */
	int64_t given_ms;   /* when a renewed file was last given to HAProxy, monotonic; 0: never */
	const char *failed; /* why its renewed file has not been given to HAProxy; NULL: it has,
			       or that is nobody's wish */
};

#endif
