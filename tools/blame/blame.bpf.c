// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp blame, in the kernel: count the pages that become written by who writes them. The maps are
 * allocated beforehand and have a fixed size; what does not fit is counted as lost.
 */
#include "kernel.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, struct blame_key);
	__type(value, struct blame_count);
} counts SEC(".maps");

/* A key is too large for the stack. Nothing runs in between: the page-table lock is held. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct blame_key);
} scratch SEC(".maps");

static __always_inline struct blame_key *empty_key(void)
{
	const __u32 first = 0;
	struct blame_key *key = bpf_map_lookup_elem(&scratch, &first);

	if (key)
		__builtin_memset(key, 0, sizeof(*key));
	return key;
}

static __always_inline void add(struct blame_count *count, __u64 address, __u64 pages)
{
	const __u64 last = address + ((pages - 1) << 12);

	__sync_fetch_and_add(&count->pages, pages);
	/* Two processors may race here, and the range be too small for once. */
	if (address < count->lowest)
		count->lowest = address;
	if (last > count->highest)
		count->highest = last;
}

static __always_inline void count_for(const struct blame_key *key, __u64 address, __u64 pages)
{
	struct blame_count new = { .pages = 0, .lowest = address, .highest = address };
	struct blame_count *count = bpf_map_lookup_elem(&counts, key);

	if (!count) {
		bpf_get_current_comm(new.comm, sizeof(new.comm));
		bpf_map_update_elem(&counts, key, &new, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&counts, key);
	}
	if (count)
		add(count, address, pages);
	else
		add_to(BLAME_LOST, pages);
}

SEC("raw_tracepoint/uffdwp_written")
int written(struct bpf_raw_tracepoint_args *ctx)
{
	const struct blame_setup *s = get_setup();
	const __u64 id = bpf_get_current_pid_tgid();
	struct blame_key *key;

	if (!s || !is_ours(s, ctx))
		return 0;
	key = empty_key();
	if (!key)
		return 0;
	add_to(BLAME_PAGES, ctx->args[2]);
	if (id >> 32 != s->tgid) {
		add_to(BLAME_FOREIGN, ctx->args[2]);
		key->tgid = id >> 32;
		key->tid = (__u32)id;
	} else {
		key->tgid = s->tgid;
		if (s->by == BLAME_BY_TASK)
			key->tid = (__u32)id;
		else if (s->by == BLAME_BY_FUNCTION)
			read_stack(ctx, key->ip, 1);
		else if (s->by == BLAME_BY_STACK)
			read_stack(ctx, key->ip, BLAME_FRAMES);
	}
	if (s->by == BLAME_BY_MAPPING)
		key->block = ctx->args[1] >> BLAME_BLOCK_SHIFT;
	count_for(key, ctx->args[1], ctx->args[2]);
	return 0;
}
