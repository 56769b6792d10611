#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The interface of /dev/uffdwp-async for Python, by ioctl(2) alone: which pages of a process were
written since you last looked? Names, values and meanings are those of <uffdwp-async.h>.

To be copied and imported. As a program, uffdwp_async.py PID [LOOKS], it prints second by second
what a process has written.

Needs Linux on x86-64 and Python 3.9.
"""

import ctypes
import errno
import fcntl
import os
import sys
import time

U64 = ctypes.c_uint64
U32 = ctypes.c_uint32
S32 = ctypes.c_int32

UFFDWP_DEVICE = "/dev/uffdwp-async"

UFFDWP_ABI_VERSION = 1

UFFDWP_PAGE_IS_WPALLOWED = 1 << 0
UFFDWP_PAGE_IS_WRITTEN = 1 << 1
UFFDWP_PAGE_IS_FILE = 1 << 2
UFFDWP_PAGE_IS_PRESENT = 1 << 3
UFFDWP_PAGE_IS_SWAPPED = 1 << 4
UFFDWP_PAGE_IS_PFNZERO = 1 << 5
UFFDWP_PAGE_IS_HUGE = 1 << 6
UFFDWP_PAGE_IS_SOFT_DIRTY = 1 << 7
UFFDWP_PAGE_IS_GUARD = 1 << 8
UFFDWP_PAGE_IS_UNTRACKED = 1 << 32
UFFDWP_PAGE_IS_PINNED = 1 << 33
UFFDWP_PAGE_IS_SPARSE = 1 << 34

UFFDWP_FEATURE_PIDFD = 1 << 0
UFFDWP_FEATURE_UFFD = 1 << 1
UFFDWP_FEATURE_UNPOP_ZERO = 1 << 2
UFFDWP_FEATURE_UNPOP_MARKER = 1 << 3
UFFDWP_FEATURE_THP = 1 << 4
UFFDWP_FEATURE_WRITEPROTECT = 1 << 5
UFFDWP_FEATURE_GIVES_WAY = 1 << 6
UFFDWP_FEATURE_UNPOP_SPARSE = 1 << 7
UFFDWP_FEATURE_WHOLE_HUGE = 1 << 8
UFFDWP_FEATURE_GRANULE = 1 << 9
UFFDWP_FEATURE_RING = 1 << 10
UFFDWP_FEATURE_FOLLOW = 1 << 11
UFFDWP_FEATURE_EVENTS = 1 << 12
UFFDWP_FEATURE_RIDE = 1 << 13

UFFDWP_KIND_ANON_PRIVATE = 1 << 0
UFFDWP_KIND_SHMEM = 1 << 1
UFFDWP_KIND_HUGETLB = 1 << 2
UFFDWP_KIND_FILE = 1 << 3

UFFDWP_ATTACH_PIDFD = 1 << 0
UFFDWP_ATTACH_UFFD = 1 << 1
UFFDWP_ATTACH_IGNORE_PINS = 1 << 2
UFFDWP_ATTACH_KEEP = 1 << 3
UFFDWP_ATTACH_WHOLE_HUGE = 1 << 4
UFFDWP_ATTACH_RIDE = 1 << 5

UFFDWP_UNPOP_DEFAULT = 0
UFFDWP_UNPOP_ZERO = 1
UFFDWP_UNPOP_MARKER = 2
UFFDWP_UNPOP_SPARSE = 3

UFFDWP_GRANULE_MIN = 16
UFFDWP_GRANULE_MAX = 512

UFFDWP_FOLLOW_END = 1 << 0
UFFDWP_FOLLOW_SPARSE = 1 << 1
UFFDWP_FOLLOW_FORK = 1 << 2
UFFDWP_FOLLOW_EXEC = 1 << 3

UFFDWP_SCAN_WP_MATCHING = 1 << 0
UFFDWP_SCAN_CHECK_TRACKED = 1 << 1

UFFDWP_RING_WRITTEN = 1 << 0
UFFDWP_RING_SCAN = 1 << 1
UFFDWP_RING_EVERYTHING = 1 << 0
UFFDWP_RING_ENDED = 1 << 1
UFFDWP_RING_MIN_ENTRIES = 64
UFFDWP_RING_MAX_ENTRIES = 1 << 20

UFFDWP_EVENT_LOST = 1
UFFDWP_EVENT_MAPPED = 2
UFFDWP_EVENT_UNMAPPED = 3
UFFDWP_EVENT_MOVED = 4
UFFDWP_EVENT_DISCARDED = 5
UFFDWP_EVENT_LEFT = 6
UFFDWP_EVENT_WRITTEN = 7
UFFDWP_EVENT_FORKED = 8
UFFDWP_EVENT_EXEC = 9
UFFDWP_EVENT_EXITED = 10

UFFDWP_EVENTS_HARVEST_ALL = 1 << 0
UFFDWP_EVENTS_HARVEST_NONE = 1 << 1
UFFDWP_EVENTS_MIN_CAPACITY = 16
UFFDWP_EVENTS_MAX_CAPACITY = 1 << 20

UFFDWP_IOC_HELLO = 0xc068e900
UFFDWP_IOC_ATTACH = 0xc020e901
UFFDWP_IOC_REGISTER = 0xc030e902
UFFDWP_IOC_UNREGISTER = 0xc030e903
UFFDWP_IOC_ARM = 0xc038e904
UFFDWP_IOC_SCAN = 0xc060e905
UFFDWP_IOC_STATS = 0xc0b8e906
UFFDWP_IOC_DISARM = 0xc030e907
UFFDWP_IOC_RING = 0xc028e908
UFFDWP_IOC_RING_RESET = 0xc038e909
UFFDWP_IOC_FOLLOW = 0xc030e90a
UFFDWP_IOC_EVENTS = 0xc020e90b
UFFDWP_IOC_CLAIM = 0xc028e90c


class Region(ctypes.Structure):
    _fields_ = [
        ("start", U64),
        ("end", U64),
        ("categories", U64),
    ]


class HelloArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("reserved", U64),
        ("abi_version", U32),
        ("page_size", U32),
        ("features", U64),
        ("kinds", U64),
        ("categories", U64),
        ("scan_flags", U64),
        ("max_regions", U64),
        ("address_limit", U64),
        ("version", ctypes.c_char * 32),
    ]


class AttachArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("flags", U64),
        ("pidfd", S32),
        ("uffd", S32),
        ("unpopulated", U32),
        ("granule", U32),
    ]


class RegisterArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("flags", U64),
        ("start", U64),
        ("len", U64),
        ("fail_at", U64),
        ("reserved", U64),
    ]


class FollowArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("flags", U64),
        ("start", U64),
        ("len", U64),
        ("kinds", U64),
        ("reserved", U64),
    ]


class UnregisterArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("flags", U64),
        ("start", U64),
        ("len", U64),
        ("fail_at", U64),
        ("reserved", U64),
    ]


class ArmArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("flags", U64),
        ("start", U64),
        ("len", U64),
        ("walk_end", U64),
        ("armed", U64),
        ("reserved", U64),
    ]


class DisarmArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("flags", U64),
        ("start", U64),
        ("len", U64),
        ("disarmed", U64),
        ("reserved", U64),
    ]


class ScanArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("flags", U64),
        ("start", U64),
        ("end", U64),
        ("walk_end", U64),
        ("vec", U64),
        ("vec_len", U64),
        ("max_pages", U64),
        ("category_inverted", U64),
        ("category_mask", U64),
        ("category_anyof_mask", U64),
        ("return_mask", U64),
    ]


class RingEntry(ctypes.Structure):
    _fields_ = [
        ("start", U64),
        ("pages", U32),
        ("flags", U32),
    ]


class RingHeader(ctypes.Structure):
    _fields_ = [
        ("head", U64),
        ("tail", U64),
        ("flags", U32),
        ("entries", U32),
        ("watermark", U32),
        ("first", U32),
    ]


class RingArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("flags", U64),
        ("entries", U32),
        ("watermark", U32),
        ("bytes", U64),
        ("reserved", U64),
    ]


class RingResetArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("flags", U64),
        ("upto", U64),
        ("tail", U64),
        ("armed", U64),
        ("told", U32),
        ("reserved2", U32),
        ("reserved", U64),
    ]


class Event(ctypes.Structure):
    _fields_ = [
        ("type", U32),
        ("flags", U32),
        ("start", U64),
        ("end", U64),
        ("from_", U64),
        ("kind", U64),
        ("id", U64),
        ("pid", S32),
        ("status", S32),
        ("offset", U64),
        ("inode", U64),
        ("dev", U64),
    ]


class EventsArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("flags", U64),
        ("capacity", U32),
        ("event_size", U32),
        ("reserved", U64),
    ]


class ClaimArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("flags", U64),
        ("id", U64),
        ("fd", S32),
        ("reserved2", U32),
        ("reserved", U64),
    ]


class StatsArg(ctypes.Structure):
    _fields_ = [
        ("size", U64),
        ("flags", U64),
        ("write_faults", U64),
        ("huge_splits", U64),
        ("fallback_faults", U64),
        ("marker_faults", U64),
        ("hugetlb_faults", U64),
        ("pages_armed", U64),
        ("pages_pinned", U64),
        ("pages_discarded", U64),
        ("zero_installed", U64),
        ("markers_installed", U64),
        ("scans", U64),
        ("pages_reported", U64),
        ("pages_undone", U64),
        ("tlb_flushes", U64),
        ("hooks_dead", U64),
        ("pages_given_way", U64),
        ("sparse_armed", U64),
        ("huge_faults", U64),
        ("pages_opened", U64),
        ("mappings_followed", U64),
        ("mappings_missed", U64),
    ]


class Tracker:
    """
    One process, and what of its memory is tracked. Each failure is an OSError. After close(), and
    when this program ends, nothing of the process stays protected.
    """

    def __init__(self, pid, flags=0, unpopulated=UFFDWP_UNPOP_DEFAULT):
        self.fd = os.open(UFFDWP_DEVICE, os.O_RDWR | os.O_CLOEXEC)
        try:
            self.hello = self.command(UFFDWP_IOC_HELLO, HelloArg())
            if self.hello.abi_version < UFFDWP_ABI_VERSION:
                raise OSError(errno.EPROTO, "the module is older than this program")
            pidfd = os.pidfd_open(pid)
            try:
                self.command(
                    UFFDWP_IOC_ATTACH,
                    AttachArg(
                        flags=UFFDWP_ATTACH_PIDFD | flags,
                        pidfd=pidfd,
                        unpopulated=unpopulated,
                    ),
                )
            finally:
                os.close(pidfd)
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def command(self, number, arg):
        """Any command. The results are in its argument, which is returned."""
        arg.size = ctypes.sizeof(arg)
        fcntl.ioctl(self.fd, number, arg, True)
        return arg

    def register(self, start, length):
        """Track this range. It is written until it is armed."""
        self.command(UFFDWP_IOC_REGISTER, RegisterArg(start=start, len=length))

    def follow(self, kinds=0):
        """Track all memory of these kinds (0: of every one), and what will be mapped."""
        self.command(UFFDWP_IOC_FOLLOW, FollowArg(kinds=kinds))

    def arm(self, start, length):
        """Forget what was written in this range, notice what is from now on."""
        self.command(UFFDWP_IOC_ARM, ArmArg(start=start, len=length))

    def disarm(self, start, length):
        """Take this range for written: for who could not do what a scan has told."""
        self.command(UFFDWP_IOC_DISARM, DisarmArg(start=start, len=length))

    def scan(self, start, end, flags=0, mask=UFFDWP_PAGE_IS_WRITTEN, anyof=0, reported=0):
        """
        The first regions of this range whose pages are in all categories of mask and in one of
        anyof, and the address from which to go on if it is below end. What is returned was armed
        (UFFDWP_SCAN_WP_MATCHING) and is yours: it is not told again before it is written again.
        """
        room = 512
        regions = (Region * room)()
        arg = ScanArg(
            flags=flags,
            start=start,
            end=end,
            vec=ctypes.addressof(regions),
            vec_len=room,
            category_mask=mask,
            category_anyof_mask=anyof,
            return_mask=reported,
        )
        arg.size = ctypes.sizeof(arg)
        found = fcntl.ioctl(self.fd, UFFDWP_IOC_SCAN, arg, True)
        return regions[:found], arg.walk_end


def written(tracker):
    """
    What was written since the last call, of all memory that is there. Take all of it: it comes in
    batches, and what is left of one is not told again.
    """
    start = 0
    while start < tracker.hello.address_limit:
        regions, start = tracker.scan(
            start,
            tracker.hello.address_limit,
            flags=UFFDWP_SCAN_WP_MATCHING,
            mask=UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_WPALLOWED,
            anyof=UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED,
        )
        yield from regions


def watch(pid, looks):
    with Tracker(pid) as tracker:
        tracker.follow(UFFDWP_KIND_ANON_PRIVATE)
        for _ in written(tracker):
            pass  # all that was there when we came
        print(f"watching {pid}", flush=True)
        while looks:
            time.sleep(1)
            for region in written(tracker):
                pages = (region.end - region.start) // 4096
                print(f"{region.start:x}-{region.end:x} {pages} pages")
            sys.stdout.flush()
            looks -= 1


def main(arguments):
    try:
        pid = int(arguments[1])
        looks = int(arguments[2]) if len(arguments) == 3 else -1
    except (ValueError, IndexError):
        pid = 0
    if pid <= 0 or len(arguments) > 3:
        print("usage: uffdwp_async.py PID [LOOKS]", file=sys.stderr)
        return 2
    try:
        watch(pid, looks)
    except KeyboardInterrupt:
        pass
    except OSError as error:
        if error.errno == errno.ESRCH:
            print(f"uffdwp_async.py: process {pid} is not there, or has ended", file=sys.stderr)
        elif error.errno == errno.ENOENT and not os.path.exists(UFFDWP_DEVICE):
            print(f"uffdwp_async.py: no {UFFDWP_DEVICE}: modprobe uffdwp-async", file=sys.stderr)
        else:
            print(f"uffdwp_async.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
