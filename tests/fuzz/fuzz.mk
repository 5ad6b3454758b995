# SPDX-License-Identifier: MIT
#
# make fuzz              every target for a minute (FUZZ_SECONDS=N, FUZZ_TARGETS="config hostname")
# make fuzz-corpus       every target over its corpus once: seconds
# make fuzz-coverage     lines and branches of src/ that the corpus reaches (FUZZ_FOUND=1: and what was found)
# make fuzz-minimise     the corpus anew: the fewest inputs, own and found, that reach what all of them reach

FUZZ_CC      ?= clang
FUZZ_SECONDS ?= 60
FUZZ_BUILD   := build/fuzz$(if $(FUZZ_COVERAGE),-coverage)
FUZZ_CFLAGS  := -std=c11 -D_GNU_SOURCE -Iinclude -Itests/fuzz -isystem build/deps/include $(WARNINGS) -Wno-macro-redefined \
                -g -O1 -DERLINIT_VERSION='"$(VERSION)"' -DBUILD_TIME_S=1700000000 -DERLINIT_UNIT_TEST -DERLINIT_DESK \
                -fno-omit-frame-pointer -fno-sanitize-recover=all
FUZZ_SANITIZE := $(if $(FUZZ_COVERAGE),-fprofile-instr-generate -fcoverage-mapping,-fsanitize=address$(,)undefined)
FUZZ_ALL      := $(sort $(patsubst tests/fuzz/targets/%.c,%,$(wildcard tests/fuzz/targets/*.c)))
FUZZ_TARGETS  ?= $(FUZZ_ALL)
FUZZ_OBJECTS  := $(patsubst src/%.c,$(FUZZ_BUILD)/obj/%.o,$(filter-out src/main.c src/base/arena.c,$(ALL_SOURCES)))

$(FUZZ_BUILD)/obj/%.o: src/%.c build/deps/lib/libuev.a
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_SANITIZE) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
$(FUZZ_BUILD)/obj/tests/%.o: tests/fuzz/%.c
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_SANITIZE) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

# An archive: a target that includes a source file has its functions already, and the linker takes no second ones.
$(FUZZ_BUILD)/src.a: $(FUZZ_OBJECTS)
	@rm -f $@; ar rcs $@ $^
$(FUZZ_BUILD)/log.a: $(FUZZ_BUILD)/obj/tests/log.o
	@rm -f $@; ar rcs $@ $^
$(FUZZ_BUILD)/fuzz_%: $(FUZZ_BUILD)/obj/tests/targets/%.o $(FUZZ_BUILD)/obj/tests/fuzz.o $(FUZZ_BUILD)/obj/tests/arena.o \
                      $(FUZZ_BUILD)/log.a $(FUZZ_BUILD)/src.a
	@echo "  FUZZ $*"; $(FUZZ_CC) $(FUZZ_SANITIZE) -fsanitize=fuzzer -Wl,--wrap=fsync -o $@ $^ $(UNIT_LIBS)

.PHONY: fuzz fuzz-build fuzz-corpus fuzz-coverage fuzz-minimise
fuzz-build: $(FUZZ_TARGETS:%=$(FUZZ_BUILD)/fuzz_%)
fuzz: fuzz-build
	@tests/fuzz/run --seconds $(FUZZ_SECONDS) $(FUZZ_BUILD) $(FUZZ_TARGETS)
fuzz-corpus: fuzz-build
	@tests/fuzz/run --corpus $(FUZZ_BUILD) $(FUZZ_TARGETS)
fuzz-minimise: fuzz-build
	@tests/fuzz/minimise $(FUZZ_BUILD) $(FUZZ_TARGETS)

# With clang's coverage instead of the sanitizers; FUZZ_FOUND=1: with what build/fuzz/found has, too.
fuzz-coverage:
	@$(MAKE) --no-print-directory fuzz-build FUZZ_COVERAGE=1
	@tests/fuzz/coverage build/fuzz-coverage $(if $(FUZZ_FOUND),build/fuzz/found,none) $(FUZZ_TARGETS)

-include $(wildcard $(FUZZ_BUILD)/obj/*/*.d $(FUZZ_BUILD)/obj/*/*/*.d)
