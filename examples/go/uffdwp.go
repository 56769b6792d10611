// SPDX-License-Identifier: LGPL-2.1-or-later

// The interface of /dev/uffdwp-async for Go, by ioctl(2) alone: which pages of a process were
// written since you last looked? Names of constants, values and meanings are those of
// <uffdwp-async.h>; structures and their members have the same names as Go writes them.
//
// To be copied into a package. As a program, uffdwp PID [LOOKS], it prints second by second what a
// process has written.
//
//	go build uffdwp.go
//
// Needs Linux on x86-64.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const (
	UFFDWP_DEVICE = "/dev/uffdwp-async"
)

const (
	UFFDWP_ABI_VERSION = 1
)

const (
	UFFDWP_PAGE_IS_WPALLOWED  = 1 << 0
	UFFDWP_PAGE_IS_WRITTEN    = 1 << 1
	UFFDWP_PAGE_IS_FILE       = 1 << 2
	UFFDWP_PAGE_IS_PRESENT    = 1 << 3
	UFFDWP_PAGE_IS_SWAPPED    = 1 << 4
	UFFDWP_PAGE_IS_PFNZERO    = 1 << 5
	UFFDWP_PAGE_IS_HUGE       = 1 << 6
	UFFDWP_PAGE_IS_SOFT_DIRTY = 1 << 7
	UFFDWP_PAGE_IS_GUARD      = 1 << 8
	UFFDWP_PAGE_IS_UNTRACKED  = 1 << 32
	UFFDWP_PAGE_IS_PINNED     = 1 << 33
	UFFDWP_PAGE_IS_SPARSE     = 1 << 34
)

const (
	UFFDWP_FEATURE_PIDFD        = 1 << 0
	UFFDWP_FEATURE_UFFD         = 1 << 1
	UFFDWP_FEATURE_UNPOP_ZERO   = 1 << 2
	UFFDWP_FEATURE_UNPOP_MARKER = 1 << 3
	UFFDWP_FEATURE_THP          = 1 << 4
	UFFDWP_FEATURE_WRITEPROTECT = 1 << 5
	UFFDWP_FEATURE_GIVES_WAY    = 1 << 6
	UFFDWP_FEATURE_UNPOP_SPARSE = 1 << 7
	UFFDWP_FEATURE_WHOLE_HUGE   = 1 << 8
	UFFDWP_FEATURE_GRANULE      = 1 << 9
	UFFDWP_FEATURE_RING         = 1 << 10
	UFFDWP_FEATURE_FOLLOW       = 1 << 11
	UFFDWP_FEATURE_EVENTS       = 1 << 12
	UFFDWP_FEATURE_RIDE         = 1 << 13
)

const (
	UFFDWP_KIND_ANON_PRIVATE = 1 << 0
	UFFDWP_KIND_SHMEM        = 1 << 1
	UFFDWP_KIND_HUGETLB      = 1 << 2
	UFFDWP_KIND_FILE         = 1 << 3
)

const (
	UFFDWP_ATTACH_PIDFD       = 1 << 0
	UFFDWP_ATTACH_UFFD        = 1 << 1
	UFFDWP_ATTACH_IGNORE_PINS = 1 << 2
	UFFDWP_ATTACH_KEEP        = 1 << 3
	UFFDWP_ATTACH_WHOLE_HUGE  = 1 << 4
	UFFDWP_ATTACH_RIDE        = 1 << 5
)

const (
	UFFDWP_UNPOP_DEFAULT = 0
	UFFDWP_UNPOP_ZERO    = 1
	UFFDWP_UNPOP_MARKER  = 2
	UFFDWP_UNPOP_SPARSE  = 3
)

const (
	UFFDWP_GRANULE_MIN = 16
	UFFDWP_GRANULE_MAX = 512
)

const (
	UFFDWP_FOLLOW_END    = 1 << 0
	UFFDWP_FOLLOW_SPARSE = 1 << 1
	UFFDWP_FOLLOW_FORK   = 1 << 2
	UFFDWP_FOLLOW_EXEC   = 1 << 3
)

const (
	UFFDWP_SCAN_WP_MATCHING   = 1 << 0
	UFFDWP_SCAN_CHECK_TRACKED = 1 << 1
)

const (
	UFFDWP_RING_WRITTEN     = 1 << 0
	UFFDWP_RING_SCAN        = 1 << 1
	UFFDWP_RING_EVERYTHING  = 1 << 0
	UFFDWP_RING_ENDED       = 1 << 1
	UFFDWP_RING_MIN_ENTRIES = 64
	UFFDWP_RING_MAX_ENTRIES = 1 << 20
)

const (
	UFFDWP_EVENT_LOST      = 1
	UFFDWP_EVENT_MAPPED    = 2
	UFFDWP_EVENT_UNMAPPED  = 3
	UFFDWP_EVENT_MOVED     = 4
	UFFDWP_EVENT_DISCARDED = 5
	UFFDWP_EVENT_LEFT      = 6
	UFFDWP_EVENT_WRITTEN   = 7
	UFFDWP_EVENT_FORKED    = 8
	UFFDWP_EVENT_EXEC      = 9
	UFFDWP_EVENT_EXITED    = 10
)

const (
	UFFDWP_EVENTS_HARVEST_ALL  = 1 << 0
	UFFDWP_EVENTS_HARVEST_NONE = 1 << 1
	UFFDWP_EVENTS_MIN_CAPACITY = 16
	UFFDWP_EVENTS_MAX_CAPACITY = 1 << 20
)

const (
	UFFDWP_IOC_HELLO      = 0xc068e900
	UFFDWP_IOC_ATTACH     = 0xc020e901
	UFFDWP_IOC_REGISTER   = 0xc030e902
	UFFDWP_IOC_UNREGISTER = 0xc030e903
	UFFDWP_IOC_ARM        = 0xc038e904
	UFFDWP_IOC_SCAN       = 0xc060e905
	UFFDWP_IOC_STATS      = 0xc0b8e906
	UFFDWP_IOC_DISARM     = 0xc030e907
	UFFDWP_IOC_RING       = 0xc028e908
	UFFDWP_IOC_RING_RESET = 0xc038e909
	UFFDWP_IOC_FOLLOW     = 0xc030e90a
	UFFDWP_IOC_EVENTS     = 0xc020e90b
	UFFDWP_IOC_CLAIM      = 0xc028e90c
)

type Region struct {
	Start      uint64
	End        uint64
	Categories uint64
}

type HelloArg struct {
	Size         uint64
	Reserved     uint64
	AbiVersion   uint32
	PageSize     uint32
	Features     uint64
	Kinds        uint64
	Categories   uint64
	ScanFlags    uint64
	MaxRegions   uint64
	AddressLimit uint64
	Version      [32]byte
}

type AttachArg struct {
	Size        uint64
	Flags       uint64
	Pidfd       int32
	Uffd        int32
	Unpopulated uint32
	Granule     uint32
}

type RegisterArg struct {
	Size     uint64
	Flags    uint64
	Start    uint64
	Len      uint64
	FailAt   uint64
	Reserved uint64
}

type FollowArg struct {
	Size     uint64
	Flags    uint64
	Start    uint64
	Len      uint64
	Kinds    uint64
	Reserved uint64
}

type UnregisterArg struct {
	Size     uint64
	Flags    uint64
	Start    uint64
	Len      uint64
	FailAt   uint64
	Reserved uint64
}

type ArmArg struct {
	Size     uint64
	Flags    uint64
	Start    uint64
	Len      uint64
	WalkEnd  uint64
	Armed    uint64
	Reserved uint64
}

type DisarmArg struct {
	Size     uint64
	Flags    uint64
	Start    uint64
	Len      uint64
	Disarmed uint64
	Reserved uint64
}

type ScanArg struct {
	Size              uint64
	Flags             uint64
	Start             uint64
	End               uint64
	WalkEnd           uint64
	Vec               uint64
	VecLen            uint64
	MaxPages          uint64
	CategoryInverted  uint64
	CategoryMask      uint64
	CategoryAnyofMask uint64
	ReturnMask        uint64
}

type RingEntry struct {
	Start uint64
	Pages uint32
	Flags uint32
}

type RingHeader struct {
	Head      uint64
	Tail      uint64
	Flags     uint32
	Entries   uint32
	Watermark uint32
	First     uint32
}

type RingArg struct {
	Size      uint64
	Flags     uint64
	Entries   uint32
	Watermark uint32
	Bytes     uint64
	Reserved  uint64
}

type RingResetArg struct {
	Size      uint64
	Flags     uint64
	Upto      uint64
	Tail      uint64
	Armed     uint64
	Told      uint32
	Reserved2 uint32
	Reserved  uint64
}

type Event struct {
	Type   uint32
	Flags  uint32
	Start  uint64
	End    uint64
	From   uint64
	Kind   uint64
	Id     uint64
	Pid    int32
	Status int32
	Offset uint64
	Inode  uint64
	Dev    uint64
}

type EventsArg struct {
	Size      uint64
	Flags     uint64
	Capacity  uint32
	EventSize uint32
	Reserved  uint64
}

type ClaimArg struct {
	Size      uint64
	Flags     uint64
	Id        uint64
	Fd        int32
	Reserved2 uint32
	Reserved  uint64
}

type StatsArg struct {
	Size             uint64
	Flags            uint64
	WriteFaults      uint64
	HugeSplits       uint64
	FallbackFaults   uint64
	MarkerFaults     uint64
	HugetlbFaults    uint64
	PagesArmed       uint64
	PagesPinned      uint64
	PagesDiscarded   uint64
	ZeroInstalled    uint64
	MarkersInstalled uint64
	Scans            uint64
	PagesReported    uint64
	PagesUndone      uint64
	TlbFlushes       uint64
	HooksDead        uint64
	PagesGivenWay    uint64
	SparseArmed      uint64
	HugeFaults       uint64
	PagesOpened      uint64
	MappingsFollowed uint64
	MappingsMissed   uint64
}

const sysPidfdOpen = 434

// Tracker is one process, and what of its memory is tracked. After Close, and when this program
// ends, nothing of the process stays protected. Not for several goroutines at once.
type Tracker struct {
	fd    int
	Hello HelloArg
	// Where the kernel puts regions. A Tracker is made by Open, on the heap, which does not move.
	regions [512]Region
}

// The address of a structure that begins with its size.
func (t *Tracker) command(number uintptr, arg unsafe.Pointer) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(t.fd), number, uintptr(arg))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// Open begins to track a process, of which nothing is tracked before Register or Follow.
func Open(pid int) (*Tracker, error) {
	fd, err := syscall.Open(UFFDWP_DEVICE, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: UFFDWP_DEVICE, Err: err}
	}
	t := &Tracker{fd: fd}
	if err := t.attach(pid); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Tracker) attach(pid int) error {
	t.Hello.Size = uint64(unsafe.Sizeof(t.Hello))
	if _, err := t.command(UFFDWP_IOC_HELLO, unsafe.Pointer(&t.Hello)); err != nil {
		return err
	}
	if t.Hello.AbiVersion < UFFDWP_ABI_VERSION {
		return errors.New("the module is older than this program")
	}
	pidfd, _, errno := syscall.Syscall(sysPidfdOpen, uintptr(pid), 0, 0)
	if errno != 0 {
		return errno
	}
	defer syscall.Close(int(pidfd))
	arg := AttachArg{Flags: UFFDWP_ATTACH_PIDFD, Pidfd: int32(pidfd)}
	arg.Size = uint64(unsafe.Sizeof(arg))
	_, err := t.command(UFFDWP_IOC_ATTACH, unsafe.Pointer(&arg))
	return err
}

// Close ends the tracking.
func (t *Tracker) Close() {
	syscall.Close(t.fd)
}

// Register tracks a range. It is written until it is armed.
func (t *Tracker) Register(start, length uint64) error {
	arg := RegisterArg{Start: start, Len: length}
	arg.Size = uint64(unsafe.Sizeof(arg))
	_, err := t.command(UFFDWP_IOC_REGISTER, unsafe.Pointer(&arg))
	return err
}

// Follow tracks all memory of these kinds (0: of every one), and what will be mapped.
func (t *Tracker) Follow(kinds uint64) error {
	arg := FollowArg{Kinds: kinds}
	arg.Size = uint64(unsafe.Sizeof(arg))
	_, err := t.command(UFFDWP_IOC_FOLLOW, unsafe.Pointer(&arg))
	return err
}

// Arm forgets what was written in a range: what is from now on is noticed.
func (t *Tracker) Arm(start, length uint64) error {
	arg := ArmArg{Start: start, Len: length}
	arg.Size = uint64(unsafe.Sizeof(arg))
	_, err := t.command(UFFDWP_IOC_ARM, unsafe.Pointer(&arg))
	return err
}

// Disarm takes a range for written, for who could not do what a scan has told.
func (t *Tracker) Disarm(start, length uint64) error {
	arg := DisarmArg{Start: start, Len: length}
	arg.Size = uint64(unsafe.Sizeof(arg))
	_, err := t.command(UFFDWP_IOC_DISARM, unsafe.Pointer(&arg))
	return err
}

// Scan finds the first regions of a range, as arg says, which has everything but where to put them.
// They hold until the next Scan. Go on from arg.WalkEnd, if that is below arg.End. What is returned
// was armed (UFFDWP_SCAN_WP_MATCHING) and is yours: it is told again only when it is written again.
func (t *Tracker) Scan(arg *ScanArg) ([]Region, error) {
	arg.Size = uint64(unsafe.Sizeof(*arg))
	arg.Vec = uint64(uintptr(unsafe.Pointer(&t.regions[0])))
	arg.VecLen = uint64(len(t.regions))
	n, err := t.command(UFFDWP_IOC_SCAN, unsafe.Pointer(arg))
	runtime.KeepAlive(t)
	return t.regions[:n], err
}

// Written calls what it is given for all that was written since it was called before, of all memory
// that is there.
func (t *Tracker) Written(each func(Region)) error {
	arg := ScanArg{
		Flags:             UFFDWP_SCAN_WP_MATCHING,
		End:               t.Hello.AddressLimit,
		CategoryMask:      UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_WPALLOWED,
		CategoryAnyofMask: UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED,
	}
	for arg.Start < arg.End {
		regions, err := t.Scan(&arg)
		if err != nil {
			return err
		}
		for _, region := range regions {
			each(region)
		}
		arg.Start = arg.WalkEnd
	}
	return nil
}

func watch(pid, looks int) error {
	t, err := Open(pid)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := t.Follow(UFFDWP_KIND_ANON_PRIVATE); err != nil {
		return err
	}
	// All that was there when we came.
	if err := t.Written(func(Region) {}); err != nil {
		return err
	}
	fmt.Printf("watching %d\n", pid)
	for ; looks != 0; looks-- {
		time.Sleep(time.Second)
		err := t.Written(func(r Region) {
			fmt.Printf("%x-%x %d pages\n", r.Start, r.End, (r.End-r.Start)/4096)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func main() {
	pid, looks := 0, -1
	var bad error
	if len(os.Args) == 2 || len(os.Args) == 3 {
		pid, bad = strconv.Atoi(os.Args[1])
	}
	if bad == nil && len(os.Args) == 3 {
		looks, bad = strconv.Atoi(os.Args[2])
	}
	if bad != nil || pid <= 0 {
		fmt.Fprintln(os.Stderr, "usage: uffdwp PID [LOOKS]")
		os.Exit(2)
	}
	err := watch(pid, looks)
	switch {
	case errors.Is(err, syscall.ESRCH):
		err = fmt.Errorf("process %d is not there, or has ended", pid)
	case errors.Is(err, syscall.ENOENT):
		err = fmt.Errorf("no %s: modprobe uffdwp-async", UFFDWP_DEVICE)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "uffdwp: %v\n", err)
		os.Exit(1)
	}
}
