/* SPDX-License-Identifier: MIT */
#include "core/cluster/selection.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"

void selection_fini(struct selection *selection)
{
	for (size_t i = 0; i < selection->n_backends; i++)
		free(selection->backends[i]);
	for (size_t i = 0; i < selection->n_sources; i++) {
		free(selection->sources[i].pattern);
		free(selection->sources[i].source.identity);
	}
	for (size_t i = 0; i < selection->n_named; i++)
		free(selection->named[i]);
	for (size_t i = 0; i < selection->n_own; i++)
		free(selection->own[i].address);
	free(selection->named);
	free(selection->own);
	free(selection->backends);
	free(selection->sources);
	free(selection->source.identity);
	*selection = (struct selection){.backends = NULL};
}

static bool copy_source(const struct pod_source *from, struct pod_source *to)
{
	*to = *from;
	to->identity = strdup(from->identity ? from->identity : "");
	return to->identity;
}

static bool copy_own(const struct selection *from, struct selection *to)
{
	to->own = calloc(from->n_own + 1, sizeof(*to->own));
	if (!to->own)
		return false;
	while (to->n_own < from->n_own) {
		const struct selection_own *own = &from->own[to->n_own];
		char *address = strdup(own->address);

		if (!address)
			return false;
		to->own[to->n_own++] =
			(struct selection_own){.address = address, .port = own->port};
	}
	return true;
}

static bool copy_lists(const struct selection *from, struct selection *to)
{
	if (!text_copy_list(from->backends, from->n_backends, &to->backends, &to->n_backends) ||
		!text_copy_list(from->named, from->n_named, &to->named, &to->n_named) ||
		!copy_own(from, to))
		return false;
	to->sources = calloc(from->n_sources + 1, sizeof(*to->sources));
	if (!to->sources)
		return false;
	while (to->n_sources < from->n_sources) {
		const struct selection_source *source = &from->sources[to->n_sources];
		struct selection_source *copy = &to->sources[to->n_sources++];

		copy->pattern = strdup(source->pattern);
		if (!copy->pattern || !copy_source(&source->source, &copy->source))
			return false;
	}
	return true;
}

bool selection_copy(const struct selection *from, struct selection *to)
{
	struct selection copy = {.is_local = from->is_local};

	if (!copy_source(&from->source, &copy.source) || !copy_lists(from, &copy)) {
		selection_fini(&copy);
		return false;
	}
	*to = copy;
	return true;
}

bool selection_is_named(const struct selection *selection, const char *backend)
{
	for (size_t i = 0; i < selection->n_backends; i++) {
		if (strcmp(selection->backends[i], "*") != 0 &&
			text_matches(selection->backends[i], backend))
			return true;
	}
	for (size_t i = 0; i < selection->n_named; i++) {
		if (strcmp(selection->named[i], backend) == 0)
			return true;
	}
	return false;
}

static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
	       strcmp(address, "localhost") == 0;
}

/* An IPv4 address in IPv6's clothes as itself. */
static const char *plain(const char *address)
{
	return strncmp(address, "::ffff:", 7) == 0 && strchr(address, '.') ? address + 7 : address;
}

/* Where the agent listens on all addresses, whatever is this host's is its own. */
static bool is_here(const struct selection *selection, const char *address)
{
	return is_loopback(address) || (selection->is_local && selection->is_local(address));
}

bool selection_is_own(const struct selection *selection, const char *address, uint16_t port)
{
	address = plain(address);
	for (size_t i = 0; i < selection->n_own; i++) {
		const struct selection_own *own = &selection->own[i];
		bool everywhere = strcmp(own->address, "*") == 0;

		if (own->port != port)
			continue;
		if (strcmp(own->address, address) == 0 ||
			(is_loopback(address) && is_loopback(own->address)) ||
			(everywhere && is_here(selection, address)))
			return true;
	}
	return false;
}

bool selection_has(const struct selection *selection, const char *backend)
{
	for (size_t i = 0; i < selection->n_backends; i++) {
		if (text_matches(selection->backends[i], backend))
			return true;
	}
	return selection->n_backends == 0;
}

static bool is_same_source(const struct pod_source *a, const struct pod_source *b)
{
	return a->port == b->port && strcmp(a->identity, b->identity) == 0;
}

const struct pod_source *selection_source(
	const struct selection *selection, const char *backend, const char **other)
{
	const struct pod_source *found = NULL;

	if (other)
		*other = NULL;
	for (size_t i = 0; i < selection->n_sources; i++) {
		const struct selection_source *source = &selection->sources[i];

		if (strcmp(source->pattern, backend) == 0) {
			if (other)
				*other = NULL;
			return &source->source;
		}
		if (!text_matches(source->pattern, backend))
			continue;
		if (!found)
			found = &source->source;
		else if (other && !is_same_source(found, &source->source))
			*other = source->pattern;
	}
	return found ? found : &selection->source;
}
