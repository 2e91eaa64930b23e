/* SPDX-License-Identifier: MIT */
/* Asks now and then whether the Kubernetes API still answers. */
#ifndef WSB_KUBEPROBE_H
#define WSB_KUBEPROBE_H

#include <ev.h>
#include <stdbool.h>

#include "kube/kubeapi.h"

/*
 * A watch says nothing while nothing changes, so one at an API server that hangs looks like any
 * other for minutes: its connection stands. Beside the watches a list of at most one slice is asked
 * for every ten seconds; two in a row without any answer, whatever it says, mean that the
 * watches tell nothing either. That is within 45 seconds.
 */
struct kubeprobe;

/* A Service that is being watched; nothing is asked where none is. */
struct kubeprobe_question {
	const char *namespace;
	const char *service;
};

struct kubeprobe_callbacks {
	struct kubeprobe_question (*question)(void *arg); /* service NULL: none */
	void (*silent)(void *arg);
	void *arg;
};

/* api must outlive it. NULL when out of memory. */
struct kubeprobe *kubeprobe_new(struct ev_loop *loop, const struct kubeapi *api,
	const struct kubeprobe_callbacks *callbacks);
/* Takes NULL. */
void kubeprobe_free(struct kubeprobe *probe);

#endif
