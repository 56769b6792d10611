// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The back end that is the kernel module: each call is one ioctl on /dev/uffdwp-async. The ring is
 * mapped by ring.c, and events are read by events.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

/* Written by the module as one, so an interrupted call is simply made again. */
static int command(const struct uffdwp *tracker, unsigned long cmd, void *arg)
{
	int ret;

	do {
		ret = ioctl(tracker->fd, cmd, arg);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

/* A module that is older than this command does not know it. */
static int young_command(const struct uffdwp *tracker, unsigned long cmd, void *arg)
{
	int err = command(tracker, cmd, arg);

	return err == -ENOTTY ? -EOPNOTSUPP : err;
}

static int hello(const struct uffdwp *tracker, struct uffdwp_hello_arg *arg)
{
	int err;

	*arg = (struct uffdwp_hello_arg){ .size = sizeof(*arg) };
	err = command(tracker, UFFDWP_IOC_HELLO, arg);
	if (err)
		return err == -ENOTTY || err == -E2BIG ? -EPROTO : err;
	return arg->abi_version < UFFDWP_ABI_VERSION ? -EPROTO : 0;
}

static int attach(const struct uffdwp *tracker, int pidfd, const struct uffdwp_open_opts *opts)
{
	struct uffdwp_attach_arg arg = {
		.size = sizeof(arg),
		.unpopulated = opts->unpopulated,
		.granule = opts->granule,
	};

	if (pidfd >= 0) {
		arg.flags |= UFFDWP_ATTACH_PIDFD;
		arg.pidfd = pidfd;
	}
	if (opts->flags & UFFDWP_OPEN_IGNORE_PINS)
		arg.flags |= UFFDWP_ATTACH_IGNORE_PINS;
	if (opts->flags & UFFDWP_OPEN_KEEP)
		arg.flags |= UFFDWP_ATTACH_KEEP;
	if (opts->flags & UFFDWP_OPEN_WHOLE_HUGE)
		arg.flags |= UFFDWP_ATTACH_WHOLE_HUGE;
	if (opts->flags & UFFDWP_OPEN_RIDE)
		arg.flags |= UFFDWP_ATTACH_RIDE;
	if (opts->flags & UFFDWP_OPEN_UFFD) {
		arg.flags |= UFFDWP_ATTACH_UFFD;
		arg.uffd = opts->uffd;
	}
	return command(tracker, UFFDWP_IOC_ATTACH, &arg);
}

static int attach_pid(const struct uffdwp *tracker, pid_t pid, const struct uffdwp_open_opts *opts)
{
	int pidfd, err;

	if (opts->flags & UFFDWP_OPEN_PIDFD)
		return opts->pidfd < 0 ? -EBADF : attach(tracker, opts->pidfd, opts);
	if (!pid)
		return attach(tracker, -1, opts);

	pidfd = uffdwp_pidfd_of(pid);
	if (pidfd < 0)
		return pidfd;
	err = attach(tracker, pidfd, opts);
	close(pidfd);
	return err;
}

/* -ENODEV: a node without a module behind it says ENXIO or ENODEV. */
static int open_device(struct uffdwp *tracker, struct uffdwp_hello_arg *arg)
{
	int err;

	tracker->fd = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC);
	if (tracker->fd < 0)
		return errno == ENOENT || errno == ENXIO ? -ENODEV : -errno;
	err = hello(tracker, arg);
	if (err)
		close(tracker->fd);
	return err;
}

/* Is it there, for this caller, and young enough? */
static bool is_passed_over(int err)
{
	return err == -ENODEV || err == -EACCES || err == -EPERM || err == -EPROTO;
}

static int module_query(struct uffdwp_info *info, struct uffdwp_no *no)
{
	struct uffdwp_hello_arg arg;
	struct uffdwp device;
	int err = open_device(&device, &arg);

	no->step = UFFDWP_STEP_DEVICE;
	no->cannot = is_passed_over(err);
	if (err)
		return err;
	close(device.fd);
	info->abi_version = arg.abi_version;
	info->kinds = arg.kinds;
	info->features = arg.features;
	return 0;
}

/* A module that is older than these options would say -EINVAL. */
static bool offers(const struct uffdwp_hello_arg *arg, const struct uffdwp_open_opts *opts)
{
	if ((opts->flags & UFFDWP_OPEN_WHOLE_HUGE) && !(arg->features & UFFDWP_FEATURE_WHOLE_HUGE))
		return false;
	if ((opts->flags & UFFDWP_OPEN_RIDE) && !(arg->features & UFFDWP_FEATURE_RIDE))
		return false;
	return opts->granule <= 1 || (arg->features & UFFDWP_FEATURE_GRANULE);
}

/*
 * Without the module, the right to use it or one that is young enough, another back end may serve;
 * and so where the module does not offer what was asked for, or was loaded with hooks=0 and offers
 * nothing. Not where it has said no to the process, or cannot place its hooks: who gets less than
 * he could have is told.
 */
static int module_open(struct uffdwp *tracker, pid_t pid, const struct uffdwp_open_opts *opts,
		       struct uffdwp_no *no)
{
	struct uffdwp_hello_arg arg;
	int err = open_device(tracker, &arg);

	if (err) {
		no->step = UFFDWP_STEP_DEVICE;
		no->cannot = is_passed_over(err);
		return err;
	}
	if (!arg.kinds)
		err = -ENODEV;
	else
		err = offers(&arg, opts) ? attach_pid(tracker, pid, opts) : -EOPNOTSUPP;
	if (err) {
		no->step = UFFDWP_STEP_ATTACH;
		no->cannot = err == -EOPNOTSUPP || !arg.kinds;
		close(tracker->fd);
	}
	return err;
}

static void module_close(struct uffdwp *tracker)
{
	close(tracker->fd);
}

static int module_register(struct uffdwp *tracker, uint64_t start, uint64_t len, uint64_t *fail_at)
{
	struct uffdwp_register_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.len = len,
	};
	int err = command(tracker, UFFDWP_IOC_REGISTER, &arg);

	*fail_at = arg.fail_at;
	return err;
}

static int module_follow(struct uffdwp *tracker, const struct uffdwp_follow_opts *opts)
{
	struct uffdwp_follow_arg arg = {
		.size = sizeof(arg),
		.flags = opts->flags,
		.start = opts->start,
		.len = opts->len,
		.kinds = opts->kinds,
	};

	return young_command(tracker, UFFDWP_IOC_FOLLOW, &arg);
}

static int module_unregister(struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	struct uffdwp_unregister_arg arg = { .size = sizeof(arg), .start = start, .len = len };

	return command(tracker, UFFDWP_IOC_UNREGISTER, &arg);
}

static int module_arm(struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	struct uffdwp_arm_arg arg = { .size = sizeof(arg), .start = start, .len = len };

	return command(tracker, UFFDWP_IOC_ARM, &arg);
}

static int module_disarm(struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	struct uffdwp_disarm_arg arg = { .size = sizeof(arg), .start = start, .len = len };

	return command(tracker, UFFDWP_IOC_DISARM, &arg);
}

/*
 * Where the address space of a process may end, and no other place: task_size of Linux on x86, with
 * five levels of page tables, with four, of a 32-bit program, and of one with ADDR_LIMIT_3GB. HELLO
 * knows only that of the caller.
 */
static const uint64_t limits[] = {
	(1ull << 56) - 4096, (1ull << 47) - 4096, 0xffffe000, 0xc0000000,
};

#define LIMITS (sizeof(limits) / sizeof(limits[0]))

/* Above its end the module looks at nothing, and says so. What was refused is not tried again. */
static int scan_everything(struct uffdwp *tracker, struct uffdwp_scan_arg *arg)
{
	unsigned int limit = tracker->limit;
	int n;

	for (;;) {
		arg->end = limits[limit];
		n = command(tracker, UFFDWP_IOC_SCAN, arg);
		if (n != -EOVERFLOW || limit + 1 == LIMITS)
			break;
		limit++;
	}
	tracker->limit = limit;
	if (arg->walk_end == arg->end)
		arg->walk_end = UFFDWP_EVERYTHING;
	arg->end = UFFDWP_EVERYTHING;
	return n;
}

static int module_scan(struct uffdwp *tracker, struct uffdwp_scan_arg *arg)
{
	if (arg->end == UFFDWP_EVERYTHING)
		return scan_everything(tracker, arg);
	return command(tracker, UFFDWP_IOC_SCAN, arg);
}

static int module_stats(struct uffdwp *tracker, struct uffdwp_stats_arg *stats)
{
	return command(tracker, UFFDWP_IOC_STATS, stats);
}

static int module_ring(struct uffdwp *tracker, uint32_t entries, uint32_t watermark, size_t *bytes)
{
	struct uffdwp_ring_arg arg = {
		.size = sizeof(arg), .entries = entries, .watermark = watermark,
	};
	int err = young_command(tracker, UFFDWP_IOC_RING, &arg);

	*bytes = arg.bytes;
	return err;
}

static int module_ring_reset(struct uffdwp *tracker, uint64_t upto, uint32_t *told)
{
	struct uffdwp_ring_reset_arg arg = { .size = sizeof(arg), .upto = upto };
	int err = command(tracker, UFFDWP_IOC_RING_RESET, &arg);

	*told = arg.told;
	return err;
}

static int module_events(struct uffdwp *tracker, uint64_t flags, uint32_t capacity)
{
	struct uffdwp_events_arg arg = {
		.size = sizeof(arg),
		.flags = flags,
		.capacity = capacity,
		.event_size = sizeof(struct uffdwp_event),
	};

	return young_command(tracker, UFFDWP_IOC_EVENTS, &arg);
}

static int module_claim(const struct uffdwp *tracker, uint64_t id)
{
	struct uffdwp_claim_arg arg = { .size = sizeof(arg), .id = id };

	return command(tracker, UFFDWP_IOC_CLAIM, &arg) ?: arg.fd;
}

const struct uffdwp_backend_ops uffdwp_module_backend = {
	.name = "module",
	.id = UFFDWP_BACKEND_MODULE,
	.open = module_open,
	.query = module_query,
	.close = module_close,
	.do_register = module_register,
	.do_unregister = module_unregister,
	.follow = module_follow,
	.arm = module_arm,
	.disarm = module_disarm,
	.scan = module_scan,
	.stats = module_stats,
	.ring = module_ring,
	.ring_reset = module_ring_reset,
	.events = module_events,
	.claim = module_claim,
};
