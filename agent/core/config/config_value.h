/* SPDX-License-Identifier: MIT */
/* One value of the configuration file: its text in, what the program works with out. */
#ifndef WSB_CONFIG_VALUE_H
#define WSB_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config/config.h"

/* Why a value is refused, and what is allowed, without the key. */
struct config_why {
	char text[384];
};

/* Always returns false. */
__attribute__((format(printf, 2, 3))) bool config_refuse(
	struct config_why *why, const char *format, ...);

/* The same of one value: the message begins with 'TEXT', escaped and cut, and a blank. */
__attribute__((format(printf, 3, 4))) bool config_refuse_value(
	struct config_why *why, const char *text, const char *format, ...);

/* Sets *out to a copy of text[0..len), to be freed; false when out of memory. */
bool config_set_string(char **out, const char *text, size_t len, struct config_why *why);

/* A key with one value: a row of the tables in config_keys.h. */
struct config_setting {
	const char *key;
	size_t raw;  /* where its text is, in the raw struct of its mapping */
	size_t out;  /* where its value goes, in the struct that is filled */
	size_t size; /* of that member */
	const struct config_kind *kind;
	const char *fallback; /* the default as text; NULL: the member stays zero */
	int64_t min, max;     /* of a number or duration, both allowed */
	const char *choices;  /* of a choice: names by a space, in the enum's order */
	bool bare_seconds;    /* a duration: a number without a unit is in seconds */
	bool required;        /* where its mapping stands, this key must stand too */
	const char *example;  /* of a required key */
};

/* How the text of a setting becomes a value. */
struct config_kind {
	size_t size; /* of the member at out */
	/* Sets *out, which is zeroed; false: *why says why, and *out needs no release. */
	bool (*take)(const struct config_setting *setting, const char *text, void *out,
		struct config_why *why);
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
extern const struct config_kind config_kind_listen;   /* struct config_endpoint: host and port */
extern const struct config_kind config_kind_connect;  /* the same, of one certain host */
extern const struct config_kind config_kind_socket;   /* the same, or a Unix socket's path */
/* The rest are char *, and "" gives NULL where the setting has no default. */
extern const struct config_kind config_kind_file;      /* an absolute path */
extern const struct config_kind config_kind_target;    /* a path in a URL, perhaps with a query */
extern const struct config_kind config_kind_page;      /* a path in a URL */
extern const struct config_kind config_kind_json_path; /* names by dots */
extern const struct config_kind config_kind_host;      /* a host's name or address */
extern const struct config_kind config_kind_url;       /* of a server: http or https, no path */
extern const struct config_kind config_kind_label;     /* a DNS label, as Kubernetes' names */
extern const struct config_kind config_kind_service;   /* the same, perhaps with ":PORT" */
extern const struct config_kind config_kind_options;   /* words of a server line */
extern const struct config_kind config_kind_name;      /* a name as HAProxy allows for servers */

#endif
