// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that are tracked: one that changes its memory in every way until all is over, and
 * writes what an honest tracer asks for; and many that live for a moment.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"
#include "madvise.h"

static __thread sigjmp_buf out_of_a_fault;

/* Memory that another thread has just unmapped, or protected. */
static void give_up(int signo)
{
	(void)signo;
	siglongjmp(out_of_a_fault, 1);
}

static void write_pages(char *p, size_t len, int value)
{
	size_t i;

	if (sigsetjmp(out_of_a_fault, 1))
		return;
	for (i = 0; i < len; i += PAGE)
		((volatile char *)p)[i] = value;
}

static void fork_one(char *p, size_t len, uint64_t *chance)
{
	pid_t child = fork();

	if (!child) {
		write_pages(p, len, 7);
		if (one_in(chance, 2))
			execl("/proc/self/exe", "victim", "executed", NULL);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void change_memory(uint64_t *chance)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_REMOVE,
		MADV_COLLAPSE, MADV_POPULATE_WRITE, MADV_PAGEOUT, MADV_MERGEABLE, MADV_WIPEONFORK,
		MADV_KEEPONFORK,
	};
	const size_t first = below(chance, ARENA_PAGES);
	const size_t pages = 1 + below(chance, one_in(chance, 4) ? ARENA_PAGES - first :
								   (ARENA_PAGES - first) / 32 + 1);
	char *const p = ARENA + first * PAGE, *to;
	const size_t len = pages * PAGE;

	switch (below(chance, 12)) {
	case 0:
		munmap(p, len);
		break;
	case 1:
		mprotect(p, len, one_in(chance, 2) ? PROT_READ : PROT_READ | PROT_WRITE);
		break;
	case 2:
		mmap(p, len, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_ANONYMOUS |
		     (one_in(chance, 3) ? MAP_SHARED : MAP_PRIVATE), -1, 0);
		break;
	case 3:
	case 4:
		madvise(p, len, advice[below(chance, sizeof(advice) / sizeof(*advice))]);
		break;
	case 5:
		to = ARENA + below(chance, ARENA_PAGES - pages + 1) * PAGE;
		mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED |
		       (one_in(chance, 4) ? MREMAP_DONTUNMAP : 0), to);
		break;
	case 6:
		if (one_in(chance, 8))
			fork_one(p, pages > 64 ? 64 * PAGE : len, chance);
		break;
	default:
		write_pages(p, pages > 512 ? 512 * PAGE : len, below(chance, 100));
	}
}

static void map_arena(void)
{
	mmap(ARENA, ARENA_PAGES * PAGE, PROT_READ | PROT_WRITE,
	     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *change_until_the_end(void *seed)
{
	uint64_t chance = (uintptr_t)seed;

	while (!world->ends) {
		change_memory(&chance);
		if (one_in(&chance, 50))
			map_arena();
	}
	return NULL;
}

static void answer(void)
{
	const unsigned int question = world->question;
	uint64_t asked = world->asked;
	int i;

	if (question == world->answer) {
		usleep(200);
		return;
	}
	for (i = 0; i < HONEST_PAGES; i++)
		if (asked >> i & 1)
			((volatile char *)HONEST)[i * PAGE + question % PAGE]++;
	world->answer = question;
}

static void handle_faults(void)
{
	struct sigaction action = { .sa_handler = give_up };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

void be_target(uint64_t seed)
{
	pthread_t threads[2];
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	handle_faults();
	map_arena();
	if (mmap(HONEST, HONEST_PAGES * PAGE, PROT_READ | PROT_WRITE,
		 MAP_FIXED_NOREPLACE | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != HONEST)
		_exit(2);
	memset(HONEST, 1, HONEST_PAGES * PAGE);
	for (i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, change_until_the_end,
				   (void *)(uintptr_t)(seed + i)))
			_exit(3);
	world->target = getpid();
	while (!world->ends)
		answer();
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

static void live(uint64_t seed)
{
	uint64_t chance = seed;
	const unsigned int steps = below(&chance, 200);
	unsigned int i;

	handle_faults();
	map_arena();
	world->victim = getpid();
	usleep(below(&chance, 20000));
	for (i = 0; i < steps && !world->ends; i++)
		change_memory(&chance);
	if (one_in(&chance, 3))
		execl("/proc/self/exe", "victim", "executed", NULL);
	_exit(0);
}

void be_victims(uint64_t seed)
{
	uint64_t chance = seed;
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!world->ends) {
		pid = fork();
		if (!pid)
			live(next_random(&chance) | 1);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	_exit(0);
}
