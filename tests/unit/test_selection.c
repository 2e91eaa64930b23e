/* SPDX-License-Identifier: MIT */
/* Which backends are meant, and how their pods are asked. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/cluster/selection.h"
#include "run.h"

START_TEST(a_star_stands_for_anything)
{
	static const struct {
		const char *pattern;
		const char *name;
		bool fits;
	} rows[] = {
		{"*", "", true},
		{"*", "web", true},
		{"web", "web", true},
		{"web", "web1", false},
		{"web", "we", false},
		{"web-*", "web-", true},
		{"web-*", "web-a", true},
		{"web-*", "a-web-a", false},
		{"*-ws", "a-ws-ws", true},
		{"*-ws", "a-ws-w", false},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "abbbc", true},
		{"a*b*c", "acb", false},
		{"**", "x", true},
		{"a**", "a", true},
		{"", "", true},
		{"", "a", false},
		{"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false},
		/* Only the star is no letter. */
		{"a.c", "abc", false},
		{"a?c", "abc", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_msg(text_matches(rows[i].pattern, rows[i].name) == rows[i].fits, "%s: %s",
			rows[i].pattern, rows[i].name);
	}
}
END_TEST

static struct selection made(void)
{
	static char texts[][8] = {
		"*", "web-*", "tcp", "*-a", "web-a", "one", "two", "all", "three"};
	static char *backends[] = {texts[0], texts[1], texts[2]};
	static struct selection_source sources[] = {
		{texts[1], {.identity = texts[5], .index = 1}},
		{texts[3], {.identity = texts[6], .index = 2}},
		{texts[4], {.identity = texts[8], .index = 3}},
	};

	return (struct selection){
		.backends = backends,
		.n_backends = 3,
		.sources = sources,
		.n_sources = 3,
		.source = {.identity = texts[7]},
	};
}

START_TEST(a_name_goes_before_a_pattern_and_two_patterns_must_agree)
{
	static const struct {
		const char *backend;
		const char *identity;
		const char *other;
	} rows[] = {
		{"none", "all", NULL},
		{"web-b", "one", NULL},
		{"api-a", "two", NULL},
		{"web-a", "three", NULL},
		{"web-x-a", "one", "*-a"},
	};
	struct selection selection = made();
	const char *other;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct pod_source *source =
			selection_source(&selection, rows[i].backend, &other);

		ck_assert_str_eq(source->identity, rows[i].identity);
		if (rows[i].other)
			ck_assert_str_eq(other, rows[i].other);
		else
			ck_assert_ptr_null(other);
	}
	/* Two that say the same are no riddle. */
	strcpy(selection.sources[1].source.identity, "one");
	selection_source(&selection, "web-x-a", &other);
	ck_assert_ptr_null(other);
	strcpy(selection.sources[1].source.identity, "two");
}
END_TEST

START_TEST(a_star_alone_names_nobody)
{
	struct selection selection = made();

	ck_assert(selection_has(&selection, "anything"));
	ck_assert(!selection_is_named(&selection, "anything"));
	ck_assert(selection_is_named(&selection, "web-x"));
	ck_assert(selection_is_named(&selection, "tcp"));
	selection.n_backends = 0;
	ck_assert(selection_has(&selection, "anything"));
	ck_assert(!selection_is_named(&selection, "tcp"));
}
END_TEST

START_TEST(a_copy_is_its_own)
{
	struct selection selection = made();
	struct selection copy;

	ck_assert(selection_copy(&selection, &copy));
	ck_assert_str_eq(copy.backends[1], "web-*");
	ck_assert_ptr_ne(copy.backends[1], selection.backends[1]);
	ck_assert_str_eq(copy.sources[2].source.identity, "three");
	ck_assert_uint_eq(copy.sources[2].source.index, 3);
	ck_assert_str_eq(copy.source.identity, "all");
	selection_fini(&copy);
	ck_assert_uint_eq(copy.n_backends, 0);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_star_stands_for_anything, ONCE},
		{a_name_goes_before_a_pattern_and_two_patterns_must_agree, ONCE},
		{a_star_alone_names_nobody, ONCE},
		{a_copy_is_its_own, ONCE},
	};

	return run_suite("selection", tests, N_OF(tests));
}
