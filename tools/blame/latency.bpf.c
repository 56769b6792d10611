// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp latency, in the kernel: how long handle_mm_fault() takes where it makes an armed page
 * written.
 */
#include "kernel.bpf.h"

struct fault {
	__u64 began;
	__u64 wrote;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct fault);
} faults SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BLAME_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} slots SEC(".maps");

SEC("fentry/handle_mm_fault")
int fault_begins(void *ctx __attribute__((unused)))
{
	const struct blame_setup *s = get_setup();
	const __u64 id = bpf_get_current_pid_tgid();
	const __u32 tid = (__u32)id;
	struct fault fault = { 0 };

	if (!s || id >> 32 != s->tgid)
		return 0;
	fault.began = bpf_ktime_get_ns();
	bpf_map_update_elem(&faults, &tid, &fault, BPF_ANY);
	return 0;
}

SEC("raw_tracepoint/uffdwp_written")
int written(struct bpf_raw_tracepoint_args *ctx)
{
	const __u32 tid = (__u32)bpf_get_current_pid_tgid();
	const struct blame_setup *s = get_setup();
	struct fault *fault;

	if (!s || !is_ours(s, ctx))
		return 0;
	fault = bpf_map_lookup_elem(&faults, &tid);
	if (fault)
		fault->wrote = 1;
	else
		add_to(BLAME_UNTIMED, 1);
	return 0;
}

static __always_inline __u32 slot_of(__u64 ns)
{
	__u32 slot = 0;
	int shift;

#pragma unroll
	for (shift = 32; shift; shift >>= 1)
		if (ns >> shift) {
			ns >>= shift;
			slot += shift;
		}
	return slot < BLAME_SLOTS ? slot : BLAME_SLOTS - 1;
}

SEC("fexit/handle_mm_fault")
int fault_ends(void *ctx __attribute__((unused)))
{
	const __u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct fault *fault = bpf_map_lookup_elem(&faults, &tid);
	__u64 *count;
	__u32 slot;

	if (!fault)
		return 0;
	if (fault->wrote) {
		slot = slot_of(bpf_ktime_get_ns() - fault->began);
		count = bpf_map_lookup_elem(&slots, &slot);
		if (count)
			__sync_fetch_and_add(count, 1);
	}
	bpf_map_delete_elem(&faults, &tid);
	return 0;
}
