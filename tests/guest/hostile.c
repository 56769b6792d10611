// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callers that do whatever they like with the interfaces of the device, and with the kernel's own
 * beside them, while the processes that are tracked change, fork, execute and end: every command
 * ends with an error that the header names, nobody hangs, the target goes on as it was, and an
 * honest tracer misses nothing. (That the kernel has no complaint is seen by the runner.)
 *
 *	hostile [SEED [COUNT [SECONDS]]]: COUNT looks of the honest tracer, at most
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hostile/hostile.h"
#include "stress.h"

static struct stress stress = { .seed = 1, .count = 1000000, .seconds = 60 };
/* Nobody is that slow. */
#define HANGS_AFTER 240

struct world *world;

const char *const command_names[COMMANDS] = {
	[OPEN] = "open", [CLOSE] = "close", [HELLO] = "HELLO", [ATTACH] = "ATTACH",
	[REGISTER] = "REGISTER", [UNREGISTER] = "UNREGISTER", [ARM] = "ARM", [SCAN] = "SCAN",
	[STATS] = "STATS", [DISARM] = "DISARM", [RING] = "RING", [RING_RESET] = "RING_RESET",
	[FOLLOW] = "FOLLOW", [EVENTS] = "EVENTS", [CLAIM] = "CLAIM", [UNKNOWN] = "no command",
	[READ] = "read", [POLL] = "poll", [MMAP] = "mmap", [USERFAULTFD] = "userfaultfd",
	[PAGEMAP_SCAN] = "PAGEMAP_SCAN", [ADVISE] = "madvise",
};

/*
 * What the header says that commands may return, all of them and some of them; EBADF and ENOTTY,
 * when another thread has closed the descriptor.
 */
static const int of_all[] = { 0, EFAULT, E2BIG, EINVAL, EINTR, EBADF, ENOTTY };
static const int of_memory[] = { EOVERFLOW, ENOTCONN, ENODEV, ESRCH, ENOMEM, EOPNOTSUPP };

static const struct {
	enum command command;
	bool is_of_memory;
	int errors[6];
} documented[] = {
	{ HELLO, false, { 0 } },
	{ STATS, false, { 0 } },
	{ UNKNOWN, true, { EALREADY, EBUSY, EACCES, ENOENT, EPERM } },
	{ ATTACH, false, { EPERM, ESRCH, EALREADY, EBUSY, EAGAIN, EOPNOTSUPP } },
	{ REGISTER, true, { ENOENT, EACCES, EBUSY } },
	{ UNREGISTER, true, { ENOENT, EBUSY } },
	{ ARM, true, { ENOENT } },
	{ DISARM, true, { ENOENT } },
	{ SCAN, true, { EPERM } },
	{ RING, true, { EALREADY } },
	{ RING_RESET, true, { 0 } },
	{ FOLLOW, true, { EBUSY } },
	{ EVENTS, true, { EALREADY } },
	{ CLAIM, true, { ENOENT, EMFILE, ENFILE } },
};

static bool is_among(int err, const int *errors, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (errors[i] == err)
			return true;
	return false;
}

static int undocumented(void)
{
	int n = 0, err;
	size_t i;

	for (i = 0; i < sizeof(documented) / sizeof(*documented); i++) {
		for (err = 0; err < ERRNOS; err++) {
			if (!world->results[documented[i].command][err] ||
			    is_among(err, of_all, sizeof(of_all) / sizeof(*of_all)) ||
			    is_among(err, documented[i].errors, 6) ||
			    (documented[i].is_of_memory &&
			     is_among(err, of_memory, sizeof(of_memory) / sizeof(*of_memory))))
				continue;
			print_error("%s: %s, which the header does not name\n",
				    command_names[documented[i].command], strerror(err));
			n++;
		}
	}
	return n;
}

static void print_results(void)
{
	int command, err;

	for (command = 0; command < COMMANDS; command++) {
		print_message("[   INFO   ]   %-12s", command_names[command]);
		for (err = 0; err < ERRNOS; err++)
			if (world->results[command][err])
				print_message(" %s %lu", err ? strerrorname_np(err) : "ok",
					      world->results[command][err]);
		print_message("\n");
	}
}

static pid_t start(void (*be)(uint64_t seed), uint64_t seed)
{
	const pid_t pid = fork();

	if (!pid)
		be(seed);
	assert_true(pid > 0);
	return pid;
}

static pid_t start_caller(int number, uint64_t *chance)
{
	const uint64_t seed = next_random(chance) | 1;
	const pid_t pid = fork();

	if (!pid)
		be_caller(number, seed);
	assert_true(pid > 0);
	return pid;
}

/**
 * struct watch - who watches over the callers
 * @pids: them
 * @did: what each thread had done at the last look
 * @since: when it had done more
 * @died: how many of them have died, by what they had their memory filled with
 * @killed: how many were killed
 */
struct watch {
	pid_t pids[CALLERS];
	unsigned long did[CALLERS][THREADS];
	time_t since[CALLERS][THREADS];
	int died;
	int killed;
};

static void see_progress(struct watch *w, int i)
{
	unsigned long did;
	int thread;

	for (thread = 0; thread < THREADS; thread++) {
		did = world->did[i][thread];
		if (did != w->did[i][thread]) {
			w->did[i][thread] = did;
			w->since[i][thread] = time(NULL);
		} else if (time(NULL) - w->since[i][thread] > HANGS_AFTER) {
			fail_msg("a caller hangs in %s", command_names[world->does[i][thread]]);
		}
	}
}

static void look_after(struct watch *w, uint64_t *chance)
{
	int i, thread, status;

	for (i = 0; i < CALLERS; i++) {
		if (one_in(chance, 200)) {
			kill(w->pids[i], SIGKILL);
			assert_int_equal(waitpid(w->pids[i], &status, 0), w->pids[i]);
			w->killed++;
		} else if (waitpid(w->pids[i], &status, WNOHANG) == w->pids[i]) {
			assert_true(WIFSIGNALED(status));
			w->died++;
		} else {
			see_progress(w, i);
			continue;
		}
		w->pids[i] = start_caller(i, chance);
		for (thread = 0; thread < THREADS; thread++)
			w->since[i][thread] = time(NULL);
	}
}

/* All that is to end: with status 0, and soon. */
static void ends(pid_t pid, const char *who)
{
	int status, tries = HANGS_AFTER * 10;
	pid_t ended;

	while (!(ended = waitpid(pid, &status, WNOHANG)) && --tries)
		usleep(100000);
	if (ended != pid)
		fail_msg("%s does not end", who);
	if (status)
		fail_msg("%s ends with %#x", who, status);
}

static void make_world(void)
{
	world = mmap((void *)0x2aaa00000000, sizeof(*world), PROT_READ | PROT_WRITE,
		     MAP_FIXED_NOREPLACE | MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(world, MAP_FAILED);
}

TEST(callers_that_do_whatever_they_like)
{
	const time_t until = time(NULL) + stress.seconds;
	uint64_t chance = stress.seed, looks = 0, missed;
	struct watch w = { 0 };
	pid_t target, victims;
	int tracker, i, thread;

	make_world();
	target = start(be_target, next_random(&chance) | 1);
	wait_for(world->target == target);
	tracker = honest_begin(target);
	victims = start(be_victims, next_random(&chance) | 1);
	for (i = 0; i < CALLERS; i++) {
		w.pids[i] = start_caller(i, &chance);
		for (thread = 0; thread < THREADS; thread++)
			w.since[i][thread] = time(NULL);
	}
	while (time(NULL) < until && looks < stress.count) {
		missed = honest_look(tracker, &chance);
		if (missed)
			fail_msg("A WRITE WAS MISSED: pages %#" PRIx64, missed);
		looks++;
		if (!(looks % 16))
			look_after(&w, &chance);
	}
	print_message("[   INFO   ] %" PRIu64 " looks of the honest tracer; callers: %d killed, %d "
		      "ended by themselves\n", looks, w.killed, w.died);
	print_results();
	world->ends = true;
	for (i = 0; i < CALLERS; i++) {
		/* It may wait in a fault that nobody resolves: that is its own doing. */
		kill(w.pids[i], SIGKILL);
		waitpid(w.pids[i], NULL, 0);
	}
	kill(victims, SIGKILL);
	waitpid(victims, NULL, 0);
	close(tracker);
	assert_false(has_registered_memory(target));
	ends(target, "the target");
	/* CLAIM takes an event of a process that lives for a moment: chance, on a slow machine. */
	for (i = HELLO; i < CLAIM; i++)
		if (!world->results[i][0])
			fail_msg("%s was never right", command_names[i]);
	assert_int_equal(undocumented(), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(callers_that_do_whatever_they_like) };

	/* What a victim executes. */
	if (argc == 2 && !strcmp(argv[1], "executed")) {
		usleep(3000);
		return 0;
	}
	stress_arguments(&stress, argc, argv);
	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
