/* SPDX-License-Identifier: MIT */
/* Pods: what answers at an address, and the table of all of them. */
#ifndef WSB_POD_H
#define WSB_POD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/moment.h"
#include "core/cluster/names.h"
#include "core/cluster/pod_sharing.h"
#include "core/cluster/workers.h"
#include "core/kube/slice.h"
#include "core/metric/metric.h"

/* How a pod is asked: two servers at one address have one pod when these are the same too. */
struct pod_source {
	char *identity; /* what else tells one count from another: scheme, path, key; NULL: "" */
	uint16_t port;  /* asked in place of a server's own; 0: that */
	unsigned index; /* of the configuration's, for whoever asks */
};

/* What answers at an address. Lives as long as a server points to it. */
struct pod {
	char *address;  /* without brackets */
	char *key;      /* "address:port", IPv6 in brackets, of the first server: for people */
	char *identity; /* unique in the cluster: whom to ask, and what */
	uint16_t port;
	bool wanted;        /* to be polled: some server of it may be used */
	unsigned source;    /* the index of its source */
	unsigned n_servers; /* servers that point here */
	size_t place;       /* in the table's list */
	int64_t every_ms;   /* how often it is polled (steer/tempo); 0: not chosen yet */
	int64_t due_ms;     /* when the next plan that wants its count is due; 0: at once */

	bool heard;                  /* metric and heard_ms hold an answer */
	uint32_t sampled;            /* terms of metricKey that had a sample since it is wanted */
	uint32_t held;               /* sessions that this HAProxy has on it, over all servers */
	struct workers workers;      /* whether it is one process that answers */
	struct moment counted;       /* when it counted, as far as that shows */
	int64_t heard_ms;            /* when it came */
	uint32_t count_before;       /* the count of the good answer before the last */
	bool has_before;             /* count_before holds one */
	uint64_t gained;             /* by how many its count has grown, over all answers */
	int64_t renamed_ms;          /* since when n_renames counts */
	unsigned n_renames;          /* other names than in the answer before */
	enum metric_outcome outcome; /* of the last poll; METRIC_OK before the first */
	unsigned n_strange;          /* answers in a row that show another server */
	int64_t polled_ms;           /* when the last poll ended; 0: none yet */
	int64_t since_ms;            /* when this pod came into the cluster */
	struct pod_sharing sharing;  /* what this HAProxy's servers of it come to */
	struct names *names;         /* of its table; NULL: nobody has any */
	struct names_claim claim;    /* on its name */
	struct endpoint *endpoint;   /* what Kubernetes says of it; NULL: nothing */

	/* Long texts last: what each round reads of a pod lies close together. */
	struct metric metric; /* the last good answer */
	char error[160];      /* the last failure in words, "" after a success */
};

/* All pods of a cluster, by address and port. */
struct pod_table;

/* Called before a pod is freed: whoever holds it must let go. */
typedef void (*pod_gone)(struct pod *pod, void *arg);

/* NULL when out of memory. */
struct pod_table *pod_table_new(void);
/* Frees the pods that are left, without a word to anybody. */
void pod_table_free(struct pod_table *table);

/* What pod_hold() would find there, for a server of its: sparing the search. False where it does
 * not see that at once. */
bool pod_is_at(
	const struct pod *pod, const char *address, uint16_t port, const struct pod_source *source);

/* The pod at an address for one more server, made where there is none yet. NULL when out of
 * memory. */
struct pod *pod_hold(struct pod_table *table, const char *address, uint16_t port,
	const struct pod_source *source, int64_t now_ms);
/* One server less points to it; with the last one it goes. Takes NULL for pod and for gone. */
void pod_release(struct pod_table *table, struct pod *pod, pod_gone gone, void *arg);

/*
 * Whether an answer of the pod's is to be believed: METRIC_OK, or METRIC_NO_SAMPLE. A series that
 * is announced without a sample is 0 before a pod's first client, and else a collector that fails:
 * 0 is believed of a pod that has shown no sample and on which HAProxy holds next to nothing.
 */
enum metric_outcome pod_weigh(const struct pod *pod, const struct metric *metric);

/* A poll ended at now_ms. metric is read with METRIC_OK only; detail, the failure in words, with
 * all others. */
void pod_observe(struct pod *pod, enum metric_outcome outcome, const struct metric *metric,
	const char *detail, int64_t now_ms);

/* Kubernetes says what is at the pod's address: a copy is kept. Another uid than before is another
 * pod, whose count is not yet heard. False when out of memory, with nothing changed. */
bool pod_identify(struct pod *pod, const struct endpoint *endpoint, int64_t now_ms);

/* The pod's name and node, as Kubernetes says or else as the pod itself does; "" where neither
 * does, or where the name is another pod's (see names.h). */
const char *pod_name(const struct pod *pod);
/* The pod says a name that is another's, and goes without one. */
bool pod_lacks_name(const struct pod *pod);
const char *pod_node(const struct pod *pod);

/* All pods in no certain order; *n is set. The table's, valid until one is held or released. */
struct pod *const *pod_table_list(const struct pod_table *table, size_t *n);

#endif
