/* SPDX-License-Identifier: MIT */
/* Reads a Service once, where the agent may: for the words about a port that is wrong. */
#ifndef WSB_KUBESERVICE_H
#define WSB_KUBESERVICE_H

#include <ev.h>

#include "core/kube/ownports.h"
#include "kube/kubeapi.h"

/* Without the right to it, or without an answer, there is nothing to tell: it is tried again when
 * it is asked for again. */
struct kubeservice;

typedef void (*kubeservice_told)(void *arg);

/* api must outlive it. told is called from the loop, when there is an answer. NULL when out of
 * memory. */
struct kubeservice *kubeservice_new(struct ev_loop *loop, const struct kubeapi *api,
	const char *namespace, const char *service, kubeservice_told told, void *arg);
/* Takes NULL. */
void kubeservice_free(struct kubeservice *service);

/* Asks for it, unless that is under way. */
void kubeservice_ask(struct kubeservice *service);

/* Its ports as last told, its own; NULL: they are not known. */
const struct ownports *kubeservice_ports(const struct kubeservice *service);

#endif
