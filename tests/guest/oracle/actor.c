// SPDX-License-Identifier: GPL-2.0-only
/*
 * The actor, whose memory is tracked, and its hand, a process that writes into it from outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "oracle.h"

/* What the process that is the actor has open. */
static struct {
	int file;
	int sockets[2];
	int pipe[2];
	struct peer child;
} own;

static void actor_prepare(struct scene *scene)
{
	enum kind kind;

	/* What a failed test has left behind. */
	munmap(SPAN, SPAN_END - SPAN);
	for (kind = 0; kind < KINDS; kind++)
		if (scene->present & BIT_OF(kind))
			area_make(&scene->areas[kind], kind);
	own.file = open("/bin/busybox", O_RDONLY | O_CLOEXEC);
	assert_true(own.file >= 0);
	assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, own.sockets));
	assert_ok(pipe2(own.pipe, O_CLOEXEC | O_NONBLOCK));
}

static void actor_put_away(struct scene *scene)
{
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++)
		if (scene->areas[kind].fd > 0)
			close(scene->areas[kind].fd);
	if (own.child.pid)
		peer_end(&own.child);
	own.child.pid = 0;
	close(own.file);
	close(own.sockets[0]);
	close(own.sockets[1]);
	close(own.pipe[0]);
	close(own.pipe[1]);
	munmap(SPAN, SPAN_END - SPAN);
}

static int receive(char *into, size_t len, int value)
{
	char buffer[2 * PAGE];

	memset(buffer, value, len);
	if (send(own.sockets[0], buffer, len, 0) != (ssize_t)len)
		return errno;
	return recv(own.sockets[1], into, len, MSG_WAITALL) == (ssize_t)len ? 0 : errno;
}

static int truncate_and_grow(int fd, size_t small, size_t large)
{
	return ftruncate(fd, small) || ftruncate(fd, large) ? errno : 0;
}

static bool is_mapped(char *start, size_t len)
{
	unsigned char resident[HUGE_PAGE / PAGE];

	return !mincore(start, len, resident);
}

/*
 * Where the mapping is in several parts, each has to be moved by itself. Since 6.17 parts that are
 * not registered move together, up to the first one that is (remap_move()).
 */
static int move(char *from, size_t len, char *to, size_t step)
{
	size_t i;

	if (mremap(from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to)
		return 0;
	if (errno != EFAULT)
		return errno;
	for (i = 0; i < len; i += step) {
		if (!is_mapped(from + i, step) && is_mapped(to + i, step))
			continue;
		if (mremap(from + i, step, step, MREMAP_MAYMOVE | MREMAP_FIXED, to + i) != to + i)
			return errno;
	}
	return 0;
}

static int hold(char *start, size_t len)
{
	struct iovec iov = { start, len };

	return vmsplice(own.pipe[1], &iov, 1, SPLICE_F_NONBLOCK) < 0 ? errno : 0;
}

static void let_go(void)
{
	char buffer[PAGE];

	while (read(own.pipe[0], buffer, sizeof(buffer)) > 0)
		;
}

static void write_same(char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i += PAGE)
		*(volatile char *)(p + i) = *(volatile char *)(p + i);
}

static void read_bytes(const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i += PAGE)
		(void)*(const volatile char *)(p + i);
}

static int perform(struct scene *scene, const struct order_arg *arg)
{
	const struct area *area = &scene->areas[arg->kind];

	switch (arg->what) {
	case ORDER_WRITE:
		memset(arg->addr, (int)arg->value, arg->len);
		return 0;
	case ORDER_WRITE_SAME:
		write_same(arg->addr, arg->len);
		return 0;
	case ORDER_READ:
		read_bytes(arg->addr, arg->len);
		return 0;
	case ORDER_READ_FILE:
		return pread(own.file, arg->addr, arg->len, arg->value) == (ssize_t)arg->len ?
		       0 : errno;
	case ORDER_RECV:
		return receive(arg->addr, arg->len, (int)arg->value);
	case ORDER_MADVISE:
		return madvise(arg->addr, arg->len, (int)arg->value) ? errno : 0;
	case ORDER_PROTECT:
		return mprotect(arg->addr, arg->len, (int)arg->value) ? errno : 0;
	case ORDER_PUNCH:
		return fallocate(area->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, arg->value,
				 arg->len) ? errno : 0;
	case ORDER_TRUNCATE:
		return truncate_and_grow(area->fd, arg->value, arg->len);
	case ORDER_REPLACE:
		return munmap(arg->addr, arg->len) ? errno :
		       area_map(area, arg->kind, arg->addr, arg->len);
	case ORDER_RESIZE:
		return mremap(arg->addr, arg->len, arg->value, 0) == arg->addr ? 0 : errno;
	case ORDER_MOVE:
		return move(arg->addr, arg->len, (char *)(uintptr_t)arg->value,
			    kinds[arg->kind].granule * PAGE);
	case ORDER_FORK:
		own.child = peer_start();
		return 0;
	case ORDER_CHILD_WRITE:
		peer_do(&own.child, PEER_WRITE, arg->addr, arg->len, (int)arg->value);
		return 0;
	case ORDER_CHILD_EXIT:
		peer_end(&own.child);
		own.child.pid = 0;
		return 0;
	case ORDER_HOLD:
		return hold(arg->addr, arg->len);
	case ORDER_LET_GO:
		let_go();
		return 0;
	}
	return EINVAL;
}

/* ---- the hand */

struct grip {
	bool with_ptrace;
	char *addr;
	size_t len;
	uint64_t value;
};

static int write_by_ptrace(pid_t pid, const struct grip *grip)
{
	size_t i;
	int error = 0;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL))
		return errno;
	if (waitpid(pid, NULL, __WALL) != pid)
		return errno;
	for (i = 0; i < grip->len && !error; i += sizeof(long))
		if (ptrace(PTRACE_POKEDATA, pid, grip->addr + i, (void *)grip->value))
			error = errno;
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return error;
}

static int write_by_vm_writev(pid_t pid, const struct grip *grip)
{
	static char buffer[4 * PAGE];
	struct iovec from = { buffer, grip->len }, to = { grip->addr, grip->len };

	memset(buffer, (int)grip->value, grip->len);
	return process_vm_writev(pid, &from, 1, &to, 1, 0) == (ssize_t)grip->len ? 0 : errno;
}

static void hand_main(pid_t pid, int from, int to)
{
	struct grip grip;
	int error;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(from, &grip, sizeof(grip)) == sizeof(grip)) {
		error = grip.with_ptrace ? write_by_ptrace(pid, &grip) :
					   write_by_vm_writev(pid, &grip);
		if (write(to, &error, sizeof(error)) != sizeof(error))
			break;
	}
	_exit(0);
}

static int answer(int to, int from, const void *request, size_t len)
{
	int error;

	assert_int_equal(write(to, request, len), len);
	if (read(from, &error, sizeof(error)) != sizeof(error))
		fail_msg("a helping process has died");
	return error;
}

int hand_do(struct actor *actor, bool with_ptrace, char *addr, size_t len, uint64_t value)
{
	struct grip grip = { with_ptrace, addr, len, value };

	return answer(actor->hand_to, actor->hand_from, &grip, sizeof(grip));
}

/* ---- another process as the actor */

static void actor_main(struct scene *scene, int from, int to)
{
	struct order_arg arg;
	int error = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	actor_prepare(scene);
	while (write(to, &error, sizeof(error)) == sizeof(error) &&
	       read(from, &arg, sizeof(arg)) == sizeof(arg))
		error = perform(scene, &arg);
	_exit(0);
}

int actor_do(struct actor *actor, struct scene *scene, const struct order_arg *arg)
{
	if (actor->pid == getpid())
		return perform(scene, arg);
	return answer(actor->to, actor->from, arg, sizeof(*arg));
}

/* In the child returns 0 with its ends of the pipes in to and from. */
static pid_t start_process(int *to, int *from)
{
	int there[2], back[2];
	pid_t pid;

	assert_ok(pipe2(there, O_CLOEXEC));
	assert_ok(pipe2(back, O_CLOEXEC));
	pid = fork();
	assert_true(pid >= 0);
	close(there[!pid]);
	close(back[!!pid]);
	*to = pid ? there[1] : back[1];
	*from = pid ? back[0] : there[0];
	return pid;
}

struct actor actor_start(struct scene *scene, bool other_process)
{
	struct actor actor = { .pid = getpid() };
	int error, to, from;

	if (other_process) {
		actor.pid = start_process(&actor.to, &actor.from);
		if (!actor.pid)
			actor_main(scene, actor.from, actor.to);
		assert_int_equal(read(actor.from, &error, sizeof(error)), sizeof(error));
	}
	/* Before there is memory that it would have a share in. */
	actor.hand = start_process(&to, &from);
	if (!actor.hand)
		hand_main(actor.pid, from, to);
	actor.hand_to = to;
	actor.hand_from = from;
	if (!other_process)
		actor_prepare(scene);
	return actor;
}

static void end_process(pid_t pid, int to, int from)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(to);
	close(from);
}

void actor_end(struct actor *actor, struct scene *scene)
{
	end_process(actor->hand, actor->hand_to, actor->hand_from);
	if (actor->pid != getpid())
		end_process(actor->pid, actor->to, actor->from);
	else
		actor_put_away(scene);
}
