// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "writer.h"

static void *write_when_told(void *arg)
{
	struct writer *w = arg;
	int value = 0;
	size_t i;

	for (;;) {
		while (atomic_load(&w->told) == value)
			usleep(1000);
		value = atomic_load(&w->told);
		for (i = 0; i < w->places; i++)
			*(volatile char *)(w->memory + i * w->step) = value;
		atomic_store(&w->done, value);
	}
	return NULL;
}

struct writer *writer_new(char *memory, size_t places, size_t step)
{
	struct writer *w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				-1, 0);

	assert_ptr_not_equal(w, MAP_FAILED);
	w->memory = memory;
	w->places = places;
	w->step = step;
	return w;
}

void writer_free(struct writer *w)
{
	munmap(w, PAGE);
}

pid_t writer_fork(struct writer *w)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write_when_told(w);
	}
	return pid;
}

void writer_thread(struct writer *w)
{
	pthread_t thread;

	assert_ok(pthread_create(&thread, NULL, write_when_told, w));
	assert_ok(pthread_detach(thread));
}

void writer_begin(struct writer *w)
{
	atomic_fetch_add(&w->told, 1);
}

bool writer_is_done(struct writer *w)
{
	return atomic_load(&w->done) == atomic_load(&w->told);
}

void writer_write(struct writer *w, const char *what)
{
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	writer_begin(w);
	wait_for(writer_is_done(w));
	clock_gettime(CLOCK_MONOTONIC, &after);
	print_message("[          ] %s: back after %ld ms\n", what,
		      (after.tv_sec - before.tv_sec) * 1000 +
		      (after.tv_nsec - before.tv_nsec) / 1000000);
}

bool sleeps_in_handle_userfault(pid_t pid)
{
	char path[64], wchan[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/wchan", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(wchan, sizeof(wchan), file))
		wchan[0] = 0;
	fclose(file);
	return !strncmp(wchan, "handle_userfault", 16);
}

bool ftrace_is_dead(void)
{
	return read_number("/proc/sys/kernel/ftrace_enabled") < 0;
}

void assert_lost(int fd, const void *start, size_t len)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg scan = scan_arg(start, len, &region, 1);
	struct uffdwp_disarm_arg disarm = {
		.size = sizeof(disarm), .start = (uintptr_t)start, .len = len
	};

	assert_err(dev_scan(fd, &scan), ENOTRECOVERABLE);
	assert_err(dev_arm(fd, start, len), ENOTRECOVERABLE);
	assert_err(dev_register(fd, start, len), ENOTRECOVERABLE);
	assert_int_equal(dev_stats(fd).hooks_dead, 1);
	assert_ok(dev_ioctl(fd, UFFDWP_IOC_DISARM, &disarm));
	assert_int_equal(disarm.disarmed, 0);
}
