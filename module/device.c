// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/uffdwp-async: arguments in, arguments checked, one tracker for each open file.
 *
 * An open file pins the module (fops.owner), so the module cannot be unloaded while a tracker
 * exists.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "arm.h"
#include "attach.h"
#include "device.h"
#include "device_scan.h"
#include "device_tracker.h"
#include "disarm.h"
#include "events.h"
#include "follow.h"
#include "health.h"
#include "heirs.h"
#include "hooks/hooks.h"
#include "pinned.h"
#include "register.h"
#include "ring.h"
#include "trace.h"

/* What has been released keeps its place: structures only grow behind it. */
#define RELEASED(type, last, released) static_assert(offsetofend(struct type, last) == (released))

RELEASED(uffdwp_hello_arg, version, UFFDWP_HELLO_SIZE_VER0);
RELEASED(uffdwp_attach_arg, granule, UFFDWP_ATTACH_SIZE_VER0);
RELEASED(uffdwp_register_arg, reserved, UFFDWP_REGISTER_SIZE_VER0);
RELEASED(uffdwp_unregister_arg, reserved, UFFDWP_UNREGISTER_SIZE_VER0);
RELEASED(uffdwp_arm_arg, reserved, UFFDWP_ARM_SIZE_VER0);
RELEASED(uffdwp_scan_arg, return_mask, UFFDWP_SCAN_SIZE_VER0);
RELEASED(uffdwp_stats_arg, tlb_flushes, UFFDWP_STATS_SIZE_VER0);
RELEASED(uffdwp_disarm_arg, reserved, UFFDWP_DISARM_SIZE_VER0);
RELEASED(uffdwp_ring_arg, reserved, UFFDWP_RING_SIZE_VER0);
RELEASED(uffdwp_ring_reset_arg, reserved, UFFDWP_RING_RESET_SIZE_VER0);
RELEASED(uffdwp_follow_arg, reserved, UFFDWP_FOLLOW_SIZE_VER0);
RELEASED(uffdwp_events_arg, reserved, UFFDWP_EVENTS_SIZE_VER0);
RELEASED(uffdwp_claim_arg, reserved, UFFDWP_CLAIM_SIZE_VER0);
RELEASED(uffdwp_event, dev, UFFDWP_EVENT_SIZE_VER0);

/*
 * Copy a structure that starts with its size. One that is longer than @known, the size that this
 * module knows, must be zero behind that. One that is shorter is filled up with zeroes, but it has
 * at least the size of its first release, @released.
 */
static int copy_arg(void *arg, size_t known, size_t released, const void __user *uarg)
{
	u64 size;
	int err;

	if (get_user(size, (const u64 __user *)uarg))
		return -EFAULT;
	if (size < released)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(arg, known, uarg, size);
	/* The caller may have changed it meanwhile; the size that was checked counts. */
	*(u64 *)arg = size;
	return err;
}

/* The same structure back, with the results in it, as far as the caller has room for them. */
static int copy_result(void __user *uarg, const void *arg, size_t known)
{
	const u64 size = *(const u64 *)arg;

	return copy_to_user(uarg, arg, min_t(u64, size, known)) ? -EFAULT : 0;
}

static int check_range(const struct uffdwp_tracker *t, u64 start, u64 len)
{
	u64 end;

	if (!PAGE_ALIGNED(start) || !PAGE_ALIGNED(len) || !len)
		return -EINVAL;
	if (check_add_overflow(start, len, &end) || end > t->mm->task_size)
		return -EOVERFLOW;
	return 0;
}

static long cmd_hello(struct uffdwp_device_tracker *d, void __user *uarg)
{
	struct uffdwp_hello_arg arg;
	int err = copy_arg(&arg, sizeof(arg), UFFDWP_HELLO_SIZE_VER0, uarg);

	if (err)
		return err;
	if (arg.reserved)
		return -EINVAL;

	arg.abi_version = UFFDWP_ABI_VERSION;
	arg.page_size = PAGE_SIZE;
	arg.features = UFFDWP_FEATURE_PIDFD | UFFDWP_FEATURE_UNPOP_ZERO |
		       (uffdwp_features & ~UFFDWP_INNER_FEATURES);
	arg.kinds = uffdwp_kinds;
	arg.categories = UFFDWP_CATEGORIES;
	arg.scan_flags = UFFDWP_SCAN_FLAGS;
	arg.max_regions = UFFDWP_MAX_REGIONS;
	arg.address_limit = current->mm->task_size;
	strscpy_pad(arg.version, UFFDWP_VERSION, sizeof(arg.version));
	return copy_result(uarg, &arg, sizeof(arg));
}

static long cmd_attach(struct uffdwp_device_tracker *d, void __user *uarg)
{
	struct uffdwp_attach_arg arg;

	return copy_arg(&arg, sizeof(arg), UFFDWP_ATTACH_SIZE_VER0, uarg) ?:
	       uffdwp_attach(d, &arg);
}

/* How all structures of commands on a range begin. */
struct range_arg {
	u64 size;
	u64 flags;
	u64 start;
	u64 len;
};

#define BEGINS_LIKE_RANGE_ARG(type)							\
	static_assert(offsetof(type, flags) == offsetof(struct range_arg, flags) &&	\
		      offsetof(type, start) == offsetof(struct range_arg, start) &&	\
		      offsetof(type, len) == offsetof(struct range_arg, len))

BEGINS_LIKE_RANGE_ARG(struct uffdwp_register_arg);
BEGINS_LIKE_RANGE_ARG(struct uffdwp_unregister_arg);
BEGINS_LIKE_RANGE_ARG(struct uffdwp_arm_arg);
BEGINS_LIKE_RANGE_ARG(struct uffdwp_disarm_arg);

/* Copy one of these, and check what all of them have. */
#define COPY_RANGE_ARG(d, arg, released, uarg) \
	copy_range_arg(&(d)->base, arg, sizeof(*(arg)), released, &(arg)->reserved, uarg)

static int copy_range_arg(const struct uffdwp_tracker *t, void *arg, size_t known,
			  size_t released, const u64 *reserved, const void __user *uarg)
{
	const struct range_arg *range = arg;
	int err = copy_arg(arg, known, released, uarg);

	if (err)
		return err;
	if (range->flags || *reserved)
		return -EINVAL;
	return check_range(t, range->start, range->len);
}

static long cmd_register(struct uffdwp_device_tracker *d, void __user *uarg)
{
	struct uffdwp_register_arg __user *ureg = uarg;
	struct uffdwp_register_arg arg;
	int err = COPY_RANGE_ARG(d, &arg, UFFDWP_REGISTER_SIZE_VER0, uarg);

	if (err)
		return err;
	arg.fail_at = 0;
	if (put_user(arg.fail_at, &ureg->fail_at))
		return -EFAULT;
	err = uffdwp_register(d, arg.start, arg.start + arg.len, &arg.fail_at);
	return arg.fail_at && put_user(arg.fail_at, &ureg->fail_at) ? -EFAULT : err;
}

static long cmd_unregister(struct uffdwp_device_tracker *d, void __user *uarg)
{
	struct uffdwp_unregister_arg __user *uunreg = uarg;
	struct uffdwp_unregister_arg arg;
	int err = COPY_RANGE_ARG(d, &arg, UFFDWP_UNREGISTER_SIZE_VER0, uarg);

	if (err)
		return err;
	arg.fail_at = 0;
	if (put_user(arg.fail_at, &uunreg->fail_at))
		return -EFAULT;
	err = uffdwp_unregister(d, arg.start, arg.start + arg.len, &arg.fail_at);
	return arg.fail_at && put_user(arg.fail_at, &uunreg->fail_at) ? -EFAULT : err;
}

static long cmd_arm(struct uffdwp_device_tracker *d, void __user *uarg)
{
	struct uffdwp_tracker *t = &d->base;
	struct uffdwp_arm_arg arg;
	unsigned long walk_end;
	u64 armed_before;
	int err = COPY_RANGE_ARG(d, &arg, UFFDWP_ARM_SIZE_VER0, uarg);

	if (err)
		return err;
	walk_end = arg.start;
	armed_before = uffdwp_total(t, pages_armed);
	err = uffdwp_arm_range(t, arg.start, arg.start + arg.len, &walk_end);
	arg.walk_end = walk_end;
	arg.armed = uffdwp_total(t, pages_armed) - armed_before;
	trace_uffdwp_armed(t->mm, arg.start, walk_end, arg.armed);
	uffdwp_drain_lru(d);
	if (copy_result(uarg, &arg, sizeof(arg))) {
		/* The caller does not learn what was armed, and would miss earlier writes. */
		uffdwp_scan_undo(t, arg.start, walk_end);
		err = -EFAULT;
	}
	return err;
}

static long cmd_disarm(struct uffdwp_device_tracker *d, void __user *uarg)
{
	struct uffdwp_disarm_arg arg;
	int err = COPY_RANGE_ARG(d, &arg, UFFDWP_DISARM_SIZE_VER0, uarg);

	if (err)
		return err;
	arg.disarmed = uffdwp_disarm_tracked(&d->base, arg.start, arg.start + arg.len);
	return copy_result(uarg, &arg, sizeof(arg));
}

static long cmd_ring(struct uffdwp_device_tracker *d, void __user *uarg)
{
	struct uffdwp_ring_arg arg;
	int err = copy_arg(&arg, sizeof(arg), UFFDWP_RING_SIZE_VER0, uarg);

	if (err)
		return err;
	if (!(uffdwp_features & UFFDWP_FEATURE_RING))
		return -EOPNOTSUPP;
	/* Before there is a ring: there is only one chance to make it. */
	arg.bytes = uffdwp_ring_bytes(arg.entries);
	return copy_result(uarg, &arg, sizeof(arg)) ?: uffdwp_ring_make(d, &arg);
}

static long cmd_ring_reset(struct uffdwp_device_tracker *d, void __user *uarg)
{
	struct uffdwp_ring_reset_arg arg;
	int err = copy_arg(&arg, sizeof(arg), UFFDWP_RING_RESET_SIZE_VER0, uarg);

	if (err)
		return err;
	if (arg.flags || arg.reserved)
		return -EINVAL;
	arg.tail = arg.upto;
	arg.armed = 0;
	arg.told = 0;
	arg.reserved2 = 0;
	err = uffdwp_ring_reset(d, &arg);
	uffdwp_drain_lru(d);
	if (copy_result(uarg, &arg, sizeof(arg))) {
		/* The caller has read the entries, but not this. */
		uffdwp_ring_set(&d->base, arg.told);
		err = -EFAULT;
	}
	return err;
}

static int check_scan(const struct uffdwp_tracker *t, const struct uffdwp_scan_arg *arg)
{
	const u64 named = arg->category_inverted | arg->category_mask |
			  arg->category_anyof_mask | arg->return_mask;

	if ((arg->flags & ~UFFDWP_SCAN_FLAGS) || (named & ~UFFDWP_CATEGORIES))
		return -EINVAL;
	if (!arg->vec != !arg->vec_len || arg->vec_len > UFFDWP_MAX_REGIONS)
		return -EINVAL;
	if (arg->end < arg->start)
		return -EOVERFLOW;
	if (arg->vec && !access_ok(u64_to_user_ptr(arg->vec),
				   arg->vec_len * sizeof(struct uffdwp_region)))
		return -EFAULT;
	return check_range(t, arg->start, arg->end - arg->start);
}

static long cmd_scan(struct uffdwp_device_tracker *d, void __user *uarg)
{
	struct uffdwp_scan_arg __user *uscan = uarg;
	struct uffdwp_scan_arg arg;
	long ret = copy_arg(&arg, sizeof(arg), UFFDWP_SCAN_SIZE_VER0, uarg);

	if (!ret)
		ret = check_scan(&d->base, &arg);
	/* A structure that cannot be written is mostly refused before anything is armed. */
	if (!ret && put_user(arg.start, &uscan->walk_end))
		ret = -EFAULT;
	if (ret)
		return ret;

	ret = uffdwp_scan(d, &arg);
	/* Undo, since the caller does not learn how far the scan came. */
	if (put_user(arg.walk_end, &uscan->walk_end)) {
		if (arg.flags & UFFDWP_SCAN_WP_MATCHING)
			uffdwp_scan_undo(&d->base, arg.start, arg.walk_end);
		ret = -EFAULT;
	}
	return ret;
}

static long cmd_follow(struct uffdwp_device_tracker *d, void __user *uarg)
{
	const u64 flags = UFFDWP_FOLLOW_END | UFFDWP_FOLLOW_SPARSE | UFFDWP_FOLLOW_FORK |
			  UFFDWP_FOLLOW_EXEC;
	const u64 known = UFFDWP_KIND_ANON_PRIVATE | UFFDWP_KIND_SHMEM | UFFDWP_KIND_HUGETLB |
			  UFFDWP_KIND_FILE;
	struct uffdwp_follow_arg arg;
	struct uffdwp_follow follow;
	bool whole;
	int err = copy_arg(&arg, sizeof(arg), UFFDWP_FOLLOW_SIZE_VER0, uarg);

	if (err)
		return err;
	if ((arg.flags & ~flags) || arg.reserved || (arg.kinds & ~known))
		return -EINVAL;
	if ((arg.flags & (UFFDWP_FOLLOW_FORK | UFFDWP_FOLLOW_EXEC)) && !d->base.events)
		return -EINVAL;
	if (arg.flags & UFFDWP_FOLLOW_END) {
		if (arg.flags != UFFDWP_FOLLOW_END || arg.kinds || arg.start || arg.len)
			return -EINVAL;
		uffdwp_follow_end(&d->base);
		return 0;
	}
	whole = !arg.start && !arg.len;
	if (whole)
		arg.len = d->base.mm->task_size;
	err = check_range(&d->base, arg.start, arg.len);
	if (err)
		return err;
	follow = (struct uffdwp_follow){
		.kinds = arg.kinds,
		.sparse = arg.flags & UFFDWP_FOLLOW_SPARSE,
		.fork = arg.flags & UFFDWP_FOLLOW_FORK,
		.exec = arg.flags & UFFDWP_FOLLOW_EXEC,
		.whole = whole,
		.start = arg.start,
		.end = arg.start + arg.len,
	};
	return uffdwp_follow(d, &follow);
}

static long cmd_events(struct uffdwp_device_tracker *d, void __user *uarg)
{
	struct uffdwp_events_arg arg;

	return copy_arg(&arg, sizeof(arg), UFFDWP_EVENTS_SIZE_VER0, uarg) ?:
	       uffdwp_events_make(d, &arg);
}

static const struct file_operations device_fops;

/* The results first: what is in the descriptor table cannot be taken back. */
static long install_heir(struct uffdwp_device_tracker *heir, struct uffdwp_claim_arg *arg,
			 void __user *uarg)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	arg->fd = fd;
	file = copy_result(uarg, arg, sizeof(*arg)) ? ERR_PTR(-EFAULT) :
	       anon_inode_getfile("[uffdwp-async]", &device_fops, heir, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return 0;
}

static long cmd_claim(struct uffdwp_device_tracker *d, void __user *uarg)
{
	struct uffdwp_device_tracker *heir;
	struct uffdwp_claim_arg arg;
	long ret = copy_arg(&arg, sizeof(arg), UFFDWP_CLAIM_SIZE_VER0, uarg);

	if (ret)
		return ret;
	if (arg.flags || arg.reserved)
		return -EINVAL;
	heir = uffdwp_heir_claim(d, arg.id);
	if (!heir)
		return -ENOENT;
	arg.reserved2 = 0;
	ret = install_heir(heir, &arg, uarg);
	if (ret)
		uffdwp_heir_put_back(d, heir);
	return ret;
}

static long cmd_stats(struct uffdwp_device_tracker *d, void __user *uarg)
{
	struct uffdwp_tracker *t = &d->base;
	struct uffdwp_stats_arg arg;
	int err = copy_arg(&arg, sizeof(arg), UFFDWP_STATS_SIZE_VER0, uarg);

	if (err)
		return err;
	if (arg.flags)
		return -EINVAL;
#define STORE_TOTAL(name) arg.name = uffdwp_total(t, name);
	UFFDWP_COUNTERS(STORE_TOTAL)
	arg.hooks_dead = t->mm && uffdwp_health_is_lost(t);
	return copy_result(uarg, &arg, sizeof(arg));
}

struct command {
	long (*run)(struct uffdwp_device_tracker *d, void __user *uarg);
	bool needs_mm;		/* attached, and mm_users is not 0 */
	bool needs_hooks;	/* arms, or says what was not written */
};

#define COMMAND(name, function, mm, hooks) \
	[_IOC_NR(UFFDWP_IOC_##name)] = { function, mm, hooks }

static const struct command commands[] = {
	COMMAND(HELLO, cmd_hello, false, false),
	COMMAND(ATTACH, cmd_attach, false, false),
	COMMAND(REGISTER, cmd_register, true, true),
	COMMAND(UNREGISTER, cmd_unregister, true, false),
	COMMAND(ARM, cmd_arm, true, true),
	COMMAND(SCAN, cmd_scan, true, true),
	COMMAND(STATS, cmd_stats, false, false),
	COMMAND(DISARM, cmd_disarm, true, false),
	COMMAND(RING, cmd_ring, true, true),
	COMMAND(RING_RESET, cmd_ring_reset, true, true),
	COMMAND(FOLLOW, cmd_follow, true, true),
	COMMAND(EVENTS, cmd_events, true, true),
	COMMAND(CLAIM, cmd_claim, false, false),
};

/* The size in the ioctl number is not checked; the one in the structure counts. */
static const struct command *find_command(unsigned int cmd)
{
	if (_IOC_TYPE(cmd) != UFFDWP_IOC_MAGIC || _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE) ||
	    _IOC_NR(cmd) >= ARRAY_SIZE(commands))
		return NULL;
	return &commands[array_index_nospec(_IOC_NR(cmd), ARRAY_SIZE(commands))];
}

/* Hooks that died meanwhile may have missed a write, so the result does not count: health.c. */
static long run_with_hooks(const struct command *command, struct uffdwp_device_tracker *d,
			   void __user *uarg)
{
	long ret = uffdwp_health_before(&d->base);

	if (ret)
		return ret;
	ret = command->run(d, uarg);
	return uffdwp_health_after(&d->base) ?: ret;
}

static long command_run(const struct command *command, struct uffdwp_device_tracker *d,
			void __user *uarg)
{
	struct mm_struct *mm = d->base.mm;
	long ret;

	if (!command->needs_mm)
		return command->run(d, uarg);
	if (!mm)
		return -ENOTCONN;
	if (!mmget_not_zero(mm))
		return -ESRCH;
	if (d->closed || uffdwp_tracker_is_ridden_off(&d->base))
		ret = -ENODEV;
	else
		ret = command->needs_hooks ? run_with_hooks(command, d, uarg) :
					     command->run(d, uarg);
	mmput(mm);
	return ret;
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct command *command = find_command(cmd);
	struct uffdwp_device_tracker *d = file->private_data;
	long ret;

	if (!command)
		return -ENOTTY;
	ret = mutex_lock_killable(&d->lock);
	if (ret)
		return ret;
	ret = command_run(command, d, (void __user *)arg);
	mutex_unlock(&d->lock);
	return ret;
}

static int device_open(struct inode *inode, struct file *file)
{
	file->private_data = uffdwp_device_tracker_new(file->f_cred);
	return file->private_data ? nonseekable_open(inode, file) : -ENOMEM;
}

static int device_release(struct inode *inode, struct file *file)
{
	uffdwp_detach(file->private_data);
	return 0;
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	return uffdwp_ring_mmap(file->private_data, vma);
}

static __poll_t device_poll(struct file *file, struct poll_table_struct *table)
{
	struct uffdwp_device_tracker *d = file->private_data;
	const bool events = smp_load_acquire(&d->base.events);
	__poll_t found = 0;

	if (!events || smp_load_acquire(&d->base.ring))
		found |= uffdwp_ring_poll(d, file, table);
	if (events)
		found |= uffdwp_events_poll(d, file, table);
	return found;
}

static ssize_t device_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	return uffdwp_events_read(file->private_data, buf, len, file->f_flags & O_NONBLOCK);
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = device_mmap,
	.read = device_read,
	.poll = device_poll,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "uffdwp-async",
	.mode = 0600,
	.fops = &device_fops,
};

/**
 * uffdwp_device_init - make /dev/uffdwp-async
 *
 * Return: 0, or an error of misc_register().
 */
int uffdwp_device_init(void)
{
	int err = misc_register(&device);

	if (err)
		pr_err("no device: misc_register failed with %d\n", err);
	return err;
}

/**
 * uffdwp_device_exit - remove the device; no file is open
 */
void uffdwp_device_exit(void)
{
	misc_deregister(&device);
}
