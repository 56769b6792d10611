// SPDX-License-Identifier: GPL-2.0-only
/*
 * The userfaultfd behind a tracker: the kernel's own object, made in any mm.
 *
 * userfaultfd(2) works on the mm of its caller, so a kernel thread adopts the target's mm and calls
 * it there. The file is taken out of the thread's descriptor table at once; no process ever has a
 * descriptor of it, so the tracker alone decides how long it lives.
 */
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/userfaultfd.h>

#include "compat/symbols.h"
#include "compat/userfault.h"
#include "private_mm.h"
#include "tracker.h"
#include "userfault.h"

/* UFFD_FEATURE_INITIALIZED of fs/userfaultfd.c */
#define FEATURE_INITIALIZED (1U << 31)

/* f_op of every userfaultfd, known once the first is made (by hooks/proof.c). */
static const struct file_operations *userfault_fops;

/*
 * The offset of ctx->mm, and the size of a context. Until 6.9 the struct is private to
 * fs/userfaultfd.c, so the first userfaultfd that is made is searched for its mm, which is known.
 * 0: not found.
 */
static size_t mm_offset;
static size_t ctx_size;

static void find_mm_offset(const struct file *uffd, const struct mm_struct *mm)
{
	const char *ctx = uffd->private_data;
	const size_t size = ksize(ctx);
	size_t offset, found = 0;
	unsigned int times = 0;

	for (offset = 0; offset + sizeof(mm) <= size; offset += sizeof(mm)) {
		if (*(const struct mm_struct *const *)(ctx + offset) == mm) {
			found = offset;
			times++;
		}
	}
	mm_offset = times == 1 ? found : 0;
	ctx_size = size;
}

static void create_here(void *arg)
{
	/*
	 * UFFD_USER_MODE_ONLY: faults of the kernel never wait on this userfaultfd, whatever is
	 * done to it. Write faults are resolved by our hooks, which come before that check, in
	 * either mode; and opening the device gives no more power over the kernel than
	 * vm.unprivileged_userfaultfd=0 leaves to every user.
	 *
	 * Kernel threads share one descriptor table, and a user-mode helper that is started just
	 * now gets a copy: O_CLOEXEC keeps the file from the program that it becomes.
	 */
	struct pt_regs regs = { .di = UFFDWP_USERFAULT_FLAGS | O_CLOEXEC };
	struct file **file = arg;
	long fd = uffdwp_call(__x64_sys_userfaultfd)(&regs);

	if (fd < 0) {
		*file = ERR_PTR(fd);
		return;
	}
	*file = fget(fd) ?: ERR_PTR(-EBADF);
	close_fd(fd);
}

/**
 * uffdwp_userfault_create - userfaultfd(2) in another mm
 * @mm: mm, held by mmget()
 *
 * Return: the file, one reference; or an ERR_PTR of userfaultfd(2) or uffdwp_run_in_mm().
 */
struct file *uffdwp_userfault_create(struct mm_struct *mm)
{
	struct file *file;
	int err = uffdwp_run_in_mm(mm, create_here, &file);

	if (err)
		return ERR_PTR(err);
	if (!IS_ERR(file) && !userfault_fops) {
		find_mm_offset(file, mm);
		userfault_fops = file->f_op;
	}
	return file;
}

/**
 * uffdwp_userfault_owner_is_known - can uffdwp_userfault_owner() tell?
 *
 * Return: whether it can, once a userfaultfd was made.
 */
bool uffdwp_userfault_owner_is_known(void)
{
	return mm_offset;
}

/**
 * uffdwp_userfault_owner - the mm of a userfaultfd
 * @uffd: file
 *
 * Return: the mm, whose struct stays as long as the file; or NULL when its offset was not found.
 */
struct mm_struct *uffdwp_userfault_owner(const struct file *uffd)
{
	const char *ctx = uffd->private_data;

	return mm_offset ? *(struct mm_struct *const *)(ctx + mm_offset) : NULL;
}

/**
 * uffdwp_userfault_of_field - the tracker that belongs to a userfaultfd
 * @mm: mm
 * @field: some field in the context of a userfaultfd that the caller keeps open
 *
 * Return: the backport tracker, valid until mmap_lock of @mm is dropped, if that is held; or NULL.
 */
struct uffdwp_tracker *uffdwp_userfault_of_field(const struct mm_struct *mm, const void *field)
{
	return uffdwp_tracker_with_ctx_at(mm, field - ctx_size + 1, field);
}

/**
 * uffdwp_userfault_get - a userfaultfd that the caller has open
 * @fd: its descriptor
 *
 * Return: the file, one reference; or ERR_PTR(-EBADF) when it is closed or something else.
 */
struct file *uffdwp_userfault_get(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (file->f_op != userfault_fops) {
		fput(file);
		return ERR_PTR(-EBADF);
	}
	return file;
}

/**
 * uffdwp_userfault_features - what was agreed on by UFFDIO_API
 * @uffd: file
 * @features: out: UFFD_FEATURE_*
 *
 * Parsed from /proc/PID/fdinfo, since the context is private to fs/userfaultfd.c.
 *
 * Return: 0; -EINVAL when UFFDIO_API was not called yet; or -ENOMEM.
 */
int uffdwp_userfault_features(struct file *uffd, unsigned int *features)
{
	struct seq_file m = { .size = PAGE_SIZE };
	unsigned long long api;
	int found = 0;
	char *line;

	m.buf = kzalloc(m.size, GFP_KERNEL);
	if (!m.buf)
		return -ENOMEM;
	uffd->f_op->show_fdinfo(&m, uffd);
	line = strstr(m.buf, "API:");
	if (line)
		found = sscanf(line, "API:\t%llx:%x:", &api, features);
	kfree(m.buf);
	if (found != 2 || !(*features & FEATURE_INITIALIZED))
		return -EINVAL;
	*features &= ~FEATURE_INITIALIZED;
	return 0;
}

/**
 * uffdwp_userfault_waiting - does a fault wait for the monitor of a userfaultfd?
 * @ctx: context of a userfaultfd that stays open
 *
 * Whether the monitor has read it or not. Parsed from /proc/PID/fdinfo, whose function uses the
 * context of the file and nothing else.
 *
 * Return: whether one does; false when there is no memory to ask with.
 */
bool uffdwp_userfault_waiting(const void *ctx)
{
	/* Too large for the stack. */
	struct file *uffd = kzalloc(sizeof(*uffd), GFP_KERNEL);
	unsigned long pending, total = 0;
	char text[160] = "";
	struct seq_file m = { .buf = text, .size = sizeof(text) - 1 };

	/* The caller asks again later. */
	if (!uffd)
		return false;
	uffd->private_data = (void *)ctx;
	userfault_fops->show_fdinfo(&m, uffd);
	kfree(uffd);
	return sscanf(text, "pending:\t%lu\ntotal:\t%lu", &pending, &total) == 2 && total;
}

/**
 * uffdwp_userfault_api - UFFDIO_API on a new userfaultfd
 * @uffd: file
 * @features: UFFD_FEATURE_*
 *
 * Return: 0; -EINVAL when this kernel does not know the features; -ENOMEM or -EINTR.
 */
long uffdwp_userfault_api(struct file *uffd, u64 features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };

	return uffdwp_private_ioctl(uffd, UFFDIO_API, &api);
}

/**
 * uffdwp_userfault_register - UFFDIO_REGISTER for write protection and nothing else
 * @uffd: file
 * @start: first address
 * @len: bytes
 *
 * Return: what the kernel returns; -ENOMEM or -EINTR.
 */
long uffdwp_userfault_register(struct file *uffd, unsigned long start, unsigned long len)
{
	struct uffdio_register reg = {
		.range = { .start = start, .len = len },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};

	return uffdwp_private_ioctl(uffd, UFFDIO_REGISTER, &reg);
}

/**
 * uffdwp_userfault_wake - UFFDIO_WAKE
 * @uffd: file
 * @start: first address
 * @len: bytes
 *
 * Return: what the kernel returns; -ENOMEM or -EINTR.
 */
long uffdwp_userfault_wake(struct file *uffd, unsigned long start, unsigned long len)
{
	struct uffdio_range range = { .start = start, .len = len };

	return uffdwp_private_ioctl(uffd, UFFDIO_WAKE, &range);
}

/**
 * uffdwp_userfault_unregister - UFFDIO_UNREGISTER
 * @uffd: file
 * @start: first address
 * @len: bytes
 *
 * Return: what the kernel returns; -ENOMEM or -EINTR.
 */
long uffdwp_userfault_unregister(struct file *uffd, unsigned long start, unsigned long len)
{
	struct uffdio_range range = { .start = start, .len = len };

	return uffdwp_private_ioctl(uffd, UFFDIO_UNREGISTER, &range);
}
