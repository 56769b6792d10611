// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF programs: loaded by libbpf from objects that are part of this program, and attached to the
 * module's tracepoints by name, since a module that DKMS has built has no BTF. What they read of
 * the kernel's own structures is found by the BTF of the kernel.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "load.h"

#define TYPES "/sys/kernel/btf/vmlinux"
#define LOCKDOWN "/sys/kernel/security/lockdown"

/* An object as a part of this program: the assembler finds the file in the build folder (-I). */
#define OBJECT(name)							\
	__asm__(".section .rodata\n"					\
		".balign 8\n"						\
		"object_" #name ":\n"					\
		".incbin \"tools/blame/" #name ".bpf.o\"\n"		\
		"object_" #name "_end:\n"				\
		".previous\n");						\
	extern const char object_##name[], object_##name##_end[]

OBJECT(blame);
OBJECT(trap);
OBJECT(latency);

static const struct {
	const char *start, *end, *verb;
} objects[] = {
	[LOAD_BLAME] = { object_blame, object_blame_end, "blame" },
	[LOAD_TRAP] = { object_trap, object_trap_end, "trap" },
	[LOAD_LATENCY] = { object_latency, object_latency_end, "latency" },
};

/* What libbpf complained of last: only said if it was in vain. */
static char complaint[256];

static int keep_complaint(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_WARN)
		vsnprintf(complaint, sizeof(complaint), format, arguments);
	return 0;
}

static bool is_locked_down(void)
{
	char line[128] = "";
	FILE *file = fopen(LOCKDOWN, "re");

	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		*line = 0;
	fclose(file);
	return strstr(line, "[confidentiality]");
}

/* Why can this kernel, or this user, not have BPF? In the order in which one would mend it. */
static void explain(const char *verb, const char *what, int err)
{
	complaint[strcspn(complaint, "\n")] = 0;
	fprintf(stderr, "uffdwp %s: cannot %s: ", verb, what);
	if (err == -ENOSYS)
		fputs("this kernel has no BPF: it needs CONFIG_BPF_SYSCALL\n", stderr);
	else if (is_locked_down())
		fputs("this kernel is locked down (confidentiality), and BPF programs may read nothing: boot it without lockdown=confidentiality\n",
		      stderr);
	else if (err == -EPERM)
		fputs("no right to use BPF: run it as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE\n",
		      stderr);
	else if (access(TYPES, R_OK))
		fputs("this kernel does not tell its types in " TYPES ": it needs CONFIG_DEBUG_INFO_BTF\n",
		      stderr);
	else
		fprintf(stderr, "%s%s%s\n", strerror(-err), *complaint ? ": " : "", complaint);
}

/* What is nice to have, and not there on every kernel. */
static bool is_optional(const struct bpf_program *program)
{
	return !strncmp(bpf_program__name(program), "fault_user", 10) ||
	       !strncmp(bpf_program__name(program), "fault_kernel", 12);
}

static int attach_all(struct loaded *l, const char *verb)
{
	struct bpf_program *program;
	int n = 0;

	bpf_object__for_each_program(program, l->object) {
		struct bpf_link *link = bpf_program__attach(program);

		if (link) {
			l->link[n++] = link;
			continue;
		}
		if (is_optional(program))
			continue;
		if (errno == ENOENT)
			fprintf(stderr, "uffdwp %s: the module that is loaded has no tracepoint for it: load the one that belongs to this command (version %s)\n",
				verb, UFFDWP_VERSION);
		else
			explain(verb, "watch the kernel", -errno);
		return 1;
	}
	return 0;
}

int load_programs(enum load_which which, const struct blame_setup *setup, struct loaded *l)
{
	const char *verb = objects[which].verb;
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = verb);
	int err;

	*l = (struct loaded){ 0 };
	*complaint = 0;
	libbpf_set_print(keep_complaint);
	l->object = bpf_object__open_mem(objects[which].start,
					 objects[which].end - objects[which].start, &opts);
	if (!l->object) {
		explain(verb, "read its own BPF programs", -errno);
		return 1;
	}
	err = bpf_object__load(l->object);
	if (!err)
		err = load_set_up(l, setup);
	if (err)
		explain(verb, "load BPF programs", err);
	if (err || attach_all(l, verb)) {
		load_end(l);
		return 1;
	}
	return 0;
}

int load_map(const struct loaded *l, const char *name)
{
	return bpf_object__find_map_fd_by_name(l->object, name);
}

int load_set_up(const struct loaded *l, const struct blame_setup *setup)
{
	const __u32 first = 0;

	return bpf_map_update_elem(load_map(l, "setup"), &first, setup, BPF_ANY) ? -errno : 0;
}

uint64_t load_sum(const struct loaded *l, enum blame_sum which)
{
	const __u32 index = which;
	uint64_t sum = 0;

	return bpf_map_lookup_elem(load_map(l, "sums"), &index, &sum) ? 0 : sum;
}

/*
 * A program that runs on another processor at this moment ends within a grace period of RCU. That
 * cannot be asked for with nohz_full, where it ends long before we go on.
 */
static void wait_for_running(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(20000);
}

void load_detach(struct loaded *l)
{
	bool any = false;
	int i;

	for (i = 0; i < LOAD_LINKS; i++) {
		any |= l->link[i] != NULL;
		bpf_link__destroy(l->link[i]);
		l->link[i] = NULL;
	}
	if (any)
		wait_for_running();
}

void load_end(struct loaded *l)
{
	load_detach(l);
	bpf_object__close(l->object);
	l->object = NULL;
}
