// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel itself does in its faults, told apart from what the module says of them: write
 * faults of the test's process in a range, at the entry of handle_mm_fault(), which the module does
 * not hook. Beside it, what the module's tracepoint tells of the same range.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "faults.h"

#define FAULT_FLAG_WRITE 1

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct faults);
} seen SEC(".maps");

static __always_inline struct faults *get_seen(void)
{
	const __u32 first = 0;

	return bpf_map_lookup_elem(&seen, &first);
}

/* vm_fault_t handle_mm_fault(vma, unsigned long address, unsigned int flags, regs) */
SEC("fentry/handle_mm_fault")
int fault(const __u64 *ctx)
{
	struct faults *s = get_seen();

	if (s && bpf_get_current_pid_tgid() >> 32 == s->tgid && s->start <= ctx[1] &&
	    ctx[1] < s->end && ctx[2] & FAULT_FLAG_WRITE)
		__sync_fetch_and_add(&s->write_faults, 1);
	return 0;
}

/* uffdwp_written(mm, address, pages), by whichever process */
SEC("raw_tracepoint/uffdwp_written")
int written(const struct bpf_raw_tracepoint_args *ctx)
{
	struct faults *s = get_seen();

	if (s && s->start <= ctx->args[1] && ctx->args[1] < s->end) {
		__sync_fetch_and_add(&s->events, 1);
		__sync_fetch_and_add(&s->pages, ctx->args[2]);
	}
	return 0;
}

char licence[] SEC("license") = "GPL";
