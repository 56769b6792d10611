// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse.h"
#include "support.h"

#define THE_FILE 2
#define FILE_SIZE (1 << 20)

static struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node, .size = node == THE_FILE ? FILE_SIZE : 0, .nlink = 1,
		.mode = node == THE_FILE ? S_IFREG | 0444 : S_IFDIR | 0555,
	};
}

static void answer(int fd, const struct fuse_in_header *in, int err, const void *what, size_t len)
{
	struct fuse_out_header out = {
		.len = sizeof(out) + len, .error = -err, .unique = in->unique,
	};
	const struct iovec parts[] = { { &out, sizeof(out) }, { (void *)what, len } };

	/* Who has asked may be gone. */
	if (writev(fd, parts, len ? 2 : 1) < 0)
		return;
}

static void serve_one(int fd, const struct fuse_in_header *in)
{
	const struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096,
	};
	const struct fuse_entry_out entry = {
		.nodeid = THE_FILE, .attr = attr_of(THE_FILE), .attr_valid = 1000,
	};
	const struct fuse_attr_out attr = { .attr = attr_of(in->nodeid), .attr_valid = 1000 };
	const struct fuse_open_out opened = { .fh = 1 };

	switch (in->opcode) {
	case FUSE_INIT:
		answer(fd, in, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		answer(fd, in, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		answer(fd, in, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		answer(fd, in, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(fd, in, ENOSYS, NULL, 0);
	}
}

static void serve(int fd)
{
	static char request[1 << 16] __attribute__((aligned(8)));
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		n = read(fd, request, sizeof(request));
		if (n >= (ssize_t)sizeof(struct fuse_in_header))
			serve_one(fd, (struct fuse_in_header *)request);
		else if (n >= 0 || errno != EINTR)
			_exit(0);
	}
}

/* Nobody else keeps the file: when the server is killed, the connection ends. */
/* The server's process, or -errno; -ENOENT, -ENODEV: no FUSE here */
static pid_t start_server(const char *folder)
{
	const int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[100];
	pid_t pid;

	if (fd < 0)
		return -errno;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (mount("fuse", folder, "fuse", 0, options)) {
		pid = -errno;
		close(fd);
		return pid;
	}
	pid = fork();
	if (!pid)
		serve(fd);
	close(fd);
	return pid;
}

void unread_begin(struct unread *u)
{
	char path[sizeof(u->folder) + 8];
	int fd;

	strcpy(u->folder, "/unread.XXXXXX");
	assert_non_null(mkdtemp(u->folder));
	u->server = start_server(u->folder);
	if (u->server == -ENOENT || u->server == -ENODEV)
		skip_because("this kernel has no FUSE");
	assert_true(u->server > 0);
	snprintf(path, sizeof(path), "%s/file", u->folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	u->page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(u->page, MAP_FAILED);
	close(fd);
}

pid_t unread_start_reader(const struct unread *u, pid_t pid)
{
	const pid_t reader = fork();
	char path[32], byte;
	int fd;

	if (reader)
		return reader;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	for (;;) {
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		if (pread(fd, &byte, 1, (uintptr_t)u->page) < 0)
			_exit(0);
		close(fd);
	}
}

void unread_end(struct unread *u)
{
	kill(u->server, SIGKILL);
	waitpid(u->server, NULL, 0);
	munmap(u->page, PAGE);
	umount2(u->folder, MNT_DETACH);
	rmdir(u->folder);
}
