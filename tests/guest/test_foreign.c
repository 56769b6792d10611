// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracked process, or another one, arms memory of a tracker by the kernel's own means, and so
 * would hide what was written: UFFDIO_WRITEPROTECT, UFFDIO_COPY and UFFDIO_CONTINUE of a
 * userfaultfd that the tracker knows nothing of, PAGEMAP_SCAN. Such calls do what they are for, and
 * arm nothing. The same calls on the very userfaultfd that was handed in do arm: otherwise these
 * tests would prove nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

#define N 16ul
#define LEN (N * PAGE)

/* Which the headers that this is built with need not know. */
#define PAGEMAP_SCAN		_IOWR('f', 16, struct uffdwp_scan_arg)
#define CONTINUE_MODE_WP	(1ull << 1)

struct continue_arg {
	struct uffdio_range range;
	uint64_t mode;
	int64_t mapped;
};

struct poison_arg {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};

struct move_arg {
	uint64_t dst, src, len, mode;
	int64_t move;
};

#define CONTINUE	_IOWR(UFFDIO, 0x07, struct continue_arg)
#define POISON		_IOWR(UFFDIO, 0x08, struct poison_arg)
#define MOVE		_IOWR(UFFDIO, 0x05, struct move_arg)

/* ---- what a process can do with a userfaultfd: 0 or -errno */

static struct uffdio_range range_of(const void *start, size_t len)
{
	return (struct uffdio_range){ .start = (uintptr_t)start, .len = len };
}

static int uffd_call(int uffd, unsigned long cmd, void *arg)
{
	return ioctl(uffd, cmd, arg) ? -errno : 0;
}

static int protect(int uffd, const char *start, size_t len)
{
	struct uffdio_writeprotect arg = {
		.range = range_of(start, len), .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	return uffd_call(uffd, UFFDIO_WRITEPROTECT, &arg);
}

static int copy(int uffd, const char *dst, const char *src, size_t len)
{
	struct uffdio_copy arg = {
		.dst = (uintptr_t)dst, .src = (uintptr_t)src, .len = len,
		.mode = UFFDIO_COPY_MODE_WP,
	};

	return uffd_call(uffd, UFFDIO_COPY, &arg);
}

static int map_protected(int uffd, const char *start, size_t len)
{
	struct continue_arg arg = { .range = range_of(start, len), .mode = CONTINUE_MODE_WP };

	return uffd_call(uffd, CONTINUE, &arg);
}

static void uffd_register(int uffd, const char *start, size_t len, uint64_t mode)
{
	struct uffdio_register arg = { .range = range_of(start, len), .mode = mode };

	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &arg));
}

static void uffd_unregister(int uffd, const char *start, size_t len)
{
	struct uffdio_range arg = range_of(start, len);

	assert_ok(ioctl(uffd, UFFDIO_UNREGISTER, &arg));
}

/* ---- memory under a tracker, and two userfaultfds of the process */

enum owner {
	OWN,		/* the tracker has a userfaultfd of its own */
	HANDED_IN,	/* the tracker was handed in "owner" */
};

static int tracker, owner, stranger;

static void begin(enum owner who)
{
	owner = new_uffd(0);
	stranger = new_uffd(0);
	tracker = dev_open();
	assert_true(tracker >= 0);
	assert_ok(who == HANDED_IN ? dev_attach_uffd(tracker, owner) : dev_attach_self(tracker));
}

static void end(void)
{
	close(tracker);
	close(owner);
	close(stranger);
}

/* What a stranger is told: a process has not registered the memory of a tracker of its own. */
static int told(enum owner who)
{
	return who == OWN ? -ENOENT : 0;
}

static void track(const char *start, size_t len)
{
	assert_ok(dev_register(tracker, start, len));
	assert_ok(dev_arm(tracker, start, len));
	wait_for(!written(tracker, start, len, true));
}

/* A page that was just made may be in an LRU batch for a while, and is not armed then. */
static void owner_protects(const char *start, size_t len)
{
	wait_for(!protect(owner, start, len) && !written(tracker, start, len, false));
}

struct kind {
	const char *name;
	uint64_t kind;
	int flags;
	size_t page;	/* what is written as a whole */
	size_t pages;
};

static const struct kind kinds[] = {
	{ "private anonymous memory", UFFDWP_KIND_ANON_PRIVATE, MAP_PRIVATE, PAGE, N },
	{ "shared memory", UFFDWP_KIND_SHMEM, MAP_SHARED, PAGE, N },
	{ "hugetlb", UFFDWP_KIND_HUGETLB, MAP_SHARED | MAP_HUGETLB, HUGE_PAGE, 2 },
};

static const struct kind *kind;

static char *map_kind(void)
{
	char *p = mmap(NULL, kind->pages * kind->page, PROT_READ | PROT_WRITE,
		       MAP_ANONYMOUS | kind->flags, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	madvise(p, kind->pages * kind->page, MADV_NOHUGEPAGE);
	return p;
}

static size_t kind_len(void)
{
	return kind->pages * kind->page;
}

static int release_hugetlb(void **state)
{
	(void)state;
	hugetlb_release();
	return 0;
}

/* Those that this kernel tracks, one after the other. */
#define for_each_kind()								\
	for (kind = kinds; kind < kinds + sizeof(kinds) / sizeof(kinds[0]); kind++)	\
		if (kind_is_there())

static bool kind_is_there(void)
{
	const char *why;

	if (unserved_here(kind->kind, 0))
		return false;
	if (kind->kind == UFFDWP_KIND_HUGETLB) {
		why = hugetlb_reserve(4 * kind->pages);
		if (why)
			fail_msg("no pages of hugetlb: %s", why);
	}
	print_message("[   INFO   ] %s\n", kind->name);
	return true;
}

/* ---- UFFDIO_WRITEPROTECT */

TEST(written_pages_are_not_protected_by_strangers)
{
	enum owner who;
	char *p;

	for_each_kind()
	for (who = OWN; who <= HANDED_IN; who++) {
		begin(who);
		p = map_kind();
		track(p, kind_len());
		p[0] = 1;
		assert_int_equal(protect(stranger, p, kind_len()), told(who));
		assert_int_equal(written(tracker, p, kind_len(), false), kind->page / PAGE);
		/* Nor by one that was not handed in. */
		assert_int_equal(protect(who == OWN ? owner : stranger, p, kind->page), told(who));
		assert_int_equal(written(tracker, p, kind_len(), false), kind->page / PAGE);
		if (who == HANDED_IN) {
			owner_protects(p, kind->page);
			assert_int_equal(written(tracker, p, kind_len(), false), 0);
			p[0] = 2;
			assert_int_equal(written(tracker, p, kind_len(), true), kind->page / PAGE);
		}
		/* What is armed is told of as ever. */
		wait_for(!written(tracker, p, kind_len(), true));
		p[kind->page] = 3;
		assert_int_equal(written(tracker, p, kind_len(), true), kind->page / PAGE);
		end();
		munmap(p, kind_len());
	}
}

/* Nothing there and no page table: 2 MiB and more of it. */
TEST(memory_without_tables_is_not_protected_by_strangers)
{
	const size_t pages = 3 * 512;
	enum owner who;
	char *p;

	for (who = OWN; who <= HANDED_IN; who++) {
		begin(who);
		p = map_anon(pages);
		assert_ok(dev_register(tracker, p, pages * PAGE));
		assert_int_equal(protect(stranger, p, pages * PAGE), told(who));
		assert_int_equal(written(tracker, p, pages * PAGE, false), pages);
		if (who == HANDED_IN) {
			assert_ok(protect(owner, p, pages * PAGE));
			assert_int_equal(written(tracker, p, pages * PAGE, false), 0);
			p[777 * PAGE] = 1;
			assert_int_equal(written(tracker, p, pages * PAGE, false), 1);
		}
		end();
		munmap(p, pages * PAGE);
	}
}

/* A range of several VMAs is for the kernel to refuse or to take, and it takes none of ours. */
TEST(several_vmas_are_as_without_a_tracker)
{
	enum owner who;
	int expected;
	char *p;

	for (who = OWN; who <= HANDED_IN; who++) {
		begin(who);
		p = map_anon(N);
		assert_ok(madvise(p + 5 * PAGE, 5 * PAGE, MADV_DONTFORK));
		uffd_register(stranger, p, LEN, UFFDIO_REGISTER_MODE_WP);
		expected = protect(stranger, p, LEN);
		assert_true(expected == 0 || expected == -ENOENT);
		uffd_unregister(stranger, p, LEN);
		track(p, LEN);
		touch(p, N, 1);
		assert_int_equal(protect(stranger, p, LEN), told(who) ?: expected);
		assert_int_equal(written(tracker, p, LEN, false), N);
		if (who == HANDED_IN) {
			assert_int_equal(protect(owner, p, LEN), expected);
			if (expected)
				assert_int_equal(written(tracker, p, LEN, false), N);
			else
				owner_protects(p, LEN);
			owner_protects(p + 5 * PAGE, 5 * PAGE);
		}
		end();
		munmap(p, LEN);
	}
}

TEST(huge_pages_are_not_protected_by_strangers)
{
	enum owner who;
	char *p;

	for (who = OWN; who <= HANDED_IN; who++) {
		p = map_huge(1);
		if (!p)
			skip_because("no huge page");
		begin(who);
		assert_ok(dev_register(tracker, p, HUGE_PAGE));
		assert_int_equal(protect(stranger, p, HUGE_PAGE), told(who));
		assert_int_equal(protect(stranger, p, 4 * PAGE), told(who));
		assert_int_equal(written(tracker, p, HUGE_PAGE, false), 512);
		if (who == HANDED_IN) {
			owner_protects(p, HUGE_PAGE);
			assert_true(is_huge(p));
		}
		end();
		munmap(p, HUGE_PAGE);
	}
}

/*
 * Its own memory, a tracker's, and its own again, in one call that takes protection away. The
 * tracker's it has not registered, as the kernel tells where it comes to it.
 */
TEST(what_a_tracker_has_armed_is_not_resolved_with_ones_own)
{
	struct uffdio_writeprotect resolve = { .mode = 0 };
	char *p, *tracked, *own;
	int with, ret[2];
	size_t left[2][2];

	for (with = 0; with < 2; with++) {
		p = map_filled(3 * N);
		tracked = p + LEN;
		own = p + 2 * LEN;
		begin(OWN);
		uffd_register(stranger, p, LEN, UFFDIO_REGISTER_MODE_WP);
		uffd_register(stranger, own, LEN, UFFDIO_REGISTER_MODE_WP);
		if (with)
			track(tracked, LEN);
		assert_ok(protect(stranger, p, LEN));
		assert_ok(protect(stranger, own, LEN));
		resolve.range = range_of(p, 3 * LEN);
		ret[with] = uffd_call(stranger, UFFDIO_WRITEPROTECT, &resolve);
		left[with][0] = armed_entries(p, N);
		left[with][1] = armed_entries(own, N);
		if (with) {
			assert_int_equal(written(tracker, tracked, LEN, false), 0);
			/* It begins in the tracker's. */
			resolve.range = range_of(tracked, 2 * LEN);
			assert_err(uffd_call(stranger, UFFDIO_WRITEPROTECT, &resolve), ENOENT);
			assert_int_equal(written(tracker, tracked, LEN, false), 0);
			tracked[PAGE] = 2;
			assert_int_equal(written(tracker, tracked, LEN, false), 1);
		}
		end();
		munmap(p, 3 * LEN);
	}
	assert_int_equal(ret[0], -ENOENT);
	assert_int_equal(ret[1], -ENOENT);
	assert_memory_equal(left[0], left[1], sizeof(left[0]));
}

/* ---- UFFDIO_COPY, UFFDIO_CONTINUE and the others that fill */

TEST(filled_pages_are_not_protected_by_strangers)
{
	char *source, *p;
	enum owner who;

	for_each_kind()
	for (who = OWN; who <= HANDED_IN; who++) {
		source = mmap(NULL, kind->page, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_ptr_not_equal(source, MAP_FAILED);
		memset(source, 'X', kind->page);
		begin(who);
		p = map_kind();
		/* Never armed, and nothing in it */
		assert_ok(dev_register(tracker, p, kind_len()));
		assert_int_equal(copy(stranger, p, source, kind->page), told(who));
		assert_int_equal(p[kind->page - 1], who == OWN ? 0 : 'X');
		assert_int_equal(written(tracker, p, kind_len(), false), kind_len() / PAGE);
		if (who == HANDED_IN) {
			assert_ok(copy(owner, p + kind->page, source, kind->page));
			assert_int_equal(written(tracker, p, kind_len(), false),
					 (kind->pages - 1) * kind->page / PAGE);
		}
		end();
		munmap(p, kind_len());
		munmap(source, kind->page);
	}
}

/* Armed, and then thrown away; and a marker, which gives way to what is copied. */
TEST(armed_and_lost_pages_are_not_protected_by_strangers)
{
	char *p, *source = map_filled(1);
	bool markers = dev_features() & UFFDWP_FEATURE_UNPOP_MARKER;

	owner = new_uffd(0);
	stranger = new_uffd(0);
	tracker = dev_open();
	assert_ok(dev_attach(tracker, UFFDWP_ATTACH_UFFD, 0, owner,
			     markers ? UFFDWP_UNPOP_MARKER : UFFDWP_UNPOP_DEFAULT));
	p = map_anon(N);
	touch(p, N / 2, 1);
	track(p, LEN);
	assert_ok(madvise(p, PAGE, MADV_DONTNEED));
	assert_ok(copy(stranger, p, source, PAGE));
	assert_int_equal(written(tracker, p, LEN, false), 1);
	if (markers) {
		assert_ok(copy(stranger, p + (N - 1) * PAGE, source, PAGE));
		assert_int_equal(written(tracker, p, LEN, false), 2);
	}
	end();
	munmap(p, LEN);
	munmap(source, PAGE);
}

TEST(continued_pages_are_not_protected_by_strangers)
{
	char *cache, *p;
	enum owner who;
	int file, ret;

	for_each_kind()
	for (who = OWN; who <= HANDED_IN && kind->kind != UFFDWP_KIND_ANON_PRIVATE; who++) {
		file = memfd_create("continued", MFD_CLOEXEC |
				    (kind->page == HUGE_PAGE ? MFD_HUGETLB : 0));
		assert_true(file >= 0);
		assert_ok(ftruncate(file, kind_len()));
		cache = mmap(NULL, kind_len(), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
		p = mmap(NULL, kind_len(), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
		assert_ptr_not_equal(cache, MAP_FAILED);
		assert_ptr_not_equal(p, MAP_FAILED);
		touch(cache, kind_len() / PAGE, 1);
		begin(who);
		track(p, kind_len());
		/* The marker gives way. */
		ret = map_protected(stranger, p, kind->page);
		if (ret == -EINVAL)
			print_message("[   INFO   ] this kernel has no UFFDIO_CONTINUE_MODE_WP\n");
		if (who == OWN) {
			assert_int_equal(ret == -EINVAL ? -ENOENT : ret, -ENOENT);
			assert_int_equal(written(tracker, p, kind_len(), false), 0);
		} else if (ret != -EINVAL) {
			assert_int_equal(ret, 0);
			assert_int_equal(written(tracker, p, kind_len(), false),
					 kind->page / PAGE);
			assert_ok(map_protected(owner, p + kind->page, kind->page));
			assert_int_equal(written(tracker, p, kind_len(), false),
					 kind->page / PAGE);
			p[kind->page] = 2;
			assert_int_equal(written(tracker, p, kind_len(), false),
					 2 * kind->page / PAGE);
		}
		end();
		munmap(p, kind_len());
		munmap(cache, kind_len());
		close(file);
	}
}

/*
 * Of memory that only a tracker has registered, the process is told what it is told of memory that
 * nobody has registered, and nothing comes into it.
 */
TEST(memory_of_a_tracker_is_not_registered_to_the_process)
{
	char *p = map_anon(N), *source = map_filled(1);
	struct uffdio_copy copy_arg;
	struct uffdio_zeropage zero;
	int tracked, results[2][6];

	for (tracked = 0; tracked < 2; tracked++) {
		begin(OWN);
		/* The lower half is the process's own. */
		uffd_register(stranger, p, LEN / 2, UFFDIO_REGISTER_MODE_WP);
		if (tracked)
			track(p + LEN / 2, LEN / 2);
		copy_arg = (struct uffdio_copy){
			.dst = (uintptr_t)p + LEN / 2, .src = (uintptr_t)source, .len = PAGE,
		};
		zero = (struct uffdio_zeropage){ .range = range_of(p + LEN / 2, PAGE) };
		results[tracked][0] = uffd_call(stranger, UFFDIO_COPY, &copy_arg);
		results[tracked][1] = copy_arg.copy;
		results[tracked][2] = uffd_call(stranger, UFFDIO_ZEROPAGE, &zero);
		results[tracked][3] = zero.zeropage;
		results[tracked][4] = protect(stranger, p + LEN / 2, PAGE);
		results[tracked][5] = protect(stranger, p, LEN);
		if (tracked)
			assert_int_equal(written(tracker, p + LEN / 2, LEN / 2, false), 0);
		end();
	}
	assert_int_equal(results[0][0], -ENOENT);
	assert_memory_equal(results[0], results[1], sizeof(results[0]));
	assert_int_equal(p[LEN / 2], 0);
	munmap(p, LEN);
	munmap(source, PAGE);
}

/* Whatever a kernel says to them. */
TEST(the_others_arm_nothing)
{
	char *p = map_anon(N), *from = map_filled(N);
	struct uffdio_zeropage zero = { .range = range_of(p, PAGE) };
	struct poison_arg poison = { .range = range_of(p + PAGE, PAGE) };
	struct move_arg move = {
		.dst = (uintptr_t)p + 2 * PAGE, .src = (uintptr_t)from, .len = PAGE,
	};

	begin(OWN);
	assert_ok(dev_register(tracker, p, LEN));
	assert_int_equal(uffd_call(stranger, UFFDIO_ZEROPAGE, &zero), -ENOENT);
	uffd_call(stranger, POISON, &poison);
	assert_true(uffd_call(stranger, MOVE, &move));
	assert_int_equal(written(tracker, p, LEN, false), N);
	end();
	munmap(p, LEN);
	munmap(from, LEN);
}

/* ---- PAGEMAP_SCAN by another process, which may look */

static int scan_pagemap(pid_t pid, const char *start, size_t len, uint64_t flags)
{
	struct uffdwp_region vec[64];
	struct uffdwp_scan_arg arg = scan_arg(start, len, vec, 64);
	char path[64];
	int pagemap, ret;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		return -errno;
	arg.flags = flags;
	ret = ioctl(pagemap, PAGEMAP_SCAN, &arg);
	ret = ret < 0 ? -errno : ret;
	close(pagemap);
	return ret;
}

/* The result of a scan in a forked child, as an exit status: errors as 128 and more. */
static int another_scans(const char *start, size_t len, uint64_t flags)
{
	pid_t pid = fork();
	int status, ret;

	assert_true(pid >= 0);
	if (!pid) {
		ret = scan_pagemap(getppid(), start, len, flags);
		_exit(ret < 0 ? 128 - ret : ret);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(readers_of_the_pagemap_arm_nothing)
{
	const size_t len = 3 * HUGE_PAGE;
	enum owner who;
	char *p;

	if (another_scans(NULL, 0, 0) == 128 + ENOTTY || kernel_is_before(6, 7))
		skip_because("this kernel has no PAGEMAP_SCAN");
	for (who = OWN; who <= HANDED_IN; who++) {
		owner = new_uffd(UFFD_WP_ASYNC | UFFD_WP_UNPOPULATED);
		tracker = dev_open();
		assert_ok(who == HANDED_IN ? dev_attach_uffd(tracker, owner) :
					     dev_attach_self(tracker));
		/* Pages that were written, and behind them memory without tables. */
		p = map_anon(len / PAGE);
		assert_ok(dev_register(tracker, p, len));
		touch(p, N, 1);
		assert_int_equal(another_scans(p, len, UFFDWP_SCAN_WP_MATCHING), 0);
		assert_int_equal(another_scans(p, len, UFFDWP_SCAN_CHECK_TRACKED), 128 + EPERM);
		assert_int_equal(written(tracker, p, len, false), len / PAGE);
		/* It may look. */
		assert_int_equal(another_scans(p, LEN, 0), 1);
		close(tracker);
		if (who == HANDED_IN) {
			/* Without a tracker it arms. */
			assert_true(another_scans(p, len, UFFDWP_SCAN_WP_MATCHING) > 0);
			assert_int_equal(another_scans(p, len, 0), 0);
		}
		close(owner);
		munmap(p, len);
	}
}

/* ---- who calls, and since when */

/* A thread in UFFDIO_COPY that waits for its source, a page that is missing. */
struct slow_copy {
	pthread_t thread;
	int uffd;
	char *dst;
	char *src;
	size_t len;	/* 0: one page; only the last page is missing */
	bool plain;	/* without write protection */
	int missing;	/* the userfaultfd that is asked for the source */
	int ret;
};

static void *copy_slowly(void *arg)
{
	struct slow_copy *slow = arg;
	struct uffdio_copy plain = {
		.dst = (uintptr_t)slow->dst, .src = (uintptr_t)slow->src, .len = slow->len,
	};

	slow->ret = slow->plain ? uffd_call(slow->uffd, UFFDIO_COPY, &plain) :
				  copy(slow->uffd, slow->dst, slow->src, slow->len);
	return NULL;
}

static void slow_copy_begin(struct slow_copy *slow, int uffd, char *dst)
{
	struct pollfd asked;
	struct uffd_msg message;

	slow->uffd = uffd;
	slow->dst = dst;
	if (!slow->len)
		slow->len = PAGE;
	slow->src = map_anon(slow->len / PAGE);
	slow->missing = new_uffd(0);
	uffd_register(slow->missing, slow->src + slow->len - PAGE, PAGE,
		      UFFDIO_REGISTER_MODE_MISSING);
	assert_ok(pthread_create(&slow->thread, NULL, copy_slowly, slow));
	asked = (struct pollfd){ .fd = slow->missing, .events = POLLIN };
	assert_int_equal(poll(&asked, 1, 30000), 1);
	assert_int_equal(read(slow->missing, &message, sizeof(message)), sizeof(message));
	assert_int_equal(message.event, UFFD_EVENT_PAGEFAULT);
}

static int slow_copy_end(struct slow_copy *slow)
{
	char *page = map_filled(1);
	struct uffdio_copy served = {
		.dst = (uintptr_t)slow->src + slow->len - PAGE, .src = (uintptr_t)page,
		.len = PAGE,
	};

	assert_ok(ioctl(slow->missing, UFFDIO_COPY, &served));
	munmap(page, PAGE);
	assert_ok(pthread_join(slow->thread, NULL));
	close(slow->missing);
	munmap(slow->src, slow->len);
	return slow->ret;
}

/* What one thread may do, since it calls the owner's userfaultfd, another may not. */
TEST(the_owners_call_is_its_own_threads)
{
	char *p = map_anon(N), *source = map_filled(1);
	struct slow_copy slow = {};

	begin(HANDED_IN);
	assert_ok(dev_register(tracker, p, LEN));
	slow_copy_begin(&slow, owner, p);
	p[PAGE] = 1;
	assert_ok(protect(stranger, p + PAGE, PAGE));
	assert_ok(copy(stranger, p + 2 * PAGE, source, PAGE));
	assert_int_equal(written(tracker, p, LEN, false), N);
	assert_ok(slow_copy_end(&slow));
	assert_int_equal(written(tracker, p, LEN, false), N - 1);
	end();
	munmap(p, LEN);
	munmap(source, PAGE);
}

/*
 * A call that has begun when the memory was not tracked yet, and goes on when it is. A kernel may
 * find out that it is another memory now and fail, or fill the page; it does not arm it.
 */
TEST(a_call_that_began_before_the_tracker_arms_nothing)
{
	struct slow_copy slow = {};
	enum owner who;
	char *p;

	for (who = OWN; who <= HANDED_IN; who++) {
		p = map_anon(N);
		owner = new_uffd(0);
		stranger = new_uffd(0);
		tracker = dev_open();
		uffd_register(who == OWN ? stranger : owner, p, LEN, UFFDIO_REGISTER_MODE_WP);
		slow_copy_begin(&slow, stranger, p);
		if (who == OWN) {
			uffd_unregister(stranger, p, LEN);
			assert_ok(dev_attach_self(tracker));
			assert_ok(dev_register(tracker, p, LEN));
		} else {
			assert_ok(dev_attach_uffd(tracker, owner));
		}
		assert_int_equal(written(tracker, p, LEN, false), N);
		slow_copy_end(&slow);
		assert_int_equal(written(tracker, p, LEN, false), N);
		end();
		munmap(p, LEN);
	}
}

/*
 * A page that comes late for memory that is there no more. What has been mapped at its address
 * meanwhile the process has not registered, which is what it is told, and zeroes stay zeroes.
 */
TEST(a_page_that_comes_late_fills_no_memory_of_a_tracker)
{
	struct slow_copy slow = {};
	unsigned int variant, wrong = 0;
	bool armed, as_tracked;
	char *p;
	int ret;

	if (kernel_is_before(6, 1))
		skip_because("Linux 5.10 takes mmap_lock and maps the page in one function");
	for (variant = 0; variant < 8; variant++) {
		armed = variant & 1;
		slow.plain = variant & 2;
		as_tracked = variant & 4;
		p = map_anon(N);
		begin(OWN);
		/* A kernel may look whether it is a VMA of the same flags. */
		uffd_register(stranger, p, LEN, UFFDIO_REGISTER_MODE_WP |
			      (as_tracked ? 0 : UFFDIO_REGISTER_MODE_MISSING));
		slow_copy_begin(&slow, stranger, p);
		assert_ok(munmap(p, LEN));
		assert_ptr_equal(mmap(p, LEN, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), p);
		assert_ok(dev_register(tracker, p, LEN));
		if (armed)
			assert_ok(dev_arm(tracker, p, LEN));
		ret = slow_copy_end(&slow);
		if ((ret != -EAGAIN && ret != -ENOENT) || p[0]) {
			print_message("[   INFO   ] %s, %s%s: error %d, reads %d\n",
				      armed ? "armed" : "registered",
				      slow.plain ? "plain" : "write-protected",
				      as_tracked ? ", the same flags" : "", -ret, p[0]);
			wrong++;
		}
		if (!wrong)
			assert_int_equal(written(tracker, p, LEN, false), armed ? 0 : N);
		end();
		munmap(p, LEN);
	}
	assert_int_equal(wrong, 0);
}

/* The same with a page of hugetlb: what has come late is freed, and the kernel asks for that. */
TEST(a_page_of_hugetlb_that_comes_late_fills_nothing)
{
	struct slow_copy slow = { .len = HUGE_PAGE, .plain = true };
	const char *why;
	char *p;
	int file, ret;

	if (!(dev_kinds() & UFFDWP_KIND_HUGETLB))
		skip_because("this kernel does not track this kind of memory");
	why = hugetlb_reserve(4);
	if (why)
		fail_msg("no pages of hugetlb: %s", why);
	file = memfd_create("late", MFD_CLOEXEC | MFD_HUGETLB);
	assert_ok(ftruncate(file, 2 * HUGE_PAGE));
	p = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	begin(OWN);
	uffd_register(stranger, p, HUGE_PAGE, UFFDIO_REGISTER_MODE_WP);
	slow_copy_begin(&slow, stranger, p);
	assert_ok(munmap(p, HUGE_PAGE));
	assert_ptr_equal(mmap(p, HUGE_PAGE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_FIXED_NOREPLACE, file, HUGE_PAGE), p);
	assert_ok(dev_register(tracker, p, HUGE_PAGE));
	ret = slow_copy_end(&slow);
	assert_true(ret == -EAGAIN || ret == -ENOENT);
	assert_int_equal(p[HUGE_PAGE - PAGE], 0);
	end();
	munmap(p, HUGE_PAGE);
	close(file);
}

/* ---- calls that the kernel refuses, whosever memory it is */

/* What it stores with other errors. */
#define UNTOUCHED 4711

struct invalid_call {
	const char *what;
	unsigned long cmd;
	uint64_t mode;
	bool wraps;	/* the source does */
	bool no_api;	/* the userfaultfd is not initialised */
};

#define UNKNOWN_MODE (1ull << 40)

static const struct invalid_call invalid_calls[] = {
	{ .what = "COPY, unknown mode", .cmd = UFFDIO_COPY, .mode = UNKNOWN_MODE },
	{ .what = "COPY, source that wraps", .cmd = UFFDIO_COPY, .wraps = true },
	{ .what = "COPY, no API", .cmd = UFFDIO_COPY, .no_api = true },
	{ .what = "ZEROPAGE, unknown mode", .cmd = UFFDIO_ZEROPAGE, .mode = UNKNOWN_MODE },
	{ .what = "ZEROPAGE, no API", .cmd = UFFDIO_ZEROPAGE, .no_api = true },
	{ .what = "WRITEPROTECT, unknown mode", .cmd = UFFDIO_WRITEPROTECT, .mode = UNKNOWN_MODE },
	{
		.what = "WRITEPROTECT, WP and DONTWAKE", .cmd = UFFDIO_WRITEPROTECT,
		.mode = UFFDIO_WRITEPROTECT_MODE_WP | UFFDIO_WRITEPROTECT_MODE_DONTWAKE,
	},
	{ .what = "WRITEPROTECT, no API", .cmd = UFFDIO_WRITEPROTECT, .no_api = true },
	/* A kernel without them says the same. */
	{ .what = "CONTINUE, unknown mode", .cmd = CONTINUE, .mode = UNKNOWN_MODE },
	{ .what = "CONTINUE, no API", .cmd = CONTINUE, .no_api = true },
	{ .what = "POISON, unknown mode", .cmd = POISON, .mode = UNKNOWN_MODE },
	{ .what = "POISON, no API", .cmd = POISON, .no_api = true },
};

/* 0 or -errno, and in *result what the kernel has stored, or else has left there. */
static int call_invalid(const struct invalid_call *call, int uffd, const char *p,
			const char *source, int64_t *result)
{
	struct uffdio_copy copy_arg = {
		.dst = (uintptr_t)p, .src = call->wraps ? -PAGE : (uintptr_t)source, .len = PAGE,
		.mode = call->mode, .copy = UNTOUCHED,
	};
	/* The others begin with the same, and a result where they have one. */
	struct continue_arg other = {
		.range = range_of(p, PAGE), .mode = call->mode, .mapped = UNTOUCHED,
	};
	int ret;

	_Static_assert(offsetof(struct uffdio_zeropage, zeropage) ==
		       offsetof(struct continue_arg, mapped), "one layout for all");
	_Static_assert(offsetof(struct poison_arg, updated) ==
		       offsetof(struct continue_arg, mapped), "one layout for all");
	if (call->cmd == UFFDIO_COPY) {
		ret = uffd_call(uffd, call->cmd, &copy_arg);
		*result = copy_arg.copy;
	} else {
		ret = uffd_call(uffd, call->cmd, &other);
		*result = other.mapped;
	}
	return ret;
}

TEST(invalid_calls_are_invalid_on_memory_of_a_tracker)
{
	int uninitialised = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK), tracked, wrong = 0;
	char *p = map_filled(N), *source = map_filled(1);
	const struct invalid_call *call;
	int64_t result;
	size_t i;
	int ret;

	assert_true(uninitialised >= 0);
	begin(OWN);
	for (tracked = 0; tracked < 2; tracked++) {
		if (tracked)
			track(p, LEN);
		for (i = 0; i < sizeof(invalid_calls) / sizeof(invalid_calls[0]); i++) {
			call = &invalid_calls[i];
			ret = call_invalid(call, call->no_api ? uninitialised : stranger, p,
					   source, &result);
			if (ret == -EINVAL && result == UNTOUCHED)
				continue;
			print_message("[   INFO   ] %s%s: error %d, result %lld\n", call->what,
				      tracked ? "" : ", no tracker", -ret, (long long)result);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(written(tracker, p, LEN, false), 0);
	end();
	close(uninitialised);
	munmap(p, LEN);
	munmap(source, PAGE);
}

/* ---- one that never stops */

static char *hammered;
static bool stop;

static void *hammer(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		protect(stranger, hammered, LEN);
	return NULL;
}

TEST(a_stranger_that_never_stops_hides_nothing)
{
	pthread_t thread;
	int round;

	hammered = map_filled(N);
	begin(OWN);
	stop = false;
	assert_ok(pthread_create(&thread, NULL, hammer, NULL));
	for (round = 0; round < 300; round++) {
		if (round % 100 == 0) {
			/* Registered anew, it is written until it is armed. */
			close(tracker);
			tracker = dev_open();
			assert_ok(dev_attach_self(tracker));
			assert_ok(dev_register(tracker, hammered, LEN));
			assert_int_equal(written(tracker, hammered, LEN, false), N);
			wait_for(!written(tracker, hammered, LEN, true));
		}
		hammered[round % N * PAGE] = round;
		assert_int_equal(written(tracker, hammered, LEN, true), 1);
		wait_for(!written(tracker, hammered, LEN, true));
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	assert_ok(pthread_join(thread, NULL));
	end();
	munmap(hammered, LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(written_pages_are_not_protected_by_strangers,
					  release_hugetlb),
		cmocka_unit_test(memory_without_tables_is_not_protected_by_strangers),
		cmocka_unit_test(several_vmas_are_as_without_a_tracker),
		cmocka_unit_test(huge_pages_are_not_protected_by_strangers),
		cmocka_unit_test(what_a_tracker_has_armed_is_not_resolved_with_ones_own),
		cmocka_unit_test_teardown(filled_pages_are_not_protected_by_strangers,
					  release_hugetlb),
		cmocka_unit_test(armed_and_lost_pages_are_not_protected_by_strangers),
		cmocka_unit_test_teardown(continued_pages_are_not_protected_by_strangers,
					  release_hugetlb),
		cmocka_unit_test(memory_of_a_tracker_is_not_registered_to_the_process),
		cmocka_unit_test(the_others_arm_nothing),
		cmocka_unit_test(readers_of_the_pagemap_arm_nothing),
		cmocka_unit_test(the_owners_call_is_its_own_threads),
		cmocka_unit_test(a_call_that_began_before_the_tracker_arms_nothing),
		cmocka_unit_test(a_page_that_comes_late_fills_no_memory_of_a_tracker),
		cmocka_unit_test_teardown(a_page_of_hugetlb_that_comes_late_fills_nothing,
					  release_hugetlb),
		cmocka_unit_test(invalid_calls_are_invalid_on_memory_of_a_tracker),
		cmocka_unit_test(a_stranger_that_never_stops_hides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
