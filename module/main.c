// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading, in order and in reverse order.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "backport/backport.h"
#include "compat/symbols.h"
#include "device.h"
#include "events.h"
#include "health.h"
#include "heirs.h"
#include "hooks/hooks.h"
#include "private_mm.h"
#include "tracker.h"

bool uffdwp_native_abi;
module_param_named(native_abi, uffdwp_native_abi, bool, 0444);
MODULE_PARM_DESC(native_abi, "offer the interfaces of Linux 6.7 that this kernel lacks: userfaultfd with WP_ASYNC, PAGEMAP_SCAN");

module_param_named(hooks, uffdwp_with_hooks, bool, 0444);
MODULE_PARM_DESC(hooks, "0: place none, to find out whether they are to blame for something; nothing can be tracked then");

static int __init find_and_place_hooks(void)
{
	if (!uffdwp_with_hooks)
		return 0;
	return uffdwp_hooks_find() ?: uffdwp_hooks_place_and_prove();
}

static int __init uffdwp_init(void)
{
	int err;

	if (!uffdwp_with_hooks && uffdwp_native_abi) {
		pr_err("native_abi=1 needs hooks, and hooks=0 places none\n");
		return -EINVAL;
	}
	err = uffdwp_symbols_find();
	if (err)
		return err;
	err = uffdwp_private_mm_init();
	if (err)
		return err;
	err = uffdwp_trackers_init();
	if (err)
		goto exit_private_mm;
	err = uffdwp_backport_fork_init();
	if (err)
		goto exit_trackers;
	err = uffdwp_health_init();
	if (err)
		goto exit_backport_fork;
	err = uffdwp_events_init();
	if (err)
		goto exit_health;
	err = uffdwp_heirs_init();
	if (err)
		goto exit_events;
	err = find_and_place_hooks();
	if (err)
		goto exit_hooks;
	err = uffdwp_device_init();
	if (err)
		goto exit_hooks;
	uffdwp_backport_init();
	pr_info("version " UFFDWP_VERSION " %s: /dev/uffdwp-async\n",
		uffdwp_with_hooks ? "ready" : "tracks nothing, since hooks=0");
	return 0;

exit_hooks:
	uffdwp_hooks_exit();
	uffdwp_heirs_exit();
exit_events:
	uffdwp_events_exit();
exit_health:
	uffdwp_health_exit();
exit_backport_fork:
	uffdwp_backport_fork_exit();
exit_trackers:
	uffdwp_trackers_exit();
exit_private_mm:
	uffdwp_private_mm_exit();
	rcu_barrier();
	return err;
}

static void __exit uffdwp_exit(void)
{
	uffdwp_device_exit();
	uffdwp_hooks_exit();
	uffdwp_heirs_exit();
	uffdwp_events_exit();
	uffdwp_health_exit();
	uffdwp_backport_fork_exit();
	uffdwp_trackers_exit();
	uffdwp_private_mm_exit();
	/* Trackers are freed by call_rcu(), with a function of this module. */
	rcu_barrier();
}

module_init(uffdwp_init);
module_exit(uffdwp_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The uffdwp-async developers");
MODULE_DESCRIPTION("Tells which pages of a process were written, by userfaultfd write protection that the kernel resolves itself (x86-64)");
/* The kernels that compat/compat.h accepts, for modinfo(8). */
MODULE_INFO(kernels, "5.10 6.1 6.12 7.2");
MODULE_VERSION(UFFDWP_VERSION);
