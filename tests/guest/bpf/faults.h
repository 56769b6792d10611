/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_BPF_FAULTS_H
#define GUEST_BPF_FAULTS_H

#include <linux/types.h>

/* What faults.bpf.c is about, and what it has seen. */
struct faults {
	__u64 tgid;
	__u64 start;
	__u64 end;
	__u64 write_faults;	/* that the kernel has taken */
	__u64 events;		/* of uffdwp_written */
	__u64 pages;		/* that these have told of */
};

#endif /* GUEST_BPF_FAULTS_H */
