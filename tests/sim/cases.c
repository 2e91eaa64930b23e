/* SPDX-License-Identifier: MIT */
/* The cases, the sizes and the policies. */
#include "scenario.h"

const struct scenario_case scenario_cases[] = {
	{"steady", .length_s = 420, .from_s = 60},
	{"scale-out by two", .length_s = 480, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_ADD, .part = 2}}},
	{"crash and return", .length_s = 420, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_CRASH, .seconds = 10}}},
	{"rolling restart, quick", .length_s = 420, .from_s = 60, .event_s = 110,
		.incidents = {{60, INCIDENT_ROLL, .seconds = 3, .every_s = 5}}},
	{"rolling restart, slow", .length_s = 660, .from_s = 60, .event_s = 510,
		.incidents = {{60, INCIDENT_ROLL, .seconds = 10, .every_s = 45}}},
	{"reload of one", .length_s = 420, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_RELOAD}}},
	{"reload of all", .length_s = 420, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_RELOAD, .part = 1000}}},
	{"scale-out, then reload", .length_s = 480, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_ADD, .part = 2}, {65, INCIDENT_RELOAD, .part = 1000}}},
	{"direct connections", .length_s = 900, .from_s = 420, .direct_pods = 0.3,
		.direct_load = 0.6},
	{"unequal capacities", .length_s = 480, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_CRASH, .seconds = 10}},
		.capacities = {50, 100, 150, 200}},
	{"short lives on one", .length_s = 420, .from_s = 60, .short_life = 0.1},
	{"lying pod", .length_s = 480, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_LIE}, {180, INCIDENT_ADD, .part = 2}}},
	{"polls lost", .length_s = 480, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_ADD, .part = 2}}, .lost = 0.1},
	{"agents stopped", .length_s = 480, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_ADD, .part = 2}, {90, INCIDENT_AGENTS_STOP}},
		.is_unsteered = true},
	{"agents killed", .length_s = 480, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_ADD, .part = 2}, {90, INCIDENT_AGENTS_DIE}},
		.is_unsteered = true},
	{"servers reused", .length_s = 480, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_REUSE, .part = 0.3}}},
	{"storm", .length_s = 360, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_STORM, .part = 0.5}}},
	{"ramp of 30 s", .length_s = 240, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_ADD, .part = 2}}, .ramp_s = 30},
	{"maxShare 0.2", .length_s = 360, .from_s = 60, .event_s = 60,
		.incidents = {{60, INCIDENT_ADD, .part = 2}, {65, INCIDENT_RELOAD, .part = 1000}},
		.max_share = 0.2},
};
const size_t scenario_n_cases = sizeof(scenario_cases) / sizeof(*scenario_cases);

static const char *const MILLION = "steady, scale-out, then reload, storm";
static const char *const SPARSE =
	"steady, scale-out by two, rolling restart, quick, reload of all, "
	"scale-out, then reload, unequal capacities, lying pod";

const struct scenario_size scenario_sizes[] = {
	{.pods = 3, .instances = 1, .per_pod = 100, .life_s = 300, .in_short = true},
	{.pods = 3, .instances = 3, .per_pod = 200, .life_s = 300},
	{.pods = 10, .instances = 1, .per_pod = 50, .life_s = 300},
	{.pods = 10, .instances = 3, .per_pod = 300, .life_s = 300, .in_short = true},
	{.pods = 10, .instances = 10, .per_pod = 1000, .life_s = 300},
	{.pods = 100, .instances = 1, .per_pod = 50, .life_s = 300},
	{.pods = 100, .instances = 3, .per_pod = 300, .life_s = 300},
	{.pods = 100, .instances = 10, .per_pod = 500, .life_s = 300},
	{.pods = 1000, .instances = 10, .per_pod = 1000, .life_s = 900, .only = MILLION},
	{.pods = 3,
		.instances = 10,
		.per_pod = 50,
		.life_s = 300,
		.is_sparse = true,
		.only = SPARSE},
	{.pods = 10,
		.instances = 10,
		.per_pod = 50,
		.life_s = 300,
		.is_sparse = true,
		.only = SPARSE},
	{.pods = 100,
		.instances = 10,
		.per_pod = 50,
		.life_s = 300,
		.is_sparse = true,
		.only = SPARSE},
	{.pods = 1000,
		.instances = 10,
		.per_pod = 20,
		.life_s = 300,
		.is_sparse = true,
		.only = MILLION},
};
const size_t scenario_n_sizes = sizeof(scenario_sizes) / sizeof(*scenario_sizes);

const struct policy scenario_policies[] = {
	{"cached minimum", POLICY_CACHED_MINIMUM, LB_RANDOM, POLICY_AS_CONFIGURED},
	{"roundrobin", POLICY_HAPROXY, LB_ROUNDROBIN, POLICY_AS_CONFIGURED},
	{"leastconn", POLICY_HAPROXY, LB_LEASTCONN, POLICY_AS_CONFIGURED},
	{"random(2)", POLICY_HAPROXY, LB_RANDOM, POLICY_AS_CONFIGURED},
	{"1/count", POLICY_HAPROXY, LB_ROUNDROBIN, POLICY_INVERSE},
	{"flow", POLICY_HAPROXY, LB_ROUNDROBIN, POLICY_FLOW},
	{"stock", POLICY_HAPROXY, LB_LEASTCONN, POLICY_STOCK},
	{"stock, random(2)", POLICY_HAPROXY, LB_RANDOM, POLICY_STOCK},
	{"flow, random(2)", POLICY_HAPROXY, LB_RANDOM, POLICY_FLOW},
	{"oracle", POLICY_ORACLE, LB_RANDOM, POLICY_AS_CONFIGURED},
};
const size_t scenario_n_policies = sizeof(scenario_policies) / sizeof(*scenario_policies);
