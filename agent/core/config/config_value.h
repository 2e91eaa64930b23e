/* SPDX-License-Identifier: MIT */
/* One value of the configuration file: its text in, what the program works with out. */
#ifndef WSB_CONFIG_VALUE_H
#define WSB_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/why.h"
#include "core/config/config.h"
#include "core/config/config_schema.h"

/* How the text of a value becomes the member of its row. */
struct config_kind {
	size_t size; /* of the member */
	/* Sets *out, which is zeroed; false: *why says what is wrong and what is allowed, without
	 * the key, and *out needs no release. */
	bool (*parse)(const struct config_key *row, const char *text, void *out, struct why *why);
	/* Frees what *out owns; NULL where that is nothing. */
	void (*release)(void *out);
};

extern const struct config_kind config_kind_unsigned; /* unsigned */
extern const struct config_kind config_kind_weight;   /* int */
extern const struct config_kind config_kind_port;     /* uint16_t, 0 allowed when min is 0 */
extern const struct config_kind config_kind_duration; /* int64_t, ms */
extern const struct config_kind config_kind_size;     /* uint64_t, bytes */
extern const struct config_kind config_kind_share;    /* double, above 0 up to 1 */
extern const struct config_kind config_kind_bool;     /* bool: true or false, nothing else */
extern const struct config_kind config_kind_choice;   /* an enum from 0 */
extern const struct config_kind config_kind_truth;    /* enum config_truth */
extern const struct config_kind config_kind_optional; /* an enum from 1; 0 is unset */
extern const struct config_kind config_kind_own_port; /* int: a port, or CONFIG_OWN_PORT for 0 */
extern const struct config_kind config_kind_listen;   /* struct config_endpoint: host and port */
extern const struct config_kind config_kind_connect;  /* the same, of one certain host */
extern const struct config_kind config_kind_socket;   /* the same, or a Unix socket's path */
extern const struct config_kind config_kind_service;  /* struct config_kubernetes_service */
/* The rest are char *, and "" gives NULL where the row is neither required nor has a default. */
extern const struct config_kind config_kind_file;    /* an absolute path */
extern const struct config_kind config_kind_target;  /* a path in a URL, perhaps with a query */
extern const struct config_kind config_kind_page;    /* a path in a URL */
extern const struct config_kind config_kind_pattern; /* a name, perhaps with * in it */
extern const struct config_kind config_kind_preset;  /* a name of metric_preset.h */
extern const struct config_kind config_kind_host;    /* a host's name or address */
extern const struct config_kind config_kind_link;    /* to a page */
extern const struct config_kind config_kind_url;     /* of a server: http or https, no path */
extern const struct config_kind config_kind_label;   /* a DNS label, as Kubernetes' names */
extern const struct config_kind config_kind_options; /* words of a server line */
extern const struct config_kind config_kind_name;    /* a name as HAProxy allows for servers */
/* A key of metric_key.h, which config_metrics parses, since its language is that of the format; ""
 * is kept. */
extern const struct config_kind config_kind_metric_key;
extern const struct config_kind config_kind_header_name;
extern const struct config_kind config_kind_header_value; /* never shown in a message */
/* Refuses whatever it is given, with advice; fills nothing. */
extern const struct config_kind config_kind_traefik_url;

/* ---- what kinds share ---- */

/* "invalid WHAT 'TEXT': " and the rest, TEXT escaped and cut. Always returns false. */
__attribute__((format(printf, 4, 5))) bool config_value_invalid(
	struct why *why, const char *what, const char *text, const char *format, ...);

/* Sets *out to a copy of text[0..len), to be freed; false when out of memory. */
bool config_value_copy(char **out, const char *text, size_t len, struct why *why);

void config_value_release_string(void *out);

#define CONFIG_KIND(name, type, release_)               \
	const struct config_kind config_kind_##name = { \
		.size = sizeof(type), .parse = parse_##name, .release = (release_)}

#endif
