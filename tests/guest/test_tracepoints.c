// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracepoints: what a fault has made written is traced once, whichever way it went; and what the
 * module counts of faults is what the kernel itself does, seen by a BPF program on a function that
 * the module does not hook.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "../bpf/faults.h"
#include "environment.h"
#include "support.h"
#include "unserved.h"

#define N 256ul
#define GRANULE 64u

__asm__(".section .rodata\n"
	".balign 8\n"
	"object:\n"
	".incbin \"tests/guest/faults.bpf.o\"\n"
	"object_end:\n"
	".previous\n");
extern const char object[], object_end[];

static struct bpf_object *programs;
static struct bpf_link *links[2];

static int attach(void **state __attribute__((unused)))
{
	struct bpf_program *program;
	int i = 0, err;

	programs = bpf_object__open_mem(object, object_end - object, NULL);
	err = programs ? bpf_object__load(programs) : -errno;
	if (err) {
		print_message("the BPF program cannot be loaded: %s\n", strerror(-err));
		return -1;
	}
	bpf_object__for_each_program(program, programs) {
		links[i] = bpf_program__attach(program);
		if (!links[i++]) {
			print_message("%s cannot be attached: %s\n", bpf_program__name(program),
				      strerror(errno));
			return -1;
		}
	}
	return 0;
}

static int detach(void **state __attribute__((unused)))
{
	bpf_link__destroy(links[0]);
	bpf_link__destroy(links[1]);
	bpf_object__close(programs);
	return 0;
}

static int seen_map(void)
{
	return bpf_object__find_map_fd_by_name(programs, "seen");
}

/* From now on, of these pages. */
static void look_at(const char *start, size_t len)
{
	const struct faults f = {
		.tgid = getpid(), .start = (uintptr_t)start, .end = (uintptr_t)start + len,
	};
	const uint32_t first = 0;

	assert_ok(bpf_map_update_elem(seen_map(), &first, &f, BPF_ANY));
}

static struct faults seen(void)
{
	const uint32_t first = 0;
	struct faults f;

	assert_ok(bpf_map_lookup_elem(seen_map(), &first, &f));
	return f;
}

static int armed_tracker(const char *p, size_t len, uint64_t flags, uint32_t unpopulated,
			 uint32_t granule)
{
	struct uffdwp_attach_arg arg = {
		.size = sizeof(arg), .flags = flags, .unpopulated = unpopulated, .granule = granule,
	};
	int fd = dev_open();

	assert_ok(dev_ioctl(fd, UFFDWP_IOC_ATTACH, &arg));
	assert_ok(dev_register(fd, p, len));
	assert_ok(dev_arm(fd, p, len));
	look_at(p, len);
	return fd;
}

/* What was traced is what a scan finds: @expected pages, by so many faults of the kernel. */
static void expect(int fd, const char *p, size_t len, uint64_t expected, uint64_t write_faults)
{
	const struct faults f = seen();

	assert_int_equal(f.pages, expected);
	assert_int_equal(written(fd, p, len, true), expected);
	assert_int_equal(f.write_faults, write_faults);
}

TEST(the_kernel_takes_the_faults_that_are_counted)
{
	char *p = map_filled(N);
	int fd = armed_tracker(p, N * PAGE, 0, 0, 0), round;
	uint64_t random = 7, pages = 0;
	size_t i;

	for (round = 0; round < 20; round++) {
		look_at(p, N * PAGE);
		pages = 0;
		for (i = 0; i < N; i++)
			if (next_random(&random) % 3 == 0) {
				/* Twice: the second write is none of a fault. */
				touch(p + i * PAGE, 1, round);
				touch(p + i * PAGE, 1, round + 1);
				pages++;
			}
		assert_int_equal(seen().events, pages);
		expect(fd, p, N * PAGE, pages, pages);
	}
	assert_int_equal(dev_stats(fd).fallback_faults, 0);
	/* All rounds, by another way: N writes more, and what the statistics gain. */
	pages = dev_stats(fd).write_faults;
	look_at(p, N * PAGE);
	touch(p, N, 99);
	assert_int_equal(seen().write_faults, N);
	assert_int_equal(dev_stats(fd).write_faults - pages, seen().write_faults);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(zero_pages_are_traced)
{
	char *p = map_anon(N);
	int fd = armed_tracker(p, N * PAGE, 0, 0, 0);

	touch(p, N / 2, 1);
	expect(fd, p, N * PAGE, N / 2, N / 2);
	close(fd);
	munmap(p, N * PAGE);
}

/* A marker is taken away by one fault, and the page comes by the next. */
TEST(markers_are_traced)
{
	const char *why = refused_markers();
	char *p = map_anon(N);
	int fd;

	if (why)
		skip_because("%s", why);
	fd = armed_tracker(p, N * PAGE, 0, UFFDWP_UNPOP_MARKER, 0);
	touch(p, N / 2, 1);
	expect(fd, p, N * PAGE, N / 2, N);
	assert_int_equal(dev_stats(fd).marker_faults, N / 2);
	close(fd);
	munmap(p, N * PAGE);
}

/* One event of the page itself, and one of each run that it opens. */
TEST(what_a_granule_opens_is_traced)
{
	char *p = map_filled(4 * N);
	char *block = (char *)(((uintptr_t)p + GRANULE * PAGE - 1) & -(GRANULE * PAGE));
	int fd = armed_tracker(p, 4 * N * PAGE, 0, 0, GRANULE);

	touch(block + 7 * PAGE, 1, 2);
	assert_int_equal(seen().events, 3);
	expect(fd, p, 4 * N * PAGE, GRANULE, 1);
	close(fd);
	munmap(p, 4 * N * PAGE);
}

TEST(huge_pages_are_traced)
{
	char *p = map_huge(1);
	int fd;

	if (!p)
		skip_because("no huge page could be had");
	fd = armed_tracker(p, HUGE_PAGE, 0, 0, 0);
	touch(p + 3 * PAGE, 2, 2);
	expect(fd, p, HUGE_PAGE, 2, 2);
	assert_int_equal(dev_stats(fd).huge_splits, 1);
	close(fd);
	munmap(p, HUGE_PAGE);

	p = map_huge(1);
	if (!p)
		skip_because("no second huge page could be had");
	fd = armed_tracker(p, HUGE_PAGE, UFFDWP_ATTACH_WHOLE_HUGE, 0, 0);
	touch(p + 3 * PAGE, 2, 2);
	assert_int_equal(seen().events, 1);
	expect(fd, p, HUGE_PAGE, HUGE_PAGE / PAGE, 1);
	close(fd);
	munmap(p, HUGE_PAGE);
}

TEST(pages_of_hugetlb_are_traced)
{
	const char *why;
	char *p;
	int fd;

	if (!(dev_kinds() & UFFDWP_KIND_HUGETLB))
		skip_because("hugetlb is not tracked here");
	why = hugetlb_reserve(2);
	if (why)
		skip_because("%s", why);
	p = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	memset(p, 1, 2 * HUGE_PAGE);
	fd = armed_tracker(p, 2 * HUGE_PAGE, 0, 0, 0);
	touch(p, 3, 2);
	assert_int_equal(seen().events, 1);
	expect(fd, p, 2 * HUGE_PAGE, HUGE_PAGE / PAGE, 2);
	close(fd);
	munmap(p, 2 * HUGE_PAGE);
	hugetlb_release();
}

TEST(shared_memory_is_traced)
{
	char *p;
	int fd;

	if (!(dev_kinds() & UFFDWP_KIND_SHMEM))
		skip_because("shared memory is not tracked here");
	p = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	touch(p, N / 2, 1);
	fd = armed_tracker(p, N * PAGE, 0, 0, 0);
	/* Half of it has pages, and half has markers. */
	touch(p, N, 2);
	assert_int_equal(seen().pages, N);
	assert_int_equal(written(fd, p, N * PAGE, true), N);
	close(fd);
	munmap(p, N * PAGE);
}

/* On Linux 5.10 a forced write to a page that is swapped out has a way of its own. */
TEST(swapped_pages_are_traced)
{
	char *p = map_filled(N);
	const char *why = swap_on(64 << 20);
	int fd;

	if (why)
		skip_because("%s", why);
	fd = armed_tracker(p, N * PAGE, 0, 0, 0);
	why = swap_out(p, N * PAGE);
	if (!why) {
		look_at(p, N * PAGE);
		touch(p, N / 2, 2);
		assert_int_equal(seen().pages, N / 2);
		assert_int_equal(written(fd, p, N * PAGE, true), N / 2);
	}
	close(fd);
	munmap(p, N * PAGE);
	swap_off();
	if (why)
		skip_because("%s", why);
}

/* read(2) into armed memory, and a write by another process: GUP takes the same fault. */
TEST(writes_by_the_kernel_are_traced)
{
	char *p = map_filled(N);
	int fd = armed_tracker(p, N * PAGE, 0, 0, 0);
	int zeroes = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct iovec from = { .iov_len = 1 }, to = { .iov_base = p + 20 * PAGE, .iov_len = 1 };
	char byte = 'x';
	pid_t child;
	int status;

	from.iov_base = &byte;
	assert_int_equal(read(zeroes, p, 10 * PAGE), 10 * PAGE);
	child = fork();
	if (!child)
		_exit(process_vm_writev(getppid(), &from, 1, &to, 1, 0) != 1);
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(p[20 * PAGE], 'x');
	assert_int_equal(seen().pages, 11);
	assert_int_equal(written(fd, p, N * PAGE, true), 11);
	close(zeroes);
	close(fd);
	munmap(p, N * PAGE);
}

/* An unshare fault, a read, and what is discarded make nothing written by a fault. */
TEST(what_is_no_write_is_not_traced)
{
	char *p = map_filled(N);
	int fd = armed_tracker(p, N * PAGE, 0, 0, 0);
	size_t i;

	for (i = 0; i < N; i++)
		assert_int_equal(((volatile char *)p)[i * PAGE], 1);
	assert_ok(madvise(p, 10 * PAGE, MADV_DONTNEED));
	assert_int_equal(seen().events, 0);
	assert_int_equal(written(fd, p, N * PAGE, true), 10);
	close(fd);
	munmap(p, N * PAGE);
}

/* BPF programs are checked against the types of the kernel, which one without BTF does not tell. */
TEST(all_of_it)
{
	skip_because("this kernel has no /sys/kernel/btf/vmlinux");
}

int main(void)
{
	const struct CMUnitTest none[] = { cmocka_unit_test(all_of_it) };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_takes_the_faults_that_are_counted),
		cmocka_unit_test(zero_pages_are_traced),
		cmocka_unit_test(markers_are_traced),
		cmocka_unit_test(what_a_granule_opens_is_traced),
		cmocka_unit_test(huge_pages_are_traced),
		cmocka_unit_test(pages_of_hugetlb_are_traced),
		cmocka_unit_test(shared_memory_is_traced),
		cmocka_unit_test(swapped_pages_are_traced),
		cmocka_unit_test(writes_by_the_kernel_are_traced),
		cmocka_unit_test(what_is_no_write_is_not_traced),
	};

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return cmocka_run_group_tests_name("tracepoints", none, NULL, NULL);
	return cmocka_run_group_tests_name("tracepoints", tests, attach, detach);
}
