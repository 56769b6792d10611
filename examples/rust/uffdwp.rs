// SPDX-License-Identifier: LGPL-2.1-or-later
//! The interface of /dev/uffdwp-async for Rust, by ioctl(2) alone, and without any crate: which
//! pages of a process were written since you last looked? Names, values and meanings are those of
//! <uffdwp-async.h>; structures have the same names as Rust writes them.
//!
//! To be copied. As a program, uffdwp PID [LOOKS], it prints second by second what a process has
//! written.
//!
//!     rustc -O uffdwp.rs
//!
//! Needs Linux on x86-64.

#![allow(dead_code)] // The program does not need all that the interface has.

use std::ffi::{c_int, c_long, c_ulong};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

pub const UFFDWP_DEVICE: &str = "/dev/uffdwp-async";

pub const UFFDWP_ABI_VERSION: u32 = 1;

pub const UFFDWP_PAGE_IS_WPALLOWED: u64 = 1 << 0;
pub const UFFDWP_PAGE_IS_WRITTEN: u64 = 1 << 1;
pub const UFFDWP_PAGE_IS_FILE: u64 = 1 << 2;
pub const UFFDWP_PAGE_IS_PRESENT: u64 = 1 << 3;
pub const UFFDWP_PAGE_IS_SWAPPED: u64 = 1 << 4;
pub const UFFDWP_PAGE_IS_PFNZERO: u64 = 1 << 5;
pub const UFFDWP_PAGE_IS_HUGE: u64 = 1 << 6;
pub const UFFDWP_PAGE_IS_SOFT_DIRTY: u64 = 1 << 7;
pub const UFFDWP_PAGE_IS_GUARD: u64 = 1 << 8;
pub const UFFDWP_PAGE_IS_UNTRACKED: u64 = 1 << 32;
pub const UFFDWP_PAGE_IS_PINNED: u64 = 1 << 33;
pub const UFFDWP_PAGE_IS_SPARSE: u64 = 1 << 34;

pub const UFFDWP_FEATURE_PIDFD: u64 = 1 << 0;
pub const UFFDWP_FEATURE_UFFD: u64 = 1 << 1;
pub const UFFDWP_FEATURE_UNPOP_ZERO: u64 = 1 << 2;
pub const UFFDWP_FEATURE_UNPOP_MARKER: u64 = 1 << 3;
pub const UFFDWP_FEATURE_THP: u64 = 1 << 4;
pub const UFFDWP_FEATURE_WRITEPROTECT: u64 = 1 << 5;
pub const UFFDWP_FEATURE_GIVES_WAY: u64 = 1 << 6;
pub const UFFDWP_FEATURE_UNPOP_SPARSE: u64 = 1 << 7;
pub const UFFDWP_FEATURE_WHOLE_HUGE: u64 = 1 << 8;
pub const UFFDWP_FEATURE_GRANULE: u64 = 1 << 9;
pub const UFFDWP_FEATURE_RING: u64 = 1 << 10;
pub const UFFDWP_FEATURE_FOLLOW: u64 = 1 << 11;
pub const UFFDWP_FEATURE_EVENTS: u64 = 1 << 12;
pub const UFFDWP_FEATURE_RIDE: u64 = 1 << 13;

pub const UFFDWP_KIND_ANON_PRIVATE: u64 = 1 << 0;
pub const UFFDWP_KIND_SHMEM: u64 = 1 << 1;
pub const UFFDWP_KIND_HUGETLB: u64 = 1 << 2;
pub const UFFDWP_KIND_FILE: u64 = 1 << 3;

pub const UFFDWP_ATTACH_PIDFD: u64 = 1 << 0;
pub const UFFDWP_ATTACH_UFFD: u64 = 1 << 1;
pub const UFFDWP_ATTACH_IGNORE_PINS: u64 = 1 << 2;
pub const UFFDWP_ATTACH_KEEP: u64 = 1 << 3;
pub const UFFDWP_ATTACH_WHOLE_HUGE: u64 = 1 << 4;
pub const UFFDWP_ATTACH_RIDE: u64 = 1 << 5;

pub const UFFDWP_UNPOP_DEFAULT: u32 = 0;
pub const UFFDWP_UNPOP_ZERO: u32 = 1;
pub const UFFDWP_UNPOP_MARKER: u32 = 2;
pub const UFFDWP_UNPOP_SPARSE: u32 = 3;

pub const UFFDWP_GRANULE_MIN: u32 = 16;
pub const UFFDWP_GRANULE_MAX: u32 = 512;

pub const UFFDWP_FOLLOW_END: u64 = 1 << 0;
pub const UFFDWP_FOLLOW_SPARSE: u64 = 1 << 1;
pub const UFFDWP_FOLLOW_FORK: u64 = 1 << 2;
pub const UFFDWP_FOLLOW_EXEC: u64 = 1 << 3;

pub const UFFDWP_SCAN_WP_MATCHING: u64 = 1 << 0;
pub const UFFDWP_SCAN_CHECK_TRACKED: u64 = 1 << 1;

pub const UFFDWP_RING_WRITTEN: u32 = 1 << 0;
pub const UFFDWP_RING_SCAN: u32 = 1 << 1;
pub const UFFDWP_RING_EVERYTHING: u32 = 1 << 0;
pub const UFFDWP_RING_ENDED: u32 = 1 << 1;
pub const UFFDWP_RING_MIN_ENTRIES: u32 = 64;
pub const UFFDWP_RING_MAX_ENTRIES: u32 = 1 << 20;

pub const UFFDWP_EVENT_LOST: u32 = 1;
pub const UFFDWP_EVENT_MAPPED: u32 = 2;
pub const UFFDWP_EVENT_UNMAPPED: u32 = 3;
pub const UFFDWP_EVENT_MOVED: u32 = 4;
pub const UFFDWP_EVENT_DISCARDED: u32 = 5;
pub const UFFDWP_EVENT_LEFT: u32 = 6;
pub const UFFDWP_EVENT_WRITTEN: u32 = 7;
pub const UFFDWP_EVENT_FORKED: u32 = 8;
pub const UFFDWP_EVENT_EXEC: u32 = 9;
pub const UFFDWP_EVENT_EXITED: u32 = 10;

pub const UFFDWP_EVENTS_HARVEST_ALL: u64 = 1 << 0;
pub const UFFDWP_EVENTS_HARVEST_NONE: u64 = 1 << 1;
pub const UFFDWP_EVENTS_MIN_CAPACITY: u32 = 16;
pub const UFFDWP_EVENTS_MAX_CAPACITY: u32 = 1 << 20;

pub const UFFDWP_IOC_HELLO: c_ulong = 0xc068e900;
pub const UFFDWP_IOC_ATTACH: c_ulong = 0xc020e901;
pub const UFFDWP_IOC_REGISTER: c_ulong = 0xc030e902;
pub const UFFDWP_IOC_UNREGISTER: c_ulong = 0xc030e903;
pub const UFFDWP_IOC_ARM: c_ulong = 0xc038e904;
pub const UFFDWP_IOC_SCAN: c_ulong = 0xc060e905;
pub const UFFDWP_IOC_STATS: c_ulong = 0xc0b8e906;
pub const UFFDWP_IOC_DISARM: c_ulong = 0xc030e907;
pub const UFFDWP_IOC_RING: c_ulong = 0xc028e908;
pub const UFFDWP_IOC_RING_RESET: c_ulong = 0xc038e909;
pub const UFFDWP_IOC_FOLLOW: c_ulong = 0xc030e90a;
pub const UFFDWP_IOC_EVENTS: c_ulong = 0xc020e90b;
pub const UFFDWP_IOC_CLAIM: c_ulong = 0xc028e90c;

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Region {
    pub start: u64,
    pub end: u64,
    pub categories: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct HelloArg {
    pub size: u64,
    pub reserved: u64,
    pub abi_version: u32,
    pub page_size: u32,
    pub features: u64,
    pub kinds: u64,
    pub categories: u64,
    pub scan_flags: u64,
    pub max_regions: u64,
    pub address_limit: u64,
    pub version: [u8; 32],
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct AttachArg {
    pub size: u64,
    pub flags: u64,
    pub pidfd: i32,
    pub uffd: i32,
    pub unpopulated: u32,
    pub granule: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct RegisterArg {
    pub size: u64,
    pub flags: u64,
    pub start: u64,
    pub len: u64,
    pub fail_at: u64,
    pub reserved: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct FollowArg {
    pub size: u64,
    pub flags: u64,
    pub start: u64,
    pub len: u64,
    pub kinds: u64,
    pub reserved: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct UnregisterArg {
    pub size: u64,
    pub flags: u64,
    pub start: u64,
    pub len: u64,
    pub fail_at: u64,
    pub reserved: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct ArmArg {
    pub size: u64,
    pub flags: u64,
    pub start: u64,
    pub len: u64,
    pub walk_end: u64,
    pub armed: u64,
    pub reserved: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct DisarmArg {
    pub size: u64,
    pub flags: u64,
    pub start: u64,
    pub len: u64,
    pub disarmed: u64,
    pub reserved: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct ScanArg {
    pub size: u64,
    pub flags: u64,
    pub start: u64,
    pub end: u64,
    pub walk_end: u64,
    pub vec: u64,
    pub vec_len: u64,
    pub max_pages: u64,
    pub category_inverted: u64,
    pub category_mask: u64,
    pub category_anyof_mask: u64,
    pub return_mask: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct RingEntry {
    pub start: u64,
    pub pages: u32,
    pub flags: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct RingHeader {
    pub head: u64,
    pub tail: u64,
    pub flags: u32,
    pub entries: u32,
    pub watermark: u32,
    pub first: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct RingArg {
    pub size: u64,
    pub flags: u64,
    pub entries: u32,
    pub watermark: u32,
    pub bytes: u64,
    pub reserved: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct RingResetArg {
    pub size: u64,
    pub flags: u64,
    pub upto: u64,
    pub tail: u64,
    pub armed: u64,
    pub told: u32,
    pub reserved2: u32,
    pub reserved: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Event {
    pub type_: u32,
    pub flags: u32,
    pub start: u64,
    pub end: u64,
    pub from: u64,
    pub kind: u64,
    pub id: u64,
    pub pid: i32,
    pub status: i32,
    pub offset: u64,
    pub inode: u64,
    pub dev: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct EventsArg {
    pub size: u64,
    pub flags: u64,
    pub capacity: u32,
    pub event_size: u32,
    pub reserved: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct ClaimArg {
    pub size: u64,
    pub flags: u64,
    pub id: u64,
    pub fd: i32,
    pub reserved2: u32,
    pub reserved: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct StatsArg {
    pub size: u64,
    pub flags: u64,
    pub write_faults: u64,
    pub huge_splits: u64,
    pub fallback_faults: u64,
    pub marker_faults: u64,
    pub hugetlb_faults: u64,
    pub pages_armed: u64,
    pub pages_pinned: u64,
    pub pages_discarded: u64,
    pub zero_installed: u64,
    pub markers_installed: u64,
    pub scans: u64,
    pub pages_reported: u64,
    pub pages_undone: u64,
    pub tlb_flushes: u64,
    pub hooks_dead: u64,
    pub pages_given_way: u64,
    pub sparse_armed: u64,
    pub huge_faults: u64,
    pub pages_opened: u64,
    pub mappings_followed: u64,
    pub mappings_missed: u64,
}

extern "C" {
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    fn syscall(number: c_long, ...) -> c_long;
}

const SYS_PIDFD_OPEN: c_long = 434;
const ESRCH: i32 = 3;

/// A structure that is the argument of a command, and begins with its size.
///
/// # Safety
/// Only for structures that are laid out as in C, begin with `size`, and that the command may fill.
pub unsafe trait Argument {
    fn set_size(&mut self);
}

macro_rules! arguments {
    ($($name:ident),*) => {$(
        unsafe impl Argument for $name {
            fn set_size(&mut self) {
                self.size = std::mem::size_of::<$name>() as u64;
            }
        }
    )*};
}

arguments!(
    HelloArg,
    AttachArg,
    RegisterArg,
    FollowArg,
    UnregisterArg,
    ArmArg,
    DisarmArg,
    ScanArg
);
arguments!(RingArg, RingResetArg, EventsArg, ClaimArg, StatsArg);

fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    let fd = unsafe { syscall(SYS_PIDFD_OPEN, pid as c_long, 0 as c_long) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(unsafe { OwnedFd::from_raw_fd(fd as c_int) })
}

/// One process, and what of its memory is tracked. When this is dropped, and when this program
/// ends, nothing of the process stays protected.
pub struct Tracker {
    device: File, // with O_CLOEXEC, as all files of Rust
    hello: HelloArg,
}

impl Tracker {
    /// Begins to track a process, of which nothing is tracked before register() or follow().
    pub fn open(pid: i32) -> io::Result<Tracker> {
        let device = OpenOptions::new()
            .read(true)
            .write(true)
            .open(UFFDWP_DEVICE)?;
        let mut tracker = Tracker {
            device,
            hello: HelloArg::default(),
        };
        let mut hello = HelloArg::default();
        tracker.command(UFFDWP_IOC_HELLO, &mut hello)?;
        if hello.abi_version < UFFDWP_ABI_VERSION {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the module is older than this program",
            ));
        }
        tracker.hello = hello;
        let pidfd = pidfd_open(pid)?;
        let mut arg = AttachArg {
            flags: UFFDWP_ATTACH_PIDFD,
            pidfd: pidfd.as_raw_fd(),
            ..AttachArg::default()
        };
        tracker.command(UFFDWP_IOC_ATTACH, &mut arg)?;
        Ok(tracker)
    }

    /// A command. Not SCAN, which writes to where its argument points to: that is scan().
    fn command<T: Argument>(&self, number: c_ulong, arg: &mut T) -> io::Result<usize> {
        arg.set_size();
        let n = unsafe { ioctl(self.device.as_raw_fd(), number, arg as *mut T) };
        if n < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(n as usize)
    }

    /// Tracks a range. It is written until it is armed.
    pub fn register(&self, start: u64, len: u64) -> io::Result<()> {
        let mut arg = RegisterArg {
            start,
            len,
            ..RegisterArg::default()
        };
        self.command(UFFDWP_IOC_REGISTER, &mut arg).map(|_| ())
    }

    /// Tracks all memory of these kinds (0: of every one), and what will be mapped.
    pub fn follow(&self, kinds: u64) -> io::Result<()> {
        let mut arg = FollowArg {
            kinds,
            ..FollowArg::default()
        };
        self.command(UFFDWP_IOC_FOLLOW, &mut arg).map(|_| ())
    }

    /// Forgets what was written in a range: what is from now on is noticed.
    pub fn arm(&self, start: u64, len: u64) -> io::Result<()> {
        let mut arg = ArmArg {
            start,
            len,
            ..ArmArg::default()
        };
        self.command(UFFDWP_IOC_ARM, &mut arg).map(|_| ())
    }

    /// Takes a range for written, for who could not do what a scan has told.
    pub fn disarm(&self, start: u64, len: u64) -> io::Result<()> {
        let mut arg = DisarmArg {
            start,
            len,
            ..DisarmArg::default()
        };
        self.command(UFFDWP_IOC_DISARM, &mut arg).map(|_| ())
    }

    /// The first regions of a range, as arg says, which has everything but where to put them. Go on
    /// from arg.walk_end, if that is below arg.end. What is returned was armed
    /// (UFFDWP_SCAN_WP_MATCHING) and is yours: it is not told again before it is written again.
    pub fn scan(&self, arg: &mut ScanArg) -> io::Result<Vec<Region>> {
        let mut regions = vec![Region::default(); 512];
        arg.vec = regions.as_mut_ptr() as u64;
        arg.vec_len = regions.len() as u64;
        let found = self.command(UFFDWP_IOC_SCAN, arg)?;
        regions.truncate(found);
        Ok(regions)
    }

    /// Calls what it is given for all that was written since it was called before, of all memory
    /// that is there. After an error, some of it was not told, and is not told again.
    pub fn written(&self, mut each: impl FnMut(Region) -> io::Result<()>) -> io::Result<()> {
        let mut arg = ScanArg {
            flags: UFFDWP_SCAN_WP_MATCHING,
            end: self.hello.address_limit,
            category_mask: UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_WPALLOWED,
            category_anyof_mask: UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED,
            ..ScanArg::default()
        };
        while arg.start < arg.end {
            for region in self.scan(&mut arg)? {
                each(region)?;
            }
            arg.start = arg.walk_end;
        }
        Ok(())
    }
}

fn watch(pid: i32, looks: Option<u64>) -> io::Result<()> {
    let tracker = Tracker::open(pid)?;
    tracker.follow(UFFDWP_KIND_ANON_PRIVATE)?;
    let mut out = io::stdout();
    tracker.written(|_| Ok(()))?; // all that was there when we came
    writeln!(out, "watching {pid}")?;
    let mut look = 0;
    while looks != Some(look) {
        sleep(Duration::from_secs(1));
        tracker.written(|r| {
            writeln!(
                out,
                "{:x}-{:x} {} pages",
                r.start,
                r.end,
                (r.end - r.start) / 4096
            )
        })?;
        look += 1;
    }
    Ok(())
}

fn arguments() -> Option<(i32, Option<u64>)> {
    let arguments: Vec<String> = std::env::args().collect();
    let pid = arguments.get(1)?.parse().ok().filter(|pid| *pid > 0)?;
    match arguments.len() {
        2 => Some((pid, None)),
        3 => Some((pid, Some(arguments[2].parse().ok()?))),
        _ => None,
    }
}

fn main() -> ExitCode {
    let Some((pid, looks)) = arguments() else {
        eprintln!("usage: uffdwp PID [LOOKS]");
        return ExitCode::from(2);
    };
    let Err(error) = watch(pid, looks) else {
        return ExitCode::SUCCESS;
    };
    if error.raw_os_error() == Some(ESRCH) {
        eprintln!("uffdwp: process {pid} is not there, or has ended");
    } else if error.kind() == io::ErrorKind::NotFound {
        eprintln!("uffdwp: no {UFFDWP_DEVICE}: modprobe uffdwp-async");
    } else {
        eprintln!("uffdwp: {error}");
    }
    ExitCode::FAILURE
}
