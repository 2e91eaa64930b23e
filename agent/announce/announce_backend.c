/* SPDX-License-Identifier: MIT */
/* Logs what has changed in a backend. */
#include "announce/announce_backend.h"

#include "core/cluster/server.h"
#include "core/terms.h"
#include "io/log.h"

static void announce_mode(struct said_backend *said, const struct backend *backend)
{
	if (said->mode == (int)backend->mode + 1)
		return;
	said->mode = (int)backend->mode + 1;
	if (backend->ambiguous) {
		log_error("backend is " TERM_LEFT_ALONE
			  ": two patterns of haproxy.backends fit it and ask "
			  "its pods in different ways: name it there",
			log_str("backend", backend->name));
	} else if (backend->mode == BACKEND_NOT_STEERED) {
		log_warn("backend is " TERM_LEFT_ALONE ": " TERM_FIXED,
			log_str("backend", backend->name), log_str("balance", backend->algo));
	} else {
		log_info("backend is steered", log_str("backend", backend->name),
			log_str("balance", backend->algo),
			log_str("by", backend_mode_name(backend->mode)),
			log_int("servers", (int64_t)backend->n_servers));
	}
}

static void announce_fallback(struct said_backend *said, const struct backend *backend)
{
	const struct planner_summary *summary = &backend->summary;

	if (!backend->planned || said->fallback == summary->fallback)
		return;
	said->fallback = summary->fallback;
	if (summary->fallback) {
		log_warn(TERM_FEW_KNOWN, log_str("backend", backend->name),
			log_int("known", (int64_t)summary->n_known),
			log_int("never_heard", (int64_t)summary->n_never_heard),
			log_int("disbelieved", (int64_t)summary->n_disbelieved));
	} else {
		log_info("enough pods are known: steering", log_str("backend", backend->name),
			log_int("known", (int64_t)summary->n_known));
	}
}

/*
 * Servers that HAProxy's resolvers fill have two ends: the slots that are configured, and what one
 * answer holds. HAProxy refuses a truncated answer whole, and takes all servers down then: at 508 A
 * records with accepted_payload_size 8192, at 28 with its default of 512, measured on 2.6.
 */
static void announce_dns(struct said_backend *said, const struct backend *backend)
{
	enum { NEAR_LIMIT = 400 };
	size_t n = 0;
	size_t used = 0;

	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];
		/* Of a template of SRV records a server has a name only while it is in use. */
		bool by_dns = server->fqdn[0] != '\0' || server->haproxy.by_srv;

		n += by_dns;
		used += by_dns && backend->servers[i]->pod;
	}

	/* A single server with a name is no template. */
	bool full = n > 1 && used == n;
	bool limit = used >= NEAR_LIMIT;

	if (full && !said->dns_full)
		log_warn("every server found by DNS is in use: further pods get none",
			log_str("backend", backend->name), log_int("servers", (int64_t)n));
	if (limit && !said->dns_limit) {
		log_warn("close to what a DNS answer over UDP holds: beyond it all servers go down",
			log_str("backend", backend->name), log_int("servers", (int64_t)used),
			log_int("limit", 508));
	}
	said->dns_full = full;
	said->dns_limit = limit;
}

static void announce_sticky(struct said_backend *said, const struct backend *backend)
{
	if (backend->sticky && !said->sticky) {
		log_info(
			"a cookie leads clients of this backend back to their server: new clients are "
			"steered, returning ones are not; maxlife behind cookie in haproxy.cfg lets "
			"them go",
			log_str("backend", backend->name));
	}
	said->sticky = backend->sticky;
}

/* A backend whose pods are strangers may just as well be asked in the wrong way. */
static void announce_quiet(struct said_backend *said, const struct backend *backend)
{
	if (backend->asking.quiet && !said->quiet) {
		log_warn(
			"no pod of this backend tells its connections: it is asked once a minute; "
			"name it in haproxy.backends with how it is to be asked, or name the others",
			log_str("backend", backend->name));
	}
	if (!backend->asking.quiet && said->quiet)
		log_info("backend is asked in each interval", log_str("backend", backend->name));
	said->quiet = backend->asking.quiet;
}

void announce_backend(struct said_backend *said, const struct backend *backend, bool asked)
{
	announce_mode(said, backend);
	announce_dns(said, backend);
	announce_quiet(said, backend);
	announce_sticky(said, backend);
	if (asked)
		announce_fallback(said, backend);
}
