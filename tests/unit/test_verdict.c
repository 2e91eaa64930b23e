/* SPDX-License-Identifier: MIT */
/* What is said of a backend. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "core/report/verdict.h"
#include "run.h"

/* Eight pods, one of which joined a moment ago. */
static struct verdict_input levelling(void)
{
	return (struct verdict_input){
		.backend = "ws",
		.asked = true,
		.detail = "",
		.outlook = {.verdict = OUTLOOK_FILLING,
			.deficit = 200,
			.seconds = 20,
			.alone = 230},
		.arrivals_per_s = 10.2,
		.n_pods = 8,
		.n_known = 8,
		.fullest = 131,
		.fullest_level = 109,
		.missing = 78.2,
		.n_missing = 1,
		.n_above = 6,
		.share_missing = 0.86,
		.lowest = "chat-7f9c6d5b8-k0s9d",
		.events = "chat-7f9c6d5b8-k0s9d joined 12 s ago; HAProxy reloaded 41 s ago",
	};
}

START_TEST(levelling_says_how_long_why_and_how)
{
	struct verdict_input input = levelling();
	struct verdict verdict = verdict_of(&input);

	ck_assert_int_eq(verdict.state, VERDICT_LEVELLING);
	ck_assert_str_eq(verdict.text, "Levelling: ws is balanced in about 20 s");
	ck_assert_str_eq(verdict.now,
		"fullest pod 20 % above its level (131 of 109); 78 connections are missing on 1 pod");
	ck_assert_str_eq(
		verdict.why, "chat-7f9c6d5b8-k0s9d joined 12 s ago; HAProxy reloaded 41 s ago");
	ck_assert_str_eq(verdict.how, "86 of 100 new connections go to chat-7f9c6d5b8-k0s9d, "
				      "10.2 new connections a second");
	ck_assert_str_eq(verdict.you, "nothing");
	input.n_missing = 2;
	input.missing = 1.2;
	input.outlook.seconds = 3.2;
	verdict = verdict_of(&input);
	ck_assert_str_eq(verdict.text, "Levelling: ws is balanced in about 4 s");
	ck_assert_ptr_nonnull(strstr(verdict.now, "1 connection is missing on 2 pods"));
	ck_assert_ptr_nonnull(strstr(verdict.how, "86 of 100 new connections go to these 2 pods"));
	input.share_missing = -1;
	verdict = verdict_of(&input);
	ck_assert_str_eq(verdict.how, "10.2 new connections a second");
}
END_TEST

/* The fullest pod alone does not tell: among a hundred full ones an empty one is 1 % of imbalance.
 */
START_TEST(balanced_is_only_where_no_pod_lacks_any)
{
	struct verdict_input input = levelling();

	input.outlook = (struct outlook){.verdict = OUTLOOK_BALANCED, .deficit = 99, .seconds = 9};
	input.n_above = 0;
	input.fullest = 110;
	ck_assert_int_eq(verdict_of(&input).state, VERDICT_LEVELLING);
	input.n_missing = 0;
	input.missing = 0;

	struct verdict verdict = verdict_of(&input);

	ck_assert_int_eq(verdict.state, VERDICT_BALANCED);
	ck_assert_str_eq(verdict.text, "Balanced: every pod of ws is near its level");
	ck_assert_str_eq(verdict.now, "fullest pod 1 % above its level (110 of 109)");
	ck_assert_str_eq(verdict.how, "10.2 new connections a second");
	input.n_known = 7;
	ck_assert_str_eq(verdict_of(&input).text,
		"Balanced: every pod of ws that is known is near its level");
	input.fullest = input.fullest_level = 0;
	ck_assert_str_eq(verdict_of(&input).now, "no connections");
}
END_TEST

START_TEST(where_new_connections_cannot_help_it_says_so)
{
	struct verdict_input input = levelling();
	struct verdict verdict;

	input.outlook = (struct outlook){
		.verdict = OUTLOOK_ONLY_CLOSING, .deficit = 100, .seconds = 1000, .alone = 1080};
	input.arrivals_per_s = 0.1;
	input.events = "";
	verdict = verdict_of(&input);
	ck_assert_int_eq(verdict.state, VERDICT_CANNOT_LEVEL);
	ck_assert_str_eq(
		verdict.text, "Cannot level ws by new connections alone: 3 h 0 min at this rate");
	ck_assert_str_eq(
		verdict.why, "a pod that has too many connections keeps them until they close");
	ck_assert_str_ne(verdict.you, "nothing");
	input.outlook.seconds = HUGE_VAL;
	input.arrivals_per_s = 0;
	ck_assert_str_eq(verdict_of(&input).text, "Cannot level ws: no new connections come");
	/* Nobody comes, and nobody need. */
	input.n_missing = input.n_above = 0;
	ck_assert_int_eq(verdict_of(&input).state, VERDICT_BALANCED);
}
END_TEST

START_TEST(what_keeps_weights_from_haproxy_outweighs_how_the_pods_stand)
{
	static const struct {
		enum verdict_cause cause;
		const char *detail;
		const char *text;
		const char *you; /* a part */
	} told[] = {
		{VERDICT_SILENT, "Connection refused",
			"Not steering ws: HAProxy has not answered for 25 s", "HAProxy runs"},
		{VERDICT_REFUSED, "Permission denied",
			"Not steering ws: HAProxy refuses the weights", "level admin"},
		{VERDICT_REFUSED, "No such server.", "Not steering ws: HAProxy refuses the weights",
			"complaint"},
		{VERDICT_DRY_RUN, "",
			"Not steering ws: dry run, weights are planned and none is sent",
			"--dry-run"},
		{VERDICT_FEW_KNOWN, "",
			"Not steering ws: fewer than half of the pods are known, all weights are as "
			"configured",
			"/metric"},
		{VERDICT_NO_PODS, "", "Not steering ws: no pod takes connections", "health checks"},
		{VERDICT_STOPPING, "", "Not steering ws: HAProxy stops, as it was told to",
			"nothing"},
	};

	for (size_t i = 0; i < N_OF(told); i++) {
		struct verdict_input input = levelling();

		input.cause = told[i].cause;
		input.detail = told[i].detail;
		input.silent_s = 25.4;
		input.n_known = 3;

		struct verdict verdict = verdict_of(&input);

		ck_assert_int_eq(verdict.state, VERDICT_NOT_STEERING);
		ck_assert_str_eq(verdict.text, told[i].text);
		ck_assert_ptr_nonnull(strstr(verdict.you, told[i].you));
		ck_assert_str_eq(verdict.why, told[i].cause == VERDICT_FEW_KNOWN
						      ? "3 of 8 pods are known"
						      : told[i].detail);
		/* How pods stand to a plan that nobody carries out is nothing to go by. */
		ck_assert_str_eq(verdict.now, "");
		ck_assert_str_eq(verdict.how, "");
	}
}
END_TEST

START_TEST(before_all_pods_were_asked_nothing_is_said_of_them)
{
	struct verdict_input input = levelling();

	input.asked = false;
	ck_assert_str_eq(
		verdict_of(&input).text, "Starting: the pods of ws have not all been asked yet");
	input.cause = VERDICT_FEW_KNOWN;
	ck_assert_int_eq(verdict_of(&input).state, VERDICT_STARTING);
	input.cause = VERDICT_SILENT;
	input.silent_s = -1;
	ck_assert_str_eq(verdict_of(&input).text, "Not steering ws: HAProxy does not answer");
}
END_TEST

START_TEST(a_backend_that_is_not_to_be_steered_is_no_fault)
{
	struct verdict_input input = {.backend = "api",
		.cause = VERDICT_ALGORITHM,
		.detail = "source",
		.events = "",
		.lowest = ""};
	struct verdict verdict = verdict_of(&input);

	ck_assert_int_eq(verdict.state, VERDICT_LEFT_ALONE);
	ck_assert_str_eq(verdict.text, "Left alone: api, the weights of this algorithm are fixed");
}
END_TEST

START_TEST(states_have_names_labels_and_an_exit_status_each)
{
	static const int statuses[VERDICT_N_STATES] = {
		[VERDICT_STARTING] = 4, [VERDICT_CANNOT_LEVEL] = 3, [VERDICT_NOT_STEERING] = 4};

	for (int i = 0; i < VERDICT_N_STATES; i++) {
		ck_assert_int_eq(verdict_exit_status((enum verdict_state)i), statuses[i]);
		for (int j = 0; j < i; j++) {
			ck_assert_str_ne(verdict_state_label((enum verdict_state)i),
				verdict_state_label((enum verdict_state)j));
			ck_assert_str_ne(verdict_state_name((enum verdict_state)i),
				verdict_state_name((enum verdict_state)j));
		}
	}
}
END_TEST

START_TEST(what_chance_makes_of_few_connections_passes)
{
	ck_assert_double_le(outlook_tolerance(0), 1.0);
	ck_assert_double_ge(outlook_tolerance(3), 1.0);
	ck_assert_double_le(outlook_tolerance(20), 3.0);
	ck_assert_double_eq_tol(outlook_tolerance(1000), 50.0, 1e-9);

	struct verdict_input input = {.backend = "ws",
		.asked = true,
		.detail = "",
		.arrivals_per_s = -1.0,
		.n_pods = 3,
		.n_known = 3,
		.fullest = 4,
		.fullest_level = 3,
		.share_missing = -1.0,
		.lowest = "",
		.events = ""};
	struct verdict verdict = verdict_of(&input);

	ck_assert_str_eq(verdict.text, "Balanced: every pod of ws is near its level");
	ck_assert_str_eq(verdict.now,
		"fullest pod 33 % above its level (4 of 3): by chance, with so few "
		"connections");
	ck_assert_str_eq(verdict.you, "nothing");
	input.n_needs = 1;
	verdict = verdict_of(&input);
	ck_assert_str_eq(verdict.you, "see to the pods that need you");
	input.fullest = 1030;
	input.fullest_level = 1000;
	verdict = verdict_of(&input);
	ck_assert_str_eq(verdict.now, "fullest pod 3 % above its level (1030 of 1000)");
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{levelling_says_how_long_why_and_how, ONCE},
		{balanced_is_only_where_no_pod_lacks_any, ONCE},
		{where_new_connections_cannot_help_it_says_so, ONCE},
		{what_keeps_weights_from_haproxy_outweighs_how_the_pods_stand, ONCE},
		{before_all_pods_were_asked_nothing_is_said_of_them, ONCE},
		{a_backend_that_is_not_to_be_steered_is_no_fault, ONCE},
		{states_have_names_labels_and_an_exit_status_each, ONCE},
		{what_chance_makes_of_few_connections_passes, ONCE},
	};

	return run_suite("verdict", tests, N_OF(tests));
}
