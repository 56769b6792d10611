// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf.h"

#define VMLINUX "/sys/kernel/btf/vmlinux"

/* The types of the kernel, or NULL. */
static const struct btf_header *read_types(void)
{
	int fd = open(VMLINUX, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	size_t got = 0;
	ssize_t n = 1;
	char *all;

	if (fd < 0 || fstat(fd, &stat))
		return NULL;
	all = malloc(stat.st_size);
	while (all && got < (size_t)stat.st_size && n > 0) {
		n = read(fd, all + got, stat.st_size - got);
		got += n > 0 ? n : 0;
	}
	close(fd);
	return all && got == (size_t)stat.st_size ? (const struct btf_header *)all : NULL;
}

/* What follows a type: Documentation/bpf/btf.rst. -1: not known here */
static long tail_of(const struct btf_type *type)
{
	const unsigned int n = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return n * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return n * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return n * sizeof(struct btf_var_secinfo);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	default:
		return -1;
	}
}

static int id_of(const char *function)
{
	static const struct btf_header *types;
	const char *at, *end, *names;
	int id;

	if (!types)
		types = read_types();
	if (!types)
		return -ENOTSUP;
	at = (const char *)types + types->hdr_len + types->type_off;
	end = at + types->type_len;
	names = (const char *)types + types->hdr_len + types->str_off;
	for (id = 1; at < end; id++) {
		const struct btf_type *type = (const struct btf_type *)at;
		const long tail = tail_of(type);

		if (BTF_INFO_KIND(type->info) == BTF_KIND_FUNC &&
		    !strcmp(names + type->name_off, function))
			return id;
		if (tail < 0)
			return -EPROTO;
		at += sizeof(*type) + tail;
	}
	return -ENOENT;
}

static int call(int command, union bpf_attr *attr)
{
	int ret = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return ret < 0 ? -errno : ret;
}

int bpf_load(const char *function, enum bpf_place place)
{
	static const enum bpf_attach_type types[] = {
		[BPF_AT_ENTRY] = BPF_TRACE_FENTRY,
		[BPF_AT_EXIT] = BPF_TRACE_FEXIT,
		[BPF_INSTEAD] = BPF_MODIFY_RETURN,
	};
	/* return 0 */
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;
	int id = id_of(function);

	if (id < 0)
		return id;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_TRACING;
	attr.expected_attach_type = types[place];
	attr.attach_btf_id = id;
	attr.insns = (uintptr_t)nothing;
	attr.insn_cnt = sizeof(nothing) / sizeof(nothing[0]);
	attr.license = (uintptr_t)"GPL";
	return call(BPF_PROG_LOAD, &attr);
}

int bpf_attach(int program)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.prog_fd = program;
	return call(BPF_RAW_TRACEPOINT_OPEN, &attr);
}
