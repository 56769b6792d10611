// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the memory that hooks are proved on when the module is loaded, before any other process
 * relies on them: private memory of the task that loads it.
 *
 * Our userfaultfds are UFFD_USER_MODE_ONLY, so a write of ours that no hook resolves is an error of
 * put_user() and not an endless sleep: handle_userfault() refuses faults from kernel mode then. Our
 * hooks come before that check. On kernels without that flag UFFD_FEATURE_SIGBUS does it:
 * compat/userfault.h.
 */
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd.h>
#include <uapi/linux/memfd.h>

#include "arm.h"
#include "compat/hugetlb.h"
#include "compat/symbols.h"
#include "device_tracker.h"
#include "disarm.h"
#include "life.h"
#include "proof.h"
#include "tracker.h"
#include "userfault.h"

#define AREA_SIZE ((1 + UFFDWP_PROOF_PAGES) * PAGE_SIZE)

static void __user *proof_scratch(const struct uffdwp_proof *p)
{
	return (void __user *)p->area;
}

/**
 * uffdwp_proof_userfault - another userfaultfd of this process
 * @features: UFFD_FEATURE_*
 *
 * Return: the userfaultfd, to be given back with fput(); or ERR_PTR().
 */
struct file *uffdwp_proof_userfault(u64 features)
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

static struct uffdwp_device_tracker *device_tracker(const struct uffdwp_proof *p)
{
	return container_of(p->t, struct uffdwp_device_tracker, base);
}

static int track_area(struct uffdwp_proof *p, u64 features)
{
	struct file *uffd = uffdwp_proof_userfault(features);
	struct uffdwp_device_tracker *d = device_tracker(p);
	long err;

	if (IS_ERR(uffd))
		return PTR_ERR(uffd);
	err = uffdwp_userfault_register(uffd, uffdwp_proof_page(p, 0),
					UFFDWP_PROOF_PAGES * PAGE_SIZE);
	if (err) {
		fput(uffd);
		return err;
	}
	d->uffd = uffd;
	d->base.whose = UFFDWP_PRIVATE;
	d->base.ctx = uffd->private_data;
	d->base.mm = current->mm;
	err = uffdwp_tracker_begin(&d->base);
	if (err) {
		d->base.mm = NULL;
		d->uffd = NULL;
		fput(uffd);
		return err;
	}
	mmgrab(d->base.mm);
	/* A reference besides the tracker's, as a process has it: health.c looks for that. */
	p->uffd = get_file(uffd);
	return 0;
}

/**
 * uffdwp_proof_end - undo uffdwp_proof_begin()
 * @p: proof
 */
void uffdwp_proof_end(struct uffdwp_proof *p)
{
	vm_munmap(p->area, AREA_SIZE);
	if (p->uffd)
		fput(p->uffd);
	uffdwp_device_tracker_release(device_tracker(p));
}

/**
 * uffdwp_proof_begin - a tracker of fresh memory
 * @p: proof
 * @features: UFFD_FEATURE_* of its userfaultfd
 *
 * Return: 0, or an error after which nothing is to be undone.
 */
int uffdwp_proof_begin(struct uffdwp_proof *p, u64 features)
{
	struct uffdwp_device_tracker *d = uffdwp_device_tracker_new(current_cred());
	int err;

	if (!d)
		return -ENOMEM;
	p->t = &d->base;
	/* NORESERVE: not merged with a neighbouring VMA, where a huge page could span the area. */
	p->area = vm_mmap(NULL, 0, AREA_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);
	if (IS_ERR_VALUE(p->area)) {
		err = p->area;
		uffdwp_device_tracker_release(d);
		return err;
	}
	err = track_area(p, features);
	if (err)
		uffdwp_proof_end(p);
	return err;
}

static int arm_range(struct uffdwp_proof *p, unsigned long addr, unsigned long len)
{
	const unsigned long end = addr + len;
	int next;

	do {
		mmap_read_lock(p->t->mm);
		next = uffdwp_arm(p->t, addr, end, &addr);
		mmap_read_unlock(p->t->mm);
	} while (next > 0);
	return next;
}

/**
 * uffdwp_proof_arm - arm a page
 * @p: proof
 * @number: of the page
 *
 * Return: 0, or an error.
 */
int uffdwp_proof_arm(struct uffdwp_proof *p, unsigned int number)
{
	return arm_range(p, uffdwp_proof_page(p, number), PAGE_SIZE);
}

/**
 * uffdwp_proof_disarm - disarm a range
 * @p: proof
 * @addr: first address
 * @len: length
 *
 * Return: whether anything in it was armed.
 */
bool uffdwp_proof_disarm(struct uffdwp_proof *p, unsigned long addr, unsigned long len)
{
	return uffdwp_disarm_tracked(p->t, addr, addr + len);
}

/**
 * uffdwp_proof_write - write to a page, as the process would
 * @p: proof
 * @number: of the page
 * @value: value
 *
 * Return: 0, or -EFAULT when nothing has resolved the fault.
 */
int uffdwp_proof_write(struct uffdwp_proof *p, unsigned int number, int value)
{
	return put_user(value, (int __user *)uffdwp_proof_page(p, number));
}

/**
 * uffdwp_proof_page_is - does a page begin with this value?
 * @p: proof
 * @number: of the page
 * @value: value
 *
 * Return: whether it does.
 */
bool uffdwp_proof_page_is(struct uffdwp_proof *p, unsigned int number, int value)
{
	int seen;

	return !get_user(seen, (int __user *)uffdwp_proof_page(p, number)) && seen == value;
}

/**
 * uffdwp_proof_ioctl - call the userfaultfd of the tracker
 * @p: proof
 * @cmd: UFFDIO_*
 * @arg: its argument
 * @size: of @arg
 *
 * By this task and with an argument in its memory, as a process calls: uffd_note.c notes the task.
 *
 * Return: what it has returned.
 */
long uffdwp_proof_ioctl(struct uffdwp_proof *p, unsigned int cmd, const void *arg, size_t size)
{
	struct file *uffd = p->uffd;

	return copy_to_user(proof_scratch(p), arg, size) ? -EFAULT :
	       uffd->f_op->unlocked_ioctl(uffd, cmd, p->area);
}

/**
 * uffdwp_proof_ioctl_of_process - call a userfaultfd by ioctl(2)
 * @p: proof
 * @uffd: userfaultfd
 * @cmd: UFFDIO_*
 * @arg: its argument
 * @size: of @arg
 *
 * Hooks do not redirect calls of this module. This one comes from the kernel's own ioctl(2).
 *
 * Return: what it has returned.
 */
long uffdwp_proof_ioctl_of_process(struct uffdwp_proof *p, struct file *uffd, unsigned int cmd,
				   const void *arg, size_t size)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct pt_regs regs = { .di = fd, .si = cmd, .dx = p->area };
	long ret = -EFAULT;

	if (fd < 0)
		return fd;
	fd_install(fd, get_file(uffd));
	if (!copy_to_user(proof_scratch(p), arg, size))
		ret = uffdwp_call(__x64_sys_ioctl)(&regs);
	close_fd(fd);
	return ret;
}

/**
 * uffdwp_proof_write_protect - UFFDIO_WRITEPROTECT of a page
 * @p: proof
 * @number: of the page
 *
 * Return: what it has returned.
 */
long uffdwp_proof_write_protect(struct uffdwp_proof *p, unsigned int number)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = uffdwp_proof_page(p, number), .len = PAGE_SIZE },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	return uffdwp_proof_ioctl(p, UFFDIO_WRITEPROTECT, &wp, sizeof(wp));
}

static struct file *new_memfd(struct uffdwp_proof *p, unsigned int flags)
{
	struct pt_regs regs = { .di = p->area, .si = flags | MFD_CLOEXEC };
	struct file *file;
	long fd;

	if (copy_to_user(proof_scratch(p), "uffdwp", sizeof("uffdwp")))
		return ERR_PTR(-EFAULT);
	fd = uffdwp_call(__x64_sys_memfd_create)(&regs);
	if (fd < 0)
		return ERR_PTR(fd);
	file = fget(fd);
	close_fd(fd);
	return file ?: ERR_PTR(-EBADF);
}

/**
 * uffdwp_proof_of_file - is a file disarmed where its content is lost?
 * @p: proof
 * @memfd_flags: of memfd_create()
 * @loses_content: makes it lose its content; false: something else went wrong
 *
 * No page of the file needs to exist: arming leaves markers.
 *
 * Return: whether it was armed, and is not when @loses_content has returned true.
 */
bool uffdwp_proof_of_file(struct uffdwp_proof *p, unsigned int memfd_flags,
			  bool (*loses_content)(const struct uffdwp_proof_file *f))
{
	struct file *file = new_memfd(p, memfd_flags);
	unsigned long addr = 0, size;
	bool proved;

	if (IS_ERR(file))
		return false;
	size = memfd_flags & MFD_HUGETLB ? uffdwp_hugetlb_file_page_size(file) : PAGE_SIZE;
	if (!vfs_truncate(&file->f_path, size))
		addr = vm_mmap(file, 0, size, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_NORESERVE, 0);
	proved = addr && !IS_ERR_VALUE(addr) &&
		 !uffdwp_userfault_register(p->uffd, addr, size) &&
		 !arm_range(p, addr, size) &&
		 loses_content(&(struct uffdwp_proof_file){ p, file, addr, size }) &&
		 !uffdwp_proof_disarm(p, addr, size);
	if (addr && !IS_ERR_VALUE(addr))
		vm_munmap(addr, size);
	fput(file);
	return proved;
}
