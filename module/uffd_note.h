/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_UFFD_NOTE_H
#define UFFDWP_UFFD_NOTE_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/sched.h>

#include "tracker.h"

/**
 * struct uffdwp_uffd_call - a task is in userfaultfd_ioctl()
 * @node: in the table of such calls
 * @task: the task, compared with current only
 * @ctx: the context of the userfaultfd that it called
 * @cmd: UFFDIO_*
 * @protects: it maps pages write-protected, which this kernel does not do by itself
 * @start: what of trackers' memory it has filled and protected: first address
 * @end: last address, exclusive; 0: nothing
 */
struct uffdwp_uffd_call {
	struct hlist_node node;
	const struct task_struct *task;
	const void *ctx;
	unsigned int cmd;
	bool protects;
	unsigned long start;
	unsigned long end;
};

void uffdwp_uffd_call_begin(struct uffdwp_uffd_call *call, const void *ctx, unsigned int cmd);
void uffdwp_uffd_call_end(struct uffdwp_uffd_call *call);
void uffdwp_uffd_call_protect(bool protects);
bool uffdwp_uffd_call_protects(void);
void uffdwp_uffd_call_armed(unsigned long start, unsigned long end);
bool uffdwp_uffd_call_may_arm(const struct uffdwp_tracker *t);
bool uffdwp_uffd_call_is_strangers(const struct uffdwp_tracker *t);
bool uffdwp_uffd_call_is_taking(const void *ctx);

long uffdwp_uffd_call_original(struct file *uffd, unsigned int cmd, void __user *uarg);

#endif /* UFFDWP_UFFD_NOTE_H */
