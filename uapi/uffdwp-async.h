/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * uffdwp-async: which pages of a process were written since they were armed?
 *
 * This header is the complete interface of /dev/uffdwp-async.
 *
 * The life of a tracker
 * ---------------------
 *
 *   fd = open("/dev/uffdwp-async", O_RDWR | O_CLOEXEC)   one open file is one tracker
 *   ioctl(fd, UFFDWP_IOC_HELLO, &hello)                  who are you, what can you do
 *   ioctl(fd, UFFDWP_IOC_ATTACH, &attach)                choose the process
 *   ioctl(fd, UFFDWP_IOC_REGISTER, &reg)                 choose memory (any number of times)
 *   ioctl(fd, UFFDWP_IOC_EVENTS, &events)                be told what becomes of it
 *   ioctl(fd, UFFDWP_IOC_FOLLOW, &follow)                ... or all of it, and what will be mapped
 *   ioctl(fd, UFFDWP_IOC_ARM, &arm)                      from now on, notice writes
 *   ioctl(fd, UFFDWP_IOC_SCAN, &scan)                    which pages were written? arm them again
 *   ioctl(fd, UFFDWP_IOC_DISARM, &disarm)                take these for written after all
 *   ioctl(fd, UFFDWP_IOC_RING, &ring)                    be told of writes, instead of scanning
 *   mmap(fd), poll(fd)                                   ... in memory, and wait for them
 *   ioctl(fd, UFFDWP_IOC_RING_RESET, &reset)             arm again what was read there
 *   read(fd), poll(fd)                                   events, in their order
 *   ioctl(fd, UFFDWP_IOC_CLAIM, &claim)                  the tracker of a child, or after execve(2)
 *   close(fd)                                            the process goes on, untouched
 *
 * A tracker belongs to one address space, for good: when the process calls execve(2) or exits, that
 * address space is gone and commands on its memory answer -ESRCH. A forked child is another address
 * space, which is not tracked. But a tracker may make another one for each of these (see
 * UFFDWP_FOLLOW_FORK and UFFDWP_FOLLOW_EXEC). A file descriptor that a child inherits, or that is
 * sent over a socket, is the same tracker and still means the first process: whoever holds it may
 * see which pages of that process are written, as whoever holds /proc/PID/mem open may read it.
 *
 * A tracker that is attached with UFFDWP_UNPOP_SPARSE has a contract with its caller: memory that a
 * scan reports as SPARSE was zeroes when it was armed, and is not to be copied until it is reported
 * as WRITTEN. In return it costs nothing, whatever its size. Who copies it all the same may miss a
 * write: see UFFDWP_PAGE_IS_SPARSE.
 *
 * Closing the last file descriptor, also by the death of its owner, ends the tracking: nothing
 * stays protected and no task is left waiting. A mapping of the ring counts as a file descriptor.
 *
 * What written means
 * ------------------
 *
 *   A page is ARMED when its page-table entry (PTE, PMD, swap or migration entry, or marker)
 *   carries the userfaultfd write-protect bit. Within registered memory every other page counts as
 *   WRITTEN. A page that was never armed is written, so register and arm before you rely on it.
 *
 *     present, swapped or migrating, bit clear          written
 *     bit set                                           not written
 *     nothing there, armed, untouched since             not written
 *     nothing there, otherwise: never armed,
 *     MADV_DONTNEED, a hole in the file                 written
 *     no page table there, armed with UNPOP_SPARSE      not written, and SPARSE
 *     huge page armed as a whole                        not written; the first write splits it and
 *                                                       makes 4 KiB of it written, or all of it
 *                                                       (UFFDWP_ATTACH_WHOLE_HUGE)
 *     page of hugetlb                                   as any page, but as a whole
 *
 *   The module never reports "not written" for a page that may differ from what it was when it was
 *   armed. It may report "written" for one that does not: when a write stored what was there
 *   before; when a write failed after its fault, or there was only a fault (MADV_POPULATE_WRITE);
 *   after MADV_DONTNEED, MADV_FREE, a hole or a truncation; when the kernel has merged the page
 *   with another (KSM), taken it apart again, or taken it for poisoned; when UFFDIO_WRITEPROTECT
 *   took the protection away by hand; and as long as somebody holds the page. The rest of a hugetlb
 *   page is written with any part of it; and by choice so is the rest of a huge page, or of a
 *   granule (see ATTACH). uffdwp-pages(7) has it all in one table.
 *
 *   A page that is held (pinned for DMA or io_uring, or in the hands of process_vm_writev(2),
 *   ptrace(2) or a direct read from a disk) can be written without a fault. It is not armed: it
 *   stays written until a scan or ARM finds it let go. PAGE_IS_PINNED names such pages;
 *   UFFDWP_ATTACH_IGNORE_PINS arms them like others, but for those that may be about to be
 *   dropped: MADV_FREE was called for them, or they have poison.
 *
 *   Written means written through this mapping. Shared memory or a file that is written through
 *   another mapping, of another process or of the same, or by write(2) on the file and whatever is
 *   like it (copy_file_range(2), FICLONE), does not become written here; nor does a private mapping
 *   whose pages still are the file's. A hole, a truncation and whatever else fallocate(2) does to
 *   content is seen, but not if a driver does it without that call (discards of a loop device).
 *   What is behind the end of a file in its last page may be set to zeroes when the page is written
 *   back, which is not seen.
 *
 * Rules for all commands
 * ----------------------
 *
 *   size      Every structure starts with its size in bytes as the caller was compiled. Structures
 *             only grow, at their end, and a program built with an older header goes on working:
 *             of a structure that is shorter than the module's, what is missing counts as zero,
 *             and only as much as there is room for is written back. One that is shorter than its
 *             first released form, UFFDWP_..._SIZE_VER0, is -EINVAL. One that is longer than the
 *             module's is accepted if what the module does not know is zero (-E2BIG otherwise);
 *             above 4096 bytes it is -E2BIG. The size that _IOWR() puts into the command's number
 *             is ignored, so that both sides may grow.
 *   flags     Unknown bits are -EINVAL. Fields named reserved must be zero, or -EINVAL.
 *   units     Addresses and lengths are bytes, aligned to the page size of 4096.
 *   layout    The same for 32- and 64-bit callers.
 *   threads   Commands on one tracker run one after the other. Trackers are independent.
 *
 *   Errors that every command may return:
 *
 *     -ENOTTY     unknown command
 *     -EFAULT     a pointer cannot be read or written
 *     -E2BIG      the structure is longer than known and not zero there
 *     -EINVAL     size too short, unknown flag, reserved field not zero, unaligned address,
 *                 empty range
 *     -EOVERFLOW  start + len wraps, or leaves the address space of the process; SCAN: end is below
 *                 start
 *     -ENOTCONN   no process attached yet (not HELLO, ATTACH, STATS, CLAIM)
 *     -ENODEV     the process has closed the userfaultfd that it has handed in, or has taken it
 *                 back from a tracker that rides along (nor these)
 *     -ESRCH      the address space is gone: the process called execve(2) or ended (not HELLO,
 *                 STATS, CLAIM)
 *     -EINTR      the caller was killed. ARM, SCAN: all below @walk_end is done. DISARM is finished
 *                 all the same
 *     -ENOMEM     out of memory: what was armed stays armed, the rest reads as written
 *     -EIO        an entry of a page table is of no known kind: as with -ENOMEM (ARM, SCAN,
 *                 RING_RESET only)
 *     -ENOTRECOVERABLE
 *                 the kernel does not call the module's hooks any more (ATTACH, REGISTER, FOLLOW,
 *                 ARM, SCAN, RING, RING_RESET only): its function tracer has stopped after an
 *                 error of its own, which the kernel log has, or a write has passed by all hooks.
 *                 Nothing that was tracked is armed or protected any more, and all of it must be
 *                 taken for written. After an error of the tracer, only booting the machine anew
 *                 helps
 *
 * The module looks twice a second whether that has happened, while a tracker is open. A write that
 * meets an armed page in between waits until then. A system call that meets one may fail with
 * EFAULT, and on Linux before 6.4 an access to private memory that was armed with a marker may end
 * in SIGBUS: without hooks, the kernel decides.
 */
#ifndef UFFDWP_ASYNC_H
#define UFFDWP_ASYNC_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define UFFDWP_DEVICE		"/dev/uffdwp-async"
#define UFFDWP_ABI_VERSION	1

/*
 * Page categories. Bits 0 to 8 have the values and meanings of PAGE_IS_* in <linux/fs.h>
 * (PAGEMAP_SCAN, Linux 6.7 and 6.15); bits from 32 up are this module's own.
 */
#define UFFDWP_PAGE_IS_WPALLOWED	(1ULL << 0)	/* registered with this tracker */
#define UFFDWP_PAGE_IS_WRITTEN		(1ULL << 1)	/* not armed */
#define UFFDWP_PAGE_IS_FILE		(1ULL << 2)	/* page of a file or of shmem */
#define UFFDWP_PAGE_IS_PRESENT		(1ULL << 3)	/* in memory and mapped */
#define UFFDWP_PAGE_IS_SWAPPED		(1ULL << 4)	/* swap or migration entry, or marker */
#define UFFDWP_PAGE_IS_PFNZERO		(1ULL << 5)	/* the shared page of zeroes */
#define UFFDWP_PAGE_IS_HUGE		(1ULL << 6)	/* huge entry, or hugetlb */
#define UFFDWP_PAGE_IS_SOFT_DIRTY	(1ULL << 7)	/* the kernel's own soft-dirty bit */
/*
 * A guard page (MADV_GUARD_INSTALL, Linux 6.13 and later; no page of an older kernel is one). It
 * has lost its content and cannot be armed: it is WRITTEN in every scan. Do not copy it: reading it
 * is SIGSEGV for the process, and EFAULT for process_vm_readv(2). After MADV_GUARD_REMOVE nothing
 * is there, which is WRITTEN until it is armed.
 */
#define UFFDWP_PAGE_IS_GUARD		(1ULL << 8)
/*
 * Not covered by this tracker: no mapping there, or a mapping that is not registered with this
 * tracker (never was, or was replaced, or moved here by mremap(2)). Mapped memory of this kind is
 * reported as WRITTEN too. Where nothing is mapped this is the only category, and it is reported
 * only to a scan that names UNTRACKED in category_mask or category_anyof_mask: an address without a
 * mapping is neither written nor clean.
 */
#define UFFDWP_PAGE_IS_UNTRACKED	(1ULL << 32)
/*
 * Somebody holds the page and may write to it without a fault: it is pinned for DMA, or in the
 * hands of a system call. Looked at now, and no promise for the next moment.
 */
#define UFFDWP_PAGE_IS_PINNED		(1ULL << 33)
/*
 * Private anonymous memory that had no page table when this tracker armed it (UFFDWP_UNPOP_SPARSE),
 * and in which no scan has found one since. It was zeroes at that instant. Nothing was put there,
 * so nothing tells what has happened to a page that is empty again. Whoever copies such memory and
 * then waits for reports misses a write, if a page is written, copied, and gone before the next
 * scan: by MADV_FREE, by KSM or the split of a huge page that hold zeroes, or moved away by
 * mremap(2). (MADV_DONTNEED is noticed: such a page is WRITTEN.) So do not copy it, but take it for
 * zeroes; a page in it that holds anything else is WRITTEN in the next scan, and not SPARSE.
 */
#define UFFDWP_PAGE_IS_SPARSE		(1ULL << 34)

/**
 * struct uffdwp_region - a run of pages of the same categories
 * @start: first address, inclusive
 * @end: last address, exclusive
 * @categories: UFFDWP_PAGE_IS_* bits, those named in the scan's return_mask
 *
 * Laid out as struct page_region of PAGEMAP_SCAN.
 */
struct uffdwp_region {
	__u64 start;
	__u64 end;
	__u64 categories;
};

/* Features, as reported by HELLO. */
#define UFFDWP_FEATURE_PIDFD		(1ULL << 0)	/* ATTACH takes another process */
#define UFFDWP_FEATURE_UFFD		(1ULL << 1)	/* ATTACH takes a userfaultfd */
#define UFFDWP_FEATURE_UNPOP_ZERO	(1ULL << 2)	/* unpopulated memory: zero page */
#define UFFDWP_FEATURE_UNPOP_MARKER	(1ULL << 3)	/* unpopulated memory: marker */
#define UFFDWP_FEATURE_THP		(1ULL << 4)	/* huge pages are armed as a whole */
/* UFFDIO_WRITEPROTECT on a handed-in userfaultfd arms unpopulated memory, too. Always there. */
#define UFFDWP_FEATURE_WRITEPROTECT	(1ULL << 5)
/* A tracker gives way when the process registers memory with a userfaultfd of its own. */
#define UFFDWP_FEATURE_GIVES_WAY	(1ULL << 6)
#define UFFDWP_FEATURE_UNPOP_SPARSE	(1ULL << 7)	/* memory without page tables: nothing */
#define UFFDWP_FEATURE_WHOLE_HUGE	(1ULL << 8)	/* UFFDWP_ATTACH_WHOLE_HUGE */
#define UFFDWP_FEATURE_GRANULE		(1ULL << 9)	/* ATTACH takes a granule */

/* A tracker may have a ring: UFFDWP_IOC_RING. */
#define UFFDWP_FEATURE_RING		(1ULL << 10)
/* A tracker may follow what the process maps: UFFDWP_IOC_FOLLOW. */
#define UFFDWP_FEATURE_FOLLOW		(1ULL << 11)
/* A tracker tells what becomes of its memory and its process: UFFDWP_IOC_EVENTS. */
#define UFFDWP_FEATURE_EVENTS		(1ULL << 12)
#define UFFDWP_FEATURE_RIDE		(1ULL << 13)	/* UFFDWP_ATTACH_RIDE */

/* Kinds of memory that REGISTER accepts, as reported by HELLO. */
#define UFFDWP_KIND_ANON_PRIVATE	(1ULL << 0)	/* heaps, stacks, huge pages */
#define UFFDWP_KIND_SHMEM		(1ULL << 1)	/* memfd, tmpfs, MAP_SHARED|MAP_ANONYMOUS */
#define UFFDWP_KIND_HUGETLB		(1ULL << 2)	/* MAP_HUGETLB, hugetlbfs */
#define UFFDWP_KIND_FILE		(1ULL << 3)	/* other regular files: see HELLO */

/**
 * struct uffdwp_hello_arg - UFFDWP_IOC_HELLO: what is this module?
 * @size: in: sizeof(struct uffdwp_hello_arg)
 * @reserved: in: 0
 * @abi_version: out: UFFDWP_ABI_VERSION of the module; raised only when something is added
 * @page_size: out: bytes in the smallest page that is told apart
 * @features: out: UFFDWP_FEATURE_*
 * @kinds: out: UFFDWP_KIND_*
 * @categories: out: every category that a scan may ask for
 * @scan_flags: out: every flag that a scan may give
 * @max_regions: out: the largest vec_len of one scan
 * @address_limit: out: first address above the caller's own address space
 * @version: out: version of the module as text, ended by a zero byte
 *
 * Works before ATTACH and at any time after.
 *
 * UFFDWP_KIND_SHMEM, UFFDWP_KIND_HUGETLB and UFFDWP_KIND_FILE need Linux 5.19 or later. The last
 * are mappings, shared and private, of regular files whose pages are in the page cache. Not those
 * of DAX, of device nodes, nor of files that drivers make.
 */
struct uffdwp_hello_arg {
	__u64 size;
	__u64 reserved;
	__u32 abi_version;
	__u32 page_size;
	__u64 features;
	__u64 kinds;
	__u64 categories;
	__u64 scan_flags;
	__u64 max_regions;
	__u64 address_limit;
	char version[32];
};

#define UFFDWP_ATTACH_PIDFD	(1ULL << 0)	/* the process that @pidfd names, not the caller */
#define UFFDWP_ATTACH_UFFD	(1ULL << 1)	/* use @uffd, do not make a userfaultfd */
/*
 * Arm pages that somebody holds like all others. What is written to them without a fault is not
 * noticed: for callers that know of it by themselves. Without effect before Linux 5.19, which would
 * copy such a page at the next write and leave the holder the old one.
 */
#define UFFDWP_ATTACH_IGNORE_PINS	(1ULL << 2)
/* The process cannot have the memory for a userfaultfd of its own: do not give way, see below. */
#define UFFDWP_ATTACH_KEEP		(1ULL << 3)
/* A write to an armed huge page makes all of it written and leaves it huge, see below. */
#define UFFDWP_ATTACH_WHOLE_HUGE	(1ULL << 4)
/* Track what the process has registered with @uffd for MISSING and MINOR faults, see below. */
#define UFFDWP_ATTACH_RIDE		(1ULL << 5)

/*
 * How private anonymous memory with nothing in it yet is armed. Shared memory, hugetlb and other
 * files are armed with markers in any case.
 */
#define UFFDWP_UNPOP_DEFAULT	0	/* the module's choice: the zero page */
#define UFFDWP_UNPOP_ZERO	1	/* map the shared zero page: reads never fault */
#define UFFDWP_UNPOP_MARKER	2	/* leave a marker: the first write takes two faults */
/*
 * As UFFDWP_UNPOP_ZERO where there is a page table. Where there is none, none is made, and the
 * range is only remembered: 16 TiB cost as much as a page, and a process that reserves terabytes is
 * as small as before. See UFFDWP_PAGE_IS_SPARSE for what the caller has to know. Not with
 * UFFDWP_ATTACH_UFFD.
 */
#define UFFDWP_UNPOP_SPARSE	3

/* The granules that there are, besides none: powers of two, in pages of 4 KiB. */
#define UFFDWP_GRANULE_MIN	16
#define UFFDWP_GRANULE_MAX	512

/**
 * struct uffdwp_attach_arg - UFFDWP_IOC_ATTACH: bind the tracker to an address space
 * @size: in: sizeof(struct uffdwp_attach_arg)
 * @flags: in: UFFDWP_ATTACH_*; 0 is the caller's own process
 * @pidfd: in: from pidfd_open(2), with UFFDWP_ATTACH_PIDFD; otherwise 0. A thread (PIDFD_THREAD,
 *	Linux 6.9) stands for its process
 * @uffd: in: a userfaultfd of that same address space, with UFFDWP_ATTACH_UFFD; otherwise 0
 * @unpopulated: in: UFFDWP_UNPOP_*
 * @granule: in: pages that a write fault opens, UFFDWP_GRANULE_MIN to UFFDWP_GRANULE_MAX, a power
 *	of two; 0 or 1: its own page alone
 *
 * The caller needs the right to ptrace-attach to the process (PTRACE_MODE_ATTACH_REALCREDS: same
 * user and dumpable, or CAP_SYS_PTRACE, and whatever the security module asks). The process is not
 * stopped and not told. If the thread that @pidfd names has ended and others of the process go on,
 * that right is asked for to one of those.
 *
 * A userfaultfd that is handed in keeps working for what it was made for (MISSING or MINOR faults;
 * memory that is registered for MISSING faults and has nothing in it is written until it is filled,
 * and UFFDIO_COPY_MODE_WP fills and arms it); write-protect faults on it are resolved by the module
 * for as long as the tracker is open, and are not delivered to its reader. Write protection on it
 * is taken away when the tracker is closed. UFFDIO_API must have been called, without
 * UFFD_FEATURE_EVENT_FORK (-EINVAL otherwise): a forked child would inherit protection that nobody
 * resolves. What was protected on it before is written until it is armed, and whoever sleeps in a
 * write to it goes on. So is all that UFFDIO_REGISTER registers, again or for the first time, and
 * what it takes out of write-protect mode is tracked no more. What UFFDIO_MOVE has brought is
 * written, whatever it was elsewhere; and what it moves away is written while it does. When the
 * process has closed it (its last descriptor, in whatever process), tracking ends within a second:
 * nothing stays registered, whoever waited for its reader goes on, and commands on memory are
 * -ENODEV.
 *
 * The process comes first (UFFDWP_FEATURE_GIVES_WAY). When it registers memory with a userfaultfd
 * of its own (UFFDIO_REGISTER) that is registered with a tracker, the tracker gives way: nothing of
 * it stays armed, from then on it reads as UNTRACKED and WRITTEN, and pages_given_way of STATS
 * counts it. So it does when the process unregisters the memory with a userfaultfd of its own,
 * which would succeed without us (UFFDIO_UNREGISTER). REGISTER is -EBUSY as long as the process has
 * it; then the memory can be registered anew. A request that the kernel refuses for another reason
 * takes nothing away; one that fails for want of memory, or half-way, may.
 *
 * Zero pages that the tracker has mapped (UFFDWP_UNPOP_ZERO) are unmapped where it disarms, gives
 * way or ends, where UFFDIO_MOVE or mremap() takes the memory: MISSING faults come again. With them
 * go those that the process has mapped by reading, which look the same. They stay in a forked
 * child: one that is to have MISSING faults there wants UFFDWP_UNPOP_MARKER.
 *
 * UFFDWP_ATTACH_KEEP: the process gets -EBUSY, and -EINVAL for UFFDIO_UNREGISTER. Not with
 * UFFDWP_ATTACH_UFFD: a userfaultfd that is handed in is the process's own, and for it the rules of
 * the kernel hold: another one's UFFDIO_REGISTER is -EBUSY, and its UFFDIO_UNREGISTER takes the
 * memory away before Linux 7.2, which pages_given_way counts, too.
 *
 * UFFDWP_ATTACH_RIDE is for memory that the process has registered with a userfaultfd of its own,
 * for MISSING or MINOR faults (post-copy migration, lazy restore), so that no other can have it.
 * @uffd is that userfaultfd, got by pidfd_getfd(2), of which the caller closes its copy after
 * ATTACH. The process does not notice: its monitor is asked as before, UFFDIO_WRITEPROTECT is
 * -ENOENT and UFFDIO_COPY_MODE_WP is -EINVAL as before, and /proc/PID/smaps shows "uw". REGISTER
 * of any range registers all that @uffd has, and from then on what the process registers with it:
 * a part would divide its mappings. UNREGISTER is -EOPNOTSUPP. Memory with nothing in it that is
 * registered for MISSING faults is written until the process has filled it, and then until it is
 * armed. What the process registers again is written, and so is what mremap(2) has moved. When the
 * process asks UFFDIO_REGISTER of @uffd for write protection, or calls UFFDIO_MOVE on it (what that
 * moves cannot be told in time), the tracker gives way at once with all of its memory, which
 * pages_given_way counts, and commands on memory are -ENODEV.
 *
 * UFFDWP_ATTACH_WHOLE_HUGE is for who wants to keep huge pages more than to know which 4 KiB of
 * them was written. Private anonymous huge pages are armed, written and reported as a whole, with
 * one fault, and the tracker splits none. As with hugetlb, one that the range of ARM or SCAN or
 * @max_pages cuts stays written (ARM skips it, and counts it not in @armed), and one of which a
 * part is to be disarmed is disarmed as a whole. What else splits huge pages does as before: the
 * kernel, for a page that is shared with a forked child or, before Linux 6.13, the huge page of
 * zeroes (4 KiB of it are written then); for a mapping that REGISTER or UNREGISTER has to divide;
 * and when it reclaims memory. Huge pages of shared memory and of files are split when they are
 * armed, since the kernel keeps no bit for them. Memory with nothing in it is armed by small pages,
 * so what is armed before it is touched does not become huge.
 *
 * A @granule is for who wants fewer faults more than exact reports (the cards of a garbage
 * collector). A write fault opens all of the naturally aligned block of that many pages, as far as
 * the mapping goes: they are written, and writes to them take no fault until they are armed again.
 * Opened is what the kernel would make writable without doing anything else: armed pages that are
 * there and not shared with another process by copy-on-write; in shared mappings, those that were
 * written through this mapping before. The others take a fault of their own at the next write
 * in any case, and so stay armed: what has nothing in it, was swapped out, or is shared with a
 * forked child; and while the soft-dirty bits of the process are in use, what is not soft-dirty.
 * A write to one of these opens no other page. Pages of hugetlb have a granule of their own.
 *
 * What arms, and so forgets what was written before: the commands of this tracker and, for memory
 * of a userfaultfd that was handed in, calls on that very one: UFFDIO_WRITEPROTECT, UFFDIO_COPY and
 * UFFDIO_CONTINUE with their MODE_WP. Nothing else does, neither another userfaultfd of the process
 * nor PAGEMAP_SCAN, whoever calls: those do what they are for and return what they would otherwise,
 * but the pages stay written. In memory that only a tracker has registered they return what they
 * would without it: -ENOENT, and nothing is filled. (-EAGAIN, if the memory has become a tracker's
 * while UFFDIO_COPY or UFFDIO_CONTINUE was under way; Linux 5.10 fills it then.) A call on @uffd
 * that began before ATTACH counts as another's.
 * UFFDIO_WRITEPROTECT takes the ranges that the kernel takes: on Linux 5.10 and 6.1 those inside of
 * one mapping (-ENOENT otherwise). Memory without page tables is armed, too. What it could not arm,
 * for want of memory or because the page is held, is written; for want of memory all of the range
 * is, and these two kernels return 0 all the same.
 *
 * A userfaultfd that is handed in can have mappings of ordinary files with UFFD_FEATURE_WP_ASYNC
 * (Linux 6.7) only. To PAGEMAP_SCAN the memory is, while the tracker is open, like memory without
 * that feature: it may be looked at, and PM_SCAN_CHECK_WPASYNC is answered with -EPERM.
 *
 * Errors:
 *   -EBADF      @pidfd is not a pidfd, @uffd is not a userfaultfd
 *   -EPERM      no right to ptrace-attach
 *   -ENXIO      a kernel thread: it has no address space
 *   -ESRCH      the process has ended
 *   -EALREADY   this tracker is attached already
 *   -EBUSY      @uffd is used by another tracker, or has asked for a feature that the module offers
 *               with native_abi=1: then it is tracked by itself; or UFFDWP_ATTACH_RIDE, and the
 *               process write-protects with @uffd
 *   -EAGAIN     UFFDWP_ATTACH_RIDE, and the process is in UFFDIO_REGISTER or UFFDIO_MOVE with
 *               @uffd: try again
 *   -EINVAL     also: UFFDIO_API was not called on @uffd, or with UFFD_FEATURE_EVENT_FORK; @uffd is
 *               of another address space; UFFDWP_ATTACH_UFFD together with UFFDWP_ATTACH_KEEP or
 *               UFFDWP_UNPOP_SPARSE; UFFDWP_ATTACH_RIDE without it; there is no such @granule
 *   -EOPNOTSUPP @unpopulated or a flag is not offered here (see the features in HELLO);
 *               or @uffd has UFFD_FEATURE_WP_ASYNC and nothing keeps PAGEMAP_SCAN from arming
 *   -EINTR      the caller was killed
 *   -ENODEV     the kernel's functions could not be hooked now: kernel.ftrace_enabled is 0, a
 *               livepatch took one of them, or the module was loaded with hooks=0; the kernel log
 *               says which
 */
struct uffdwp_attach_arg {
	__u64 size;
	__u64 flags;
	__s32 pidfd;
	__s32 uffd;
	__u32 unpopulated;
	__u32 granule;
};

/**
 * struct uffdwp_register_arg - UFFDWP_IOC_REGISTER: track this range
 * @size: in: sizeof(struct uffdwp_register_arg)
 * @flags: in: 0
 * @start: in: first address
 * @len: in: bytes
 * @fail_at: out: with -EOPNOTSUPP, -EBUSY and -EACCES, and with -EINVAL for a mapping, the start of
 *	the mapping that refused; otherwise 0
 * @reserved: in: 0
 *
 * Every mapping in the range must be of a kind listed in HELLO; holes between them are skipped. All
 * or nothing, but for -ENOMEM while a mapping is split at the end of the range: then a front part
 * is registered. Memory that is registered already stays as it is. Memory that is newly registered
 * is written until it is armed.
 *
 * One mapping can belong to one userfaultfd only, which is the kernel's rule: two trackers can
 * track one process, but not the same memory of it.
 *
 * A range that begins or ends within a mapping divides it, until it is unregistered. What the
 * kernel would not make one again (hugetlb, files of FUSE) is registered as a whole instead. While
 * a mapping is registered, what the process maps beside it does not become one with it, and may
 * stay apart afterwards, if both were touched: FOLLOW is for whoever cannot have that.
 *
 * Errors:
 *   -ENOENT     nothing is mapped in the range
 *   -EOPNOTSUPP a mapping is of a kind that cannot be tracked: a device, the vdso; before Linux
 *               5.19 all but private anonymous memory; or a file, with a userfaultfd that was
 *               handed in without UFFD_FEATURE_WP_ASYNC. With UFFDWP_ATTACH_RIDE: the process has
 *               not registered it
 *   -EINVAL     also: the range begins or ends inside a page of hugetlb
 *   -EACCES     a mapping may never become writable
 *   -EBUSY      a mapping belongs to a userfaultfd of the process, for which a tracker gives way
 *               (see ATTACH), or to another tracker; or to the userfaultfd that was handed
 *               in, for MISSING or MINOR faults and not for WP, which this kernel cannot add:
 *               register it for all of them with UFFDIO_REGISTER, or use UFFDWP_ATTACH_RIDE
 */
struct uffdwp_register_arg {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 len;
	__u64 fail_at;
	__u64 reserved;
};

/* Register nothing any more; what is registered stays so. @start, @len and @kinds are 0. */
#define UFFDWP_FOLLOW_END	(1ULL << 0)
/*
 * New private anonymous memory begins not written, and SPARSE. Nothing but an event tells of it
 * (UFFDWP_EVENT_MAPPED): for who keeps no content, or reads events. (Else he would go on with the
 * content of an earlier mapping at the same place.) Then exactly what is touched becomes written.
 * Of a tracker with events, what LOST stands for begins written.
 * Only with UFFDWP_UNPOP_SPARSE.
 */
#define UFFDWP_FOLLOW_SPARSE	(1ULL << 1)
/*
 * A forked child gets a tracker of its own, which follows as this one does, before it runs for the
 * first time; UFFDWP_EVENT_FORKED names it, for UFFDWP_IOC_CLAIM. Only after UFFDWP_IOC_EVENTS.
 * What vfork(2) and posix_spawn(3) make has the same memory until it calls execve(2): for that
 * there is UFFDWP_FOLLOW_EXEC.
 */
#define UFFDWP_FOLLOW_FORK	(1ULL << 2)
/*
 * The same for what execve(2) makes, before its first instruction: UFFDWP_EVENT_EXEC. But not if
 * who opened the tracker, or who asked for its events, may not ptrace what the process has become.
 */
#define UFFDWP_FOLLOW_EXEC	(1ULL << 3)

/**
 * struct uffdwp_follow_arg - UFFDWP_IOC_FOLLOW: track what is mapped, and all that will be
 * @size: in: sizeof(struct uffdwp_follow_arg)
 * @flags: in: UFFDWP_FOLLOW_END, or any of the others, or 0
 * @start: in: first address
 * @len: in: bytes; 0 with a @start of 0: the whole address space
 * @kinds: in: UFFDWP_KIND_* of the memory; 0: of every kind that this tracker can register
 * @reserved: in: 0
 *
 * Registers all memory of these kinds in the range that may ever become writable, and from then on
 * each new mapping within the call that makes it (mmap(2), brk(2) and others), before anybody can
 * touch it. New mappings merge with their neighbours as they would without a tracker,
 * so a process that is followed from its first instruction on has the mappings that it would have
 * anyway, also after the tracker was closed. (Mappings that were touched before they were
 * registered have become different from their neighbours by that, as they would have without.)
 *
 * New memory is written until it is armed, as after REGISTER, but for UFFDWP_FOLLOW_SPARSE; what it
 * takes to remember that (little, and not for more than 16384 ranges) is charged to the process,
 * and without memory the range is written. A range that nothing was mapped in
 * may be memory in the next scan; where a mapping was replaced by another, the new one is written.
 *
 * What mremap(2) moves stays registered, if the mapping that it has become part of lies within the
 * range, and is written at its new place. Elsewhere it is registered no more.
 *
 * Left out, so that scans report it as UNTRACKED: what belongs to a userfaultfd of the process or
 * to another tracker, also when they give it up; mappings of the range's ends where they cannot be
 * divided; what mremap(2) moves into the range; and a mapping for which memory is wanting
 * (mappings_missed of STATS).
 *
 * One tracker follows a range of an address space with a kind. A second FOLLOW of the same tracker
 * replaces what the first one has said; what that has registered stays so.
 *
 * Errors:
 *   -EOPNOTSUPP not offered here (see the features in HELLO); a kind that this tracker cannot
 *               register; or a userfaultfd was handed in
 *   -EBUSY      another tracker follows some of it
 *   -EINVAL     also: UFFDWP_FOLLOW_SPARSE, and the tracker is not sparse; UFFDWP_FOLLOW_FORK or
 *               UFFDWP_FOLLOW_EXEC, and the tracker has no events
 *   -ENOMEM, -EINTR: a front part is registered; the tracker does not follow
 */
struct uffdwp_follow_arg {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 len;
	__u64 kinds;
	__u64 reserved;
};

/**
 * struct uffdwp_unregister_arg - UFFDWP_IOC_UNREGISTER: track this range no longer
 * @size: in: sizeof(struct uffdwp_unregister_arg)
 * @flags: in: 0
 * @start: in: first address
 * @len: in: bytes
 * @fail_at: out: with -EOPNOTSUPP and -EBUSY, and with -EINVAL for a mapping, the start of the
 *	mapping that refused; otherwise 0
 * @reserved: in: 0
 *
 * Nothing in the range stays protected. Mappings that could be registered but are not are skipped.
 *
 * Errors:
 *   -ENOENT     nothing is mapped in the range
 *   -EOPNOTSUPP a mapping is of a kind that cannot be tracked, which the kernel does not skip
 *   -EINVAL     also: the range begins or ends inside a page of hugetlb, or inside a mapping that
 *               REGISTER does not divide (use DISARM for a part of it)
 *   -EOPNOTSUPP also: UFFDWP_ATTACH_RIDE
 *   -EBUSY      a mapping belongs to another userfaultfd or tracker
 */
struct uffdwp_unregister_arg {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 len;
	__u64 fail_at;
	__u64 reserved;
};

/**
 * struct uffdwp_arm_arg - UFFDWP_IOC_ARM: notice writes to this range from now on
 * @size: in: sizeof(struct uffdwp_arm_arg)
 * @flags: in: 0
 * @start: in: first address
 * @len: in: bytes
 * @walk_end: out: all that is registered below this address is armed; start + len on success
 * @armed: out: pages that were written and are armed now
 * @reserved: in: 0
 *
 * Like a scan that resets everything and reports nothing. What was written before is forgotten: to
 * learn of it and arm in one step, per page, use SCAN with UFFDWP_SCAN_WP_MATCHING. Memory in the
 * range that is not registered is skipped.
 *
 * Arming memory with nothing in it makes page tables for it, 8 bytes a page, charged to the caller.
 * With UFFDWP_UNPOP_SPARSE it makes none, and a scan for UFFDWP_PAGE_IS_SPARSE tells which memory
 * that is. What it finds sparse already stays so.
 * With UFFDWP_ATTACH_WHOLE_HUGE a huge page that the range cuts is skipped, and stays written.
 *
 * Errors:
 *   -ENOENT     nothing in the range is registered with this tracker
 *   -EINVAL     also: the range cuts a page of hugetlb, at @walk_end
 *   -ENOMEM     no memory for page tables: all below @walk_end is armed, call again from there
 *   -EIO        an entry of a page table is of no known kind: all below @walk_end is armed
 *   -EFAULT     also: the results cannot be written; what was armed is written again
 */
struct uffdwp_arm_arg {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 len;
	__u64 walk_end;
	__u64 armed;
	__u64 reserved;
};

/**
 * struct uffdwp_disarm_arg - UFFDWP_IOC_DISARM: take this range for written
 * @size: in: sizeof(struct uffdwp_disarm_arg)
 * @flags: in: 0
 * @start: in: first address
 * @len: in: bytes
 * @disarmed: out: pages that were armed and are written now
 * @reserved: in: 0
 *
 * For a caller that could not do what a scan has told it to do: the next scan will tell it again.
 * Needs no memory and cannot fail halfway. Memory in the range that is not registered is skipped,
 * as it cannot read as clean. A huge page that is armed as a whole is disarmed as a whole, and so
 * is a page of hugetlb. Disarming goes by pages, whatever the granule is. Of SPARSE memory all
 * pages count, also those that were written since and are not reported yet; and more of it than the
 * range may become written when there is no memory, or when it is in many thousand parts.
 */
struct uffdwp_disarm_arg {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 len;
	__u64 disarmed;
	__u64 reserved;
};

/* Scan flags, values of PM_SCAN_* in <linux/fs.h>. */
#define UFFDWP_SCAN_WP_MATCHING		(1ULL << 0)	/* arm what is reported, page by page */
#define UFFDWP_SCAN_CHECK_TRACKED	(1ULL << 1)	/* -EPERM where something is not tracked */

/**
 * struct uffdwp_scan_arg - UFFDWP_IOC_SCAN: which pages are of which category?
 * @size: in: sizeof(struct uffdwp_scan_arg)
 * @flags: in: UFFDWP_SCAN_*
 * @start: in: first address
 * @end: in: last address, exclusive; aligned as @start is
 * @walk_end: out: where the scan ended: everything below was looked at; start again here
 * @vec: in: address of an array of struct uffdwp_region, or 0
 * @vec_len: in: elements of that array; 0 exactly when @vec is 0
 * @max_pages: in: stop after that many matching pages of 4 KiB (a huge page has 512); 0: no limit
 * @category_inverted: in: categories whose value is inverted before matching
 * @category_mask: in: a page matches if it is in all of these
 * @category_anyof_mask: in: ... and in one of these, unless this is 0
 * @return_mask: in: categories to report
 *
 * Laid out as struct pm_scan_arg of PAGEMAP_SCAN, and matching works the same way. Neighbouring
 * pages with the same reported categories come as one region. Returns the number of regions in
 * @vec. When @vec is full or @max_pages are found, the scan ends early, with success and @walk_end
 * less than @end.
 *
 * With UFFDWP_SCAN_WP_MATCHING a page that matches is armed in the same step in which it is looked
 * at, under the lock of its page table and with the TLBs flushed before that lock is dropped: a
 * write is either in this scan or in the next. Only memory registered with this tracker is armed.
 * Without @vec the scan only arms.
 *
 * With UFFDWP_UNPOP_SPARSE such a scan takes memory without page tables as sparse if @return_mask
 * has UFFDWP_PAGE_IS_SPARSE, or without @vec. It reports it as WRITTEN, as it was, and as SPARSE,
 * as it is from now on: zeroes, not to be copied. If @return_mask does not have it, page tables are
 * made as with UFFDWP_UNPOP_ZERO. Where there is a page table by now, any scan ends SPARSE, and
 * arms what is still empty by page-table entries.
 *
 * A page of hugetlb that the range or @max_pages cuts is reported in part and stays written. To
 * have it armed, let the range begin and end between such pages, and @max_pages be enough for one.
 * So is a huge page with UFFDWP_ATTACH_WHOLE_HUGE; without, it is split there.
 *
 * Nothing is armed that is not reported: if @vec faults, what was armed since the last region that
 * could be stored is written again; the call returns the regions before that, or -EFAULT when
 * there are none.
 *
 * A process that goes on running may write a page again at once. Stop it, or scan until little
 * changes and then stop it, to have a consistent set.
 *
 * Errors:
 *   -EPERM      UFFDWP_SCAN_CHECK_TRACKED was given, and the memory at @walk_end is UNTRACKED;
 *               returned only when no region is reported before it
 *   -EINVAL     also: @vec and @vec_len do not go together, @vec_len above max_regions of HELLO,
 *               unknown category
 *   -EIO, -ENOMEM, -EINTR only when no region was found before: otherwise those are returned, and
 *               the next scan, from @walk_end, has the error
 */
struct uffdwp_scan_arg {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 end;
	__u64 walk_end;
	__u64 vec;
	__u64 vec_len;
	__u64 max_pages;
	__u64 category_inverted;
	__u64 category_mask;
	__u64 category_anyof_mask;
	__u64 return_mask;
};

/*
 * The ring
 * --------
 *
 * A tracker may have a ring, in which it is told what becomes written, so that it need not look for
 * it: who harvests pays for what was written, not for what is tracked.
 *
 *   ioctl(fd, UFFDWP_IOC_RING, &ring)          once, after ATTACH
 *   h = mmap(NULL, ring.bytes, PROT_READ, MAP_SHARED, fd, 0)
 *
 *   for each harvest:
 *     poll(fd, POLLIN)                         unless there is something to do anyway
 *     read entries from h->tail on, up to the first whose flags are 0, and keep them
 *     reset.upto = behind the last of them
 *     ioctl(fd, UFFDWP_IOC_RING_RESET, &reset) these pages are armed again
 *     copy the pages of WRITTEN entries
 *     SCAN the ranges of SCAN entries, with UFFDWP_SCAN_WP_MATCHING, and copy what that reports
 *     if reset.told has UFFDWP_RING_EVERYTHING, SCAN all that is registered in the same way
 *
 * In this order: a page that is copied before it is armed may be written in between.
 *
 * What it promises: each page that a scan calls WRITTEN, in memory that REGISTER has named, is in
 * an entry that was not reset yet, in one with UFFDWP_RING_SCAN, or UFFDWP_RING_EVERYTHING is set.
 * That flag is set from the beginning, so that the first harvest scans everything.
 *
 *     WRITTEN entry       first writes, also to a huge page, which is split, to hugetlb, to what is
 *                         swapped out, and to markers; MADV_DONTNEED; holes and truncation; what
 *                         DISARM, UNREGISTER or a scan whose report could not be delivered has
 *                         disarmed; what gives way; a page that could not be armed because it is
 *                         held (it is told at each RESET until it is let go)
 *     SCAN entry          what a call may have changed, but need not: MADV_FREE, and what reclaim
 *                         takes after it; guard pages; poison; KSM; calls on a userfaultfd of the
 *                         process (UFFDIO_WRITEPROTECT, UFFDIO_COPY and their like); memory that is
 *                         unmapped, that mremap(2) moves, could not move or makes grow; a stack
 *                         that grows; pages of a file that a file system takes from the page
 *                         cache; what REGISTER has registered
 *     EVERYTHING          there was no room for an entry; mremap() has moved memory; UFFDIO_MOVE
 *                         on another userfaultfd; what the process registers or unregisters while
 *                         the tracker rides along; swapoff
 *
 * An entry may tell of a page that is armed again by now, or is not registered or not mapped any
 * more: RESET passes over those. ARM, and SCAN with UFFDWP_SCAN_WP_MATCHING, take nothing out of
 * the ring: what they arm may still be told of, once.
 *
 * A page that cannot be armed, because it is held or because its memory is registered for MISSING
 * faults and it is not filled, is told of at each RESET or scan with reset: then poll(2) with a
 * watermark of 1 returns at once. A process that hands in a userfaultfd can hide from its tracer
 * what it unregisters or moves by calls on it, by changing their arguments meanwhile.
 *
 * Not told: that the process maps memory; that has to be registered and armed. (With FOLLOW new
 * mappings are told of as to be scanned, and so is what a mapping grows by.) While a call is under
 * way that discards memory, a page may be WRITTEN that is told of when the call is over. What the
 * OOM killer takes is told of within a second.
 */

/* What an entry says of its range. */
#define UFFDWP_RING_WRITTEN	(1U << 0)	/* all of it was written; RESET arms it */
#define UFFDWP_RING_SCAN	(1U << 1)	/* look at it by SCAN; RESET does not arm it */

/* Flags of the header. */
#define UFFDWP_RING_EVERYTHING	(1U << 0)	/* scan all that is registered */
/* No command on memory succeeds any more; any of them says why. */
#define UFFDWP_RING_ENDED	(1U << 1)

#define UFFDWP_RING_MIN_ENTRIES	64U
#define UFFDWP_RING_MAX_ENTRIES	(1U << 20)

/**
 * struct uffdwp_ring_entry - a range of which something is told
 * @start: first address
 * @pages: its length, in pages of 4096 bytes; a page of hugetlb has as many as it is large
 * @flags: UFFDWP_RING_WRITTEN or UFFDWP_RING_SCAN; 0: it is not there yet, and @start and @pages
 *	have no meaning. To be read first, by a load with acquire semantics
 */
struct uffdwp_ring_entry {
	__u64 start;
	__u32 pages;
	__u32 flags;
};

/**
 * struct uffdwp_ring_header - the first page of the mapping
 * @head: entries that were begun, since the ring was made
 * @tail: entries that were reset
 * @flags: UFFDWP_RING_EVERYTHING, UFFDWP_RING_ENDED
 * @entries: how many there are; entry N of those that were begun is number N % @entries
 * @watermark: as it was asked for
 * @first: bytes from here to the first entry
 *
 * @head and @tail never go back. @head == @tail and no EVERYTHING: nothing was written. They are
 * read without a system call, and so whatever is tracked.
 */
struct uffdwp_ring_header {
	__u64 head;
	__u64 tail;
	__u32 flags;
	__u32 entries;
	__u32 watermark;
	__u32 first;
};

/**
 * struct uffdwp_ring_arg - UFFDWP_IOC_RING: tell me of writes
 * @size: in: sizeof(struct uffdwp_ring_arg)
 * @flags: in: 0
 * @entries: in: a power of two, UFFDWP_RING_MIN_ENTRIES to UFFDWP_RING_MAX_ENTRIES
 * @watermark: in: 1 to @entries: poll(2) returns when as many entries were not reset yet, or
 *	EVERYTHING is set. Below 1 makes no sense; with 1 it returns for each, and again and again
 *	while a page is held
 * @bytes: out: the length to map, at offset 0
 * @reserved: in: 0
 *
 * The ring stays until the tracker is closed; its memory is charged to the caller. It is mapped
 * shared and for reading only, in whole or its beginning, as often as wanted. A forked child does
 * not inherit the mapping, and it is not in core dumps. Whoever maps it may read it, and nobody can
 * change it.
 *
 * poll(2): POLLIN as said; POLLHUP and POLLERR when the address space is gone, hooks are dead, or
 * the process has closed the userfaultfd that it has handed in, within a second. Without a ring
 * and without events, POLLHUP and POLLERR at once.
 *
 * Errors:
 *   -EALREADY   the tracker has a ring
 *   -EINVAL     also: @entries or @watermark is not as said
 *   -ENOMEM     no memory for the ring
 *   -EOPNOTSUPP not offered here (see the features in HELLO); or the tracker was attached with
 *               UFFDWP_UNPOP_SPARSE: the first write to SPARSE memory takes no fault
 *   mmap(2): -EPERM with PROT_WRITE or PROT_EXEC; -EINVAL with MAP_PRIVATE, an offset, or a length
 *   above @bytes; -ENODEV without a ring. mprotect(2) to these: -EACCES
 */
struct uffdwp_ring_arg {
	__u64 size;
	__u64 flags;
	__u32 entries;
	__u32 watermark;
	__u64 bytes;
	__u64 reserved;
};

/**
 * struct uffdwp_ring_reset_arg - UFFDWP_IOC_RING_RESET: arm again what was read in the ring
 * @size: in: sizeof(struct uffdwp_ring_reset_arg)
 * @flags: in: 0
 * @upto: in: all entries before this one were read; from @tail to @head of the header
 * @tail: out: all entries before this one were reset; below @upto where one was not there yet
 * @armed: out: pages that were written and are armed now
 * @told: out: UFFDWP_RING_EVERYTHING if that was set: it is cleared, and what it says is the
 *	caller's to do
 * @reserved2: out: 0
 * @reserved: in: 0
 *
 * Arms the pages of WRITTEN entries, and no other. What cannot be armed is told again: in new
 * entries, or by EVERYTHING. So it is with an error half-way, and then @told is 0.
 *
 * Errors:
 *   -ENODEV     also: there is no ring
 *   -EINVAL     also: @upto is below @tail or above @head
 *   -ENOMEM, -EIO, -EINTR as with ARM; @tail says how many entries were taken out
 *   -EFAULT     also: the results cannot be written; EVERYTHING is set again if it was to be told
 */
struct uffdwp_ring_reset_arg {
	__u64 size;
	__u64 flags;
	__u64 upto;
	__u64 tail;
	__u64 armed;
	__u32 told;
	__u32 reserved2;
	__u64 reserved;
};

/*
 * Events
 * ------
 *
 * A tracker may tell what becomes of its memory and of the process, in the order in which it
 * happens, to who calls read(2) on it. poll(2) has POLLPRI when read(2) would not wait and, if the
 * tracker has no ring, POLLIN, too; and POLLHUP when it would return 0.
 *
 *   ioctl(fd, UFFDWP_IOC_EVENTS, &events)      once, after ATTACH
 *   ioctl(fd, UFFDWP_IOC_FOLLOW, &follow)
 *   n = read(fd, buffer, size)                 events of events.event_size bytes each
 *
 *   MAPPED      [@start, @end) was mapped, is of @kind, and is registered (FOLLOW)
 *   UNMAPPED    it was, and is gone, or something else was mapped over it
 *   MOVED       mremap(2) has moved it here from @from, and may have made it larger. Here it is
 *               written. UNMAPPED of where it was comes next, but not after MREMAP_DONTUNMAP, nor
 *               if an old size of 0 has made a second mapping of shared memory
 *   DISCARDED   it has other content: MADV_DONTNEED, MADV_FREE, MADV_REMOVE, a hole, a truncation.
 *               MADV_FREE: it may have, by and by
 *   LEFT        it is not tracked any more, though it is mapped: the process has taken it for a
 *               userfaultfd of its own, has moved it out of reach, or memory was wanting to
 *               register what it has mapped. It has to be taken for written
 *   WRITTEN     it is about to be unmapped, or the process is about to end, and a scan would have
 *               called it WRITTEN: see below
 *   FORKED      the process has forked: @pid is the child, @id its tracker, or 0
 *   EXEC        the process @pid has called execve(2): it has other memory now, with a tracker @id,
 *               or 0. After vfork(2) it is another process that had the same memory. If no process
 *               has that any more, this is the last event
 *   EXITED      no process has the memory any more, by exit(2) or a signal. @pid was the last, and
 *               @status is what wait(2) tells of it; both are 0 if the last had left it before
 *               UFFDWP_IOC_EVENTS was called. This is the last event, and is never lost
 *   LOST        there was no room: what has happened between the event before this one and the
 *               next is not told. What is mapped now is for a scan to say, which misses nothing;
 *               but in memory that was unmapped meanwhile everything has to be taken for written,
 *               and children that were forked meanwhile are not tracked
 *
 * WRITTEN is for memory whose content lives on when it is unmapped: it is told of shared mappings,
 * or of all (UFFDWP_EVENTS_HARVEST_ALL), or of none. It comes before the UNMAPPED, EXITED or EXEC
 * that it belongs to. What was never armed is WRITTEN, too; but private anonymous memory with
 * nothing in it is not, whatever it was before. Of private memory the content is gone by the time
 * the event can be read.
 *
 * Who keeps a copy of the memory first scans, with UFFDWP_SCAN_WP_MATCHING, then reads all events
 * and does what they say, and only then copies what the scan has reported. In this order: what the
 * scan has found was mapped before, and the event that says so is to be obeyed before the copy is
 * made.
 *
 * The process is never stopped: when the queue is full, events are lost, and LOST says so. Events
 * of the same type that touch may come as one.
 *
 * Not told: that a mapping grows in its place, by mremap(2) or as a stack does (what is new of it
 * is WRITTEN in the next scan, and to be scanned in a ring); what protection it has; what is mapped
 * and not registered; and what was mapped before FOLLOW, or in a tracker that was claimed, before
 * that was made: to begin with, scan everything.
 *
 * read(2) waits for an event, unless the file is O_NONBLOCK. It returns as many as fit, or 0 behind
 * the last one. Errors:
 *
 *   -EINVAL     the tracker has no events; the buffer is smaller than one event
 *   -EAGAIN     there is none, and O_NONBLOCK
 *   -EINTR      a signal came while it waited
 *   -EFAULT     the buffer cannot be written: the event stays
 *   -ENOTRECOVERABLE  as for commands, when all that was told before is read
 */
#define UFFDWP_EVENT_LOST	1
#define UFFDWP_EVENT_MAPPED	2
#define UFFDWP_EVENT_UNMAPPED	3
#define UFFDWP_EVENT_MOVED	4
#define UFFDWP_EVENT_DISCARDED	5
#define UFFDWP_EVENT_LEFT	6
#define UFFDWP_EVENT_WRITTEN	7
#define UFFDWP_EVENT_FORKED	8
#define UFFDWP_EVENT_EXEC	9
#define UFFDWP_EVENT_EXITED	10

/**
 * struct uffdwp_event - something has happened
 * @type: UFFDWP_EVENT_*; who does not know it passes over it
 * @flags: 0
 * @start: first address, or 0 where an event has no range
 * @end: last address, exclusive
 * @from: MOVED: first address of where it was
 * @kind: UFFDWP_KIND_* of the range, or 0
 * @id: FORKED, EXEC: for UFFDWP_IOC_CLAIM; 0: it is not tracked
 * @pid: FORKED, EXEC, EXITED: as the caller of UFFDWP_IOC_EVENTS sees it; 0: he does not, or it
 *	had left the memory before that call
 * @status: EXITED: as from wait(2), or 0 if it is not known
 * @offset: bytes: where @start is in its file; without a file, @start
 * @inode: number of the inode of that file, as in /proc/PID/maps; without a file, 0
 * @dev: its device, as there: major << 20 | minor
 */
struct uffdwp_event {
	__u32 type;
	__u32 flags;
	__u64 start;
	__u64 end;
	__u64 from;
	__u64 kind;
	__u64 id;
	__s32 pid;
	__s32 status;
	__u64 offset;
	__u64 inode;
	__u64 dev;
};

/* Before it is unmapped, tell what was written in all memory. */
#define UFFDWP_EVENTS_HARVEST_ALL	(1ULL << 0)
/* ... in none. */
#define UFFDWP_EVENTS_HARVEST_NONE	(1ULL << 1)

#define UFFDWP_EVENTS_MIN_CAPACITY	16U
#define UFFDWP_EVENTS_MAX_CAPACITY	(1U << 20)

/**
 * struct uffdwp_events_arg - UFFDWP_IOC_EVENTS: tell me what happens
 * @size: in: sizeof(struct uffdwp_events_arg)
 * @flags: in: UFFDWP_EVENTS_HARVEST_ALL, UFFDWP_EVENTS_HARVEST_NONE, or 0
 * @capacity: in: events that can wait to be read, UFFDWP_EVENTS_MIN_CAPACITY to
 *	UFFDWP_EVENTS_MAX_CAPACITY
 * @event_size: in: sizeof(struct uffdwp_event), UFFDWP_EVENT_SIZE_VER0 at least, in steps of 8, at
 *	most 256. So large are the events that read(2) returns: what the module does not know is 0
 * @reserved: in: 0
 *
 * The queue is charged to the caller, and stays until the tracker is closed.
 *
 * Errors:
 *   -EALREADY   the tracker has events
 *   -EINVAL     also: @capacity or @event_size is not as said; both flags
 *   -ENOMEM     no memory for the queue
 *   -EOPNOTSUPP not offered here (see the features in HELLO); or a userfaultfd was handed in
 */
struct uffdwp_events_arg {
	__u64 size;
	__u64 flags;
	__u32 capacity;
	__u32 event_size;
	__u64 reserved;
};

/**
 * struct uffdwp_claim_arg - UFFDWP_IOC_CLAIM: have a tracker that an event has named
 * @size: in: sizeof(struct uffdwp_claim_arg)
 * @flags: in: 0
 * @id: in: of an event FORKED or EXEC of this tracker
 * @fd: out: file descriptor (O_CLOEXEC) of the other tracker
 * @reserved2: out: 0
 * @reserved: in: 0
 *
 * The other is a tracker like this one: attached in the same way, with events of its own, and
 * following. It has no ring, and its file has no O_NONBLOCK. What it registers is written until it
 * is armed. Works when the memory of this tracker is gone, too. A tracker that is not claimed ends
 * with the one that has named it. There are at most 64 that are not claimed, counted for a tracker
 * with all that come from it; with so many, the next child is not tracked.
 *
 * Its memory is charged to who has called UFFDWP_IOC_EVENTS on the first of these trackers.
 *
 * Errors:
 *   -ENOENT     there is no such tracker, or it was claimed
 *   -EMFILE, -ENFILE, -ENOMEM
 */
struct uffdwp_claim_arg {
	__u64 size;
	__u64 flags;
	__u64 id;
	__s32 fd;
	__u32 reserved2;
	__u64 reserved;
};

/**
 * struct uffdwp_stats_arg - UFFDWP_IOC_STATS: what has this tracker done?
 * @size: in: sizeof(struct uffdwp_stats_arg)
 * @flags: in: 0
 * @write_faults: out: first writes resolved in do_wp_page, or (Linux 5.10) before what was swapped
 *	out is read back
 * @huge_splits: out: write faults on armed huge pages, each split into small ones
 * @fallback_faults: out: write faults that passed by the hook and were resolved in handle_userfault
 * @marker_faults: out: faults on markers in anonymous memory, reads and writes
 * @hugetlb_faults: out: write faults on armed pages of hugetlb
 * @pages_armed: out: pages that were written and were armed, by any command
 * @pages_pinned: out: pages that were not armed because somebody held them
 * @pages_discarded: out: armed pages that MADV_DONTNEED or a hole in a file has made written
 * @zero_installed: out: zero pages mapped into unpopulated memory
 * @markers_installed: out: markers left in unpopulated memory
 * @scans: out: SCAN commands
 * @pages_reported: out: pages that scans reported
 * @pages_undone: out: pages made written again because their report could not be delivered
 * @tlb_flushes: out: TLB flushes done while arming
 * @hooks_dead: out: 1 when the tracking has ended with -ENOTRECOVERABLE; otherwise 0
 * @pages_given_way: out: pages that the process has taken with a userfaultfd of its own (see
 * ATTACH)
 * @sparse_armed: out: of @pages_armed, those without a page table, with UFFDWP_UNPOP_SPARSE
 * @huge_faults: out: write faults on armed huge pages that stayed whole, 512 pages each
 * @pages_opened: out: pages that a write fault on another page of their granule has made written
 * @mappings_followed: out: new mappings, or parts of them, that FOLLOW has registered
 * @mappings_missed: out: those that it could not register for want of memory
 *
 * Counters since ATTACH, in units of events or small pages; a huge page counts as 512. They are
 * exact when nothing else runs and never go back.
 */
struct uffdwp_stats_arg {
	__u64 size;
	__u64 flags;
	__u64 write_faults;
	__u64 huge_splits;
	__u64 fallback_faults;
	__u64 marker_faults;
	__u64 hugetlb_faults;
	__u64 pages_armed;
	__u64 pages_pinned;
	__u64 pages_discarded;
	__u64 zero_installed;
	__u64 markers_installed;
	__u64 scans;
	__u64 pages_reported;
	__u64 pages_undone;
	__u64 tlb_flushes;
	__u64 hooks_dead;
	__u64 pages_given_way;
	__u64 sparse_armed;
	__u64 huge_faults;
	__u64 pages_opened;
	__u64 mappings_followed;
	__u64 mappings_missed;
};

/* The size of each structure as it was first released: none smaller is accepted. */
#define UFFDWP_HELLO_SIZE_VER0		104
#define UFFDWP_ATTACH_SIZE_VER0		32
#define UFFDWP_REGISTER_SIZE_VER0	48
#define UFFDWP_UNREGISTER_SIZE_VER0	48
#define UFFDWP_ARM_SIZE_VER0		56
#define UFFDWP_SCAN_SIZE_VER0		96
#define UFFDWP_STATS_SIZE_VER0		128
#define UFFDWP_DISARM_SIZE_VER0		48
#define UFFDWP_RING_SIZE_VER0		40
#define UFFDWP_RING_RESET_SIZE_VER0	56
#define UFFDWP_FOLLOW_SIZE_VER0		48
#define UFFDWP_EVENTS_SIZE_VER0		32
#define UFFDWP_CLAIM_SIZE_VER0		40
#define UFFDWP_EVENT_SIZE_VER0		80

#define UFFDWP_IOC_MAGIC	0xE9
#define UFFDWP_IOC_HELLO	_IOWR(UFFDWP_IOC_MAGIC, 0, struct uffdwp_hello_arg)
#define UFFDWP_IOC_ATTACH	_IOWR(UFFDWP_IOC_MAGIC, 1, struct uffdwp_attach_arg)
#define UFFDWP_IOC_REGISTER	_IOWR(UFFDWP_IOC_MAGIC, 2, struct uffdwp_register_arg)
#define UFFDWP_IOC_UNREGISTER	_IOWR(UFFDWP_IOC_MAGIC, 3, struct uffdwp_unregister_arg)
#define UFFDWP_IOC_ARM		_IOWR(UFFDWP_IOC_MAGIC, 4, struct uffdwp_arm_arg)
#define UFFDWP_IOC_SCAN		_IOWR(UFFDWP_IOC_MAGIC, 5, struct uffdwp_scan_arg)
#define UFFDWP_IOC_STATS	_IOWR(UFFDWP_IOC_MAGIC, 6, struct uffdwp_stats_arg)
#define UFFDWP_IOC_DISARM	_IOWR(UFFDWP_IOC_MAGIC, 7, struct uffdwp_disarm_arg)
#define UFFDWP_IOC_RING		_IOWR(UFFDWP_IOC_MAGIC, 8, struct uffdwp_ring_arg)
#define UFFDWP_IOC_RING_RESET	_IOWR(UFFDWP_IOC_MAGIC, 9, struct uffdwp_ring_reset_arg)
#define UFFDWP_IOC_FOLLOW	_IOWR(UFFDWP_IOC_MAGIC, 10, struct uffdwp_follow_arg)
#define UFFDWP_IOC_EVENTS	_IOWR(UFFDWP_IOC_MAGIC, 11, struct uffdwp_events_arg)
#define UFFDWP_IOC_CLAIM	_IOWR(UFFDWP_IOC_MAGIC, 12, struct uffdwp_claim_arg)

#endif /* UFFDWP_ASYNC_H */
