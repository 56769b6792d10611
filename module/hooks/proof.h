/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What hooks are proved on: private memory of the task that loads the module, and a tracker of it.
 */
#ifndef UFFDWP_HOOKS_PROOF_H
#define UFFDWP_HOOKS_PROOF_H

#include <linux/fs.h>

#include "hook.h"
#include "tracker.h"

/**
 * struct uffdwp_proof - a proof that is under way
 * @t: tracker of the pages, one of the device
 * @uffd: its userfaultfd, a reference; or NULL
 * @hook: hook to be proved
 * @area: first address: one page for arguments of system calls, then the pages that @t tracks
 */
struct uffdwp_proof {
	struct uffdwp_tracker *t;
	struct file *uffd;
	const struct uffdwp_hook *hook;
	unsigned long area;
};

int uffdwp_proof_begin(struct uffdwp_proof *p, u64 features);
void uffdwp_proof_end(struct uffdwp_proof *p);

/* Pages that are tracked, counted from 0. */
#define UFFDWP_PROOF_PAGES 5UL

static inline unsigned long uffdwp_proof_page(const struct uffdwp_proof *p, unsigned int number)
{
	return p->area + (1 + number) * PAGE_SIZE;
}

int uffdwp_proof_arm(struct uffdwp_proof *p, unsigned int number);
bool uffdwp_proof_disarm(struct uffdwp_proof *p, unsigned long addr, unsigned long len);
int uffdwp_proof_write(struct uffdwp_proof *p, unsigned int number, int value);
bool uffdwp_proof_page_is(struct uffdwp_proof *p, unsigned int number, int value);

/* Was the callback of the hook seen to run? */
static inline bool uffdwp_proof_fired(const struct uffdwp_proof *p)
{
	return READ_ONCE(p->hook->fired);
}

/* Userfaultfds, and calls on them. */
struct file *uffdwp_proof_userfault(u64 features);
long uffdwp_proof_ioctl(struct uffdwp_proof *p, unsigned int cmd, const void *arg, size_t size);
long uffdwp_proof_ioctl_of_process(struct uffdwp_proof *p, struct file *uffd, unsigned int cmd,
				   const void *arg, size_t size);
long uffdwp_proof_write_protect(struct uffdwp_proof *p, unsigned int number);

/**
 * struct uffdwp_proof_file - a file that is mapped and armed
 * @p: proof
 * @file: memfd of one page, which is not allocated yet
 * @addr: where it is mapped
 * @size: of the page
 */
struct uffdwp_proof_file {
	struct uffdwp_proof *p;
	struct file *file;
	unsigned long addr;
	unsigned long size;
};

bool uffdwp_proof_of_file(struct uffdwp_proof *p, unsigned int memfd_flags,
			  bool (*loses_content)(const struct uffdwp_proof_file *f));

#endif /* UFFDWP_HOOKS_PROOF_H */
