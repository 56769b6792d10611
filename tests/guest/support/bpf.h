/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BPF programs that do nothing, on functions of the kernel: by bpf(2) itself, without a library.
 */
#ifndef GUEST_BPF_H
#define GUEST_BPF_H

enum bpf_place {
	BPF_AT_ENTRY,		/* fentry */
	BPF_AT_EXIT,		/* fexit: the function is called from the trampoline */
	BPF_INSTEAD,		/* fmod_ret: may decide what it returns */
};

/* A program for that place of a function, loaded and not attached; or -errno. */
int bpf_load(const char *function, enum bpf_place place);
/* Attached until what is returned is closed; or -errno. */
int bpf_attach(int program);

#endif /* GUEST_BPF_H */
