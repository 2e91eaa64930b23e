/* SPDX-License-Identifier: MIT */
/* What a table of keys is made of: the rows, and the mappings and lists that they stand in. */
#ifndef WSB_CONFIG_SCHEMA_H
#define WSB_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_kind;
struct config_mapping;
struct config_list;

/*
 * A row: a key, the shape of its value, and the member that it fills. A key that may have values of
 * different shapes has one row for each, one behind the other. A new key needs its row, its member
 * in struct config, and a place in the example file and the man page, which tests ask for; what it
 * asks of other keys is a rule in config_rules.c.
 */
struct config_key {
	const char *key;
	/* Exactly one of these says what shape the value has. */
	const struct config_kind *kind; /* one value */
	const struct config_mapping *mapping;
	const struct config_list *list;

	size_t at;            /* where it goes, in the struct that the row's mapping fills */
	size_t size;          /* of a value's member there */
	size_t count_at;      /* of a list: where the number of its entries goes, a size_t */
	const char *example;  /* for messages: of a mapping, a list, or a required key */
	const char *fallback; /* of a value: the default as text; NULL: the member stays zero */
	const char *choices;  /* of a choice: names by a space, in the enum's order */
	int64_t min, max;     /* of a number, size or duration, both allowed */
	bool required;        /* where its mapping stands, this key must stand too */
	bool bare_seconds;    /* of a duration: a number without a unit is in seconds */
	bool automatic;       /* of a duration: "auto" is 0, and the agent chooses */
};

struct config_mapping {
	const struct config_key *keys;
	size_t n_keys;
	/* Fills the members that follow from others, in the struct that the keys have filled; false
	 * when out of memory. NULL: there are none. */
	bool (*complete)(void *out);
};

/* Of no two entries of a list may this member be the same; NULL is like nothing else. */
struct config_unique {
	size_t at;          /* a char * in the entry */
	const char *what;   /* for messages: "duplicate WHAT ..." */
	const char *advice; /* for messages, or NULL */
	bool any_case;      /* letters in other case are the same */
};

/* An array of structs. */
struct config_list {
	size_t entry_size;
	size_t max;
	/* What an entry looks like: one row for each shape, none with a key. */
	const struct config_key *entries;
	size_t n_entries;
	/* In the file it is a mapping with keys of the user's own, and this member of an entry
	 * takes the key, by its kind. NULL: it is a list. */
	const struct config_key *name;
	const struct config_unique *unique; /* or NULL */
};

#endif
