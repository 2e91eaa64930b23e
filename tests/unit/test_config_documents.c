/* SPDX-License-Identifier: MIT */
/* The example file and the man page hold every key that the program knows. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config.h"
#include "core/config/config_schema.h"
#include "core/config/config_value.h"
#include "core/config/config_yaml.h"
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
	struct config_error error;

	if (!config_parse(text, strlen(text), NULL, NULL, &config, &error))
		ck_abort_msg("line %u: %s", error.line, error.message);
	return config;
}

/* Every setting of the root and the mappings under it, as in config.c. */
#define SETTING(mapping_, key_, member_, ...) \
	{.key = #mapping_ "." key_, .out = offsetof(struct config, member_), __VA_ARGS__},

static const struct config_setting settings[] = {CONFIG_KEYS_ROOT(SETTING) CONFIG_KEYS_HAPROXY(
	SETTING) CONFIG_KEYS_AGENT_CHECK(SETTING) CONFIG_KEYS_LOG(SETTING)};

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_same(const struct config_setting *setting, const void *a, const void *b)
{
	if (setting->kind->size == sizeof(struct config_endpoint)) {
		const struct config_endpoint *x = a;
		const struct config_endpoint *y = b;

		return is_same_text(x->path, y->path) && is_same_text(x->host, y->host) &&
		       x->port == y->port;
	}
	if (setting->kind->release)
		return is_same_text(*(char *const *)a, *(char *const *)b);
	return memcmp(a, b, setting->kind->size) == 0;
}

START_TEST(the_example_file_shows_the_defaults)
{
	const struct config_setting *setting = &settings[_i];
	char *text = read_file(example_path);
	struct config example = parse(text);
	struct config minimal = parse("haproxy: {socket: /run/haproxy/admin.sock}");

	ck_assert_msg(is_same(setting, (const char *)&example + setting->out,
			      (const char *)&minimal + setting->out),
		"%s is not at its default", setting->key);
	ck_assert_uint_eq(example.n_backends, 0);
	ck_assert_uint_eq(example.n_metric_headers, 0);
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

/* Calls visit for each key below fields. In a list the path goes through the first entry. */
static void each_key(const cyaml_schema_field_t *fields, const struct config_path *up,
	void (*visit)(const struct config_path *path, void *arg), void *arg)
{
	for (; fields->key; fields++) {
		const cyaml_schema_value_t *value = &fields->value;
		struct config_path path = {.up = up, .key = fields->key};
		struct config_path first = {.up = &path, .index = 0};

		visit(&path, arg);
		if (value->type == CYAML_MAPPING)
			each_key(value->mapping.fields, &path, visit, arg);
		else if (value->type == CYAML_SEQUENCE &&
			 value->sequence.entry->type == CYAML_MAPPING)
			each_key(value->sequence.entry->mapping.fields, &first, visit, arg);
	}
}

/* The keys of a path by dots, without indexes; returns what is written behind them. */
static char *spell(const struct config_path *path, char *buf, const char *end)
{
	char *at = path->up ? spell(path->up, buf, end) : buf;

	if (path->key)
		at += snprintf(at, (size_t)(end - at), "%s%s", at > buf ? "." : "", path->key);
	return at;
}

static void expect_in_example(const struct config_path *path, void *arg)
{
	char key[128];

	spell(path, key, key + sizeof(key));
	ck_assert_msg(config_yaml_node(arg, path) != NULL, "%s: no %s", example_path, key);
}

START_TEST(every_key_stands_in_the_example_file)
{
	char *text = read_file(example_path);
	struct config_yaml yaml;
	struct config_error error;

	uncomment(text);
	ck_assert_msg(config_yaml_load(text, strlen(text), &yaml, &error), "line %u: %s",
		error.line, error.message);
	each_key(config_schema()->mapping.fields, NULL, expect_in_example, &yaml);
	config_yaml_fini(&yaml);
	free(text);
}
END_TEST

START_TEST(what_is_commented_out_in_the_example_file_is_good_too)
{
	char *text = read_file(example_path);
	struct config config;
	struct config_error error;

	uncomment(text);
	/* All rules between keys but this one need a socket, and it comes last. */
	ck_assert(!config_parse(text, strlen(text), NULL, NULL, &config, &error));
	ck_assert_str_eq(error.message, "services: not allowed beside haproxy.socket, which lists "
					"the servers: remove one of the two");
	free(text);
}
END_TEST

static void expect_in_manual(const struct config_path *path, void *arg)
{
	const char *manual = arg;
	char entry[160] = "\n.It Ic ";
	char *end = spell(path, entry + strlen(entry), entry + sizeof(entry) - 2);

	/* A mapping of the root needs no entry of its own when its keys have theirs. */
	*end++ = '.';
	*end = '\0';
	if (!path->up && strstr(manual, entry))
		return;
	end[-1] = '\n';
	ck_assert_msg(strstr(manual, entry) != NULL, "%s: no %s", manual_path, entry + 1);
}

START_TEST(every_key_stands_in_the_man_page)
{
	char *manual = read_file(manual_path);

	each_key(config_schema()->mapping.fields, NULL, expect_in_manual, manual);
	free(manual);
}
END_TEST

START_TEST(the_man_page_tells_the_defaults)
{
	const struct config_setting *setting = &settings[_i];
	const char *key = setting->key;
	char *manual = read_file(manual_path);
	char entry[160];
	char text[160];
	char *at;
	char *end;

	if (strncmp(key, "root.", 5) == 0)
		key += 5;
	snprintf(entry, sizeof(entry), "\n.It Ic %s\n", key);
	snprintf(text, sizeof(text), "\nDefault: %s.\n", setting->fallback);
	at = strstr(manual, entry);
	if (setting->fallback) {
		ck_assert_msg(at != NULL, "no entry for %s", key);
		/* The entry ends where the next one, or its list, does. */
		at += strlen(entry) - 1;
		end = strstr(at, "\n.It ");
		if (!end || end > strstr(at, "\n.El\n"))
			end = strstr(at, "\n.El\n");
		end[1] = '\0';
		ck_assert_msg(strstr(at, text) != NULL, "%s: no%s", key, text);
	}
	free(manual);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{the_example_file_shows_the_defaults, N_OF(settings)},
		{every_key_stands_in_the_example_file, ONCE},
		{what_is_commented_out_in_the_example_file_is_good_too, ONCE},
		{every_key_stands_in_the_man_page, ONCE},
		{the_man_page_tells_the_defaults, N_OF(settings)},
	};

	return run_suite("config_documents", tests, N_OF(tests));
}
