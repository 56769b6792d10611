# SPDX-License-Identifier: GPL-2.0-only
# Tests: units on this machine, the real module in real kernels under QEMU, figures, and the demo.

CMOCKA = $(shell pkg-config --libs cmocka)

# ---- host unit tests

UNITS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
ifneq ($(HAVE_BPF),yes)
UNITS := $(filter-out %/test_blame,$(UNITS))
endif

$(B)/tests/unit/test_report $(B)/tests/unit/test_schema: tests/report/made.h
$(B)/tests/unit/test_report: | $(B)/uffdwp
$(B)/tests/unit/%: tests/unit/%.c tests/unit/unit.h $(TOOL_PARTS) $(LIB_STATIC) module/regions.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Itools -Itests/unit -Itests/unit/kernel -o $@ $< $(TOOL_PARTS) \
		$(LIB_STATIC) $(shell pkg-config --cflags --libs $(TOOL_LIBRARIES)) $(CMOCKA) -lm

# test_lib needs no guest for what the library can do without the module.
check-unit: $(UNITS) $(LIB_SHARED) $(B)/tests/guest/test_matrix $(B)/tests/guest/test_lib $(B)/uffdwp $(EXAMPLES) ## unit tests on this machine
	@for unit in $(UNITS); do $$unit || exit 1; done
	@UFFDWP_COMMAND=$(B)/uffdwp $(B)/tests/guest/test_lib
	@tests/unit/check-symbols $(LIB_SHARED) lib/uffdwp.h lib/libuffdwp.map
	@tests/unit/check-headers "$(CC)" uapi/uffdwp-async.h lib/uffdwp.h
	@CC="$(CC)" tests/unit/check-readme $(LIB_STATIC)
	@CC="$(CC)" tests/unit/check-examples examples/*.c
	@tests/unit/check-completion $(B)/uffdwp
	@tests/unit/check-synopsis $(B)/uffdwp
	@CC="$(CC)" tests/unit/check-bindings uapi/uffdwp-async.h
	@CC="$(CC)" tests/unit/check-manuals $(LIB_STATIC) $(B)/manuals
	@tests/unit/check-pages $(B)/tests/guest/test_matrix
	@CC="$(CC)" tests/unit/check-kernels
	@CC="$(CC)" tests/unit/check-install $(B)/check-install
.PHONY: check-unit

# The command with its part for PNG, and its page in a browser where there is one
check-report: tool $(B)/tests/report/make ## pictures and the page of "uffdwp report", in a browser
	@scripts/deps page
	@tests/report/check
.PHONY: check-report

# Recordings that are made up, for the tests of "uffdwp report" and to look at
$(B)/tests/report/make: tests/report/make.c tests/report/made.h $(TOOL_PARTS) $(LIB_STATIC)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Itools -o $@ $< $(TOOL_PARTS) $(LIB_STATIC) \
		$(shell pkg-config --cflags --libs $(TOOL_LIBRARIES)) -lm

# ---- programs that run in the guest

GUEST_TESTS := $(patsubst tests/guest/%.c,$(B)/tests/guest/%,\
	$(sort $(wildcard tests/guest/test_*.c)) tests/guest/mirror.c tests/guest/oracle.c \
	tests/guest/hostile.c)
GUEST_HELPERS := $(B)/tests/guest/compat32 $(B)/tests/guest/native32
GUEST_WRITERS := $(B)/tests/guest/writers

GUEST_PARTS := $(addprefix tests/guest/support/,support.c environment.c inject.c ring.c stress.c unserved.c)
GUEST_HEADERS := $(wildcard tests/guest/*/*.h)
NATIVE_PARTS := tests/guest/support/native.c

# From all sources and archives that it depends on. All symbols are bound at start, so that no test
# takes a fault in the dynamic linker.
define link-guest-program
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Itests/guest/support -Wl,-z,now -o $@ $(filter %.c %.a,$^) \
		$(shell pkg-config --cflags --libs json-c) $(CMOCKA) -lpthread
endef

$(B)/tests/guest/%: tests/guest/%.c $(GUEST_PARTS) $(GUEST_HEADERS) $(LIB_STATIC)
	$(link-guest-program)

# What the kernel itself offers since 6.7, and native_abi=1 on older ones
$(B)/tests/guest/test_native_%: tests/guest/test_native_%.c $(NATIVE_PARTS) $(GUEST_PARTS) $(GUEST_HEADERS)
	$(link-guest-program)

# They run the command.
COMMAND_PARTS := tests/guest/support/command.c

$(addprefix $(B)/tests/guest/,test_examples test_top test_watch): $(B)/tests/guest/%: tests/guest/%.c $(COMMAND_PARTS) \
		$(GUEST_PARTS) $(GUEST_HEADERS) $(LIB_STATIC)
	$(link-guest-program)

# With a file system that never answers
$(B)/tests/guest/test_events $(B)/tests/guest/test_late: $(B)/tests/guest/%: tests/guest/%.c \
		tests/guest/support/fuse.c $(GUEST_PARTS) $(GUEST_HEADERS) $(LIB_STATIC)
	$(link-guest-program)

# With a BPF program of its own, which is a part of it.
BPF_TESTS := $(B)/tests/guest/test_tracepoints

$(B)/tests/guest/%.bpf.o: tests/guest/bpf/%.bpf.c tests/guest/bpf/%.h
	@mkdir -p $(@D)
	$(say) BPF $@
	$(Q)$(BPF_CC) -target bpf -g -O2 -Wall -Wextra -isystem /usr/include/$(shell $(CC) -print-multiarch) -c -o $@ $<

$(BPF_TESTS): $(B)/tests/guest/%: tests/guest/%.c $(B)/tests/guest/faults.bpf.o $(GUEST_PARTS) $(GUEST_HEADERS)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Itests/guest/support -Wa,-I$(B) -Wl,-z,now -o $@ $(filter %.c,$^) \
		$(shell pkg-config --cflags --libs json-c libbpf) $(CMOCKA) -lpthread

# Written by threads and functions that it has for that: with frame pointers, and debug information.
$(B)/tests/guest/writers: tests/guest/writers.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -O0 -fno-omit-frame-pointer -o $@ $< -lpthread

# On a terminal of its own
$(B)/tests/guest/test_screen: tests/guest/test_screen.c tests/guest/support/vt.c $(GUEST_PARTS) $(GUEST_HEADERS) \
		$(LIB_STATIC)
	$(link-guest-program)

# What needs a build of the module, or a guest, of its own: tests/vm/dead
DEAD_PROGRAMS := $(addprefix $(B)/tests/guest/,dead_hooks dead_ftrace dead_tracers)
DEAD_PARTS := $(addprefix tests/guest/support/,bpf.c writer.c)

$(B)/tests/guest/dead_%: tests/guest/dead_%.c $(DEAD_PARTS) $(NATIVE_PARTS) $(GUEST_PARTS) $(GUEST_HEADERS)
	$(link-guest-program)

# Programs of several files, which are in a folder of that name. Of each way to track a guest of KVM
# there is one.
KVM_PARTS := $(wildcard tests/guest/kvm/*.c)
KVM_TESTS := $(addprefix $(B)/tests/guest/,test_kvm test_native_kvm test_vmm)

$(KVM_TESTS): $(B)/tests/guest/%: tests/guest/%.c $(KVM_PARTS) $(NATIVE_PARTS) $(GUEST_PARTS) $(GUEST_HEADERS)
	$(link-guest-program)

RACE_PARTS := $(wildcard tests/guest/races/*.c) $(addprefix tests/guest/support/,ring.c support.c unserved.c)

$(B)/tests/guest/races: tests/guest/races.c $(RACE_PARTS) $(GUEST_HEADERS) $(LIB_STATIC)
	$(link-guest-program)

$(B)/tests/guest/oracle: tests/guest/oracle.c $(wildcard tests/guest/oracle/*.c) $(GUEST_PARTS) $(GUEST_HEADERS)
	$(link-guest-program)

$(B)/tests/guest/hostile: tests/guest/hostile.c $(wildcard tests/guest/hostile/*.c) $(GUEST_PARTS) $(GUEST_HEADERS)
	$(link-guest-program)

$(B)/tests/guest/test_differential: tests/guest/test_differential.c $(wildcard tests/guest/differential/*.c) \
		$(GUEST_PARTS) $(GUEST_HEADERS)
	$(link-guest-program)

# Reads what "uffdwp record" has written.
RECORDING_PARTS := $(wildcard tools/recording/*.c) tools/human.c

$(B)/tests/guest/test_record: ALL_CFLAGS += -Itools
$(B)/tests/guest/test_record: CMOCKA += -lzstd
$(B)/tests/guest/test_record: tests/guest/test_record.c $(RECORDING_PARTS) $(COMMAND_PARTS) $(GUEST_PARTS) $(GUEST_HEADERS) \
		$(LIB_STATIC)
	$(link-guest-program)

$(B)/tests/guest/test_matrix: tests/guest/test_matrix.c $(wildcard tests/guest/matrix/*.c) $(GUEST_PARTS) \
		$(GUEST_HEADERS)
	$(link-guest-program)

# Real programs: their twins, what the tools say of them, and what the tools cost them
PROGRAM_TESTS := $(addprefix $(B)/tests/guest/,programs tools cost)
PROGRAM_PARTS := $(addprefix tests/programs/,start.c redis.c java.c postgres.c)

$(PROGRAM_TESTS): $(B)/tests/guest/%: tests/programs/%.c $(PROGRAM_PARTS) tests/programs/programs.h \
		$(addprefix tests/guest/support/,support.c unserved.c) $(GUEST_HEADERS)
	$(link-guest-program)

# 32-bit and without a C library, so that no 32-bit libraries are needed to build them.
$(GUEST_HELPERS): $(B)/tests/guest/%32: tests/guest/%32.c tests/guest/support/program32.h uapi/uffdwp-async.h
	@mkdir -p $(@D)
	$(say) CC32 $@
	$(Q)$(CC) -m32 -O1 $(WARNINGS) -Wno-missing-prototypes -ffreestanding -fno-pie -no-pie -nostdlib \
		-static -fno-stack-protector -Iuapi -Itests/guest/support -isystem /usr/include/$(shell $(CC) -print-multiarch) \
		-o $@ $<

# The programs in manuals and documents, for test_manuals
$(B)/manuals: tests/unit/check-manuals lib/uffdwp.h $(wildcard lib/man/*.3 docs/for-*.md) $(LIB_STATIC)
	@CC="$(CC)" tests/unit/check-manuals $(LIB_STATIC) $@

guest: $(GUEST_TESTS) $(GUEST_HELPERS) $(GUEST_WRITERS) $(DEAD_PROGRAMS) $(B)/tests/guest/races $(PROGRAM_TESTS) $(B)/uffdwp $(EXAMPLES) $(B)/tests/bench $(B)/tests/ways \
		$(B)/manuals
.PHONY: guest

# ---- verbs

# Packages first, then a make that can rely on them. The races of other kinds: make check-races.
check: deps ## all tests that fit in minutes (KERNELS="6.1", or all)
	@$(MAKE) --no-print-directory check-unit check-guest
	@$(MAKE) --no-print-directory check-races RACES="$(or $(RACES),any any any small)"
.PHONY: check

check-guest: guest ## the tests in the guest (KERNELS="6.1", or all)
	@for kernel in $(NAMED_KERNELS); do tests/vm/suite $$kernel || exit 1; done
.PHONY: check-guest

# RACES="write inside scan": only that one.
check-races: $(B)/tests/guest/races ## races, interleaving by interleaving (KERNELS="6.1", or all; RACES=write)
	@for kernel in $(NAMED_KERNELS); do tests/vm/races $$kernel $(RACES) || exit 1; done
.PHONY: check-races

check-debug: deps ## the tests in the guest on the debug kernel
	@$(MAKE) --no-print-directory check-guest check-races KERNELS=6.1-debug
.PHONY: check-debug

# In guests of their own: ftrace that is dead stays so.
check-programs: deps ## redis, Java and others: like twins that are not tracked, by the tools, and what these cost (KERNELS="6.1", or all)
	@$(MAKE) --no-print-directory guest
	@for kernel in $(NAMED_KERNELS); do tests/programs/run $$kernel || exit 1; done
.PHONY: check-programs

check-dead: deps ## hooks that are not called any more: nobody sleeps, no scan says clean (KERNELS=all)
	@$(MAKE) --no-print-directory guest
	@for kernel in $(NAMED_OR_ALL_KERNELS); do tests/vm/dead $$kernel || exit 1; done
.PHONY: check-dead

HOURS ?= 8
KERNEL ?= 6.1

soak: deps ## random sequences for HOURS=8 on KERNEL=6.1, a new seed each round
	@$(MAKE) --no-print-directory guest
	@tests/vm/soak $(KERNEL) $(HOURS)
.PHONY: soak

check-negative: deps ## tests must fail without what they test
	@$(MAKE) --no-print-directory guest
	@tests/vm/negative
.PHONY: check-negative

# Those that have the interfaces themselves are the reference for the others.
check-native: deps ## selftests of Linux 6.12 with native_abi=1, and without (KERNELS=all)
	@$(MAKE) --no-print-directory guest
	@tests/native/check $(NAMED_OR_ALL_KERNELS)
.PHONY: check-native

# By both names: the other tests are all check-SOMETHING.
check-dkms: dkms-check
.PHONY: check-dkms

dkms-check: deps ## the module's life with DKMS, away from the machine's own (KERNELS=all)
	@scripts/deps dkms-check
	@tests/dkms/check $(NAMED_OR_ALL_KERNELS)
.PHONY: dkms-check

SUITES ?= bookworm trixie

check-packages: deps ## Debian packages: installed, booted, used, upgraded, purged (SUITES="bookworm trixie")
	@scripts/deps deb
	@scripts/deps packages
	@tests/packages/check $(SUITES)
.PHONY: check-packages

check-reproducible: ## Debian packages are the same, wherever they are built
	@scripts/deps deb
	@tests/packages/reproducible
.PHONY: check-reproducible

$(B)/tests/bench $(B)/tests/ways: $(B)/tests/%: tests/bench/%.c tests/bench/measure.h uapi/uffdwp-async.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $(filter %.c,$^)

$(B)/tests/ways: $(wildcard tests/bench/ways/*.[ch])

# A guest of KVM as those of the tests
$(B)/tests/machine: tests/bench/machine.c $(wildcard tests/bench/ways/*.c) tests/guest/kvm/vm.c \
		$(GUEST_PARTS) $(GUEST_HEADERS) $(wildcard tests/bench/*.h tests/bench/ways/*.h)
	$(link-guest-program)

# On this machine.
$(B)/tests/chart: tests/bench/chart.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< $(shell pkg-config --cflags --libs cairo json-c) -lm

bench: deps ## figures in instructions, also in build/bench.json, charts in build/bench (KERNELS="6.1", or all)
	@scripts/deps bench
	@$(MAKE) --no-print-directory $(addprefix $(B)/tests/,bench ways machine chart)
	@tests/bench/run $(NAMED_KERNELS)
.PHONY: bench

# After "make bench", of the kernels that it was run for.
bench-docs: ## docs/bench.md, its charts and the figures in README from the last "make bench"
	@tests/bench/docs
.PHONY: bench-docs

demo: deps ## from a fresh machine to redis being watched in a virtual machine
	@$(MAKE) --no-print-directory all
	@tests/demo/run
.PHONY: demo

# ---- style

lint: ## sparse, kernel-doc, cppcheck, shellcheck, mandoc, groff, formatting
	@scripts/deps lint
	@scripts/lint
.PHONY: lint

-include $(UNITS:=.d) $(GUEST_TESTS:=.d)
