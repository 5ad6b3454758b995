# SPDX-License-Identifier: MIT
#
# make                  static binary with musl: build/erlinit
# make CC=gcc           the same with glibc          (BUILD=build/gcc keeps both)
# make STATIC=0         with shared libraries        (libuev found by PKG_CONFIG)
# make desk             the same with the tools for the desk in it, --check and --plan: build/desk/erlinit
# make CC=... PKG_CONFIG=...   any cross compiler; libuev found by PKG_CONFIG
# make unit | desk-test | system | check | lint | analyze | coverage | format | install | clean
#
# SOURCE_DATE_EPOCH is honoured; without it the time of the last commit is the build time.

, := ,
VERSION := 0.9.0
BUILD   ?= build
STATIC  ?= 1
DESK    ?= 0
PREFIX  ?=
DESTDIR ?=
MANDIR  ?= /usr/share/man
INSTALL ?= install
PYTHON  ?= /usr/bin/python3

# musl has static libraries only, where it is not the system's own.
ifeq ($(origin CC),default)
CC := $(if $(filter 1,$(STATIC)),musl-gcc,gcc)
endif

BUILD_TIME := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || date +%s))

# Where the library comes from: an archive that tools/deps fetches for a static build on a Debian host, or whatever
# PKG_CONFIG names.
ifneq ($(STATIC),1)
PKG_CONFIG ?= pkg-config
endif
ifdef PKG_CONFIG
DEPS_STAMP  :=
DEPS_CFLAGS := $(shell $(PKG_CONFIG) --cflags libuev)
DEPS_LIBS   := $(shell $(PKG_CONFIG) $(if $(filter 1,$(STATIC)),--static) --libs libuev)
else
DEPS        ?= build/deps
DEPS_STAMP  := $(DEPS)/lib/libuev.a
DEPS_CFLAGS := -isystem $(DEPS)/include
DEPS_LIBS   := $(DEPS)/lib/libuev.a
endif

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wwrite-strings -Wvla -Wformat=2 -Wundef
CFLAGS   ?= -Os
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -Iinclude $(DEPS_CFLAGS) $(WARNINGS) \
              -DERLINIT_VERSION='"$(VERSION)"' -DBUILD_TIME_S=$(BUILD_TIME) $(if $(filter 1,$(DESK)),-DERLINIT_DESK) \
              -ffunction-sections -fdata-sections -fno-jump-tables -fno-asynchronous-unwind-tables -fno-unwind-tables \
              $(if $(filter 1,$(STATIC)),-fno-pie) -ffile-prefix-map=$(CURDIR)=. $(CFLAGS)
# Static with musl: no padding before the data. RELRO would need it, which nobody would apply (musl's start code of a
# static program doesn't), and a page of its own in the file (common-page-size) has no use.
LAYOUT      :=
ifneq ($(and $(findstring musl,$(CC)),$(filter 1,$(STATIC))),)
LAYOUT      := -Wl,-T,src/layout.ld -Wl,-z,norelro -Wl,-z,common-page-size=16
endif
ALL_LDFLAGS := -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,noseparate-code \
               -Wl,--build-id=none $(if $(filter 1,$(STATIC)),-static $(if $(findstring clang,$(CC)),,-no-pie)) $(LAYOUT) $(LDFLAGS)

# Linked in this order, what PID 1 needs while the VM runs last: next to libc, and apart from what only boot needs.
ROOMS   := $(if $(filter 1,$(DESK)),desk) config boot storage vm shutdown . supervise base
SOURCES := $(foreach room,$(ROOMS),$(sort $(wildcard src/$(room)/*.c)))
SOURCES := $(SOURCES:src/./%=src/%)
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
ALL_SOURCES := $(sort $(SOURCES) $(wildcard src/desk/*.c))
PROGRAM := $(BUILD)/erlinit

.PHONY: all cleanroom desk desk-test unit system check faults powercuts lint analyze format format-check coverage install \
        install-desk clean bench fuzz
.DELETE_ON_ERROR:

all: $(PROGRAM)

# What a developer needs and a device doesn't is a room of its own. For the machine that builds, whatever CC is; with stdio, so
# not with musl (src/base/libc.c leaves that out).
DESK_CC ?= gcc
desk:
	@$(MAKE) --no-print-directory DESK=1 BUILD=build/desk CC=$(DESK_CC)

# Changed flags or another compiler: everything anew.
FLAGS_STAMP := $(BUILD)/obj/flags
FLAGS_NOW   := $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(DEPS_LIBS)
$(shell mkdir -p $(BUILD)/obj; printf '%s' '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $(FLAGS_STAMP) || \
        printf '%s' '$(subst ','\'',$(FLAGS_NOW))' > $(FLAGS_STAMP))

$(PROGRAM): $(OBJECTS) $(if $(LAYOUT),src/layout.ld)
	@echo "  LINK $@"; $(LINK)
ifneq ($(LAYOUT),)
	@$(LINK) -Wl,-Ttext-segment=$(TEXT_START)
endif
	@$(STRIP_COMMAND) -o $@ $@.unstripped
STRIP ?= $(if $(filter %-gcc,$(CC)),$(if $(filter musl-gcc,$(notdir $(CC))),strip,$(CC:gcc=strip)),strip)
LINK = $(CC) $(ALL_CFLAGS) -o $@.unstripped $(OBJECTS) $(ALL_LDFLAGS) $(DEPS_LIBS)
# Where the program must start to have src/supervise at the border that src/layout.ld needs, going by a first linking. The
# first function there that PID 1 itself runs is late_start().
NM ?= $(STRIP:strip=nm)
ADDRESS = 0x$$($(NM) $@.unstripped | sed -n 's/ [A-Z] $(1)$$//p')
BEFORE_SUPERVISE = $(call ADDRESS,late_start) - $(call ADDRESS,__executable_start)
TEXT_START = $$(printf '0x%x' $$((0x410000 - ($(BEFORE_SUPERVISE)) / 4096 * 4096)))
STRIP_COMMAND = $(STRIP) --strip-all --remove-section=.comment

$(BUILD)/obj/%.o: src/%.c $(FLAGS_STAMP) $(DEPS_STAMP)
	@mkdir -p $(@D)
	@echo "  CC $<"; $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

ifneq ($(DEPS_STAMP),)
$(DEPS_STAMP):
	tools/deps
endif

-include $(OBJECTS:.o=.d)

# ---- unit tests: host compiler, glibc, cmocka; one program a module ----
# SANITIZE=1: AddressSanitizer and UndefinedBehaviorSanitizer. COVERAGE=1: gcov.
# A line `/* wrap: NAME ... */` in a test makes the linker send calls of NAME to __wrap_NAME: any call can be made
# to fail, and the shipped binary knows nothing of it (ld(1), --wrap).
UNIT_CC     ?= gcc
UNIT_BUILD  := build/unit$(if $(SANITIZE),-sanitize)$(if $(COVERAGE),-coverage)
UNIT_CFLAGS := -std=c11 -D_GNU_SOURCE -Iinclude -Itests/unit -isystem build/deps/include $(WARNINGS) -Wno-vla -g -O1 \
               -DERLINIT_VERSION='"$(VERSION)"' -DBUILD_TIME_S=1700000000 -DERLINIT_DESK \
               -ffunction-sections -fdata-sections \
               $(if $(SANITIZE),-fsanitize=address$(,)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer) \
               $(if $(COVERAGE),-O0 --coverage)
UNIT_SOURCES  := $(sort $(wildcard tests/unit/test_*.c))
UNIT_PROGRAMS := $(UNIT_SOURCES:tests/unit/%.c=$(UNIT_BUILD)/%)
UNIT_OBJECTS  := $(patsubst src/%.c,$(UNIT_BUILD)/obj/%.o,$(filter-out src/main.c,$(ALL_SOURCES)))

$(UNIT_BUILD)/obj/%.o: src/%.c build/deps/lib/libuev.a
	@mkdir -p $(@D)
	@$(UNIT_CC) $(UNIT_CFLAGS) -MMD -MP -c -o $@ $<
$(UNIT_BUILD)/%.o: tests/unit/%.c build/deps/lib/libuev.a
	@mkdir -p $(@D)
	@$(UNIT_CC) $(UNIT_CFLAGS) -MMD -MP -c -o $@ $<

# Unused functions go at once: a test program takes only what its module needs. With COVERAGE the wrapping is done
# before gcov's own calls come in, which must work.
UNIT_WRAPS = $$(sed -n 's,^/\* wrap: \(.*\) \*/$$,\1,p' tests/unit/test_$*.c | tr ' ' '\n' | sed '/./s/^/-Wl$(,)--wrap=/')
UNIT_LIBS  := build/deps/lib/libuev.a
$(UNIT_BUILD)/test_%: $(UNIT_BUILD)/test_%.o $(UNIT_OBJECTS) $(UNIT_BUILD)/log_spy.o
	@set -- $< $(if $(filter log desk_check,$*),$(UNIT_OBJECTS),$(UNIT_BUILD)/log_spy.o $(filter-out %/base/log.o,$(UNIT_OBJECTS))) \
	    $(UNIT_LIBS); \
	$(if $(filter desk%,$*),,set -- $$(printf '%s\n' "$$@" | grep -v /obj/desk/);) \
	$(if $(COVERAGE),$(UNIT_CC) -r -nostdlib -o $@.wrapped.o "$$@" $(UNIT_WRAPS) && set -- $@.wrapped.o && )\
	$(UNIT_CC) $(UNIT_CFLAGS) -o $@ "$$@" -Wl,--gc-sections $(if $(COVERAGE),,$(UNIT_WRAPS)) -lcmocka

unit: $(UNIT_PROGRAMS)
	@tests/unit/run $(UNIT_PROGRAMS)

include tests/fuzz/fuzz.mk

.SECONDARY:
-include $(wildcard $(UNIT_BUILD)/*.d $(UNIT_BUILD)/obj/*/*.d)

# The state diagram of src/supervise/lifecycle.c, as the exhaustive test has found it.
docs/lifecycle.dot: $(UNIT_BUILD)/test_lifecycle
	@mkdir -p $(@D)
	$< --dot > $@

coverage:
	@$(MAKE) --no-print-directory unit COVERAGE=1
	@tests/unit/coverage build/unit-coverage

system: $(PROGRAM) desk
	$(PYTHON) -m pytest -n 2 -q tests/system

# What the desk's program says, compared with what it has to say: seconds.
desk-test: desk
	$(PYTHON) -m pytest -n 2 -q tests/desk

check:
	tools/check

# Every system call of whole lives fails, one at a time: hours. FAULTS="--per-call 3": a sample.
faults: $(PROGRAM)
	$(PYTHON) tests/faults/faults.py $(FAULTS)

# As many power cuts: five minutes. `make system` does six.
CUTS ?= 200
powercuts: $(PROGRAM)
	ERLINIT_CUTS=$(CUTS) $(PYTHON) -m pytest -n 2 -q tests/system/test_power_cuts.py

# The README's two commands on fresh Debian 12 and 13 roots: half an hour. CLEANROOM="bookworm --only run": a part of it.
cleanroom:
	$(PYTHON) tests/cleanroom/cleanroom.py $(CLEANROOM)

# Twelve minutes or so; docs/benchmark.* are made anew.
bench: $(PROGRAM)
	tools/bench

TEST_SOURCES := $(wildcard tests/unit/*.[ch] tests/system/*.c tests/system/*/*.[ch] tests/fuzz/*.[ch] tests/fuzz/targets/*.c \
                  tests/faults/*.[ch] tests/bench/*.[ch])

# ---- lint: every tool with its rules in the tree ----
LINT_CFLAGS := -std=c11 -D_GNU_SOURCE -Iinclude -isystem build/deps/include -DERLINIT_VERSION='"0"' -DBUILD_TIME_S=0 -DERLINIT_DESK
lint: format-check
	@echo "lint: manual"
	@tests/unit/check_manual --messages
	@echo "lint: state diagram"
	@$(MAKE) --no-print-directory -s $(UNIT_BUILD)/test_lifecycle
	@$(UNIT_BUILD)/test_lifecycle --dot | cmp - docs/lifecycle.dot
	@echo "lint: clang -Werror"
	@for f in $(ALL_SOURCES); do clang $(LINT_CFLAGS) $(WARNINGS) -fsyntax-only $$f || exit 1; done
	@echo "lint: cppcheck"
	@cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,performance,portability,style --inline-suppr \
	    --suppressions-list=.cppcheck-suppressions -D_GNU_SOURCE -DERLINIT_VERSION='"0"' -DBUILD_TIME_S=0 -Iinclude src
	@echo "lint: clang-tidy"
	@printf '%s\n' $(ALL_SOURCES) | xargs -P 2 -n 4 sh -c 'clang-tidy --quiet "$$@" -- $(subst ','"'"',$(LINT_CFLAGS)) 2>/dev/null' sh

# gcc's own analyzer: another pair of eyes, too young to be asked every time.
analyze:
	@printf '%s\n' $(ALL_SOURCES) | xargs -P 2 -n 1 $(UNIT_CC) $(LINT_CFLAGS) -O1 -fanalyzer -Werror -c -o /dev/null

format:
	clang-format -i $(ALL_SOURCES) include/erlinit/*.h $(TEST_SOURCES)
format-check:
	@echo "lint: clang-format"
	@if clang-format --version | grep -q 'version 14\.'; then \
	    clang-format --dry-run -Werror $(ALL_SOURCES) include/erlinit/*.h $(TEST_SOURCES); \
	else echo "      left out: version 14 decides, others lay out a few places differently"; fi

# On a device, or into an image: DESTDIR.
install: $(PROGRAM)
	$(INSTALL) -D -m 0755 $(PROGRAM) $(DESTDIR)$(PREFIX)/sbin/init
	$(INSTALL) -D -m 0644 man/erlinit.8 $(DESTDIR)$(MANDIR)/man8/erlinit.8
	$(INSTALL) -D -m 0644 man/erlinit.config.5 $(DESTDIR)$(MANDIR)/man5/erlinit.config.5
	$(INSTALL) -D -m 0644 erlinit.config.example $(DESTDIR)$(PREFIX)/usr/share/doc/erlinit/erlinit.config.example

# On a developer's machine.
COMPLETE = build/desk/erlinit --completion
COMPLETIONS_BASH ?= /usr/share/bash-completion/completions
COMPLETIONS_ZSH  ?= /usr/share/zsh/vendor-completions
COMPLETIONS_FISH ?= /usr/share/fish/vendor_completions.d
install-desk: desk
	$(INSTALL) -D -m 0755 build/desk/erlinit $(DESTDIR)/usr/bin/erlinit
	$(INSTALL) -D -m 0644 man/erlinit.8 $(DESTDIR)$(MANDIR)/man8/erlinit.8
	$(INSTALL) -D -m 0644 man/erlinit.config.5 $(DESTDIR)$(MANDIR)/man5/erlinit.config.5
	$(INSTALL) -d $(addprefix $(DESTDIR),$(COMPLETIONS_BASH) $(COMPLETIONS_ZSH) $(COMPLETIONS_FISH))
	$(COMPLETE) bash > $(DESTDIR)$(COMPLETIONS_BASH)/erlinit
	$(COMPLETE) zsh > $(DESTDIR)$(COMPLETIONS_ZSH)/_erlinit
	$(COMPLETE) fish > $(DESTDIR)$(COMPLETIONS_FISH)/erlinit.fish

clean:
	rm -rf $(BUILD)/obj $(PROGRAM) $(PROGRAM).unstripped build/desk build/unit build/unit-sanitize build/unit-coverage \
	    build/fuzz build/fuzz-coverage
