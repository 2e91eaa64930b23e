# wsbalancer: build and install. Tests, lint and benchmarks: tests/tests.mk. `make help` lists all targets.
#
#   make                          build/wsbalancer
#   make VARIANT=debug|san        the same in build/debug or build/san
#   make install DESTDIR= PREFIX=/usr/local SYSCONFDIR=/etc
#
# CC, CPPFLAGS, CFLAGS and LDFLAGS are yours. BUILD= is where everything goes, V=1 shows the commands.

VERSION  := 0.1.0
VARIANT  ?= release
BUILD    ?= build
PREFIX   ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR  ?=
CC       ?= cc
PYTHON   ?= /usr/bin/python3

# ---- flags ----

# What every variant is compiled with. WERROR is set by the tests only: a new compiler's new
# warning must not stop a user's build.
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wundef \
	-Wnull-dereference -Wdouble-promotion -Wformat=2 -Wvla -Wswitch-enum
WERROR   ?=
DEFINES  := -D_GNU_SOURCE

HARDEN   := -fstack-protector-strong -fstack-clash-protection -fPIE
FLAGS_release  := -O2 -g $(HARDEN) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
FLAGS_debug    := -O0 -g3
# A double that no integer holds is undefined too, and not among "undefined".
FLAGS_san      := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,float-cast-overflow \
	-fno-sanitize-recover=undefined,float-cast-overflow
FLAGS_coverage := -O0 -g --coverage
# libFuzzer is clang's and brings its own main.
FLAGS_fuzz     := -O1 -g -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow
LINK_release   := -pie -Wl,-z,relro,-z,now
LINK_debug     :=
LINK_san       := -fsanitize=address,undefined
LINK_coverage  := --coverage
LINK_fuzz      := -fsanitize=fuzzer,address,undefined

ifeq ($(filter $(VARIANT),release debug san coverage fuzz),)
$(error VARIANT is '$(VARIANT)': use release, debug or san)
endif

compile = $(CC) -std=c11 $(WARNINGS) $(WERROR) $(DEFINES) $(FLAGS_$(VARIANT)) $(CPPFLAGS) $(CFLAGS) -MMD -MP
# The compiler's own options count at the link too, as -flto does.
link    = $(CC) $(FLAGS_$(VARIANT)) $(CFLAGS) $(LINK_$(VARIANT)) $(LDFLAGS)

# ---- what is made of what ----

# The release program is what users look for, so it lies at the top of build/.
OUT := $(BUILD)/$(VARIANT)
BIN := $(if $(filter release,$(VARIANT)),$(BUILD),$(OUT))

objects     = $(patsubst %.c,$(OUT)/%.o,$(1))
core_srcs  := $(sort $(shell find agent/core -name '*.c'))
shell_srcs := $(filter-out $(core_srcs),$(sort $(shell find agent -name '*.c')))
core_objs  := $(call objects,$(core_srcs)) $(OUT)/page/page_data.o
shell_objs := $(call objects,$(shell_srcs))

# Each asked once, and only when something is compiled: `make deps` must work without pkg-config.
ask_once     = $(eval $(1) := $(shell pkg-config $(2)) $(3))$($(1))
core_pkgs   := json-c yaml-0.1
agent_pkgs  := libcurl libmicrohttpd gnutls libseccomp zlib $(core_pkgs)
core_cflags  = $(call ask_once,core_cflags,--cflags $(core_pkgs))
core_libs    = $(call ask_once,core_libs,--libs $(core_pkgs),-lm)
agent_cflags = $(call ask_once,agent_cflags,--cflags $(agent_pkgs))
agent_libs   = $(call ask_once,agent_libs,--libs $(agent_pkgs),-lev -lm)

# One line a file. All processors are used unless -j says otherwise.
Q   := $(if $(V),,@)
$(foreach tool,CC LD AR GEN,$(eval say_$(tool) = $(if $(V),,@echo '  $(tool)  $$@')))
ifeq ($(MAKELEVEL)$(filter -j% --jobs%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := all
.PHONY: FORCE all agent deps install uninstall image clean help
.SECONDARY:

all: deps ## the program, build/wsbalancer; installs from Debian what its build misses
	@$(MAKE) agent

agent: $(BIN)/wsbalancer ## the same, nothing installed

deps:
	@.ci/deps build

# Texts as files that are written only when they change: what was made with other flags, of other sources
# or for other paths is made anew, and nothing else. WERROR changes no code.
# Two makes at once write two files.
if_changed = @mkdir -p $(@D); printf '%s\n' $(1) >$@.$$$$; \
	cmp -s $@.$$$$ $@ && rm $@.$$$$ || mv $@.$$$$ $@
quoted     = '$(subst ','\'',$(1))'

$(OUT)/flags: FORCE
	$(call if_changed,$(call quoted,$(filter-out -Werror,$(compile)) $(link)))

$(OUT)/core.list: FORCE
	$(call if_changed,$(core_objs))

$(OUT)/agent.list: FORCE
	$(call if_changed,$(shell_objs))

$(OUT)/include/build.h: FORCE
	$(call if_changed,'/* Made by the Makefile. */' $(call quoted,#define WSB_VERSION "$(VERSION)") \
		$(call quoted,#define WSB_SYSCONFDIR "$(SYSCONFDIR)"))

# ---- rules ----

$(OUT)/agent/%.o:      includes = -Iagent -I$(OUT)/include $(agent_cflags)
$(OUT)/agent/core/%.o: includes = -Iagent $(core_cflags)
$(OUT)/page/%.o:       includes = -Iagent

# build.h must be there before the first compilation; after it each object's .d says who includes it.
$(OUT)/%.o: %.c $(OUT)/flags Makefile | $(OUT)/include/build.h
	$(say_CC)
	@mkdir -p $(@D)
	$(Q)$(compile) $(includes) -c $< -o $@

# The page for people is in the program: its sources as bytes in C.
page_srcs := agent/page/page.html agent/page/page.css agent/page/page.js

$(OUT)/page/page_data.c: agent/page/embed.sh $(page_srcs)
	$(say_GEN)
	@mkdir -p $(@D)
	$(Q)agent/page/embed.sh $(page_srcs) > $@.tmp
	@mv $@.tmp $@

$(OUT)/page/page_data.o: $(OUT)/page/page_data.c $(OUT)/flags Makefile
	$(say_CC)
	$(Q)$(compile) $(includes) -c $< -o $@

$(OUT)/libcore.a: $(core_objs) $(OUT)/core.list
	$(say_AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(core_objs)

$(BIN)/wsbalancer: $(shell_objs) $(OUT)/libcore.a $(OUT)/agent.list
	$(say_LD)
	@mkdir -p $(@D)
	$(Q)$(link) -o $@ $(shell_objs) $(OUT)/libcore.a $(agent_libs)

# ---- installation ----

# The configuration is the user's once it lies there: it is neither overwritten nor removed.
bin_dir  := $(DESTDIR)$(PREFIX)/bin
man_dir  := $(DESTDIR)$(PREFIX)/share/man
doc_dir  := $(DESTDIR)$(PREFIX)/share/doc/wsbalancer
share_dir := $(DESTDIR)$(PREFIX)/share
unit_dir := $(DESTDIR)$(PREFIX)/lib/systemd/system
conf_dir := $(DESTDIR)$(SYSCONFDIR)/wsbalancer

# Texts that name paths get those of this installation.
localized = sed -e 's|/usr/bin/wsb|$(PREFIX)/bin/wsb|' -e 's|/etc/wsb|$(SYSCONFDIR)/wsb|'

# Of several HAProxies on one host each has an agent, wsbalancer@NAME with NAME.yaml: the same unit otherwise.
for_one_of_several = -e 's|/wsbalancer\.yaml|/%i.yaml|' -e 's|^StateDirectory=.*|&/%i|' \
	-e 's|^Description=.*|& %i|' -e 's|^\(EnvironmentFile=.*\)|\1-%i|' -e 's|^\(After=.*\)|\1 haproxy-%i.service|'

install: agent ## to PREFIX (/usr/local) and SYSCONFDIR (/etc), below DESTDIR
	install -d $(bin_dir) $(man_dir)/man5 $(man_dir)/man8 $(unit_dir) $(conf_dir)
	install -m 755 $(BIN)/wsbalancer $(bin_dir)/wsbalancer
	$(localized) agent/doc/wsbalancer.8 > $(man_dir)/man8/wsbalancer.8
	$(localized) agent/doc/wsbalancer.yaml.5 > $(man_dir)/man5/wsbalancer.yaml.5
	$(localized) agent/etc/wsbalancer.service > $(unit_dir)/wsbalancer.service
	$(localized) $(for_one_of_several) agent/etc/wsbalancer.service > $(unit_dir)/wsbalancer@.service
	chmod 644 $(man_dir)/man8/wsbalancer.8 $(man_dir)/man5/wsbalancer.yaml.5 \
		$(unit_dir)/wsbalancer.service $(unit_dir)/wsbalancer@.service
	for shell in bash zsh fish; do $(BIN)/wsbalancer completion $$shell > $(OUT)/completion.$$shell || exit 1; done
	install -D -m 644 $(OUT)/completion.bash $(share_dir)/bash-completion/completions/wsbalancer
	install -D -m 644 $(OUT)/completion.zsh $(share_dir)/zsh/site-functions/_wsbalancer
	install -D -m 644 $(OUT)/completion.fish $(share_dir)/fish/vendor_completions.d/wsbalancer.fish
	install -D -m 644 -t $(doc_dir)/examples agent/etc/wsbalancer.yaml agent/etc/credentials.conf $(wildcard haproxy/*.cfg haproxy/*.conf)
	install -D -m 644 -t $(doc_dir)/examples k8s/chart/files/dashboard.json
	sed 's|@EXAMPLES@|$(PREFIX)/share/doc/wsbalancer/examples|' agent/etc/prometheus.yml > $(doc_dir)/examples/prometheus.yml
	sed 's|k8s/RUNBOOKS|file://$(PREFIX)/share/doc/wsbalancer/RUNBOOKS|' k8s/chart/files/alerts.yaml > $(doc_dir)/examples/alerts.yaml
	chmod 644 $(doc_dir)/examples/prometheus.yml $(doc_dir)/examples/alerts.yaml
	for paper in k8s/RUNBOOKS agent/doc/TROUBLESHOOTING agent/doc/TUNING agent/doc/UPGRADE; do \
		sed -e 's|](../../k8s/RUNBOOKS|](RUNBOOKS|' -e 's|](chart/files/|](examples/|' $$paper.md > $(doc_dir)/$${paper##*/}.md || exit 1; done
	chmod 644 $(doc_dir)/*.md
	test -e $(conf_dir)/wsbalancer.yaml || \
		install -m 644 agent/etc/wsbalancer.yaml $(conf_dir)/wsbalancer.yaml

# The service is stopped if it is this one: a unit of that name that lies elsewhere is another installation's.
service_link := /etc/systemd/system/multi-user.target.wants/wsbalancer.service

uninstall: ## takes it back, all but the configuration; the service is stopped
ifeq ($(DESTDIR),)
	@if [ "$$(systemctl show -P FragmentPath wsbalancer 2>/dev/null)" = $(unit_dir)/wsbalancer.service ]; then \
		systemctl stop wsbalancer; fi
	@if [ "$$(readlink $(service_link))" = $(unit_dir)/wsbalancer.service ]; then systemctl disable wsbalancer; fi
endif
	rm -f $(bin_dir)/wsbalancer $(man_dir)/man8/wsbalancer.8 $(man_dir)/man5/wsbalancer.yaml.5 \
		$(unit_dir)/wsbalancer.service $(unit_dir)/wsbalancer@.service $(share_dir)/bash-completion/completions/wsbalancer \
		$(share_dir)/zsh/site-functions/_wsbalancer $(share_dir)/fish/vendor_completions.d/wsbalancer.fish
	rm -rf $(doc_dir)

# The images of agent and test pod, by whatever builds images here.
IMAGE     ?= localhost/wsbalancer:$(VERSION)
POD_IMAGE ?= localhost/wspod:$(VERSION)
TOOL      ?= $(firstword $(foreach tool,docker podman buildah,$(shell command -v $(tool))))
image_build = $(TOOL) build \
	-f agent/Dockerfile --build-arg VERSION=$(VERSION) \
	--build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown)

image: ## IMAGE= and POD_IMAGE=, with TOOL=docker, podman or buildah (the first that is here)
	$(image_build) --target wspod -t $(POD_IMAGE) .
	$(image_build) --target wsbalancer -t $(IMAGE) .

clean: ## removes build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(filter %Makefile %.mk,$(MAKEFILE_LIST)) | expand -t 20

# Not in the image, which builds the program alone.
-include tests/tests.mk

-include $(shell find $(OUT) -type f -name '*.d' 2>/dev/null)
