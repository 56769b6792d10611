// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_matrix [PATTERN]: run the cells whose name "kind / state / event" has the pattern in it, all
 * without one; with PART=I/N in the environment every Nth of them. Those that this kernel cannot
 * serve (unserved.h) are tested to be refused: one test stands for all cells of a kind and state.
 *
 * test_matrix --table: print the table for the manual, which needs no module.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "matrix/matrix.h"

struct cell {
	char name[160];
	enum kind kind;
	enum state state;
	enum event event;
	bool alone;
	size_t refused;		/* cells that this stands for, which this kernel cannot serve */
	struct cell_process process;
	bool ended;
	int status;
	double start, took;	/* seconds */
};

static struct cell *cells;
static struct CMUnitTest *tests;
static size_t count;
/* What this kernel cannot serve at all. */
static bool refused[KINDS];

/* ---- cells side by side: [ended ... next) have been started, and some of them have ended */

static size_t next, running;

static struct cell_process start(const struct cell *c)
{
	return c->refused ? cell_start_refused(c->kind, c->state) :
			    cell_start(c->kind, c->state, c->event);
}

/* In their order; one that is alone waits until nothing runs, and the others until it has ended. */
static void start_more(void)
{
	static size_t processors;

	if (!processors)
		processors = sysconf(_SC_NPROCESSORS_ONLN);
	while (next < count && running < processors &&
	       (!running || (!cells[next].alone && !cells[next - 1].alone))) {
		struct cell *c = &cells[next++];

		c->start = seconds_now();
		c->process = start(c);
		running++;
	}
}

static void reap_one(void)
{
	int status;
	pid_t pid = wait(&status);
	size_t i;

	for (i = next; i-- > 0;) {
		struct cell *c = &cells[i];

		if (c->process.pid != pid || c->ended)
			continue;
		c->ended = true;
		c->status = status;
		c->took = seconds_now() - c->start;
		running--;
		return;
	}
	assert_true(pid > 0);
}

/*
 * The kernel takes a fault again when a page is locked at that moment (need_wait_lock in
 * hugetlb_fault()), by reclaim, ksmd, a child or another cell. One that has counted a fault too
 * many has other tries, with no cell beside it; a fault that is always one too many fails in all of
 * them.
 */
#define TRIES 6

static enum cell_result try_alone(struct cell *c, char *message, size_t size)
{
	enum cell_result result;
	int tries = TRIES;

	print_message("[   INFO   ] %s: again, alone, after: %s\n", c->name, message);
	while (running)
		reap_one();
	do {
		/* Whoever has locked the page may be at it for a while. */
		usleep(200000);
		*message = 0;
		c->process = start(c);
		assert_int_equal(waitpid(c->process.pid, &c->status, 0), c->process.pid);
		result = cell_end(&c->process, c->status, message, size);
	} while (--tries && result != CELL_PASSED && strstr(message, CELL_FAULTS));
	return result;
}

static void cell(void **state)
{
	struct cell *c = *state;
	enum cell_result result;
	char message[2048] = "";

	for (start_more(); !c->ended; start_more())
		reap_one();
	result = cell_end(&c->process, c->status, message, sizeof(message));
	if (result != CELL_PASSED && result != CELL_SKIPPED && strstr(message, CELL_FAULTS))
		result = try_alone(c, message, sizeof(message));
	switch (result) {
	case CELL_PASSED:
		if (c->refused)
			print_message("[   INFO   ] refused, as it should be, for %zu cells: %s\n",
				      c->refused, matrix_refusal(c->kind));
		return;
	case CELL_SKIPPED:
		skip_because("%s: %s", c->name, message);
		return;
	default:
		fail_msg("%s: %s", c->name, message);
	}
}

/* ---- where the time goes */

static int by_time(const void *a, const void *b)
{
	const struct cell *x = *(struct cell *const *)a, *y = *(struct cell *const *)b;

	return (x->took < y->took) - (x->took > y->took);
}

static void print_times(void)
{
	struct cell **order = calloc(count, sizeof(struct cell *));
	double of_event[EVENTS] = { 0 };
	size_t i;

	if (!order)
		return;
	for (i = 0; i < count; i++) {
		order[i] = &cells[i];
		of_event[cells[i].event] += cells[i].took;
	}
	qsort(order, count, sizeof(order[0]), by_time);
	for (i = 0; i < count && i < 10; i++)
		print_message("[   TIME   ] %6.2f s: %s\n", order[i]->took, order[i]->name);
	for (i = 0; i < EVENTS; i++)
		if (of_event[i] >= 1)
			print_message("[   TIME   ] %6.2f s: all of \"%s\"\n", of_event[i],
				      matrix_events[i]);
	free(order);
}

/* A tracker that is open keeps the hooks in place, so that not every cell patches the kernel. */
static int keep_hooks = -1;

static int set_up(void **state)
{
	const char *reason;

	(void)state;
	keep_hooks = dev_open();
	assert_true(keep_hooks >= 0);
	assert_ok(dev_attach_self(keep_hooks));
	/* Without these, cells are skipped, each with its reason. */
	reason = swap_on(64 << 20);
	if (reason)
		print_message("[   INFO   ] no swap: %s\n", reason);
	reason = disk_mount(64 << 20);
	if (reason)
		print_message("[   INFO   ] no ordinary files: %s\n", reason);
	numa_hints_soon();
	reason = hugetlb_reserve(24);
	if (reason)
		print_message("[   INFO   ] no hugetlb: %s\n", reason);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	swap_off();
	numa_hints_off();
	hugetlb_release();
	disk_unmount();
	close(keep_hooks);
	print_times();
	return 0;
}

static void name(struct cell *c, const char *what)
{
	snprintf(c->name, sizeof(c->name), "%s / %s / %s", matrix_kinds[c->kind].name,
		 matrix_states[c->state], what);
}

/* PART=I/N: every Nth cell, from the Ith on, counted from 0. */
static bool is_of_another_part(void)
{
	static unsigned int seen, i, n;

	if (!seen && getenv("PART") && sscanf(getenv("PART"), "%u/%u", &i, &n) == 2 && n)
		print_message("[   INFO   ] every %uth cell, from the %uth on\n", n, i);
	return n && seen++ % n != i % n;
}

/* The test that a kind is refused in this state, if there is one yet. */
static struct cell *find_refused(enum kind kind, enum state state)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (cells[i].refused && cells[i].kind == kind && cells[i].state == state)
			return &cells[i];
	return NULL;
}

static void add(enum kind kind, enum state state, enum event event, const char *pattern)
{
	struct cell *c = &cells[count];

	if (!matrix_event(kind, state, event))
		return;
	*c = (struct cell){
		.kind = kind, .state = state, .event = event,
		.alone = cell_is_alone(kind, state, event),
	};
	name(c, matrix_events[event]);
	if (pattern && !strstr(c->name, pattern))
		return;
	if (is_of_another_part())
		return;
	if (refused[kind]) {
		if (find_refused(kind, state)) {
			find_refused(kind, state)->refused++;
			return;
		}
		name(c, "refused");
		c->alone = cell_is_alone(kind, state, NOTHING);
		c->refused = 1;
	}
	tests[count++] = (struct CMUnitTest){
		.name = c->name, .test_func = cell, .initial_state = c,
	};
}

static int run_cells(const char *pattern)
{
	const size_t most = KINDS * STATES * EVENTS;
	int kind, state, event;

	cells = calloc(most, sizeof(*cells));
	tests = calloc(most, sizeof(*tests));
	if (!cells || !tests)
		return 1;
	for (kind = 0; kind < KINDS; kind++)
		refused[kind] = matrix_refusal(kind);
	for (event = 0; event < EVENTS; event++)
		for (kind = 0; kind < KINDS; kind++)
			for (state = 0; state < STATES; state++)
				add(kind, state, event, pattern);
	if (!count) {
		fprintf(stderr, "test_matrix: no cell has \"%s\" in its name\n", pattern);
		return 1;
	}
	return _cmocka_run_group_tests("matrix", tests, count, set_up, tear_down);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--table")) {
		matrix_print_manual();
		return 0;
	}
	return run_cells(argc > 1 ? argv[1] : NULL);
}
