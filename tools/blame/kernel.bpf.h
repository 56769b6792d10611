/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF programs need of the kernel: the few members that they read, found anew in each
 * kernel by their names (CO-RE), and the maps that all of them have.
 */
#ifndef TOOLS_BLAME_KERNEL_BPF_H
#define TOOLS_BLAME_KERNEL_BPF_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "counts.h"

struct task_struct {
	int tgid;
} __attribute__((preserve_access_index));

struct mm_struct {
	struct task_struct *owner;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct blame_setup);
} setup SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BLAME_SUMS);
	__type(key, __u32);
	__type(value, __u64);
} sums SEC(".maps");

static __always_inline const struct blame_setup *get_setup(void)
{
	const __u32 first = 0;

	return bpf_map_lookup_elem(&setup, &first);
}

/*
 * The sum is read after it was added to, and may have what others have added: an addition that
 * returns what was there before needs Linux 5.12.
 */
static __always_inline __u64 add_to(__u32 which, __u64 n)
{
	__u64 *sum = bpf_map_lookup_elem(&sums, &which);

	if (!sum)
		return 0;
	__sync_fetch_and_add(sum, n);
	return *(volatile __u64 *)sum;
}

/*
 * The arguments of the raw tracepoint uffdwp_written. The process is the one that has the memory:
 * who writes may be another one.
 */
static __always_inline int is_ours(const struct blame_setup *s,
				   const struct bpf_raw_tracepoint_args *args)
{
	const struct mm_struct *mm = (const struct mm_struct *)args->args[0];

	return BPF_CORE_READ(mm, owner, tgid) == (int)s->tgid;
}

/* The code that writes; not of another process, whose addresses mean something else. */
static __always_inline long read_stack(void *ctx, __u64 *ip, __u32 frames)
{
	return bpf_get_stack(ctx, ip, frames * sizeof(*ip), BPF_F_USER_STACK);
}

char licence[] SEC("license") = "GPL";

#endif /* TOOLS_BLAME_KERNEL_BPF_H */
