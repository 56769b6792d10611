// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the ring of a tracker: made, mapped, written to, waited for, freed. What it promises, and
 * how its writers and its reader go together: ring.h. Who tells it what: fault.c, disarm.c, arm.c,
 * discard.c, uffd_call.c, and hooks/ring.c for what the kernel does by itself.
 *
 * No locks, but for the device tracker's, which commands hold.
 */
#include <linux/atomic.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat/vma.h"
#include "device_tracker.h"
#include "ring.h"
#include "tracker.h"

/* Trackers that have one. */
atomic_t uffdwp_rings = ATOMIC_INIT(0);

static void wake_poll(struct irq_work *work)
{
	struct uffdwp_ring *ring = container_of(work, struct uffdwp_ring, wake);

	wake_up_interruptible_poll(&ring->wait, EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP);
}

static void set_flags(struct uffdwp_ring *ring, u32 flags)
{
	atomic_t *all = (atomic_t *)&ring->header->flags;

	/*
	 * Who finds it set was here before RESET has cleared and reported it: what it tells of is
	 * written by now, and the scan that RESET asks for will see it.
	 */
	smp_mb();
	if ((atomic_read(all) & flags) == flags)
		return;
	atomic_or(flags, all);
	irq_work_queue(&ring->wake);
}

/**
 * uffdwp_ring_overflows - there is no slot for what is to be told
 * @ring: ring
 */
noinline void uffdwp_ring_overflows(struct uffdwp_ring *ring)
{
	set_flags(ring, UFFDWP_RING_EVERYTHING);
}

/**
 * uffdwp_ring_set - set flags of the header, and wake poll()
 * @t: tracker, with a ring or without
 * @flags: UFFDWP_RING_EVERYTHING, UFFDWP_RING_ENDED
 */
void uffdwp_ring_set(struct uffdwp_tracker *t, u32 flags)
{
	struct uffdwp_ring *ring = READ_ONCE(t->ring);

	if (ring)
		set_flags(ring, flags);
}

/* Pages of one entry, at most. */
#define MOST_PAGES (1UL << 31)

/**
 * uffdwp_ring_tell_range - the entries of a range
 * @ring: ring
 * @start: first address
 * @end: last address, exclusive
 * @flags: UFFDWP_RING_WRITTEN or UFFDWP_RING_SCAN
 */
void uffdwp_ring_tell_range(struct uffdwp_ring *ring, unsigned long start, unsigned long end,
			    u32 flags)
{
	unsigned long pages;

	for (; start < end; start += pages << PAGE_SHIFT) {
		pages = min((end - start) >> PAGE_SHIFT, MOST_PAGES);
		preempt_disable();
		uffdwp_ring_add(ring, start, pages, flags);
		preempt_enable();
	}
}

/**
 * uffdwp_vma_may_tell - has the tracker of a VMA a ring or events, or may it get them any time?
 * @vma: VMA; some lock keeps it, which need not be mmap_lock
 *
 * Return: whether it may.
 */
bool uffdwp_vma_may_tell(const struct vm_area_struct *vma)
{
	const struct uffdwp_tracker *t;
	bool may;

	if (!vma->vm_userfaultfd_ctx.ctx)
		return false;
	rcu_read_lock();
	t = uffdwp_tracker_of_vma(vma);
	may = t && t->whose != UFFDWP_BACKPORT && (!t->sparse.on || READ_ONCE(t->events));
	rcu_read_unlock();
	return may;
}

/**
 * uffdwp_tell_vma - a part of a VMA has become written, or has to be looked at
 * @vma: VMA; some lock keeps it, which need not be mmap_lock
 * @start: first address
 * @end: last address, exclusive; both may be outside of the VMA
 * @flags: UFFDWP_RING_WRITTEN or UFFDWP_RING_SCAN
 */
void uffdwp_tell_vma(struct vm_area_struct *vma, unsigned long start, unsigned long end, u32 flags)
{
	if (!uffdwp_any_ring())
		return;
	/* Without mmap_lock RCU alone keeps the tracker, and its ring. */
	rcu_read_lock();
	uffdwp_tell(uffdwp_tracker_of_vma(vma), max(start, vma->vm_start), min(end, vma->vm_end),
		    flags);
	rcu_read_unlock();
}

static vm_fault_t ring_fault(struct vm_fault *vmf)
{
	const struct uffdwp_ring *ring = vmf->vma->vm_private_data;
	const unsigned long offset = vmf->pgoff << PAGE_SHIFT;

	if (vmf->pgoff >= ring->bytes >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK,
			      vmalloc_to_pfn((char *)ring->header + offset));
}

static const struct vm_operations_struct ring_vm_ops = {
	.fault = ring_fault,
};

/**
 * uffdwp_ring_mmap - map the ring, for reading
 * @d: tracker; its file is that of @vma
 * @vma: VMA
 *
 * By page frames, so that no reference to a page can be taken, by which it could be changed or
 * outlive the ring. The VMA keeps the file.
 *
 * Return: 0, or an error as documented with struct uffdwp_ring_arg.
 */
int uffdwp_ring_mmap(struct uffdwp_device_tracker *d, struct vm_area_struct *vma)
{
	struct uffdwp_ring *ring = smp_load_acquire(&d->base.ring);
	const unsigned long len = vma->vm_end - vma->vm_start;

	if (!ring)
		return -ENODEV;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EPERM;
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff || len > ring->bytes)
		return -EINVAL;
	uffdwp_vma_set_vm_flags(vma, VM_MAYWRITE | VM_MAYEXEC,
				VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	vma->vm_private_data = ring;
	vma->vm_ops = &ring_vm_ops;
	return 0;
}

/**
 * uffdwp_ring_poll - is there enough to do?
 * @d: tracker
 * @file: its file
 * @table: table of poll()
 *
 * Return: EPOLLIN when the watermark is reached or EVERYTHING is set; EPOLLERR | EPOLLHUP when no
 * command on memory will succeed any more, and without a ring.
 */
__poll_t uffdwp_ring_poll(struct uffdwp_device_tracker *d, struct file *file,
			  struct poll_table_struct *table)
{
	struct uffdwp_ring *ring = smp_load_acquire(&d->base.ring);
	struct uffdwp_ring_header *h;
	__poll_t found = 0;
	u32 flags;

	if (!ring)
		return EPOLLERR | EPOLLHUP;
	h = ring->header;
	poll_wait(file, &ring->wait, table);
	/* Pairs with the exchange in uffdwp_ring_add(). */
	smp_mb();
	flags = READ_ONCE(h->flags);
	if ((flags & UFFDWP_RING_EVERYTHING) ||
	    READ_ONCE(h->head) - READ_ONCE(h->tail) >= ring->watermark)
		found |= EPOLLIN | EPOLLRDNORM;
	if ((flags & UFFDWP_RING_ENDED) || !atomic_read(&d->base.mm->mm_users))
		found |= EPOLLERR | EPOLLHUP;
	return found;
}

static struct uffdwp_ring *ring_new(const struct uffdwp_ring_arg *arg)
{
	struct uffdwp_ring *ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);
	char *area;

	if (!ring)
		return NULL;
	ring->bytes = uffdwp_ring_bytes(arg->entries);
	area = __vmalloc(ring->bytes, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	ring->batch = kvmalloc_array(2 * UFFDWP_RING_BATCH, sizeof(*ring->batch),
				     GFP_KERNEL_ACCOUNT);
	if (!area || !ring->batch) {
		vfree(area);
		kvfree(ring->batch);
		kfree(ring);
		return NULL;
	}
	ring->header = (struct uffdwp_ring_header *)area;
	ring->entries = (struct uffdwp_ring_entry *)(area + PAGE_SIZE);
	ring->mask = arg->entries - 1;
	ring->watermark = arg->watermark;
	init_irq_work(&ring->wake, wake_poll);
	init_waitqueue_head(&ring->wait);
	ring->header->entries = arg->entries;
	ring->header->watermark = arg->watermark;
	ring->header->first = PAGE_SIZE;
	/* Nothing of what was written until now is in it. */
	ring->header->flags = UFFDWP_RING_EVERYTHING;
	return ring;
}

/**
 * uffdwp_ring_make - UFFDWP_IOC_RING
 * @d: attached tracker, locked
 * @arg: request
 *
 * Return: 0, or an error as documented with struct uffdwp_ring_arg.
 */
int uffdwp_ring_make(struct uffdwp_device_tracker *d, const struct uffdwp_ring_arg *arg)
{
	struct uffdwp_ring *ring;

	lockdep_assert_held(&d->lock);
	if (arg->flags || arg->reserved || !is_power_of_2(arg->entries) ||
	    arg->entries < UFFDWP_RING_MIN_ENTRIES || arg->entries > UFFDWP_RING_MAX_ENTRIES ||
	    !arg->watermark || arg->watermark > arg->entries)
		return -EINVAL;
	if (d->base.ring)
		return -EALREADY;
	if (d->base.sparse.on)
		return -EOPNOTSUPP;
	ring = ring_new(arg);
	if (!ring)
		return -ENOMEM;
	atomic_inc(&uffdwp_rings);
	smp_store_release(&d->base.ring, ring);
	return 0;
}

/**
 * uffdwp_ring_free - free the ring of a tracker that has ended
 * @t: tracker, unpublished; its file is closed, and so nobody maps or polls the ring
 */
void uffdwp_ring_free(struct uffdwp_tracker *t)
{
	struct uffdwp_ring *ring = t->ring;

	if (!ring)
		return;
	/* Who has found the tracker by RCU alone. */
	synchronize_rcu();
	irq_work_sync(&ring->wake);
	atomic_dec(&uffdwp_rings);
	t->ring = NULL;
	vfree(ring->header);
	kvfree(ring->batch);
	kfree(ring);
}
