/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracepoints of the module, in the system "uffdwp": docs/tracepoints.md has the table.
 *
 * While one is off it costs a branch that is patched out, and its arguments are nothing but what
 * the caller has at hand. What has to be looked up, such as whose mm it is, is looked up here, when
 * it is on.
 *
 * Those of faults are called with a page-table lock held, and from ftrace callbacks: nothing here
 * sleeps or takes a lock.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM uffdwp

#if !defined(UFFDWP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define UFFDWP_TRACE_H

#include <linux/mm_types.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/tracepoint.h>

#ifndef UFFDWP_TRACE_HELPERS
#define UFFDWP_TRACE_HELPERS
/* The process that has this mm: not who writes, if that is a tracer. 0: it is not known. */
static __always_inline pid_t uffdwp_tgid_of_mm(const struct mm_struct *mm)
{
	pid_t tgid = 0;
#ifdef CONFIG_MEMCG
	const struct task_struct *owner;

	rcu_read_lock();
	owner = rcu_dereference(mm->owner);
	if (owner)
		tgid = owner->tgid;
	rcu_read_unlock();
#endif
	return tgid;
}
#endif

/* A fault has made armed pages written: each of them is told once, under its page-table lock. */
TRACE_EVENT(uffdwp_written,
	TP_PROTO(const struct mm_struct *mm, unsigned long address, unsigned long pages),
	TP_ARGS(mm, address, pages),
	TP_STRUCT__entry(
		__field(const void *, mm)
		__field(pid_t, tgid)
		__field(unsigned long, address)
		__field(unsigned long, pages)
	),
	TP_fast_assign(
		__entry->mm = mm;
		__entry->tgid = uffdwp_tgid_of_mm(mm);
		__entry->address = address;
		__entry->pages = pages;
	),
	TP_printk("mm=%p tgid=%d address=0x%lx pages=%lu", __entry->mm, __entry->tgid,
		  __entry->address, __entry->pages)
);

/* An armed huge page is split by a write fault, into small pages that are all armed. */
TRACE_EVENT(uffdwp_split,
	TP_PROTO(const struct mm_struct *mm, unsigned long address),
	TP_ARGS(mm, address),
	TP_STRUCT__entry(
		__field(const void *, mm)
		__field(pid_t, tgid)
		__field(unsigned long, address)
	),
	TP_fast_assign(
		__entry->mm = mm;
		__entry->tgid = uffdwp_tgid_of_mm(mm);
		__entry->address = address;
	),
	TP_printk("mm=%p tgid=%d address=0x%lx", __entry->mm, __entry->tgid, __entry->address)
);

DECLARE_EVENT_CLASS(uffdwp_range,
	TP_PROTO(const struct mm_struct *mm, unsigned long start, unsigned long end,
		 unsigned long pages),
	TP_ARGS(mm, start, end, pages),
	TP_STRUCT__entry(
		__field(const void *, mm)
		__field(pid_t, tgid)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(unsigned long, pages)
	),
	TP_fast_assign(
		__entry->mm = mm;
		__entry->tgid = uffdwp_tgid_of_mm(mm);
		__entry->start = start;
		__entry->end = end;
		__entry->pages = pages;
	),
	TP_printk("mm=%p tgid=%d start=0x%lx end=0x%lx pages=%lu", __entry->mm, __entry->tgid,
		  __entry->start, __entry->end, __entry->pages)
);

/* ARM or a reset of the ring is done, or new memory begins armed. */
DEFINE_EVENT(uffdwp_range, uffdwp_armed,
	TP_PROTO(const struct mm_struct *mm, unsigned long start, unsigned long end,
		 unsigned long pages),
	TP_ARGS(mm, start, end, pages)
);

/* The content of a range was discarded, and what was armed in it is written now. */
DEFINE_EVENT(uffdwp_range, uffdwp_discarded,
	TP_PROTO(const struct mm_struct *mm, unsigned long start, unsigned long end,
		 unsigned long pages),
	TP_ARGS(mm, start, end, pages)
);

/* A scan has come to its end, or to that of the caller's vector. */
TRACE_EVENT(uffdwp_scanned,
	TP_PROTO(const struct mm_struct *mm, unsigned long start, unsigned long end,
		 unsigned long pages, bool reset),
	TP_ARGS(mm, start, end, pages, reset),
	TP_STRUCT__entry(
		__field(const void *, mm)
		__field(pid_t, tgid)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(unsigned long, pages)
		__field(bool, reset)
	),
	TP_fast_assign(
		__entry->mm = mm;
		__entry->tgid = uffdwp_tgid_of_mm(mm);
		__entry->start = start;
		__entry->end = end;
		__entry->pages = pages;
		__entry->reset = reset;
	),
	TP_printk("mm=%p tgid=%d start=0x%lx end=0x%lx pages=%lu reset=%d", __entry->mm,
		  __entry->tgid, __entry->start, __entry->end, __entry->pages, __entry->reset)
);

#endif /* UFFDWP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
