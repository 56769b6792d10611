// SPDX-License-Identifier: GPL-2.0-only
/*
 * When the module is loaded: place the hooks one by one and prove each on private memory of the
 * task that loads it, before any other process relies on it.
 *
 * Our userfaultfds are UFFD_USER_MODE_ONLY, so a write of ours that no hook resolves is an error of
 * put_user() and not an endless sleep: handle_userfault() refuses faults from kernel mode then. Our
 * hooks come before that check. Kernels without that flag have another that does it here:
 * compat/userfault.h.
 */
#include <linux/err.h>
#include <linux/falloc.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd.h>
#include <linux/workqueue.h>
#include <uapi/linux/memfd.h>

#include "arm.h"
#include "compat/hugetlb.h"
#include "compat/native.h"
#include "compat/symbols.h"
#include "compat/userfault.h"
#include "discard.h"
#include "hooks.h"
#include "selftest.h"
#include "tracker.h"
#include "uffd_call.h"
#include "userfault.h"
#include "walk.h"

/* A page for what the kernel is to read, and behind it the pages of the test. */
#define TEST_PAGES 5UL
#define ALL_PAGES (1 + TEST_PAGES)

struct selftest {
	struct uffdwp_tracker *t;
	unsigned long area;
};

static void __user *scratch(const struct selftest *s)
{
	return (void __user *)s->area;
}

static unsigned long page(const struct selftest *s, unsigned int number)
{
	return s->area + (1 + number) * PAGE_SIZE;
}

static int arm_range(struct selftest *s, unsigned long addr, unsigned long len)
{
	const unsigned long end = addr + len;
	int next;

	do {
		mmap_read_lock(s->t->mm);
		next = uffdwp_arm(s->t, addr, end, &addr);
		mmap_read_unlock(s->t->mm);
	} while (next > 0);
	return next;
}

static int arm_page(struct selftest *s, unsigned int number)
{
	return arm_range(s, page(s, number), PAGE_SIZE);
}

static struct file *new_userfault(u64 features)
{
	struct file *uffd = uffdwp_userfault_create(current->mm);
	long err;

	if (IS_ERR(uffd))
		return uffd;
	err = uffdwp_userfault_api(uffd, features);
	if (err) {
		fput(uffd);
		return ERR_PTR(err);
	}
	return uffd;
}

static int open_userfault(struct selftest *s, u64 features)
{
	struct file *uffd = new_userfault(features);
	struct uffdwp_tracker *t = s->t;
	long err;

	if (IS_ERR(uffd))
		return PTR_ERR(uffd);
	err = uffdwp_userfault_register(uffd, page(s, 0), TEST_PAGES * PAGE_SIZE);
	if (err) {
		fput(uffd);
		return err;
	}
	t->uffd = uffd;
	t->ctx = uffd->private_data;
	t->mm = current->mm;
	mmgrab(t->mm);
	return uffdwp_tracker_publish(t);
}

static void end(struct selftest *s)
{
	vm_munmap(s->area, ALL_PAGES * PAGE_SIZE);
	uffdwp_tracker_release(s->t);
}

/* A tracker of fresh memory; undone by end(). */
static int begin(struct selftest *s, u64 features)
{
	int err;

	s->t = uffdwp_tracker_new();
	if (!s->t)
		return -ENOMEM;
	/* NORESERVE: not merged with a neighbour, where a huge page could take our place. */
	s->area = vm_mmap(NULL, 0, ALL_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);
	if (IS_ERR_VALUE(s->area)) {
		err = s->area;
		uffdwp_tracker_release(s->t);
		return err;
	}
	err = open_userfault(s, features);
	if (err)
		end(s);
	return err;
}

static int write_page(struct selftest *s, unsigned int number, int value)
{
	return put_user(value, (int __user *)page(s, number));
}

static bool page_is(struct selftest *s, unsigned int number, int value)
{
	int seen;

	return !get_user(seen, (int __user *)page(s, number)) && seen == value;
}

/* Alone, before do_wp_page() is hooked: a write that passes by that hook is caught here. */
static bool prove_handle_userfault(struct selftest *s)
{
	return !write_page(s, 0, 1) && !arm_page(s, 0) && !write_page(s, 0, 2) &&
	       page_is(s, 0, 2) && uffdwp_total(s->t, net_faults) == 1;
}

static bool prove_do_wp_page(struct selftest *s)
{
	return !arm_page(s, 0) && !write_page(s, 0, 3) && page_is(s, 0, 3) &&
	       uffdwp_total(s->t, write_faults) == 1 && uffdwp_total(s->t, net_faults) == 1;
}

static bool has_fired(enum uffdwp_hook_id id)
{
	return test_bit(id, &uffdwp_hooks_fired);
}

/* By this task and with memory of its own, as a process calls: uffd_call.c asks for the task. */
static long ioctl_here(struct selftest *s, unsigned int cmd, const void *arg, size_t size)
{
	struct file *uffd = s->t->uffd;

	return copy_to_user(scratch(s), arg, size) ? -EFAULT :
	       uffd->f_op->unlocked_ioctl(uffd, cmd, s->area);
}

/* As a process calls it: hooks leave calls of this module alone. */
static long ioctl_of_process(struct file *file, unsigned int cmd, void __user *uarg)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct pt_regs regs = { .di = fd, .si = cmd, .dx = (unsigned long)uarg };
	long ret;

	if (fd < 0)
		return fd;
	fd_install(fd, get_file(file));
	ret = uffdwp_call(__x64_sys_ioctl)(&regs);
	close_fd(fd);
	return ret;
}

/* To a userfaultfd of the process, whose UFFDIO_REGISTER would be -EBUSY. */
static bool gives_way(struct selftest *s)
{
	const struct uffdio_register reg = {
		.range = { .start = page(s, 3), .len = PAGE_SIZE },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	const u64 given = uffdwp_total(s->t, pages_given_way);
	struct file *uffd = new_userfault(0);
	bool proved;

	if (IS_ERR(uffd))
		return false;
	proved = !copy_to_user(scratch(s), &reg, sizeof(reg)) &&
		 !ioctl_of_process(uffd, UFFDIO_REGISTER, scratch(s)) &&
		 uffdwp_total(s->t, pages_given_way) == given + 1 &&
		 !uffdwp_userfault_unregister(uffd, page(s, 3), PAGE_SIZE) &&
		 !uffdwp_userfault_register(s->t->uffd, page(s, 3), PAGE_SIZE);
	fput(uffd);
	return proved;
}

/* No command that there is: all that happens is that the hook is called. And one with effect. */
static bool prove_userfaultfd_ioctl(struct selftest *s)
{
	return ioctl_here(s, 0, NULL, 0) == -EINVAL && has_fired(UFFDWP_HOOK_USERFAULTFD_IOCTL) &&
	       gives_way(s);
}

static bool still_armed(struct selftest *s, unsigned long addr, unsigned long len)
{
	return uffdwp_disarm_tracked(s->t, addr, addr + len);
}

static long write_protect(struct selftest *s, unsigned int number)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = page(s, number), .len = PAGE_SIZE },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	return ioctl_here(s, UFFDIO_WRITEPROTECT, &wp, sizeof(wp));
}

/* As if the userfaultfd was handed in and its owner made the call. */
static long write_protect_as_owner(struct selftest *s, unsigned int number)
{
	struct uffdwp_uffd_call call;
	long ret;

	s->t->handed_in = true;
	uffdwp_uffd_call_begin(&call, s->t->ctx);
	ret = write_protect(s, number);
	uffdwp_uffd_call_end(&call);
	s->t->handed_in = false;
	return ret;
}

/* Nobody arms a page that is there, and the owner also one with nothing in it. */
static bool prove_change_protection(struct selftest *s)
{
	const u64 zeroes = uffdwp_total(s->t, zero_installed);

	/* Since 6.3 its error is told: -ENOENT. */
	write_protect(s, 0);
	return !still_armed(s, page(s, 0), PAGE_SIZE) && !write_protect_as_owner(s, 1) &&
	       uffdwp_total(s->t, zero_installed) == zeroes + 1;
}

/* UFFDIO_COPY fills the page, and does not protect it. What it copies is the request. */
static bool prove_copy(struct selftest *s)
{
	struct uffdio_copy copy = {
		.dst = page(s, 4),
		.src = s->area,
		.len = PAGE_SIZE,
		.mode = UFFDIO_COPY_MODE_WP,
	};

	return !ioctl_here(s, UFFDIO_COPY, &copy, sizeof(copy)) &&
	       page_is(s, 4, (int)copy.dst) && !still_armed(s, page(s, 4), PAGE_SIZE);
}

/*
 * An armed entry that no access gets beyond, and that leads to no page: that of a poisoned one. It
 * is put there, and taken away again.
 */
static int swap_entries(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end)
{
#ifdef CONFIG_MEMORY_FAILURE
	const pte_t poisoned = swp_entry_to_pte(swp_entry(SWP_HWPOISON, 0));

	if (pte_none(*pte)) {
		set_pte_at(walk->vma->vm_mm, addr, pte, pte_swp_mkuffd_wp(poisoned));
		return UFFDWP_WALK_ON;
	}
	if (!pte_same(*pte, poisoned))
		return -ENODEV;
	pte_clear(walk->vma->vm_mm, addr, pte);
#endif
	return UFFDWP_WALK_ON;
}

static int populate_hole(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	return UFFDWP_WALK_POPULATE;
}

static int walk_page(struct selftest *s, unsigned int number, const struct uffdwp_walk_ops *ops)
{
	struct uffdwp_walk walk = { .ops = ops };
	int next;

	mmap_read_lock(s->t->mm);
	walk.vma = find_vma(s->t->mm, page(s, number));
	next = uffdwp_walk_vma(&walk, page(s, number), page(s, number) + PAGE_SIZE);
	mmap_read_unlock(s->t->mm);
	return next;
}

/* Where there are no markers there is another reason for this hook: uffdwp_fault_absent(). */
static bool prove_write_to_absent(struct selftest *s)
{
	static const struct uffdwp_walk_ops ops = { .hole = populate_hole, .ptes = swap_entries };

	return !walk_page(s, 2, &ops) && write_page(s, 2, 4) == -EFAULT && !walk_page(s, 2, &ops);
}

static bool prove_do_swap_page(struct selftest *s)
{
	bool proved;

	if (UFFDWP_FORCED_WRITES_GO_BY_DIRTY)
		return prove_write_to_absent(s);
	s->t->markers = true;
	proved = !arm_page(s, 2) && !arm_page(s, 3) && page_is(s, 2, 0) && !write_page(s, 3, 4) &&
		 page_is(s, 3, 4) && uffdwp_total(s->t, marker_faults) == 2;
	s->t->markers = false;
	return proved;
}

static struct file *new_memfd(struct selftest *s, unsigned int flags)
{
	struct pt_regs regs = { .di = s->area, .si = flags | MFD_CLOEXEC };
	struct file *file;
	long fd;

	if (copy_to_user(scratch(s), "uffdwp", sizeof("uffdwp")))
		return ERR_PTR(-EFAULT);
	fd = uffdwp_call(__x64_sys_memfd_create)(&regs);
	if (fd < 0)
		return ERR_PTR(fd);
	file = fget(fd);
	close_fd(fd);
	return file ?: ERR_PTR(-EBADF);
}

/* A file that is mapped and armed, and what is done to it. */
struct victim {
	struct selftest *s;
	struct file *file;
	unsigned long addr;
	unsigned long size;
};

/* No page of the file needs to exist: markers are left where none is. */
static bool prove_file(struct selftest *s, unsigned int flags,
		       bool (*throw_away)(const struct victim *v))
{
	struct file *file = new_memfd(s, flags);
	unsigned long addr = 0, size;
	bool proved;

	if (IS_ERR(file))
		return false;
	size = flags & MFD_HUGETLB ? uffdwp_hugetlb_file_page_size(file) : PAGE_SIZE;
	if (!vfs_truncate(&file->f_path, size))
		addr = vm_mmap(file, 0, size, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_NORESERVE, 0);
	proved = addr && !IS_ERR_VALUE(addr) &&
		 !uffdwp_userfault_register(s->t->uffd, addr, size) &&
		 !arm_range(s, addr, size) &&
		 throw_away(&(struct victim){ s, file, addr, size }) &&
		 !still_armed(s, addr, size);
	if (addr && !IS_ERR_VALUE(addr))
		vm_munmap(addr, size);
	fput(file);
	return proved;
}

/* The kernel leaves a marker where one was, on purpose: the content of a file is still there. */
static bool dont_need(const struct victim *v)
{
	const u64 discarded = uffdwp_total(v->s->t, pages_discarded);

	return !uffdwp_call(do_madvise)(v->s->t->mm, v->addr, v->size, MADV_DONTNEED) &&
	       uffdwp_total(v->s->t, pages_discarded) > discarded;
}

/* hugetlbfs mostly takes markers away by itself when it truncates: its hook has to be seen, too. */
static bool make_hole(const struct victim *v)
{
	const u64 discards = uffdwp_file_discards();

	return !vfs_fallocate(v->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, v->size) &&
	       uffdwp_file_discards() > discards;
}

static bool truncate(const struct victim *v)
{
	const u64 discards = uffdwp_file_discards();

	return !vfs_truncate(&v->file->f_path, 0) && uffdwp_file_discards() > discards;
}

/*
 * The same through what is called for every file: one of shared memory will do, since the hooks of
 * its own file system come later. (Not vfs_fallocate() itself: what this module calls is not
 * redirected.)
 */
static bool remove_pages(const struct victim *v)
{
	const u64 discards = uffdwp_file_discards();

	return !uffdwp_call(do_madvise)(v->s->t->mm, v->addr, v->size, MADV_REMOVE) &&
	       uffdwp_file_discards() > discards;
}

/* No page of the file is there to be mapped: the hook is called, and that is all. */
static bool continue_absent(const struct victim *v)
{
#ifdef UFFDIO_CONTINUE
	struct uffdio_continue request = { .range = { .start = v->addr, .len = v->size } };

	still_armed(v->s, v->addr, v->size);
	return ioctl_here(v->s, UFFDIO_CONTINUE, &request, sizeof(request)) &&
	       has_fired(UFFDWP_HOOK_HUGETLB_MFILL);
#else
	return false;
#endif
}

static bool prove_hugetlb_mfill(struct selftest *s)
{
	return prove_file(s, MFD_HUGETLB, continue_absent);
}

static bool prove_vfs_fallocate(struct selftest *s)
{
	return prove_file(s, 0, remove_pages);
}

static bool prove_notify_change(struct selftest *s)
{
	return prove_file(s, 0, truncate);
}

static bool prove_zap(struct selftest *s)
{
	return prove_file(s, 0, dont_need);
}

static bool prove_shmem_fallocate(struct selftest *s)
{
	return prove_file(s, 0, make_hole);
}

static bool prove_shmem_setattr(struct selftest *s)
{
	return prove_file(s, 0, truncate);
}

static bool prove_hugetlbfs_fallocate(struct selftest *s)
{
	return prove_file(s, MFD_HUGETLB, make_hole);
}

static bool prove_hugetlbfs_setattr(struct selftest *s)
{
	return prove_file(s, MFD_HUGETLB, truncate);
}

static bool prove_mremap_userfaultfd_prep(struct selftest *s)
{
	unsigned long to = vm_mmap(NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);
	struct pt_regs regs = {
		.di = to, .si = PAGE_SIZE, .dx = PAGE_SIZE,
		.r10 = MREMAP_MAYMOVE | MREMAP_FIXED, .r8 = to + PAGE_SIZE,
	};
	bool proved;

	if (IS_ERR_VALUE(to))
		return false;
	proved = !uffdwp_userfault_register(s->t->uffd, to, PAGE_SIZE) &&
		 uffdwp_call(__x64_sys_mremap)(&regs) == to + PAGE_SIZE &&
		 has_fired(UFFDWP_HOOK_MREMAP_USERFAULTFD_PREP);
	vm_munmap(to, 2 * PAGE_SIZE);
	return proved;
}

/* With a userfaultfd of which the kernel would say yes. */
static bool prove_userfaultfd_wp_async(struct selftest *unused)
{
#if UFFDWP_HAVE_FILES
	struct selftest s = {};
	struct vm_area_struct *vma;
	bool proved = false;

	if (begin(&s, UFFDWP_USERFAULT_FEATURES))
		return false;
	mmap_read_lock(s.t->mm);
	vma = find_vma(s.t->mm, page(&s, 0));
	if (vma && uffdwp_tracker_of_vma(vma) == s.t)
		proved = !uffdwp_call(userfaultfd_wp_async)(vma);
	mmap_read_unlock(s.t->mm);
	end(&s);
	return proved;
#else
	return false;
#endif
}

/* For native_abi=1: */

static bool prove_mwriteprotect_range(struct selftest *s)
{
	return !write_protect(s, 0) && has_fired(UFFDWP_HOOK_MWRITEPROTECT_RANGE);
}

/* A VMA that is registered with nothing, and part of no mm: there is nothing to be copied. */
static bool prove_dup_userfaultfd(struct selftest *unused)
{
	struct vm_area_struct *vma = kzalloc(sizeof(*vma), GFP_KERNEL);
	LIST_HEAD(none);

	if (!vma)
		return false;
	uffdwp_call(dup_userfaultfd)(vma, &none);
	kfree(vma);
	return has_fired(UFFDWP_HOOK_DUP_USERFAULTFD);
}

static bool prove_dup_userfaultfd_complete(struct selftest *unused)
{
	LIST_HEAD(none);

	uffdwp_call(dup_userfaultfd_complete)(&none);
	return has_fired(UFFDWP_HOOK_DUP_USERFAULTFD_COMPLETE);
}

#if UFFDWP_LACKS_WP_ASYNC
struct closing {
	struct work_struct work;
	struct file *file;
};

/* What a process closes for the last time is released when the process leaves the kernel. */
static void close_work(struct work_struct *work)
{
	__fput_sync(container_of(work, struct closing, work)->file);
}

static bool prove_userfaultfd_release(struct selftest *s)
{
	struct closing c = { .file = uffdwp_userfault_create(s->t->mm) };

	if (IS_ERR(c.file))
		return false;
	INIT_WORK_ONSTACK(&c.work, close_work);
	schedule_work(&c.work);
	flush_work(&c.work);
	destroy_work_on_stack(&c.work);
	return has_fired(UFFDWP_HOOK_USERFAULTFD_RELEASE);
}
#else
#define prove_userfaultfd_release NULL
#endif

static bool prove_pagemap_open(struct selftest *unused)
{
	struct file *pagemap = filp_open("/proc/self/pagemap", O_RDONLY, 0);

	if (IS_ERR(pagemap))
		return false;
	filp_close(pagemap, NULL);
	return has_fired(UFFDWP_HOOK_PAGEMAP_OPEN);
}

static bool (*const proofs[UFFDWP_HOOKS])(struct selftest *s) = {
	[UFFDWP_HOOK_HANDLE_USERFAULT] = prove_handle_userfault,
	[UFFDWP_HOOK_DO_WP_PAGE] = prove_do_wp_page,
	[UFFDWP_HOOK_USERFAULTFD_IOCTL] = prove_userfaultfd_ioctl,
	[UFFDWP_HOOK_CHANGE_PROTECTION] = prove_change_protection,
	[UFFDWP_HOOK_MFILL] = prove_copy,
	[UFFDWP_HOOK_MCOPY_ATOMIC] = prove_copy,
	[UFFDWP_HOOK_DO_SWAP_PAGE] = prove_do_swap_page,
	[UFFDWP_HOOK_ZAP] = prove_zap,
	[UFFDWP_HOOK_MREMAP_USERFAULTFD_PREP] = prove_mremap_userfaultfd_prep,
	[UFFDWP_HOOK_USERFAULTFD_WP_ASYNC] = prove_userfaultfd_wp_async,
	[UFFDWP_HOOK_VFS_FALLOCATE] = prove_vfs_fallocate,
	[UFFDWP_HOOK_NOTIFY_CHANGE] = prove_notify_change,
	[UFFDWP_HOOK_SHMEM_FALLOCATE] = prove_shmem_fallocate,
	[UFFDWP_HOOK_SHMEM_SETATTR] = prove_shmem_setattr,
	[UFFDWP_HOOK_HUGETLBFS_FALLOCATE] = prove_hugetlbfs_fallocate,
	[UFFDWP_HOOK_HUGETLBFS_SETATTR] = prove_hugetlbfs_setattr,
	[UFFDWP_HOOK_HUGETLB_MFILL] = prove_hugetlb_mfill,
	[UFFDWP_HOOK_MWRITEPROTECT_RANGE] = prove_mwriteprotect_range,
	[UFFDWP_HOOK_DUP_USERFAULTFD] = prove_dup_userfaultfd,
	[UFFDWP_HOOK_DUP_USERFAULTFD_COMPLETE] = prove_dup_userfaultfd_complete,
	[UFFDWP_HOOK_USERFAULTFD_RELEASE] = prove_userfaultfd_release,
	[UFFDWP_HOOK_PAGEMAP_OPEN] = prove_pagemap_open,
};

/*
 * An optional hook that cannot be placed, or does not fire, is done without. The one that is not in
 * the table above has no proof, and is only placed: copy_hugetlb_page_range() is for a process that
 * forks.
 */
static int prove_all(struct selftest *s)
{
	int id, err;

	for (id = 0; id < UFFDWP_HOOKS; id++) {
		if (uffdwp_hook_is_given_up(id))
			continue;
		err = uffdwp_hook_place(id);
		if (err && !uffdwp_hook_loss(id))
			return err;
		if (!err && (!proofs[id] || proofs[id](s)))
			continue;
		if (!uffdwp_hook_loss(id)) {
			pr_err("the hook on %s was placed but does not work on this kernel: not loading\n",
			       uffdwp_hook_symbol(id));
			return -ENODEV;
		}
		uffdwp_hook_give_up(id);
	}
	return 0;
}

/**
 * uffdwp_selftest - prove the hooks
 *
 * The hooks stay for a little while when all is well, for whoever attaches at once. On failure the
 * caller removes them.
 *
 * Return: 0 when every required hook works; -ENODEV when one does not, which the log names; or the
 * error that kept the test from running.
 */
int uffdwp_selftest(void)
{
	struct selftest s = {};
	int err;

	/* insmod and modprobe are processes; a kernel thread has no memory to try on. */
	if (!current->mm)
		return -EINVAL;
	/* Without WP_ASYNC, where the kernel would not need the hooks that are proved. */
	err = begin(&s, UFFDWP_SELFTEST_FEATURES);
	if (err) {
		pr_err("self-test: no userfaultfd with write protection (%d): this kernel needs CONFIG_USERFAULTFD\n",
		       err);
		return err;
	}
	WRITE_ONCE(uffdwp_hooks_are_proved, true);
	err = prove_all(&s);
	WRITE_ONCE(uffdwp_hooks_are_proved, false);
	end(&s);
	uffdwp_hooks_linger();
	return err;
}
