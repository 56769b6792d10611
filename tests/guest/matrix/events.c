// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can happen to memory between arming and the scan. Each event touches the pages that its row
 * in the table names.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "madvise.h"
#include "matrix.h"
#include "unserved.h"

#define PAGEMAP_THERE (3ull << 62)	/* present or swapped */

static const char *lacks(const char *what)
{
	static char reason[160];

	snprintf(reason, sizeof(reason), "this kernel has no %s", what);
	return reason;
}

/* The only reason to go without is that there is no such system call. */
static const char *no(const char *what)
{
	if (errno != ENOSYS)
		fail_msg("the event did not happen: %s: %s", what, strerror(errno));
	return lacks(what);
}

/* The first written byte says who has written. */
#define MARK 0x7e

/* ---- writers */

static const char *nothing(struct area *area)
{
	(void)area;
	return NULL;
}

/*
 * What describes the area may wait for a NUMA hint, and the stack of the call that counts be shared
 * with a child, too: those faults are none of the writes'.
 */
static const char *write_hit(struct area *area)
{
	char *const start = area->hit, *const end = start + area->hit_len;
	const size_t step = area->unit;
	volatile char *page;
	long before;

	all_faults();
	before = all_faults();
	for (page = start; page < end; page += step)
		*page = MARK;
	area->faults = all_faults() - before;
	return NULL;
}

/* Each page by a call of its own, so that a huge page is written to in its first bytes only. */
static const char *each_page(struct area *area, const char *(*how)(char *page, void *arg),
			     void *arg)
{
	const char *reason;
	size_t i;

	for (i = 0; i < area->hit_len; i += area->unit) {
		reason = how(area->hit + i, arg);
		if (reason)
			return reason;
	}
	return NULL;
}

static const char *read_into(char *page, void *arg)
{
	return read(*(int *)arg, page, PAGE) == (ssize_t)PAGE ? NULL : no("read(2)");
}

static const char *read_write(struct area *area)
{
	int zero = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	const char *reason = each_page(area, read_into, &zero);

	close(zero);
	return reason;
}

static const char *recv_into(char *page, void *arg)
{
	int *pair = arg;

	if (send(pair[0], "from a socket", 13, 0) != 13)
		return no("send(2)");
	return recv(pair[1], page, 13, 0) == 13 ? NULL : no("recv(2)");
}

static const char *recv_write(struct area *area)
{
	const char *reason;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return no("socketpair(2)");
	reason = each_page(area, recv_into, pair);
	close(pair[0]);
	close(pair[1]);
	return reason;
}

/* The kernel does not care that it is our own memory: it goes by the page tables all the same. */
static const char *vm_writev_page(char *page, void *arg)
{
	char text[] = "by page tables";
	struct iovec from = { text, sizeof(text) }, to = { page, sizeof(text) };

	(void)arg;
	return process_vm_writev(getpid(), &from, 1, &to, 1, 0) == (ssize_t)sizeof(text) ?
	       NULL : no("process_vm_writev(2)");
}

static const char *vm_writev(struct area *area)
{
	return each_page(area, vm_writev_page, NULL);
}

/* A tracer that shares our memory: fork() would change the entries. */
static int tracer(void *arg)
{
	pid_t parent = getppid();
	int status, err;

	if (ptrace(PTRACE_ATTACH, parent, NULL, NULL))
		_exit(errno);
	if (waitpid(parent, &status, __WALL) != parent)
		_exit(ECHILD);
	err = ptrace(PTRACE_POKEDATA, parent, arg, 0x706f6b65l) ? errno : 0;
	ptrace(PTRACE_DETACH, parent, NULL, NULL);
	_exit(err);
}

static const char *poke_page(char *page, void *arg)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	pid_t child = clone(tracer, stack + sizeof(stack), CLONE_VM | SIGCHLD, page);
	int status = 0;

	(void)arg;
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return no("a tracer");
	errno = WEXITSTATUS(status);
	return errno ? no("PTRACE_POKEDATA") : NULL;
}

static const char *pokedata(struct area *area)
{
	return each_page(area, poke_page, NULL);
}

/* It stays read-only until all was looked at. */
static const char *poke_read_only(struct area *area)
{
	assert_ok(mprotect(area->start, area->len, PROT_READ));
	area->no_access = true;
	return pokedata(area);
}

static const char *pread_first(char *page, void *arg)
{
	return pread(*(int *)arg, page, PAGE, 0) == (ssize_t)PAGE ? NULL : no("direct read");
}

/* The swap device has a header, so its first page is no zeroes. */
static const char *direct_read(struct area *area)
{
	int disk = open("/dev/zram0", O_RDONLY | O_DIRECT | O_CLOEXEC);
	const char *reason;

	if (disk < 0)
		return no("no disk for direct reads, /dev/zram0");
	reason = each_page(area, pread_first, &disk);
	close(disk);
	return reason;
}

static const char *read_hit(struct area *area)
{
	size_t i;

	for (i = 0; i < area->hit_len; i += PAGE)
		(void)*(volatile char *)(area->hit + i);
	return NULL;
}

/* ---- a thread on another processor that has used the memory before, and has it in its TLB */

static struct {
	pthread_t thread;
	struct area *area;
	atomic_int warm, go, done;
} neighbour;

static void *write_when_told(void *arg)
{
	struct area *area = neighbour.area;
	cpu_set_t cpus;
	size_t i;

	(void)arg;
	CPU_ZERO(&cpus);
	CPU_SET(1, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	for (i = 0; i < area->hit_len; i += area->unit)
		*(volatile char *)(area->hit + i) = *(volatile char *)(area->hit + i);
	neighbour.warm = 1;
	/* No system call in between: the TLB stays as it is, unless it is flushed. */
	while (!neighbour.go)
		;
	for (i = 0; i < area->hit_len; i += area->unit)
		*(volatile char *)(area->hit + i) = MARK;
	neighbour.done = 1;
	return NULL;
}

static const char *other_cpu_write(struct area *area)
{
	cpu_set_t cpus;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return "one processor only";
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	assert_ok(sched_setaffinity(0, sizeof(cpus), &cpus));
	neighbour.area = area;
	assert_ok(pthread_create(&neighbour.thread, NULL, write_when_told, NULL));
	while (!neighbour.warm)
		;
	assert_ok(dev_arm(area->tracker, area->start, area->len));
	neighbour.go = 1;
	pthread_join(neighbour.thread, NULL);
	return NULL;
}

/* ---- fork */

static const char *fork_parent(struct area *area)
{
	struct peer child = peer_start();
	const char *reason = write_hit(area);

	peer_end(&child);
	return reason;
}

static const char *fork_child(struct area *area)
{
	struct peer child = peer_start();
	size_t i;

	for (i = 0; i < area->hit_len; i += area->unit)
		peer_do(&child, PEER_WRITE, area->hit + i, PAGE, MARK);
	peer_end(&child);
	return NULL;
}

/* ---- mappings that change */

static const char *protect_and_back(struct area *area, int how)
{
	if (mprotect(area->start, area->len, how) ||
	    mprotect(area->start, area->len, PROT_READ | PROT_WRITE))
		return no("mprotect(2)");
	area->no_access = false;
	return write_hit(area);
}

static const char *protect_ro(struct area *area)
{
	return protect_and_back(area, PROT_READ);
}

static const char *protect_none(struct area *area)
{
	return protect_and_back(area, PROT_NONE);
}

static const char *grow(struct area *area)
{
	const size_t more = 8 * PAGE;

	if (area->file >= 0)
		assert_ok(ftruncate(area->file, area->len + more));
	if (mremap(area->start, area->len, area->len + more, 0) == MAP_FAILED)
		return no("mremap(2)");
	area->len += more;
	return NULL;
}

static const char *shrink(struct area *area)
{
	return mremap(area->start, area->len, area->len / 2, 0) == MAP_FAILED ? no("mremap(2)") :
									       NULL;
}

static char *move_by(struct area *area, int flags)
{
	char *to = ARENA + 16 * HUGE_PAGE;

	munmap(to, area->len);
	return mremap(area->start, area->len, area->len, MREMAP_MAYMOVE | MREMAP_FIXED | flags, to);
}

static const char *move(struct area *area)
{
	char *to = move_by(area, 0);

	if (to == MAP_FAILED)
		return no("mremap(2)");
	area->hit = to + (area->hit - area->start);
	area->start = to;
	area->moved = true;
	return NULL;
}

/*
 * Other memory of the tracker is moved to where the area ends, and the kernel makes one mapping of
 * both. It takes both from the tracker, and cleans only what has moved.
 */
static const char *absorbed(struct area *area)
{
	const size_t len = 4 * PAGE;
	char *from = ARENA + 24 * HUGE_PAGE, *to = area->start + area->len;

	munmap(from, len);
	if (mmap(from, len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		return no("mmap(2)");
	thp_advice(from, len, MADV_NOHUGEPAGE);
	assert_ok(dev_register(area->tracker, from, len));
	if (mremap(from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
		return no("mremap(2)");
	if (!kernel_is_before(7, 3) && !is_one_vma(area->start, area->len + len))
		return "since Linux 7.3 what has moved becomes no part of another mapping";
	area->moved = true;
	return NULL;
}

/* The same kind of memory, of the same part of the file. */
static const char *mapped_anew(struct area *area)
{
	const bool hugetlb = area->kind == HUGETLB || area->kind == HUGETLB_PRIVATE;
	const bool shared = is_shared_file(area) || area->kind == HUGETLB;
	const int flags = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED_NOREPLACE |
			  (area->file < 0 ? MAP_ANONYMOUS : 0) |
			  (hugetlb && area->file < 0 ? MAP_HUGETLB : 0);

	assert_ok(munmap(area->hit, area->hit_len));
	if (mmap(area->hit, area->hit_len, PROT_READ | PROT_WRITE, flags, area->file,
		 area->file < 0 ? 0 : area->hit - area->start) == MAP_FAILED)
		return no("mmap(2)");
	return NULL;
}

static const char *dontunmap(struct area *area)
{
	return move_by(area, MREMAP_DONTUNMAP) == MAP_FAILED ? no("mremap(2)") : NULL;
}

/* ---- advice */

/* Advice that the kernel knows is good for no memory at all. */
static bool knows_advice(int advice)
{
	return !madvise(ARENA, 0, advice);
}

static const char *advise(struct area *area, int advice, const char *name)
{
	if (!knows_advice(advice))
		return lacks(name);
	return madvise(area->hit, area->hit_len, advice) ? no(name) : NULL;
}

static const char *dontneed(struct area *area)
{
	return advise(area, MADV_DONTNEED, "MADV_DONTNEED");
}

static const char *lazy_free(struct area *area)
{
	return advise(area, MADV_FREE, "MADV_FREE");
}

static bool any_there(const struct area *area)
{
	size_t i;

	for (i = 0; i < area->hit_len; i += PAGE)
		if (pagemap_entry(area->hit + i) & PAGEMAP_THERE)
			return true;
	return false;
}

/* Reclaim passes by a page that is in the batch of a processor: more than one try. */
static const char *freed(struct area *area)
{
	const char *reason = lazy_free(area);
	int tries;

	for (tries = 0; !reason && tries < 200 && any_there(area); tries++) {
		reason = advise(area, MADV_PAGEOUT, "MADV_PAGEOUT");
		usleep(1000);
		if (tries % 20 == 19)
			empty_batches();
	}
	return reason ?: any_there(area) ? "reclaim has not taken the pages" : NULL;
}

static const char *remove_pages(struct area *area)
{
	return advise(area, MADV_REMOVE, "MADV_REMOVE");
}

static const char *populate(struct area *area)
{
	return advise(area, MADV_POPULATE_WRITE, "MADV_POPULATE_WRITE");
}

static const char *guard(struct area *area)
{
	const char *reason = NULL;

	if (!knows_advice(MADV_GUARD_INSTALL))
		return lacks("MADV_GUARD_INSTALL");
	if (madvise(area->hit, area->hit_len, MADV_GUARD_INSTALL)) {
		/* Only Linux 6.13 and 6.14: of private anonymous memory. */
		if (errno != EINVAL || area->file < 0 || !kernel_is_before(6, 15))
			return no("MADV_GUARD_INSTALL");
		reason = lacks("guard pages in files");
	}
	return reason;
}

static const char *lock(struct area *area)
{
	return mlock(area->hit, area->hit_len) ? no("mlock(2)") : NULL;
}

static const char *lock_on_fault(struct area *area)
{
	return mlock2(area->hit, area->hit_len, MLOCK_ONFAULT) ? no("mlock2(2)") : NULL;
}

static const char *cold(struct area *area)
{
	return advise(area, MADV_COLD, "MADV_COLD");
}

/* Armed memory may be refused (EINVAL), or become a huge page of the file. */
static const char *collapse(struct area *area)
{
	int ret;

	if (!knows_advice(MADV_COLLAPSE))
		return lacks("MADV_COLLAPSE");
	thp_advice(area->start, area->len, MADV_HUGEPAGE);
	ret = madvise(area->start, area->len, MADV_COLLAPSE);
	if (ret && errno != EINVAL && errno != EBUSY && errno != EAGAIN)
		return no("MADV_COLLAPSE");
	return NULL;
}

static const char *collapse_write(struct area *area)
{
	return collapse(area) ?: write_hit(area);
}

static bool any_present(const struct area *area)
{
	size_t i;

	for (i = 0; i < area->hit_len; i += PAGE)
		if (pagemap_entry(area->hit + i) >> 63)
			return true;
	return false;
}

/* Of a page of a file that was armed a marker stays. */
static const char *pageout(struct area *area)
{
	const char *reason = NULL;
	int tries;

	for (tries = 0; !reason && tries < 200 && any_present(area); tries++) {
		/* Reclaim takes clean pages of a disk's file only. */
		if (area->file >= 0 && fsync(area->file))
			return no("fsync(2)");
		reason = advise(area, MADV_PAGEOUT, "MADV_PAGEOUT");
		usleep(1000);
		if (tries % 20 == 19)
			empty_batches();
	}
	return reason ?: any_present(area) ? "MADV_PAGEOUT has left a page in memory" : NULL;
}

static const char *swap_in(struct area *area)
{
	return pageout(area) ?: read_hit(area);
}

/* ---- KSM, NUMA, migration, compaction, khugepaged */

static const char *merge_with(struct area *area, char *twin)
{
	area_make_twin(area, twin);
	return ksm_merge(area->hit, area->twin + (area->hit - area->start), area->hit_len);
}

/* ksmd looks at addresses in their order, and keeps the second of two pages. */
static const char *merge(struct area *area)
{
	return merge_with(area, TWIN_ABOVE);
}

static const char *merge_and_keep(struct area *area)
{
	return merge_with(area, TWIN_BELOW);
}

static const char *merge_and_write(struct area *area)
{
	return merge(area) ?: write_hit(area);
}

static const char *hint_and_read(struct area *area)
{
	const char *reason = numa_hints(area->hit, area->hit_len);
	long before = vmstat("numa_hint_faults");

	if (reason)
		return reason;
	read_hit(area);
	if (vmstat("numa_hint_faults") <= before)
		fail_msg("the event did not happen: no NUMA hinting fault");
	return NULL;
}

static const char *hint_and_write(struct area *area)
{
	return numa_hints(area->hit, area->hit_len) ?: write_hit(area);
}

static const char *migrate(struct area *area)
{
	return move_to_other_node(area->hit, area->hit_len);
}

static const char *migrate_and_write(struct area *area)
{
	return migrate(area) ?: write_hit(area);
}

static const char *compact(struct area *area)
{
	(void)area;
	return compact_memory();
}

#define SHMEM_HUGE "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

static const char *khugepaged(struct area *area)
{
	const char *reason;

	if (area->kind == SHMEM && write_file(SHMEM_HUGE, "advise"))
		return "this kernel has no huge pages in shared memory";
	thp_advice(area->start, area->len, MADV_HUGEPAGE);
	reason = khugepaged_pass();
	write_file(SHMEM_HUGE, "never");
	return reason;
}

/* ---- files */

static off_t offset_of_hit(const struct area *area)
{
	return area->hit - area->start;
}

static const char *truncate_to(struct area *area, off_t size)
{
	return ftruncate(area->file, size) || ftruncate(area->file, area->len) ?
	       no("ftruncate(2)") : NULL;
}

static const char *truncate_whole(struct area *area)
{
	return truncate_to(area, offset_of_hit(area));
}

static const char *truncate_part(struct area *area)
{
	return truncate_to(area, offset_of_hit(area) + 100);
}

static const char *punch_hole(struct area *area, off_t start, off_t len)
{
	return fallocate(area->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, len) ?
	       no("fallocate(2)") : NULL;
}

static const char *punch(struct area *area)
{
	return punch_hole(area, offset_of_hit(area), area->hit_len);
}

/* From inside of the first page to inside of the last one. */
static const char *punch_part(struct area *area)
{
	return punch_hole(area, offset_of_hit(area) + 100, area->hit_len - 200);
}

static const char *change_file(struct area *area, int mode, const char *name)
{
	return fallocate(area->file, mode, offset_of_hit(area), area->hit_len) ? no(name) : NULL;
}

static const char *zero_range(struct area *area)
{
	return change_file(area, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
			   "FALLOC_FL_ZERO_RANGE");
}

/* The file gets its size back, so that all of it can be read. */
static const char *collapse_range(struct area *area)
{
	return change_file(area, FALLOC_FL_COLLAPSE_RANGE, "FALLOC_FL_COLLAPSE_RANGE") ?:
	       ftruncate(area->file, area->len) ? no("ftruncate(2)") : NULL;
}

static const char *insert_range(struct area *area)
{
	return change_file(area, FALLOC_FL_INSERT_RANGE, "FALLOC_FL_INSERT_RANGE");
}

/* Written back, every page is clean, and write-protected for the file system's sake. */
static const char *writeback(struct area *area)
{
	return msync(area->start, area->len, MS_SYNC) || fsync(area->file) ? no("msync(2)") : NULL;
}

static const char *writeback_and_write(struct area *area)
{
	return writeback(area) ?: write_hit(area);
}

static const char *write_and_writeback(struct area *area)
{
	return write_hit(area) ?: writeback(area);
}

/* ---- memory failure */

static const char *poison_first(struct area *area)
{
	return poison(area->hit, &area->bad_frame);
}

static const char *soft_offline(struct area *area)
{
	if (!knows_advice(MADV_SOFT_OFFLINE))
		return lacks("MADV_SOFT_OFFLINE");
	return madvise(area->hit, PAGE, MADV_SOFT_OFFLINE) ? no("MADV_SOFT_OFFLINE") : NULL;
}

/* ---- userfaultfds and trackers */

static int uffd_protect(int uffd, char *start, size_t len, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (uintptr_t)start, .len = len },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &wp);
}

static const char *unprotect(struct area *area)
{
	return uffd_protect(area->uffd, area->hit, area->hit_len, false) ?
	       no("UFFDIO_WRITEPROTECT") : NULL;
}

static const char *reregister(struct area *area)
{
	assert_ok(dev_unregister(area->tracker, area->start, area->len));
	assert_ok(dev_register(area->tracker, area->start, area->len));
	return NULL;
}

static const char *reopen(struct area *area)
{
	area_close_tracker(area);
	area->tracker = area_open_tracker(area);
	assert_ok(dev_register(area->tracker, area->start, area->len));
	return NULL;
}

/*
 * Somebody else's userfaultfd has protected the memory and is gone. The kernel takes the bits away
 * only from a mapping that is in write-protect mode then (userfaultfd_release()).
 */
static const char *foreign_bits(struct area *area)
{
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)area->start, .len = area->len },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	int uffd;

	if (no_bits_left_behind())
		return no_bits_left_behind();
	area_close_tracker(area);
	uffd = new_uffd(matrix_kinds[area->kind].needs_kind ? UFFD_FEATURE_WP_HUGETLBFS_SHMEM :
							     UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &reg));
	assert_ok(uffd_protect(uffd, area->start, area->len, true));
	reg.mode = UFFDIO_REGISTER_MODE_MISSING;
	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &reg));
	close(uffd);
	area->tracker = area_open_tracker(area);
	assert_ok(dev_register(area->tracker, area->start, area->len));
	return NULL;
}

static const char *end_by(struct area *area, enum peer_order how)
{
	peer_do(&area->child, how, NULL, 0, 0);
	return NULL;
}

static const char *exec_event(struct area *area)
{
	return end_by(area, PEER_EXEC);
}

static const char *exit_event(struct area *area)
{
	return end_by(area, PEER_EXIT);
}

static const char *(*const happen[EVENTS])(struct area *area) = {
	[NOTHING] = nothing,
	[WRITE] = write_hit,
	[OTHER_CPU_WRITE] = other_cpu_write,
	[READ_WRITE] = read_write,
	[RECV] = recv_write,
	[VM_WRITEV] = vm_writev,
	[POKEDATA] = pokedata,
	[POKE_READ_ONLY] = poke_read_only,
	[DIRECT_READ] = direct_read,
	[READ] = read_hit,
	[FORK_PARENT] = fork_parent,
	[FORK_CHILD] = fork_child,
	[PROTECT_RO] = protect_ro,
	[PROTECT_NONE] = protect_none,
	[GROW] = grow,
	[SHRINK] = shrink,
	[MOVE] = move,
	[ABSORBED] = absorbed,
	[DONTUNMAP] = dontunmap,
	[DONTNEED] = dontneed,
	[LAZY_FREE] = lazy_free,
	[FREED] = freed,
	[REMOVE] = remove_pages,
	[GUARD] = guard,
	[POPULATE] = populate,
	[LOCK] = lock,
	[LOCK_ON_FAULT] = lock_on_fault,
	[COLLAPSE] = collapse,
	[COLLAPSE_WRITE] = collapse_write,
	[PAGEOUT] = pageout,
	[COLD] = cold,
	[SWAP_IN] = swap_in,
	[KSM_MERGE] = merge,
	[KSM_KEEP] = merge_and_keep,
	[KSM_BREAK] = merge_and_write,
	[HINT_READ] = hint_and_read,
	[HINT_WRITE] = hint_and_write,
	[MIGRATE] = migrate,
	[MIGRATE_WRITE] = migrate_and_write,
	[COMPACT] = compact,
	[KHUGEPAGED] = khugepaged,
	[TRUNCATE] = truncate_whole,
	[TRUNCATE_PART] = truncate_part,
	[PUNCH] = punch,
	[PUNCH_PART] = punch_part,
	[ZERO_RANGE] = zero_range,
	[COLLAPSE_RANGE] = collapse_range,
	[INSERT_RANGE] = insert_range,
	[WRITEBACK] = writeback,
	[WRITEBACK_WRITE] = writeback_and_write,
	[WRITE_WRITEBACK] = write_and_writeback,
	[POISON] = poison_first,
	[SOFT_OFFLINE] = soft_offline,
	[UNPROTECT] = unprotect,
	[REREGISTER] = reregister,
	[REOPEN] = reopen,
	[FOREIGN_BITS] = foreign_bits,
	[MAPPED_ANEW] = mapped_anew,
	[EXEC] = exec_event,
	[EXIT] = exit_event,
};

const char *event_happen(struct area *area)
{
	area->faults = -1;
	return happen[area->event](area);
}
