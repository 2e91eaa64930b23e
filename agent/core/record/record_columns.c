/* SPDX-License-Identifier: MIT */
#include "core/record/record_columns.h"

/* Of anything measured: no sum of as many as fit on a line comes near the end of a double. */
#define REAL_MAX 1e18
/* Whole numbers up to here are exact in every reader of JSON. */
#define MS_MAX    9007199254740991.0
#define COUNT_MAX 4294967295.0

/* clang-format off */
#define COLUMN(struct_, type_, name_, member_, min_, max_) \
	{.name = (name_), .type = RECORD_##type_, .offset = offsetof(struct struct_, member_), \
		.min = (min_), .max = (max_)}

#define LINE(...) COLUMN(record, __VA_ARGS__)
const struct record_column record_line_columns[] = {
	LINE(MS, "wall_ms", wall_ms, 0, MS_MAX),
	LINE(MS, "now_ms", now_ms, 0, MS_MAX),
	{.name = NULL},
};

#define SETTING(...) COLUMN(cluster_settings, __VA_ARGS__)
const struct record_column record_settings_columns[] = {
	SETTING(UNSIGNED, "replicas", replicas, 1, 1000),
	SETTING(MS, "poll_interval_ms", poll_interval_ms, 0, MS_MAX),
	SETTING(MS, "cache_ttl_ms", cache_ttl_ms, 0, MS_MAX),
	SETTING(MS, "ramp_ms", ramp_ms, 0, MS_MAX),
	SETTING(REAL, "max_share", max_share, 0, 1),
	SETTING(UNSIGNED, "capacity_max", capacity_max, 0, 1000000),
	SETTING(BOOL, "percent_steps", percent_steps, 0, 0),
	SETTING(BOOL, "agent_check_only", agent_check_only, 0, 0),
	{.name = NULL},
};

#define BACKEND(...) COLUMN(record_backend, __VA_ARGS__)
const struct record_column record_backend_columns[] = {
	BACKEND(TEXT, "name", name, 0, 0),
	BACKEND(TEXT, "algo", algo, 0, 0),
	BACKEND(MS, "interval_ms", interval_ms, 1, MS_MAX),
	BACKEND(REAL, "arrivals_per_s", arrivals_per_s, 0, REAL_MAX),
	BACKEND(REAL, "growth_per_s", growth_per_s, -REAL_MAX, REAL_MAX),
	BACKEND(REAL, "closing", closing, 0, REAL_MAX),
	BACKEND(REAL, "level", level, 0, REAL_MAX),
	BACKEND(REAL, "imbalance", imbalance, 0, REAL_MAX),
	BACKEND(BOOL, "fallback", fallback, 0, 0),
	{.name = NULL},
};

#define SERVER(...) COLUMN(record_server, __VA_ARGS__)
const struct record_column record_server_columns[] = {
	SERVER(TEXT, "server", name, 0, 0),
	SERVER(TEXT, "address", address, 0, 0),
	SERVER(BOOL, "heard", input.heard, 0, 0),
	SERVER(BOOL, "draining", input.draining, 0, 0),
	SERVER(BOOL, "doubted", input.doubted, 0, 0),
	SERVER(BOOL, "own_exact", input.own_exact, 0, 0),
	SERVER(BOOL, "several", input.several, 0, 0),
	SERVER(COUNT, "count", input.count, 0, COUNT_MAX),
	SERVER(MS, "count_age_ms", input.count_age_ms, 0, MS_MAX),
	SERVER(COUNT, "own", input.own, 0, COUNT_MAX),
	SERVER(COUNT, "own_then", input.own_then, 0, COUNT_MAX),
	SERVER(MS, "age_ms", input.age_ms, 0, MS_MAX),
	SERVER(BOOL, "has_others", input.has_others, 0, 0),
	SERVER(REAL, "others", input.others, -REAL_MAX, REAL_MAX),
	SERVER(BOOL, "has_target_then", input.planned, 0, 0),
	SERVER(REAL, "target_then", input.target_then, 0, REAL_MAX),
	SERVER(REAL, "leaving", input.leaving, 0, REAL_MAX),
	SERVER(REAL, "credit", input.credit, -REAL_MAX, REAL_MAX),
	SERVER(INT, "configured", input.configured, 1, PLANNER_WEIGHT_MAX),
	SERVER(REAL, "capacity_told", input.told, 0, 1e9),
	SERVER(REAL, "capacity", input.capacity, 0.001, 1e9),
	SERVER(REAL, "part", input.part, 0, 1),
	SERVER(REAL, "line", input.line, 0, 1),
	SERVER(REAL, "held", input.held, 0, REAL_MAX),
	SERVER(COUNT, "own_beside", input.own_beside, 0, COUNT_MAX),
	SERVER(BASIS, "basis", plan.basis, 0, 0),
	SERVER(REAL, "reckoned", plan.count, 0, REAL_MAX),
	SERVER(REAL, "deficit", plan.deficit, -REAL_MAX, REAL_MAX),
	SERVER(REAL, "target", plan.target, 0, REAL_MAX),
	SERVER(REAL, "ramp", plan.ramp, 0, 1),
	SERVER(REAL, "share_limit", plan.share_limit, 0, 1),
	SERVER(INT, "planned_weight", plan.weight, 0, PLANNER_WEIGHT_MAX),
	SERVER(INT, "weight", weight, 0, PLANNER_WEIGHT_MAX),
	SERVER(INT, "haproxy_weight", haproxy_weight, 0, PLANNER_WEIGHT_MAX),
	{.name = NULL},
};
/* clang-format on */
