// SPDX-License-Identifier: GPL-2.0-only
/*
 * When the module is loaded: place the hooks one by one and prove each on private memory of the
 * task that loads it, before any other process relies on it.
 *
 * Our userfaultfds are UFFD_USER_MODE_ONLY, so a write of ours that no hook resolves is an error of
 * put_user() and not an endless sleep: handle_userfault() refuses faults from kernel mode then. Our
 * hooks come before that check.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd.h>

#include "arm.h"
#include "breakage.h"
#include "hooks.h"
#include "selftest.h"
#include "tracker.h"
#include "userfault.h"

/* A page for structures of UFFDIO_*, and behind it the pages of the test. */
#define TEST_PAGES 4UL
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

static int arm_page(struct selftest *s, unsigned int number)
{
	unsigned long addr = page(s, number), walk_end;
	int next;

	do {
		mmap_read_lock(s->t->mm);
		next = uffdwp_arm(s->t, addr, addr + PAGE_SIZE, &walk_end);
		mmap_read_unlock(s->t->mm);
	} while (next > 0);
	return next;
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

static bool prove_mwriteprotect_range(struct selftest *s)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = page(s, 1), .len = PAGE_SIZE },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	u64 zeroes = uffdwp_total(s->t, zero_installed);

	return !copy_to_user(scratch(s), &wp, sizeof(wp)) &&
	       !uffdwp_userfault_ioctl(s->t->uffd, UFFDIO_WRITEPROTECT, scratch(s)) &&
	       uffdwp_total(s->t, zero_installed) == zeroes + 1;
}

static bool prove_do_swap_page(struct selftest *s)
{
	bool proved;

	s->t->markers = true;
	proved = !arm_page(s, 2) && !arm_page(s, 3) && page_is(s, 2, 0) && !write_page(s, 3, 4) &&
		 page_is(s, 3, 4) && uffdwp_total(s->t, marker_faults) == 2;
	s->t->markers = false;
	return proved;
}

static bool (*const proofs[UFFDWP_HOOKS])(struct selftest *s) = {
	[UFFDWP_HOOK_HANDLE_USERFAULT] = prove_handle_userfault,
	[UFFDWP_HOOK_DO_WP_PAGE] = prove_do_wp_page,
	[UFFDWP_HOOK_MWRITEPROTECT_RANGE] = prove_mwriteprotect_range,
	[UFFDWP_HOOK_DO_SWAP_PAGE] = prove_do_swap_page,
};

/* An optional hook that cannot be placed, or does not fire, is done without. */
static int prove_all(struct selftest *s)
{
	int id, err;

	for (id = 0; id < UFFDWP_HOOKS; id++) {
		err = uffdwp_hook_place(id);
		if (err && !uffdwp_hook_loss(id))
			return err;
		if (!err && (proofs[id](s) || uffdwp_broken_somehow()))
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

static int open_userfault(struct selftest *s)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = page(s, 0), .len = TEST_PAGES * PAGE_SIZE },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdwp_tracker *t = s->t;
	struct file *uffd = uffdwp_userfault_create(current->mm);
	long err;

	if (IS_ERR(uffd))
		return PTR_ERR(uffd);
	err = copy_to_user(scratch(s), &api, sizeof(api)) ? -EFAULT :
	      uffdwp_userfault_ioctl(uffd, UFFDIO_API, scratch(s));
	if (!err)
		err = copy_to_user(scratch(s), &reg, sizeof(reg)) ? -EFAULT :
		      uffdwp_userfault_ioctl(uffd, UFFDIO_REGISTER, scratch(s));
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

static int run(struct selftest *s)
{
	int err = open_userfault(s);

	if (err) {
		pr_err("self-test: no userfaultfd with write protection (%d): this kernel needs CONFIG_USERFAULTFD\n",
		       err);
		return err;
	}
	return prove_all(s);
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
	s.t = uffdwp_tracker_new();
	if (!s.t)
		return -ENOMEM;
	/* NORESERVE: not merged with a neighbour, where a huge page could take our place. */
	s.area = vm_mmap(NULL, 0, ALL_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);
	if (IS_ERR_VALUE(s.area)) {
		err = s.area;
		goto free_tracker;
	}
	err = run(&s);
	vm_munmap(s.area, ALL_PAGES * PAGE_SIZE);
free_tracker:
	uffdwp_tracker_release(s.t);
	uffdwp_hooks_linger();
	return err;
}
