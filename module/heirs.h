/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_HEIRS_H
#define UFFDWP_HEIRS_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/types.h>

#include "device_tracker.h"

struct cred;
struct linux_binprm;
struct task_struct;
struct uffdwp_events;
struct uffdwp_family;

/* Trackers of one family that were not claimed, at most. */
#define UFFDWP_MOST_HEIRS 64

struct uffdwp_family *uffdwp_family_new(const struct cred *opener);
struct uffdwp_family *uffdwp_family_get(struct uffdwp_family *family);
void uffdwp_family_put(struct uffdwp_family *family);

/* What the kernel does: hooks/life.c */
void uffdwp_forks(struct task_struct *child);
void uffdwp_exec_succeeds(const struct linux_binprm *bprm);
void uffdwp_task_leaves(struct task_struct *task, struct mm_struct *mm);
void uffdwp_task_execs(struct mm_struct *mm);
int uffdwp_heirs_init(void);
void uffdwp_heirs_exit(void);
bool uffdwp_any_exec(void);

/* What the tracer does */
struct uffdwp_device_tracker *uffdwp_heir_claim(struct uffdwp_device_tracker *d, u64 id);
void uffdwp_heir_put_back(struct uffdwp_device_tracker *d, struct uffdwp_device_tracker *heir);
void uffdwp_heirs_end(struct uffdwp_device_tracker *d);

#endif /* UFFDWP_HEIRS_H */
