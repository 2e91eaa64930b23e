/* SPDX-License-Identifier: MIT */
/* HAProxy's answers on the Runtime API: bytes in, structs out. */
#ifndef WSB_HAREPLY_H
#define WSB_HAREPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the joined answer to any number of "show stat" and "show servers state" and at last one
 * "show info", as one line of commands gives it. The order is what tells a whole answer from one
 * that broke off between two commands. Columns are found by the names in the header lines, so a
 * version with more of them reads the same.
 */

/* From "show info". */
struct hareply_info {
	char version[64]; /* e.g. 2.6.12-1+deb12u4 */
	int64_t pid;
	int64_t start_time_s; /* wall clock, 0 where not told */
	int64_t uptime_s;
	bool stopping; /* an old worker that is going away: its answer says nothing */
};

/* Whether two answers are of one process. A pid alone does not tell: in a container each new
 * HAProxy may have the old one's. */
bool hareply_is_same_process(const struct hareply_info *a, const struct hareply_info *b);

/* Bits of srv_admin_state in "show servers state" (HAProxy's server-t.h, enum srv_admin). */
enum {
	HAREPLY_ADMIN_FORCED_MAINT = 0x01,
	HAREPLY_ADMIN_INHERITED_MAINT = 0x02,
	HAREPLY_ADMIN_CONFIG_MAINT = 0x04,
	HAREPLY_ADMIN_FORCED_DRAIN = 0x08,
	HAREPLY_ADMIN_INHERITED_DRAIN = 0x10,
	HAREPLY_ADMIN_RESOLVE_MAINT = 0x20,
	HAREPLY_ADMIN_MAINT = 0x23, /* forced, inherited or for want of an address */
	HAREPLY_ADMIN_DRAIN = 0x18,
};

/* One server, from its lines in both "show stat" and "show servers state". Strings lie in the
 * snapshot. */
struct hareply_server {
	const char *name;
	const char *address;  /* without brackets; "" where HAProxy has none */
	uint16_t port;        /* 0 where it has none */
	const char *fqdn;     /* "" where there is none */
	const char *status;   /* as HAProxy writes it: "UP", "no check", "DOWN 1/2", ... */
	unsigned admin_state; /* HAREPLY_ADMIN_ */
	unsigned op_state;    /* 0 stopped, 1 starting, 2 running, 3 stopping (server-t.h) */
	int uweight;          /* the weight that was set, 0..256 */
	int iweight;          /* the weight in the configuration, 0..256 */
	uint32_t scur;        /* sessions now */
	uint64_t stot;        /* sessions since start */
	bool backup;
	uint16_t agent_port; /* of the agent-check, 0 where there is none */
};

struct hareply_backend {
	const char *name;
	const char *algo; /* "leastconn", "random", ...; never "" */
	uint32_t scur;
	struct hareply_server *servers;
	size_t n_servers;
};

struct hareply_snapshot {
	struct hareply_info info;
	struct hareply_backend *backends;
	size_t n_backends;
	struct hareply_server *servers; /* of all backends; each backend points into it */
	char *text;                     /* what the strings point into */
};

enum hareply_outcome {
	HAREPLY_OK,
	HAREPLY_TRUNCATED, /* an expected part is missing or breaks off */
	HAREPLY_DENIED,    /* the socket's level forbids or hides something */
	HAREPLY_MALFORMED, /* a line or a number is not what HAProxy writes */
	HAREPLY_OUT_OF_MEMORY,
};

/*
 * Parses a whole answer. Servers are those that "show servers state" lists and "show stat" has
 * too; a backend that HAProxy was asked for and does not have is not there. On HAREPLY_OK the
 * caller owns *out and frees it with hareply_fini; otherwise *out is untouched and *why, where why
 * is not NULL, points to a static text.
 */
enum hareply_outcome hareply_parse(
	const char *reply, size_t len, struct hareply_snapshot *out, const char **why);

/* Frees what *snapshot owns; takes a zeroed struct. */
void hareply_fini(struct hareply_snapshot *snapshot);

const char *hareply_outcome_text(enum hareply_outcome outcome);

#endif
