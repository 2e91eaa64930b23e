/* SPDX-License-Identifier: MIT */
/* What HAProxy says of itself, its backends and its servers at one moment. */
#ifndef WSB_HASTATE_H
#define WSB_HASTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From "show info". */
struct hastate_info {
	char version[64]; /* e.g. 2.6.12-1+deb12u4 */
	int64_t pid;
	int64_t start_time_s; /* wall clock, 0 where not told */
	int64_t uptime_s;
	bool stopping; /* an old worker that is going away: its answer says nothing */
};

/* Whether two answers are of one process. A pid alone does not tell: in a container each new
 * HAProxy may have the old one's. */
bool hastate_is_same_process(const struct hastate_info *a, const struct hastate_info *b);

/* 2.4 is the first whose answers hold what is needed; a version that cannot be read is not too old.
 */
bool hastate_is_too_old(const struct hastate_info *info);

/* Bits of srv_admin_state in "show servers state" (HAProxy's server-t.h, enum srv_admin). */
enum {
	HASTATE_ADMIN_FORCED_MAINT = 0x01,
	HASTATE_ADMIN_INHERITED_MAINT = 0x02,
	HASTATE_ADMIN_CONFIG_MAINT = 0x04,
	HASTATE_ADMIN_FORCED_DRAIN = 0x08,
	HASTATE_ADMIN_INHERITED_DRAIN = 0x10,
	HASTATE_ADMIN_RESOLVE_MAINT = 0x20,
	HASTATE_ADMIN_MAINT = 0x23, /* forced, inherited or for want of an address */
	HASTATE_ADMIN_DRAIN = 0x18,
};

/* One server, from its lines in both "show stat" and "show servers state". Strings lie in the
 * snapshot. */
struct hastate_server {
	const char *name;
	const char *address;  /* without brackets; "" where HAProxy has none */
	uint16_t port;        /* 0 where it has none, or one below the client's ("-1000") */
	const char *fqdn;     /* "" where there is none */
	const char *status;   /* as HAProxy writes it: "UP", "no check", "DOWN 1/2", ... */
	unsigned admin_state; /* HASTATE_ADMIN_ */
	unsigned op_state;    /* 0 stopped, 1 starting, 2 running, 3 stopping (server-t.h) */
	int uweight;          /* the weight that was set, 0..256 */
	int iweight;          /* the weight in the configuration, 0..256 */
	uint32_t scur;        /* sessions now */
	uint64_t stot;        /* sessions since start */
	bool backup;
	uint16_t agent_port; /* of the agent-check, 0 where there is none */
	bool port_is_sure;   /* port is the one that is used; HAProxy writes "+1000" as 1000 too */
	bool by_srv;         /* found by SRV records, whose weights HAProxy takes for its own */
	bool slow;           /* slowstart keeps its weight down as yet */
	uint32_t maxconn;    /* sessions beyond so many wait; 0: any number */
};

struct hastate_backend {
	const char *name;
	uint32_t id; /* HAProxy's number for it, of no other proxy in this process; 0: no server */
	const char *algo; /* "leastconn", "random", ...; never "" */
	bool sticky;      /* clients with its cookie come back to their server */
	bool tcp;         /* mode tcp: what its servers speak HAProxy does not know */
	uint32_t scur;
	struct hastate_server *servers;
	size_t n_servers;
};

struct hastate_snapshot {
	struct hastate_info info;
	struct hastate_backend *backends;
	size_t n_backends;
	struct hastate_server *servers; /* of all backends; each backend points into it */
	char *text;                     /* what the strings point into; NULL: they are borrowed */
};

/* Frees what *snapshot owns; accepts a zeroed struct. */
void hastate_fini(struct hastate_snapshot *snapshot);

#endif
