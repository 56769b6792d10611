/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_REGISTER_H
#define UFFDWP_REGISTER_H

#include "../uapi/uffdwp-async.h"

struct uffdwp_device_tracker;
struct uffdwp_tracker;
struct vm_area_struct;

int uffdwp_register(struct uffdwp_device_tracker *d, unsigned long start, unsigned long end,
		    u64 *fail_at);
int uffdwp_register_populated(struct uffdwp_tracker *t, struct vm_area_struct *vma,
			      unsigned long start, unsigned long end);
int uffdwp_unregister_disarmed(struct uffdwp_tracker *t, unsigned long start, unsigned long end);
int uffdwp_unregister(struct uffdwp_device_tracker *d, unsigned long start, unsigned long end,
		      u64 *fail_at);

#endif /* UFFDWP_REGISTER_H */
