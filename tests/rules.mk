# SPDX-License-Identifier: GPL-2.0-only
# Tests: units on this machine, the real module in real kernels under QEMU, figures, and the demo.

CMOCKA = $(shell pkg-config --libs cmocka)

# ---- host unit tests

UNITS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(sort $(wildcard tests/unit/test_*.c)))

$(B)/tests/unit/%: tests/unit/%.c tests/unit/unit.h $(TOOL_PARTS) $(LIB_STATIC) module/regions.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Itools -Itests/unit -Itests/unit/kernel -o $@ $< $(TOOL_PARTS) \
		$(LIB_STATIC) $(shell pkg-config --cflags --libs json-c) $(CMOCKA) -lm

# test_lib needs no guest for what the library can do without the module.
check-unit: $(UNITS) $(LIB_SHARED) $(B)/tests/guest/test_matrix $(B)/tests/guest/test_lib $(B)/uffdwp ## unit tests on this machine
	@for unit in $(UNITS); do $$unit || exit 1; done
	@UFFDWP_COMMAND=$(B)/uffdwp $(B)/tests/guest/test_lib
	@tests/unit/check-symbols $(LIB_SHARED) lib/uffdwp.h lib/libuffdwp.map
	@CC="$(CC)" tests/unit/check-readme $(LIB_STATIC)
	@tests/unit/check-pages $(B)/tests/guest/test_matrix
	@CC="$(CC)" tests/unit/check-kernels
.PHONY: check-unit

# ---- programs that run in the guest

GUEST_TESTS := $(patsubst tests/guest/%.c,$(B)/tests/guest/%,\
	$(sort $(wildcard tests/guest/test_*.c)) tests/guest/mirror.c tests/guest/oracle.c)
GUEST_HELPERS := $(B)/tests/guest/compat32 $(B)/tests/guest/native32

GUEST_PARTS := $(addprefix tests/guest/,support.c environment.c inject.c stress.c unserved.c)

# All symbols are bound at start, so that no test takes a fault in the dynamic linker.
$(B)/tests/guest/%: tests/guest/%.c $(GUEST_PARTS) $(GUEST_PARTS:.c=.h) $(LIB_STATIC)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Wl,-z,now -o $@ $< $(GUEST_PARTS) $(LIB_STATIC) \
		$(shell pkg-config --cflags --libs json-c) $(CMOCKA) -lpthread

# What the kernel itself offers since 6.7, and native_abi=1 on older ones
$(B)/tests/guest/test_native_%: tests/guest/test_native_%.c tests/guest/native.c tests/guest/native.h \
		$(GUEST_PARTS) $(GUEST_PARTS:.c=.h)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Wl,-z,now -o $@ $< tests/guest/native.c $(GUEST_PARTS) $(CMOCKA) -lpthread

# What needs a build of the module, or a guest, of its own: tests/vm/dead
DEAD_PROGRAMS := $(addprefix $(B)/tests/guest/,dead_hooks dead_ftrace dead_tracers)

DEAD_PARTS := $(addprefix tests/guest/,native.c bpf.c writer.c)

$(B)/tests/guest/dead_%: tests/guest/dead_%.c $(DEAD_PARTS) $(DEAD_PARTS:.c=.h) \
		$(GUEST_PARTS) $(GUEST_PARTS:.c=.h)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Wl,-z,now -o $@ $< $(DEAD_PARTS) $(GUEST_PARTS) $(CMOCKA) -lpthread

# Of each way to track there is a program.
KVM_PARTS := $(addprefix tests/guest/,kvm.c kvm_cases.c)
KVM_TESTS := $(addprefix $(B)/tests/guest/,test_kvm test_native_kvm)

$(KVM_TESTS): $(B)/tests/guest/%: tests/guest/%.c $(KVM_PARTS) $(KVM_PARTS:.c=.h) \
		tests/guest/native.c tests/guest/native.h $(GUEST_PARTS) $(GUEST_PARTS:.c=.h)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Wl,-z,now -o $@ $< $(KVM_PARTS) tests/guest/native.c $(GUEST_PARTS) \
		$(CMOCKA) -lpthread

RACE_SOURCES := $(addprefix tests/guest/,races.c race_round.c race_events.c race_commands.c interleave.c \
	support.c unserved.c)

$(B)/tests/guest/races: $(RACE_SOURCES) $(addprefix tests/guest/,races.h interleave.h support.h unserved.h) $(LIB_STATIC)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Wl,-z,now -o $@ $(RACE_SOURCES) $(CMOCKA) -lpthread

ORACLE_PARTS := $(sort $(wildcard tests/guest/oracle/*.c))

$(B)/tests/guest/oracle: tests/guest/oracle.c $(ORACLE_PARTS) tests/guest/oracle/oracle.h \
		$(GUEST_PARTS) $(GUEST_PARTS:.c=.h)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Wl,-z,now -o $@ $< $(ORACLE_PARTS) $(GUEST_PARTS) $(CMOCKA) -lpthread

DIFFERENTIAL_PARTS := $(sort $(wildcard tests/guest/differential/*.c))

$(B)/tests/guest/test_differential: tests/guest/test_differential.c $(DIFFERENTIAL_PARTS) \
		$(wildcard tests/guest/differential/*.h) $(GUEST_PARTS) $(GUEST_PARTS:.c=.h)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Wl,-z,now -o $@ $< $(DIFFERENTIAL_PARTS) $(GUEST_PARTS) $(CMOCKA) -lpthread

# The matrix is one program of several files.
MATRIX_PARTS := $(sort $(wildcard tests/guest/matrix_*.c))

$(B)/tests/guest/test_matrix: tests/guest/test_matrix.c $(MATRIX_PARTS) tests/guest/matrix.h \
		$(GUEST_PARTS) $(GUEST_PARTS:.c=.h)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Wl,-z,now -o $@ $< $(MATRIX_PARTS) $(GUEST_PARTS) $(CMOCKA) -lpthread

# 32-bit and without a C library, so that no 32-bit libraries are needed to build them.
$(GUEST_HELPERS): $(B)/tests/guest/%32: tests/guest/%32.c tests/guest/program32.h uapi/uffdwp-async.h
	@mkdir -p $(@D)
	$(say) CC32 $@
	$(Q)$(CC) -m32 -O1 $(WARNINGS) -Wno-missing-prototypes -ffreestanding -fno-pie -no-pie -nostdlib \
		-static -fno-stack-protector -Iuapi -isystem /usr/include/$(shell $(CC) -print-multiarch) \
		-o $@ $<

guest: $(GUEST_TESTS) $(GUEST_HELPERS) $(DEAD_PROGRAMS) $(B)/tests/guest/races $(B)/uffdwp $(B)/tests/bench
.PHONY: guest

# ---- verbs

# Packages first, then a make that can rely on them.
check: deps ## all tests that fit in minutes (KERNELS="6.1", or all)
	@$(MAKE) --no-print-directory check-unit check-guest check-races
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

$(B)/tests/bench: tests/bench/bench.c uapi/uffdwp-async.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $<

bench: deps ## figures in instructions, also in build/bench.json (KERNELS="6.1", or all)
	@$(MAKE) --no-print-directory $(B)/tests/bench
	@tests/bench/run $(NAMED_KERNELS)
.PHONY: bench

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
