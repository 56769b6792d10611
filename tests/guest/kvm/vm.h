/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual machine of one or two processors, small enough for tests: its memory is what it is
 * given, and its processors run one of a few pieces of code until they halt.
 *
 * Physical memory of the guest:
 *
 *	0		page tables, code and scratch, memory of its own
 *	VM_MEMORY	the memory under test, as all of the first GiB at the same virtual address
 *	VM_NOTHING	no memory: an access is for the machine to answer (MMIO)
 */
#ifndef GUEST_KVM_H
#define GUEST_KVM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VM_MEMORY	0x200000ul
/* Where no page table leads. */
#define VM_NOWHERE	0x80000000ul
#define VM_NOTHING	0x3f000000ul
#define VM_SCRATCH	0x6000ul	/* a page of the low memory that nobody needs */
#define VM_PROCESSORS	2

struct vm_processor {
	int fd;
	struct kvm_run *run;
	pthread_t thread;	/* if it runs: the one that is in vm_run() */
	bool runs;
	bool lost;
	uint64_t rip, rcx;	/* when it was looked after */
};

struct vm {
	int kvm;
	int fd;
	char *low;
	size_t run_size;
	unsigned int n;
	struct vm_processor processor[VM_PROCESSORS];
	pthread_t watch;
	pthread_mutex_t lock;	/* of what follows, and of each processor's thread */
	pthread_cond_t ending;
	bool ends;
};

/* Why there can be no virtual machine on this processor; NULL when there must be. */
const char *vm_unavailable(void);
/* With its processors and LEN bytes of memory at VM_MEMORY; a failed test if it cannot be made. */
void vm_create(struct vm *vm, unsigned int processors, char *memory, size_t len);
void vm_destroy(struct vm *vm);

/* What the processors can run. Addresses are those of the guest. */
enum vm_code {
	VM_STORE,		/* VALUE, by a plain store to TO */
	VM_ATOMIC,		/* VALUE is added to what is there, locked */
	VM_STRING,		/* COUNT bytes of VALUE */
	VM_INPUT,		/* COUNT bytes from a port, by one string instruction */
	VM_MOVE,		/* 8 bytes from FROM */
	VM_EMULATED_STORE,	/* as VM_STORE and VM_ATOMIC, by KVM's emulator: */
	VM_EMULATED_ATOMIC,	/* vm_emulates() */
	VM_NESTED,		/* a guest of the guest is entered, whose control block is at TO */
	VM_THROUGH_TABLES,	/* VM_STORE, once the processor has forgotten all translations */
	VM_JUMP,		/* to what is at TO */
	VM_RANDOM,		/* COUNT stores of 8 bytes at random offsets of TO, */
				/* which FROM masks; VALUE is the seed */
	VM_PAGES,		/* VALUE, to the beginning of each of COUNT pages */
};

struct vm_task {
	enum vm_code code;
	uint64_t to;
	uint64_t value;
	uint64_t from;
	uint64_t count;
};

/*
 * Runs it to its end. NULL, or what went wrong. Bytes that come from a port or from VM_NOTHING are
 * those of task->value, and one more each time. One thread at a time for each processor.
 */
const char *vm_run(struct vm *vm, unsigned int processor, const struct vm_task *task);
/*
 * It went wrong because the processor has met an exception, for which it has no handlers, or an
 * instruction that KVM cannot emulate; or because it is no longer in its code, as is looked after
 * every few seconds. Then its state is not what it was: restart it.
 */
bool vm_is_astray(const struct vm *vm, unsigned int processor);
void vm_restart(struct vm *vm, unsigned int processor);

/* What KVM has counted until now, and where each processor was when it was looked after. */
void vm_print_state(const struct vm *vm);

/* ---- means of KVM's own to write to the guest */

/* Can it be told to emulate an instruction? */
bool vm_emulates(void);
/* Has its guest an SVM of its own? */
bool vm_has_nested(const struct vm *vm);

/* The processor's clock page is at that address; 0: nowhere. NULL, or what went wrong. */
const char *vm_clock_at(struct vm *vm, unsigned int processor, uint64_t address);
/* It is to be written when one of the processors runs the next time. */
const char *vm_clock_set(struct vm *vm);
/* The same for the record of stolen time, which is written whenever the processor begins to run. */
const char *vm_steal_at(struct vm *vm, unsigned int processor, uint64_t address);

/*
 * A page of the guest is the page table of VM_ALIAS, whose first entry leads to scratch memory. The
 * processor writes there that it was used.
 */
#define VM_ALIAS 0x20000000ul
void vm_table_at(struct vm *vm, char *page, uint64_t address);

#endif /* GUEST_KVM_H */
