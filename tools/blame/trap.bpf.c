// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp trap, in the kernel: tell of each page of a range that becomes written, and stop who
 * writes.
 */
#include "kernel.bpf.h"

#define SIGSTOP 19
#define PAGE_MASK (~0xfffull)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} hits SEC(".maps");

/* Where the last fault of each thread of the process was: the tracepoint of ours has the page. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} faults SEC(".maps");

static __always_inline int note_fault(struct bpf_raw_tracepoint_args *ctx)
{
	const struct blame_setup *s = get_setup();
	const __u64 id = bpf_get_current_pid_tgid(), address = ctx->args[0];
	const __u32 tid = (__u32)id;

	if (s && id >> 32 == s->tgid)
		bpf_map_update_elem(&faults, &tid, &address, BPF_ANY);
	return 0;
}

SEC("raw_tracepoint/page_fault_user")
int fault_user(struct bpf_raw_tracepoint_args *ctx)
{
	return note_fault(ctx);
}

SEC("raw_tracepoint/page_fault_kernel")
int fault_kernel(struct bpf_raw_tracepoint_args *ctx)
{
	return note_fault(ctx);
}

/* The key is on the stack: memory of a ring cannot be one. */
static __always_inline void where(struct blame_hit *hit, __u32 tid, __u64 page)
{
	const __u64 *address = bpf_map_lookup_elem(&faults, &tid);

	hit->exact = address && (*address & PAGE_MASK) == page;
	hit->address = hit->exact ? *address : page;
}

SEC("raw_tracepoint/uffdwp_written")
int written(struct bpf_raw_tracepoint_args *ctx)
{
	const __u64 id = bpf_get_current_pid_tgid(), page = ctx->args[1];
	const struct blame_setup *s = get_setup();
	struct blame_hit *hit;
	__u64 number;
	long bytes;

	if (!s || page >= s->end || page + (ctx->args[2] << 12) <= s->start || !is_ours(s, ctx))
		return 0;
	hit = bpf_ringbuf_reserve(&hits, sizeof(*hit), 0);
	if (!hit) {
		add_to(BLAME_UNTOLD, 1);
		return 0;
	}
	number = add_to(BLAME_HITS, 1);
	hit->pages = ctx->args[2];
	hit->tgid = id >> 32;
	hit->tid = (__u32)id;
	hit->frames = 0;
	hit->stopped = 0;
	where(hit, (__u32)id, page);
	bpf_get_current_comm(hit->comm, sizeof(hit->comm));
	if (hit->tgid == s->tgid) {
		if (s->stack)
			bytes = read_stack(ctx, hit->ip, BLAME_FRAMES);
		else
			bytes = read_stack(ctx, hit->ip, 1);
		hit->frames = bytes > 0 ? bytes / sizeof(hit->ip[0]) : 0;
		if (s->stop && number >= s->stop && !bpf_send_signal(SIGSTOP))
			hit->stopped = 1;
	}
	bpf_ringbuf_submit(hit, 0);
	return 0;
}
