// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a write of a guest of KVM to an armed page costs, by each way to track (ways/), in
 * instructions: with leaving and entering the guest, and what KVM does to map the page again.
 *
 * Prints lines "guest_write.WAY VALUE"; or "guest_write.WAY - REASON", when it cannot be measured.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../guest/kvm/vm.h"
#include "ways/way.h"

#define PAGES		256ul
#define REPEATS		5

static struct vm vm;

/* Ends the program when the guest goes astray: QEMU as its processor has it do so now and then. */
static uint64_t write_all(const struct way *way)
{
	const struct vm_task task = {
		.code = VM_PAGES, .to = VM_MEMORY, .value = 1, .count = PAGES,
	};
	const uint64_t since = now();
	const char *wrong = vm_run(&vm, 0, &task);

	if (!wrong)
		return now() - since;
	printf("guest_write.%s - %s\n", way->name, wrong);
	exit(0);
}

static uint64_t cost(const struct way *way)
{
	uint64_t took[REPEATS], armed;
	size_t found;
	int i;

	for (i = 0; i < REPEATS; i++) {
		way->begin();
		armed = write_all(way);
		found = way->scan(false, false);
		if (found != PAGES) {
			fprintf(stderr, "machine: %s: the guest wrote %lu pages, and it says %zu\n",
				way->name, PAGES, found);
			exit(1);
		}
		took[i] = armed - write_all(way);
	}
	qsort(took, REPEATS, sizeof(took[0]), ascending);
	return took[REPEATS / 2];
}

static void measure(const struct way *way)
{
	const char *unavailable = vm_unavailable();

	if (way->fails_for_kernel)
		unavailable = "KVM_RUN fails with EFAULT, and nobody can resolve that";
	if (unavailable) {
		printf("guest_write.%s - %s\n", way->name, unavailable);
		return;
	}
	len = PAGES * PAGE;
	memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		stop("mmap");
	madvise(memory, len, MADV_NOHUGEPAGE);
	memset(memory, 1, len);
	vm_create(&vm, 1, memory, len);
	way->attach();
	write_all(way);
	printf("guest_write.%s %.2f\n", way->name, (double)cost(way) / PAGES);
	fflush(stdout);
	way->detach();
	vm_destroy(&vm);
	munmap(memory, len);
}

int main(void)
{
	size_t i;

	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	noted = malloc(PAGES * sizeof(*noted));
	if (pagemap < 0 || !noted)
		stop("preparation");
	for (i = 0; i < n_ways; i++)
		if (ways[i]->possible())
			measure(ways[i]);
	return 0;
}
