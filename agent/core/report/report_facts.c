/* SPDX-License-Identifier: MIT */
#include "core/report/report_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/report/report_age.h"
#include "core/report/report_certs.h"
#include "core/terms.h"

enum { OF_EACH = 6, OF_A_SERVICE = 2 }; /* facts, at most */

struct list {
	struct report_fact *facts;
	size_t n;
};

static struct report_fact *add(struct list *list, const char *look, const char *before,
	const char *strong, const char *after)
{
	struct report_fact *fact = &list->facts[list->n++];

	fact->look = look;
	snprintf(fact->before, sizeof(fact->before), "%s", before);
	snprintf(fact->strong, sizeof(fact->strong), "%s", strong);
	snprintf(fact->after, sizeof(fact->after), "%s", after);
	return fact;
}

static void add_connections(struct list *list, const struct report_totals *totals)
{
	char strong[TEXT_GROUPED_SIZE];
	char part[TEXT_GROUPED_SIZE];
	char after[80];

	snprintf(after, sizeof(after), " connection%s", text_plural(totals->connections));
	if (totals->connections_reckoned > 0)
		snprintf(after, sizeof(after), " connection%s, %s of them reckoned",
			text_plural(totals->connections),
			text_format_grouped(totals->connections_reckoned, part, sizeof(part)));
	add(list, "", "", text_format_grouped(totals->connections, strong, sizeof(strong)), after);
}

static void add_pods(
	struct list *list, const struct report_view *view, const struct report_totals *totals)
{
	char strong[TEXT_GROUPED_SIZE];
	char known[TEXT_GROUPED_SIZE];
	char ready[TEXT_GROUPED_SIZE];
	char after[120];

	text_format_grouped(totals->n_known, known, sizeof(known));
	text_format_grouped(totals->n_ready, ready, sizeof(ready));
	snprintf(after, sizeof(after), " pod%s, %s known", text_plural(totals->n_pods), known);
	/* Whether they do without HAProxy nobody knows. */
	if (report_is_reached(view))
		snprintf(after, sizeof(after), " pod%s, %s known, %s take%s new connections",
			text_plural(totals->n_pods), known, ready, totals->n_ready == 1 ? "s" : "");
	add(list, "", "", text_format_grouped(totals->n_pods, strong, sizeof(strong)), after);
}

static bool has_refused(const struct report_rows *rows)
{
	for (size_t i = 0; i < rows->n_rows; i++) {
		if (rows->rows[i].state == REPORT_REFUSED)
			return true;
	}
	return false;
}

static void add_weights(
	struct list *list, const struct report_view *view, const struct report_rows *rows)
{
	const char *complaint = view->stats->push_complaint;
	char after[256] = "";
	struct report_fact *fact;

	if (complaint[0] || has_refused(rows)) {
		if (complaint[0])
			snprintf(after, sizeof(after), ": %s", complaint);
		add(list, "bad", "weights ", "refused", after);
	} else if (view->dry_run) {
		add(list, "", "", TERM_DRY_RUN, "");
	} else if (!rows->totals.planned) {
		add(list, "", "weights ", "not planned", "");
	} else {
		fact = add(list, "", "weights ", "sent and read back", " ");
		fact->at_ms = cluster_updated_ms(view->cluster);
		fact->ago = true;
	}
}

static void add_haproxy(
	struct list *list, const struct report_view *view, const struct report_rows *rows)
{
	const struct hastate_info *info = cluster_info(view->cluster);
	int64_t updated_ms = cluster_updated_ms(view->cluster);
	char version[64];

	if (cluster_settings(view->cluster)->agent_check_only) {
		add(list, "", "weights by ", "agent-check", " alone");
		return;
	}
	snprintf(version, sizeof(version), "%s", info->version);
	version[strcspn(version, "-")] = '\0';
	if (updated_ms == 0) {
		add(list, "bad", "", "HAProxy", " " TERM_NOT_ANSWERED " yet");
	} else if (!view->stats->haproxy_reached) {
		add(list, "bad", "HAProxy ", version, " " TERM_NOT_ANSWERED " for ")->at_ms =
			updated_ms;
	} else {
		add(list, "", "HAProxy ", version, ", up ")->at_ms =
			updated_ms - 1000 * info->uptime_s;
		add_weights(list, view, rows);
	}
}

static void add_kubernetes(struct list *list, const struct service_status *kube)
{
	char after[384];
	int len;

	if (kube->error[0]) {
		len = snprintf(after, sizeof(after), ": %s", kube->error);
		if (kube->n_taken_over > 0 && len > 0 && (size_t)len < sizeof(after))
			snprintf(after + len, sizeof(after) - (size_t)len,
				"; its %zu server%s as %s", kube->n_taken_over,
				kube->n_taken_over == 1 ? " stays" : "s stay",
				kube->n_taken_over == 1 ? "it was" : "they were");
		add(list, "bad", "Kubernetes does not tell of ", kube->service, after);
	}
	if (kube->ports[0])
		add(list, kube->misnamed ? "bad" : "", "", kube->ports, "");
}

static void add_certificates(struct list *list, const struct report_view *view)
{
	const struct hacerts_status *told[REPORT_CERTS_TOLD];
	size_t n = report_certs_told(view, told);
	char state[REPORT_CERT_SIZE];
	size_t len;

	for (size_t i = 0; i < n; i++) {
		bool bad = report_cert_is_bad(view, told[i]);

		report_cert_state(view, told[i], state, sizeof(state));
		len = strlen(state);
		if (!bad && view->n_certificates > 1)
			snprintf(state + len, sizeof(state) - len, ", the first of %zu to end",
				view->n_certificates);
		add(list, bad ? "bad" : "", "certificate ", told[i]->file, state);
	}
}

/* That the agent is ready is the rule, and worth no room. */
static void add_readiness(struct list *list, const struct report_view *view)
{
	char after[384] = "";

	if (view->ready)
		return;
	if (view->unready)
		snprintf(after, sizeof(after), ": %s", view->unready);
	add(list, "bad", "", "not ready", after);
}

bool report_facts_init(struct report_fact **out, size_t *n, const struct report_view *view,
	const struct report_rows *rows)
{
	unsigned replicas = cluster_settings(view->cluster)->replicas;
	struct list list = {.n = 0};
	char number[16];

	list.facts = calloc(OF_EACH + REPORT_CERTS_TOLD + OF_A_SERVICE * view->n_kubernetes,
		sizeof(*list.facts));
	if (!list.facts)
		return false;
	add_connections(&list, &rows->totals);
	add_pods(&list, view, &rows->totals);
	add_haproxy(&list, view, rows);
	if (replicas > 1) {
		snprintf(number, sizeof(number), "%u", replicas);
		add(&list, "", "one of ", number, " HAProxies");
	}
	for (size_t i = 0; i < view->n_kubernetes; i++)
		add_kubernetes(&list, &view->kubernetes[i]);
	add_certificates(&list, view);
	add_readiness(&list, view);
	*out = list.facts;
	*n = list.n;
	return true;
}

char *report_fact_age(
	const struct report_view *view, const struct report_fact *fact, char *buf, size_t size)
{
	double s = (double)(view->now_ms - fact->at_ms) / 1000.0;
	size_t len;

	buf[0] = '\0';
	if (fact->at_ms == 0)
		return buf;
	if (!fact->ago)
		return report_age_whole(s, buf, size);
	report_age(s, buf, size);
	len = strlen(buf);
	snprintf(buf + len, size - len, " ago");
	return buf;
}

char *report_needs_title(size_t n, char *buf, size_t size)
{
	if (n == 0)
		snprintf(buf, size, "No pod needs you");
	else
		snprintf(buf, size, "%zu pod%s", n, n == 1 ? " needs you" : "s need you");
	return buf;
}

char *report_not_asked_title(size_t n, char *buf, size_t size)
{
	snprintf(buf, size, "%zu server%s " TERM_UNASKABLE, n, text_plural(n));
	return buf;
}
