// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_abi=1: userfaultfds with what Linux 6.4 and 6.7 have added to them, for programs that know
 * those kernels and not this module.
 *
 *   UFFDIO_API		UFFD_FEATURE_WP_ASYNC and UFFD_FEATURE_WP_UNPOPULATED
 *   UFFDIO_CONTINUE	UFFDIO_CONTINUE_MODE_WP: backport/continue.c
 *   UFFDIO_WRITEPROTECT	over several VMAs, and unpopulated memory:
 *				backport/writeprotect.c
 *
 * A userfaultfd that asks for one of the features becomes a tracker: from then on faults, arming
 * and scans are those of any other tracker. The tracker has a reference to the module, and has the
 * hooks in place; it ends with userfaultfd_release().
 *
 * The kernel's own function does all the rest, and reads its structure from user memory. What it
 * does not know is taken out there before it is called, and put back afterwards. A thread that
 * writes to that memory in between gets no more than by calling the kernel's function itself.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd_k.h>

#include "backport/backport.h"
#include "backport/backport_tracker.h"
#include "compat/backport.h"
#include "hooks/hooks.h"
#include "life.h"
#include "tracker.h"
#include "uffd_note.h"
#include "userfault.h"

#define NATIVE_FEATURES ((u64)(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED))

/* What is offered: set once, when the module is loaded. */
static bool features_offered;

/**
 * uffdwp_backport_tracker_new - make a tracker that is not published yet
 *
 * Return: the tracker, with markers where the kernel has them; or NULL when there is no memory.
 */
struct uffdwp_backport_tracker *uffdwp_backport_tracker_new(void)
{
	struct uffdwp_backport_tracker *b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);

	if (!b)
		return NULL;
	if (uffdwp_tracker_init(&b->base)) {
		kfree(b);
		return NULL;
	}
	b->base.whose = UFFDWP_BACKPORT;
	b->base.markers = UFFDWP_KERNEL_HAS_MARKERS;
	return b;
}

/**
 * uffdwp_backport_tracker_release - end the tracking, and free the tracker
 * @b: tracker, to be found by now only through the tables
 */
void uffdwp_backport_tracker_release(struct uffdwp_backport_tracker *b)
{
	uffdwp_tracker_end(&b->base);
	uffdwp_tracker_free(&b->base);
}

static struct uffdwp_backport_tracker *new_tracker(const struct file *uffd, u64 features)
{
	struct uffdwp_backport_tracker *b = uffdwp_backport_tracker_new();

	if (!b)
		return ERR_PTR(-ENOMEM);
	/* The log has the reason. The caller is refused, as by a kernel without the feature. */
	if (uffdwp_hooks_get()) {
		uffdwp_backport_tracker_release(b);
		return ERR_PTR(-EINVAL);
	}
	__module_get(THIS_MODULE);
	b->base.ctx = uffd->private_data;
	b->base.sync = !(features & UFFD_FEATURE_WP_ASYNC);
	/* A monitor is told of every write that follows, and no scan can say "written" instead. */
	b->base.ignore_pins = b->base.sync || !UFFDWP_COPIES_PINNED_PAGES;
	b->base.remaps = features & UFFD_FEATURE_EVENT_REMAP;
	return b;
}

static void end_tracker(struct uffdwp_backport_tracker *b)
{
	uffdwp_backport_tracker_release(b);
	uffdwp_hooks_put();
	module_put(THIS_MODULE);
}

static int begin_tracking(struct uffdwp_tracker *t, struct file *uffd)
{
	int err;

	t->mm = uffdwp_userfault_owner(uffd);
	err = uffdwp_tracker_begin(t);
	if (err) {
		t->mm = NULL;
		return err;
	}
	mmgrab(t->mm);
	/* A thread that has raced UFFDIO_WRITEPROTECT against this may have protected memory. */
	if (!t->sync && mmget_not_zero(t->mm)) {
		uffdwp_tracker_disarm_early(t);
		mmput(t->mm);
	}
	return 0;
}

static long api_with_tracker(struct file *uffd, struct uffdio_api __user *uarg, u64 features)
{
	struct uffdwp_backport_tracker *b = new_tracker(uffd, features);
	long ret;

	if (IS_ERR(b))
		return PTR_ERR(b) == -EINVAL ? uffdwp_uffd_call_original(uffd, UFFDIO_API, uarg) :
					       PTR_ERR(b);
	ret = put_user(features & ~NATIVE_FEATURES, &uarg->features);
	if (!ret)
		ret = uffdwp_uffd_call_original(uffd, UFFDIO_API, uarg);
	if (!ret)
		ret = begin_tracking(&b->base, uffd);
	if (ret)
		end_tracker(b);
	return ret;
}

/* Nothing of ours is asked for, or the kernel refuses the call: a wrong version, a second call. */
static bool is_for_kernel(struct file *uffd, const struct uffdio_api *api)
{
	unsigned int features;

	return !(api->features & NATIVE_FEATURES) || api->api != UFFD_API ||
	       !uffdwp_userfault_features(uffd, &features);
}

static long ioctl_api(struct file *uffd, struct uffdio_api __user *uarg)
{
	struct uffdio_api api;
	long ret;

	if (copy_from_user(&api, uarg, sizeof(api)))
		return -EFAULT;
	if (is_for_kernel(uffd, &api))
		ret = uffdwp_uffd_call_original(uffd, UFFDIO_API, uarg);
	else
		ret = api_with_tracker(uffd, uarg, api.features);
	if (ret)
		return ret;
	if (get_user(api.features, &uarg->features) ||
	    put_user(api.features | NATIVE_FEATURES, &uarg->features))
		return -EFAULT;
	return 0;
}

/**
 * uffdwp_backport_handles - does uffdwp_backport_ioctl() add anything to this command?
 * @cmd: command
 *
 * Return: whether it does.
 */
notrace bool uffdwp_backport_handles(unsigned int cmd)
{
	return (features_offered && cmd == UFFDIO_API) || uffdwp_backport_is_continue(cmd);
}

/**
 * uffdwp_backport_ioctl - instead of userfaultfd_ioctl(), for commands with something added
 * @uffd: file
 * @cmd: one that uffdwp_backport_handles()
 * @uarg: its structure, in user memory
 *
 * Return: as from Linux 6.7.
 */
long uffdwp_backport_ioctl(struct file *uffd, unsigned int cmd, void __user *uarg)
{
	return cmd == UFFDIO_API ? ioctl_api(uffd, uarg) : uffdwp_backport_continue(uffd, uarg);
}

/* The caller is an RCU reader. */
static struct uffdwp_backport_tracker *find_tracker(const void *ctx)
{
	struct uffdwp_tracker *t = uffdwp_tracker_of_ctx(ctx);

	return t && t->whose == UFFDWP_BACKPORT ?
	       container_of(t, struct uffdwp_backport_tracker, base) : NULL;
}

static DEFINE_SPINLOCK(ending_lock);

/**
 * uffdwp_backport_end - end the tracker of a userfaultfd, if it has one that is not ending already
 * @ctx: context of the userfaultfd
 * @mm: its mm, or NULL for any
 *
 * The caller holds no lock.
 */
void uffdwp_backport_end(const void *ctx, const struct mm_struct *mm)
{
	struct uffdwp_backport_tracker *b;

	rcu_read_lock();
	spin_lock(&ending_lock);
	b = find_tracker(ctx);
	if (b && !b->ending && (!mm || b->base.mm == mm))
		b->ending = true;
	else
		b = NULL;
	spin_unlock(&ending_lock);
	rcu_read_unlock();
	if (b)
		end_tracker(b);
}

/* All that a tracker relies on has to work: UFFDIO_API cannot tell its caller of less. */
static bool features_can_be_offered(void)
{
	const u64 features = UFFDWP_FEATURE_WRITEPROTECT | UFFDWP_FEATURE_THP |
			     UFFDWP_INNER_WP_ASYNC |
			     (UFFDWP_KERNEL_HAS_MARKERS ? UFFDWP_FEATURE_UNPOP_MARKER : 0);
	const u64 kinds = UFFDWP_KIND_ANON_PRIVATE |
			  (UFFDWP_TRACKS_SHMEM ? UFFDWP_KIND_SHMEM : 0) |
			  (UFFDWP_TRACKS_HUGETLB ? UFFDWP_KIND_HUGETLB : 0);

	return !(features & ~uffdwp_features) && !(kinds & ~uffdwp_kinds) &&
	       uffdwp_userfault_owner_is_known();
}

static void tell_offer(const char *interface, bool lacking, bool offered)
{
	if (!lacking)
		pr_info("native_abi: %s is this kernel's own and left alone\n", interface);
	else if (offered)
		pr_info("native_abi: %s is offered\n", interface);
	else
		pr_warn("native_abi: %s is not offered on this kernel\n", interface);
}

/**
 * uffdwp_backport_init - offer the interfaces of later kernels that this one lacks
 *
 * The hooks have been found and placed.
 */
void uffdwp_backport_init(void)
{
	if (!uffdwp_native_abi)
		return;
	WRITE_ONCE(features_offered, UFFDWP_BACKPORTS_WP_ASYNC && features_can_be_offered());
	tell_offer("UFFD_FEATURE_WP_ASYNC and WP_UNPOPULATED", UFFDWP_BACKPORTS_WP_ASYNC,
		   features_offered);
	tell_offer("UFFDIO_CONTINUE_MODE_WP", UFFDWP_KERNEL_LACKS_CONTINUE_WP,
		   uffdwp_backport_continue_init());
	WRITE_ONCE(uffdwp_backport_scan_offered, true);
	tell_offer("PAGEMAP_SCAN", UFFDWP_BACKPORTS_PAGEMAP_SCAN,
		   uffdwp_features & UFFDWP_INNER_PAGEMAP_SCAN);
}
