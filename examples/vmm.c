// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vmm: a virtual machine of KVM with one processor and 64 KiB, of which is printed what its guest
 * has written. The memory of a guest is memory of the process that runs it: it is tracked like any
 * other, without KVM_MEM_LOG_DIRTY_PAGES.
 *
 *	cc vmm.c $(pkg-config --cflags --libs libuffdwp)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uffdwp.h>

#define PAGE 4096ul
#define SIZE (16 * PAGE)
#define CODE 0x1000ul

/* In real mode: write al to the page at di and the next ones, cx in all, and halt. */
static const unsigned char code[] = {
	0x88, 0x05,			/* again: mov %al, (%di) */
	0x81, 0xc7, 0x00, 0x10,		/*	add $0x1000, %di */
	0xe2, 0xf8,			/*	loop again */
	0xf4,				/*	hlt */
};

struct vm {
	int kvm;
	int fd;
	int processor;
	struct kvm_run *run;
	char *memory;
};

static int failed(const char *what)
{
	fprintf(stderr, "vmm: %s: %s\n", what, strerror(errno));
	return -1;
}

static int create_processor(struct vm *vm)
{
	const int size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct kvm_sregs sregs;

	vm->processor = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
	if (vm->processor < 0)
		return failed("KVM_CREATE_VCPU");
	vm->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->processor, 0);
	if (vm->run == MAP_FAILED)
		return failed("the processor's state");
	/* As after a reset, but that code begins at 0. */
	if (ioctl(vm->processor, KVM_GET_SREGS, &sregs))
		return failed("KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	return ioctl(vm->processor, KVM_SET_SREGS, &sregs) ? failed("KVM_SET_SREGS") : 0;
}

static int create(struct vm *vm)
{
	struct kvm_userspace_memory_region region = { .memory_size = SIZE };

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		return failed("/dev/kvm");
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		return failed("KVM_CREATE_VM");
	/* Intel's processors need room of their own for real mode, beyond all memory. */
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul))
		return failed("KVM_SET_TSS_ADDR");
	vm->memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->memory == MAP_FAILED)
		return failed("mmap");
	memcpy(vm->memory + CODE, code, sizeof(code));
	region.userspace_addr = (uintptr_t)vm->memory;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		return failed("KVM_SET_USER_MEMORY_REGION");
	return create_processor(vm);
}

/* The guest writes to that many pages, and halts. */
static int run(struct vm *vm, unsigned long to, unsigned long pages)
{
	struct kvm_regs regs = { .rip = CODE, .rflags = 2, .rdi = to, .rcx = pages, .rax = 'x' };

	if (ioctl(vm->processor, KVM_SET_REGS, &regs))
		return failed("KVM_SET_REGS");
	while (ioctl(vm->processor, KVM_RUN, 0))
		if (errno != EINTR && errno != EAGAIN)
			return failed("KVM_RUN");
	if (vm->run->exit_reason == KVM_EXIT_HLT)
		return 0;
	fprintf(stderr, "vmm: the guest has left for reason %u\n", vm->run->exit_reason);
	return -1;
}

/* What was written since the last time, by addresses of the guest. */
static int print_written(struct uffdwp *tracker, const struct vm *vm)
{
	UFFDWP_OPTS(uffdwp_scan_opts, opts, .flags = UFFDWP_SCAN_WP_MATCHING,
		    .start = (uintptr_t)vm->memory, .len = SIZE);
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	int got;

	printf("the guest has written");
	got = uffdwp_scan_start(tracker, &opts, &scan);
	if (!got)
		while ((got = uffdwp_scan_next(scan, &region)) == 1)
			printf(" %#llx-%#llx", (unsigned long long)(region.start - opts.start),
			       (unsigned long long)(region.end - opts.start));
	uffdwp_scan_end(scan);
	printf(".\n");
	return got;
}

int main(int argc, char **argv)
{
	struct uffdwp *tracker = NULL;
	struct vm vm;
	int err;

	(void)argv;
	if (argc != 1) {
		fprintf(stderr, "usage: vmm\n");
		return 2;
	}
	if (create(&vm))
		return 1;
	/* Armed here: what was put into the memory before is not what the guest has written. */
	err = uffdwp_open(0, NULL, &tracker);
	if (!err)
		err = uffdwp_track(tracker, (uintptr_t)vm.memory, SIZE, NULL);
	if (!err) {
		if (run(&vm, 0x4000, 3))
			return 1;
		err = print_written(tracker, &vm);
	}
	if (!err) {
		if (run(&vm, 0x6000, 1) || run(&vm, 0xa000, 2))
			return 1;
		err = print_written(tracker, &vm);
	}
	if (!err)
		err = print_written(tracker, &vm);
	if (err)
		fprintf(stderr, "vmm: %s\n", uffdwp_explain(err));
	uffdwp_close(tracker);
	return err ? 1 : 0;
}
