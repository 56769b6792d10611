/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_ATTACH_H
#define UFFDWP_ATTACH_H

#include "../uapi/uffdwp-async.h"

struct mm_struct;
struct uffdwp_device_tracker;
struct uffdwp_tracker;

/**
 * struct uffdwp_options - what was asked for by ATTACH: as in struct uffdwp_tracker
 * @ignore_pins: arm pages that may be pinned
 * @whole_huge: leave anonymous huge pages whole
 * @keep: do not give way
 * @rides: track what the process has registered for other faults
 * @markers: arm unpopulated memory with markers
 * @sparse: arm memory without page tables by remembering it
 * @granule: pages of a granule, or 0
 */
struct uffdwp_options {
	bool ignore_pins;
	bool whole_huge;
	bool keep;
	bool rides;
	bool markers;
	bool sparse;
	unsigned int granule;
};

struct uffdwp_options uffdwp_options_of(const struct uffdwp_tracker *t);
int uffdwp_attach_heir(struct uffdwp_device_tracker *heir, const struct uffdwp_options *options,
		       struct mm_struct *mm);
int uffdwp_attach(struct uffdwp_device_tracker *d, const struct uffdwp_attach_arg *arg);
void uffdwp_detach(struct uffdwp_device_tracker *d);

#endif /* UFFDWP_ATTACH_H */
