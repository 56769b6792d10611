// SPDX-License-Identifier: GPL-2.0-only
#include <asm/kvm_para.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "environment.h"
#include "vm.h"
#include "support.h"

/* In the low memory */
#define LOW_SIZE	0x10000ul
#define TOP_TABLE	0x1000ul
#define UPPER_TABLE	0x2000ul
#define LOWER_TABLE	0x3000ul
#define CODE		0x4000ul
#define SAVE_AREA	0x5000ul	/* VM_HSAVE_PA */

/* In an entry of a page table */
#define PRESENT		(1ull << 0)
#define WRITABLE	(1ull << 1)
#define ACCESSED	(1ull << 5)
#define DIRTY		(1ull << 6)
#define LARGE		(1ull << 7)

#define MSR_SAVE_AREA	0xc0010117u
#define CPUID_EXTENDED	0x80000001u
#define CPUID_SVM	(1u << 2)
#define EFER_SVM	(1ull << 12)
#define EFER_LONG_MODE	(1ull << 8 | 1ull << 10)

/* Between two looks whether the processors are where they can be */
#define LOOK_SECONDS	5

/* Where bytes can be read from */
#define PORT		0x77

#define FORCE_EMULATION "/sys/module/kvm/parameters/force_emulation_prefix"

/*
 * What the guest runs, in long mode, wherever it is copied to: rdi is the address, rsi the value,
 * rdx the source, rcx the count. What is behind the prefix is emulated.
 */
asm(".pushsection .rodata\n"
	".macro emulated\n"
	"	ud2\n"
	"	.ascii \"kvm\"\n"
	".endm\n"
	"vm_code:\n"
	"vm_store:\n"
	"	mov %rsi, (%rdi)\n"
	"	hlt\n"
	"vm_atomic:\n"
	"	lock add %rsi, (%rdi)\n"
	"	hlt\n"
	"vm_string:\n"
	"	mov %rsi, %rax\n"
	"	rep stosb\n"
	"	hlt\n"
	"vm_input:\n"
	"	rep insb\n"
	"	hlt\n"
	"vm_move:\n"
	"	mov %rdx, %rsi\n"
	"	movsq\n"
	"	hlt\n"
	"vm_emulated_store:\n"
	"	emulated\n"
	"	mov %rsi, (%rdi)\n"
	"	hlt\n"
	"vm_emulated_atomic:\n"
	"	mov (%rdi), %rax\n"
	"	add %rax, %rsi\n"
	"	emulated\n"
	"	lock cmpxchg %rsi, (%rdi)\n"
	"	hlt\n"
	"vm_nested:\n"
	"	mov %rdi, %rax\n"
	"	vmrun\n"
	"	stgi\n"
	"	hlt\n"
	"vm_through_tables:\n"
	"	mov %cr3, %rax\n"
	"	mov %rax, %cr3\n"
	"	mov %rsi, (%rdi)\n"
	"	hlt\n"
	"vm_jump:\n"
	"	jmp *%rdi\n"
	"vm_random:\n"
	"1:	mov %rsi, %rax\n"
	"	shl $13, %rax\n"
	"	xor %rax, %rsi\n"
	"	mov %rsi, %rax\n"
	"	shr $7, %rax\n"
	"	xor %rax, %rsi\n"
	"	mov %rsi, %rax\n"
	"	shl $17, %rax\n"
	"	xor %rax, %rsi\n"
	"	mov %rsi, %rax\n"
	"	shr $20, %rax\n"
	"	and %rdx, %rax\n"
	"	mov %rsi, (%rdi, %rax)\n"
	"	dec %rcx\n"
	"	jnz 1b\n"
	"	hlt\n"
	"vm_pages:\n"
	"1:	mov %rsi, (%rdi)\n"
	"	add $4096, %rdi\n"
	"	dec %rcx\n"
	"	jnz 1b\n"
	"	hlt\n"
	"vm_code_end:\n"
	".popsection\n");

extern const char vm_code[], vm_code_end[];
extern const char vm_store[], vm_atomic[], vm_string[], vm_input[], vm_move[], vm_emulated_store[];
extern const char vm_emulated_atomic[], vm_nested[], vm_through_tables[], vm_jump[], vm_random[];
extern const char vm_pages[];

static const char *const codes[] = {
	[VM_STORE] = vm_store,
	[VM_ATOMIC] = vm_atomic,
	[VM_STRING] = vm_string,
	[VM_INPUT] = vm_input,
	[VM_MOVE] = vm_move,
	[VM_EMULATED_STORE] = vm_emulated_store,
	[VM_EMULATED_ATOMIC] = vm_emulated_atomic,
	[VM_NESTED] = vm_nested,
	[VM_THROUGH_TABLES] = vm_through_tables,
	[VM_JUMP] = vm_jump,
	[VM_RANDOM] = vm_random,
	[VM_PAGES] = vm_pages,
};

/* ---- the machine */

/* Is there a line with this word in it, which blanks surround? */
static bool file_has(const char *path, const char *word)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	bool found = false;
	size_t size = 0;

	if (!file)
		return false;
	while (!found && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = ' ';
		found = strstr(line, word);
	}
	free(line);
	fclose(file);
	return found;
}

const char *vm_unavailable(void)
{
	if (!access("/dev/kvm", R_OK | W_OK))
		return NULL;
	if (!file_has("/proc/cpuinfo", " svm ") && !file_has("/proc/cpuinfo", " vmx "))
		return "this machine cannot have virtual machines of its own";
	/* CONFIG_PREEMPT_NOTIFIERS, which KVM selects */
	if (!file_has("/proc/kallsyms", " preempt_notifier_register "))
		return "this kernel has no KVM";
	fail_msg("no /dev/kvm: tests/vm/run --kernel-module -kvm-amd --kernel-module -kvm-intel");
	return NULL;
}

static void add_memory(struct vm *vm, unsigned int slot, uint64_t at, char *memory, size_t len)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = at,
		.memory_size = len,
		.userspace_addr = (uintptr_t)memory,
	};

	assert_ok(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region));
}

static void fill_low(struct vm *vm)
{
	uint64_t *top = (void *)(vm->low + TOP_TABLE), *upper = (void *)(vm->low + UPPER_TABLE);
	uint64_t *lower = (void *)(vm->low + LOWER_TABLE);
	const uint64_t used = PRESENT | WRITABLE | ACCESSED | DIRTY;
	uint64_t i;

	top[0] = UPPER_TABLE | used;
	upper[0] = LOWER_TABLE | used;
	for (i = 0; i < 512; i++)
		lower[i] = i << 21 | LARGE | used;
	memcpy(vm->low + CODE, vm_code, vm_code_end - vm_code);
}

static const char *set_msr(struct vm *vm, unsigned int processor, uint32_t index, uint64_t value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msr = {
		.head.nmsrs = 1,
		.entry = { .index = index, .data = value },
	};

	return ioctl(vm->processor[processor].fd, KVM_SET_MSRS, &msr) == 1 ? NULL :
	       "KVM_SET_MSRS";
}

/* All features that KVM can give to a guest. */
static void set_features(struct vm *vm, unsigned int processor)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 256 * sizeof(cpuid->entries[0]));

	assert_non_null(cpuid);
	cpuid->nent = 256;
	assert_ok(ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
	assert_ok(ioctl(vm->processor[processor].fd, KVM_SET_CPUID2, cpuid));
	free(cpuid);
}

/* In long mode, with all memory in one flat segment, and no handler of exceptions. */
static void set_mode(struct vm *vm, unsigned int processor)
{
	const struct kvm_segment data = {
		.limit = ~0u, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1,
	};
	struct kvm_sregs sregs;

	assert_ok(ioctl(vm->processor[processor].fd, KVM_GET_SREGS, &sregs));
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cs = (struct kvm_segment){
		.limit = ~0u, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1,
	};
	sregs.tr = (struct kvm_segment){ .limit = 0x67, .selector = 24, .type = 11, .present = 1 };
	sregs.idt.limit = 0;
	sregs.cr0 = 0x80010033;		/* PG, WP, NE, ET, MP, PE */
	sregs.cr3 = TOP_TABLE;
	sregs.cr4 = 0x20;		/* PAE */
	sregs.efer = EFER_LONG_MODE;
	if (vm_has_nested(vm))
		sregs.efer |= EFER_SVM;
	assert_ok(ioctl(vm->processor[processor].fd, KVM_SET_SREGS, &sregs));
	if (vm_has_nested(vm))
		assert_null(set_msr(vm, processor, MSR_SAVE_AREA, SAVE_AREA));
}

/* ---- to look after the processors */

static void interrupt(int signal)
{
	(void)signal;
}

static void *interrupt_processors(void *arg)
{
	struct vm *vm = arg;
	struct timespec next;
	unsigned int i;

	pthread_mutex_lock(&vm->lock);
	while (!vm->ends) {
		for (i = 0; i < vm->n; i++)
			if (vm->processor[i].runs)
				pthread_kill(vm->processor[i].thread, SIGUSR1);
		clock_gettime(CLOCK_REALTIME, &next);
		next.tv_sec += LOOK_SECONDS;
		pthread_cond_timedwait(&vm->ending, &vm->lock, &next);
	}
	pthread_mutex_unlock(&vm->lock);
	return NULL;
}

static void begin_watch(struct vm *vm)
{
	/* Without SA_RESTART */
	const struct sigaction action = { .sa_handler = interrupt };

	assert_ok(sigaction(SIGUSR1, &action, NULL));
	vm->ends = false;
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->ending, NULL);
	assert_int_equal(pthread_create(&vm->watch, NULL, interrupt_processors, vm), 0);
}

static void end_watch(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->ends = true;
	pthread_cond_signal(&vm->ending);
	pthread_mutex_unlock(&vm->lock);
	pthread_join(vm->watch, NULL);
	pthread_cond_destroy(&vm->ending);
	pthread_mutex_destroy(&vm->lock);
}

/* ---- the machine as a whole */

void vm_create(struct vm *vm, unsigned int processors, char *memory, size_t len)
{
	unsigned int i;

	vm->n = processors;
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	assert_true(vm->kvm >= 0);
	assert_int_equal(ioctl(vm->kvm, KVM_GET_API_VERSION, 0), 12);
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	assert_true(vm->fd >= 0);
	/* Intel's processors need room of their own, beyond all memory. */
	assert_ok(ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul));
	vm->low = mmap(NULL, LOW_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(vm->low, MAP_FAILED);
	fill_low(vm);
	add_memory(vm, 0, 0, vm->low, LOW_SIZE);
	add_memory(vm, 1, VM_MEMORY, memory, len);
	vm->run_size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	for (i = 0; i < processors; i++) {
		vm->processor[i] = (struct vm_processor){};
		vm->processor[i].fd = ioctl(vm->fd, KVM_CREATE_VCPU, i);
		assert_true(vm->processor[i].fd >= 0);
		vm->processor[i].run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
					    vm->processor[i].fd, 0);
		assert_ptr_not_equal(vm->processor[i].run, MAP_FAILED);
		set_features(vm, i);
		set_mode(vm, i);
	}
	begin_watch(vm);
}

void vm_destroy(struct vm *vm)
{
	unsigned int i;

	end_watch(vm);
	for (i = 0; i < vm->n; i++) {
		munmap(vm->processor[i].run, vm->run_size);
		close(vm->processor[i].fd);
	}
	close(vm->fd);
	close(vm->kvm);
	munmap(vm->low, LOW_SIZE);
}

/* ---- to run something */

/* Bytes that the guest asks for. */
static void answer(void *to, size_t len, uint64_t *value)
{
	unsigned char *bytes = to;
	size_t i;

	for (i = 0; i < len; i++)
		bytes[i] = (*value)++;
}

/* What KVM could not do: the kind of error, and words as in <linux/kvm.h>. */
static const char *internal_error(const struct kvm_run *run)
{
	static _Thread_local char text[400];
	const uint32_t n = run->internal.ndata > 16 ? 16 : run->internal.ndata;
	int len = snprintf(text, sizeof(text), "an internal error of KVM: %u",
			   run->internal.suberror);
	uint32_t i;

	for (i = 0; i < n; i++)
		len += snprintf(text + len, sizeof(text) - len, " %llx",
				(unsigned long long)run->internal.data[i]);
	return text;
}

/* NULL: it goes on, or has halted, and *halted is true. */
static const char *handle_exit(struct kvm_run *run, uint64_t *value, bool *halted)
{
	static _Thread_local char text[80];

	switch (run->exit_reason) {
	case KVM_EXIT_HLT:
		*halted = true;
		return NULL;
	case KVM_EXIT_IO:
		answer((char *)run + run->io.data_offset, (size_t)run->io.size * run->io.count,
		       value);
		return NULL;
	case KVM_EXIT_MMIO:
		if (run->mmio.is_write) {
			snprintf(text, sizeof(text), "a write to %#llx, where nothing is",
				 (unsigned long long)run->mmio.phys_addr);
			return text;
		}
		answer(run->mmio.data, run->mmio.len, value);
		return NULL;
	case KVM_EXIT_INTERNAL_ERROR:
		return internal_error(run);
	default:
		snprintf(text, sizeof(text), "the guest has left for reason %u", run->exit_reason);
		return text;
	}
}

/* The thread of a processor is to be interrupted now and then, from now on or no more. */
static void watch(struct vm *vm, struct vm_processor *p, bool runs)
{
	pthread_mutex_lock(&vm->lock);
	p->thread = pthread_self();
	p->runs = runs;
	pthread_mutex_unlock(&vm->lock);
}

/*
 * QEMU 10.0 as the processor of KVM's host leaves the guest twice now and then: KVM finds the state
 * of the host in place of that of the guest, at the instruction behind its own VMRUN, and enters
 * the guest there, again and again.
 */
static const char *look_after(struct vm_processor *p)
{
	static _Thread_local char text[80];
	struct kvm_regs regs;

	if (ioctl(p->fd, KVM_GET_REGS, &regs))
		return "KVM_GET_REGS";
	p->rip = regs.rip;
	p->rcx = regs.rcx;
	p->lost = regs.rip < CODE || regs.rip > CODE + (vm_code_end - vm_code);
	snprintf(text, sizeof(text), "is at %#" PRIx64 ", where nothing is", p->rip);
	return p->lost ? text : NULL;
}

const char *vm_run(struct vm *vm, unsigned int processor, const struct vm_task *task)
{
	struct vm_processor *p = &vm->processor[processor];
	struct kvm_regs regs = {
		.rip = CODE + (codes[task->code] - vm_code),
		.rflags = 2,
		.rdi = task->to,
		.rsi = task->value,
		.rdx = task->code == VM_INPUT ? PORT : task->from,
		.rcx = task->count,
	};
	uint64_t value = task->value;
	const char *wrong = NULL;
	bool halted = false;

	if (ioctl(p->fd, KVM_SET_REGS, &regs))
		return "KVM_SET_REGS";
	watch(vm, p, true);
	while (!halted && !wrong) {
		if (!ioctl(p->fd, KVM_RUN, 0))
			wrong = handle_exit(p->run, &value, &halted);
		else if (errno != EINTR && errno != EAGAIN)
			wrong = strerror(errno);
		else
			wrong = look_after(p);
	}
	watch(vm, p, false);
	return wrong;
}

void vm_print_state(const struct vm *vm)
{
	static const char *const names[] = { "exits", "halt_exits", "io_exits", "pf_taken",
					     "pf_fixed", "pf_emulate", "pf_spurious" };
	char path[120];
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/%s", getpid(), vm->fd,
			 names[i]);
		print_message("%s %ld, ", names[i], read_number(path));
	}
	for (i = 0; i < vm->n; i++)
		print_message("processor %u at %#" PRIx64 " with rcx %" PRIu64 ", ", i,
			      vm->processor[i].rip, vm->processor[i].rcx);
	print_message("\n");
}

bool vm_is_astray(const struct vm *vm, unsigned int processor)
{
	const uint32_t reason = vm->processor[processor].run->exit_reason;

	return vm->processor[processor].lost || reason == KVM_EXIT_INTERNAL_ERROR ||
	       reason == KVM_EXIT_SHUTDOWN;
}

void vm_restart(struct vm *vm, unsigned int processor)
{
	const struct kvm_vcpu_events none = {};

	/* An exception may be on its way. */
	assert_ok(ioctl(vm->processor[processor].fd, KVM_SET_VCPU_EVENTS, &none));
	set_mode(vm, processor);
	vm->processor[processor].lost = false;
}

/* ---- means of KVM's own */

bool vm_emulates(void)
{
	return read_number(FORCE_EMULATION) > 0 || !write_file(FORCE_EMULATION, "1");
}

bool vm_has_nested(const struct vm *vm)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 256 * sizeof(cpuid->entries[0]));
	bool has = false;
	uint32_t i;

	assert_non_null(cpuid);
	cpuid->nent = 256;
	assert_ok(ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == CPUID_EXTENDED)
			has = cpuid->entries[i].ecx & CPUID_SVM;
	free(cpuid);
	return has;
}

const char *vm_clock_at(struct vm *vm, unsigned int processor, uint64_t address)
{
	return set_msr(vm, processor, MSR_KVM_SYSTEM_TIME_NEW, address ? address | 1 : 0);
}

const char *vm_clock_set(struct vm *vm)
{
	struct kvm_clock_data clock;

	if (ioctl(vm->fd, KVM_GET_CLOCK, &clock))
		return "KVM_GET_CLOCK";
	clock.flags = 0;
	return ioctl(vm->fd, KVM_SET_CLOCK, &clock) ? "KVM_SET_CLOCK" : NULL;
}

const char *vm_steal_at(struct vm *vm, unsigned int processor, uint64_t address)
{
	return set_msr(vm, processor, MSR_KVM_STEAL_TIME, address ? address | 1 : 0);
}

void vm_table_at(struct vm *vm, char *page, uint64_t address)
{
	uint64_t *lower = (void *)(vm->low + LOWER_TABLE), *table = (void *)page;

	table[0] = VM_SCRATCH | PRESENT | WRITABLE;
	lower[VM_ALIAS >> 21] = address | PRESENT | WRITABLE | ACCESSED | DIRTY;
}
