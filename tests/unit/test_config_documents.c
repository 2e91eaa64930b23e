/* SPDX-License-Identifier: MIT */
/* The example file and the man page hold every key that the program knows. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config_keys.h"
#include "core/config/config_parse.h"
#include "core/config/config_value.h"
#include "core/config/config_yaml.h"
#include "core/metric/metric_preset.h"
#include "run.h"

static const char example_path[] = "agent/etc/wsbalancer.yaml";
static const char manual_path[] = "agent/doc/wsbalancer.yaml.5";

static char *read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!in || getdelim(&text, &size, '\0', in) < 0)
		ck_abort_msg("%s cannot be read", path);
	fclose(in);
	return text;
}

static struct config parse(const char *text)
{
	struct config config;
	struct config_mistakes mistakes;

	if (!config_parse(text, strlen(text), NULL, NULL, &config, &mistakes))
		ck_abort_msg("line %u: %s", mistakes.list[0].line, mistakes.list[0].text);
	return config;
}

/* Every row for one value that fills struct config itself, and its key as a path. */
static struct setting {
	char path[80];
	const struct config_key *row;
} settings[100];

static int n_settings;

static void find_settings(const struct config_mapping *mapping, const char *above)
{
	for (size_t i = 0; i < mapping->n_keys; i++) {
		const struct config_key *row = &mapping->keys[i];
		struct setting setting = {.row = row};

		if (n_settings == N_OF(settings)) {
			fputs("more settings than this test has room for\n", stderr);
			exit(EXIT_FAILURE);
		}
		snprintf(setting.path, sizeof(setting.path), "%s%s%s", above, *above ? "." : "",
			row->key);
		if (row->kind)
			settings[n_settings++] = setting;
		else if (row->mapping)
			find_settings(row->mapping, setting.path);
	}
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_same(const struct config_kind *kind, const void *a, const void *b)
{
	if (kind->size == sizeof(struct config_endpoint)) {
		const struct config_endpoint *x = a;
		const struct config_endpoint *y = b;

		return is_same_text(x->path, y->path) && is_same_text(x->host, y->host) &&
		       x->port == y->port;
	}
	if (kind->release)
		return is_same_text(*(char *const *)a, *(char *const *)b);
	return memcmp(a, b, kind->size) == 0;
}

START_TEST(the_example_file_shows_the_defaults)
{
	const struct setting *setting = &settings[_i];
	size_t at = setting->row->at;
	char *text = read_file(example_path);
	struct config example = parse(text);
	struct config minimal = parse("haproxy: {socket: /run/haproxy/admin.sock}");

	ck_assert_msg(is_same(setting->row->kind, (const char *)&example + at,
			      (const char *)&minimal + at),
		"%s is not at its default", setting->path);
	ck_assert_uint_eq(example.n_backends, 0);
	ck_assert_uint_eq(example.metric.n_headers, 0);
	ck_assert_uint_eq(example.n_services, 0);
	config_fini(&minimal);
	config_fini(&example);
	free(text);
}
END_TEST

/* Takes the # off keys that are commented out; prose has exactly one blank behind its #. */
static void uncomment(char *text)
{
	char *to = text;
	bool at_start = true;

	for (char *from = text; *from; from++) {
		bool is_prose = from[1] == '\n' || (from[1] == ' ' && from[2] != ' ');

		if (!at_start || *from != '#' || is_prose)
			*to++ = *from;
		at_start = *from == '\n';
	}
	*to = '\0';
}

static bool is_in_root(const char *key)
{
	for (size_t i = 0; i < config_keys.n_keys; i++) {
		if (strcmp(config_keys.keys[i].key, key) == 0)
			return true;
	}
	return false;
}

/* Calls visit with the path of each key below mapping. In a list it goes through the first entry,
 * and in one with keys of the user's own it ends there. */
static void each_key(const struct config_mapping *mapping, const char *above,
	void (*visit)(const char *path, const void *arg), const void *arg)
{
	for (size_t i = 0; i < mapping->n_keys; i++) {
		const struct config_key *row = &mapping->keys[i];
		char path[128];

		snprintf(path, sizeof(path), "%s%s%s", above, *above ? "." : "", row->key);
		/* How pods are asked is said once, at the top. */
		if (*above && is_in_root(row->key))
			continue;
		/* replicas.service stands in the place of a number. */
		if (i > 0 && strcmp(row->key, row[-1].key) == 0)
			continue;
		visit(path, arg);
		if (row->mapping)
			each_key(row->mapping, path, visit, arg);
		if (!row->list || row->list->name)
			continue;
		strcat(path, "[0]");
		for (size_t j = 0; j < row->list->n_entries; j++) {
			if (row->list->entries[j].mapping)
				each_key(row->list->entries[j].mapping, path, visit, arg);
		}
	}
}

static void expect_in_example(const char *path, const void *arg)
{
	/* The list is empty by default, and is told of in a comment. */
	if (strcmp(path, "haproxy.backends[0].name") == 0)
		return;
	ck_assert_msg(config_yaml_has(arg, path), "%s: no %s", example_path, path);
}

START_TEST(every_key_stands_in_the_example_file)
{
	char *text = read_file(example_path);
	struct config_node *root;
	struct why why;

	uncomment(text);
	ck_assert_msg(config_yaml_load(text, strlen(text), &root, &why), "line %u: %s", why.line,
		why.text);
	each_key(&config_keys, "", expect_in_example, root);
	config_yaml_free(root);
	free(text);
}
END_TEST

START_TEST(what_is_commented_out_in_the_example_file_is_good_too)
{
	char *text = read_file(example_path);
	struct config config;
	struct config_mistakes mistakes;

	uncomment(text);
	/* The servers come from one place only, and the file shows both. */
	ck_assert(!config_parse(text, strlen(text), NULL, NULL, &config, &mistakes));
	ck_assert_uint_eq(mistakes.n, 1);
	ck_assert_str_eq(mistakes.list[0].text,
		"services: not allowed together with haproxy.socket, which lists the servers: "
		"remove one of the two");
	free(text);
}
END_TEST

static void expect_in_manual(const char *path, const void *arg)
{
	const char *manual = arg;
	char entry[160] = "\n.It Ic ";
	char *end = entry + strlen(entry);
	bool is_in_root = !strchr(path, '.');

	/* The manual names no entry of a list. */
	for (; *path; path++) {
		if (strncmp(path, "[0]", 3) == 0)
			path += 3;
		*end++ = *path;
	}
	/* A mapping of the root needs no entry of its own when its keys have theirs. */
	strcpy(end, ".");
	if (is_in_root && strstr(manual, entry))
		return;
	strcpy(end, "\n");
	ck_assert_msg(strstr(manual, entry) != NULL, "%s: no %s", manual_path, entry + 1);
}

START_TEST(every_key_stands_in_the_man_page)
{
	char *manual = read_file(manual_path);

	each_key(&config_keys, "", expect_in_manual, manual);
	free(manual);
}
END_TEST

START_TEST(the_man_page_tells_the_defaults)
{
	const struct setting *setting = &settings[_i];
	const char *fallback = setting->row->fallback;
	char *manual = read_file(manual_path);
	char entry[160];
	char text[160];
	char *at;
	char *end;

	snprintf(entry, sizeof(entry), "\n.It Ic %s\n", setting->path);
	snprintf(text, sizeof(text), "\nDefault: %s.\n", fallback);
	at = strstr(manual, entry);
	if (fallback) {
		ck_assert_msg(at != NULL, "no entry for %s", setting->path);
		/* The entry ends where the next one, or its list, does. */
		at += strlen(entry) - 1;
		end = strstr(at, "\n.It ");
		if (!end || end > strstr(at, "\n.El\n"))
			end = strstr(at, "\n.El\n");
		end[1] = '\0';
		ck_assert_msg(strstr(at, text) != NULL, "%s: no%s", setting->path, text);
	}
	free(manual);
}
END_TEST

/* What the manual says of a preset, written from the program's own table. */
/* The manual's lines are at most 80 bytes long: alternatives that are longer have one each. */
static void write_key(const char *key, char *buf, size_t size)
{
	char *bar;

	snprintf(buf, size, "%s", key);
	if (strlen(buf) > 80 && (bar = strstr(buf, " | ")))
		bar[2] = '\n';
}

static void write_preset(const struct metric_preset *preset, char *buf, size_t size)
{
	char port[32] = "";
	char key[256];

	write_key(preset->key, key, sizeof(key));
	if (preset->port)
		snprintf(port, sizeof(port), ", port %u", preset->port);
	snprintf(buf, size,
		".It Cm %s\n"
		"In %s, at\n"
		".Pa %s%s :\n"
		".Bd -literal -compact\n"
		"%s\n"
		".Ed\n"
		"%s.\n"
		"From: %s; %s%s.\n",
		preset->name, metric_format_name(preset->format), preset->path, port, key,
		preset->counts, preset->source,
		preset->tried ? "tried with " : "nobody has run it here",
		preset->tried ? preset->tried : "");
}

START_TEST(the_man_page_has_each_preset_as_the_program_has_it)
{
	char *manual = read_file(manual_path);
	size_t n;
	const struct metric_preset *presets = metric_preset_all(&n);

	for (size_t i = 0; i < n; i++) {
		char entry[1024];

		write_preset(&presets[i], entry, sizeof(entry));
		ck_assert_msg(strstr(manual, entry) != NULL, "%s: no\n%s", manual_path, entry);
	}
	free(manual);
}
END_TEST

int main(void)
{
	find_settings(&config_keys, "");

	const struct run_test tests[] = {
		{the_example_file_shows_the_defaults, n_settings},
		{every_key_stands_in_the_example_file, ONCE},
		{what_is_commented_out_in_the_example_file_is_good_too, ONCE},
		{every_key_stands_in_the_man_page, ONCE},
		{the_man_page_tells_the_defaults, n_settings},
		{the_man_page_has_each_preset_as_the_program_has_it, ONCE},
	};

	return run_suite("config_documents", tests, N_OF(tests));
}
