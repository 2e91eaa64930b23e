/* SPDX-License-Identifier: MIT */
/* How the Kubernetes API server is reached, and one request to it. */
#ifndef WSB_KUBEAPI_H
#define WSB_KUBEAPI_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/why.h"
#include "core/config/config.h"

/*
 * The token and the certificate of the authority are files that Kubernetes renews while the agent
 * runs, so both are read for every request. The token goes out over https only.
 */
struct kubeapi {
	char *server;     /* "https://host:port" without a slash at its end; IPv6 in brackets */
	char *token_file; /* NULL: no token */
	char *ca_file;    /* PEM, NULL: the system's authorities */
};

/* Where a pod finds its own namespace. */
#define KUBEAPI_NAMESPACE_FILE "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

/*
 * Copies what is given; what is NULL is what a pod is given by Kubernetes: the server from
 * KUBERNETES_SERVICE_HOST and _PORT, the files from the service account's folder; with a server
 * that is given only where they exist. False, with *why set, when there is no
 * server or no memory.
 */
bool kubeapi_init(struct kubeapi *api, const char *server, const char *token_file,
	const char *ca_file, struct why *why);

/* Frees what *api owns; takes a zeroed struct. */
void kubeapi_fini(struct kubeapi *api);

/* How a request is sent. */
struct kubeapi_request {
	const char *service; /* whose slices; a DNS label, as is the namespace */
	const char *namespace;
	bool list;           /* else a watch */
	bool object;         /* with list: the Service itself, not its slices */
	unsigned limit;      /* a list: no more slices than this; 0: all */
	const char *version; /* a watch: from where */
	bool plain;          /* a watch: without the optional parameters */
	unsigned watch_s;    /* a watch: how long it is asked to last */
};

/*
 * Sets all of a handle's options for a request but those of the caller's callbacks. *headers is
 * replaced; the caller frees it once the handle is done. False when the token or the authority's
 * certificate cannot be read, which *why names, or memory is short.
 */
bool kubeapi_prepare(const struct kubeapi *api, const struct kubeapi_request *request, CURL *easy,
	struct curl_slist **headers, struct why *why);

#endif
