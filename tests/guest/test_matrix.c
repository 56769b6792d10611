// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_matrix [PATTERN]: run the cells whose name "kind / state / event" has the pattern in it, all
 * without one. test_matrix --defects [PATTERN]: those that are known to fail, too. test_matrix
 * --table: print the table for the manual, which needs no module.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "environment.h"
#include "matrix.h"

struct cell {
	char name[160];
	enum kind kind;
	enum state state;
	enum event event;
};

/* Cells that are known to fail are run, too. */
static bool with_defects;

static void cell(void **state)
{
	const struct cell *c = *state;
	const char *defect = matrix_defect(c->kind, c->state, c->event);
	char message[2048] = "";

	if (defect && !with_defects)
		skip_because("%s: known defect: %s", c->name, defect);

	switch (cell_run(c->kind, c->state, c->event, message, sizeof(message))) {
	case CELL_PASSED:
		return;
	case CELL_SKIPPED:
		skip_because("%s: %s", c->name, message);
		return;
	default:
		fail_msg("%s: %s", c->name, message);
	}
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
	close(keep_hooks);
	return 0;
}

static struct cell *cells;
static struct CMUnitTest *tests;
static size_t count;

static void add(enum kind kind, enum state state, enum event event, const char *pattern)
{
	struct cell *c = &cells[count];

	if (!matrix_event(kind, state, event))
		return;
	*c = (struct cell){ .kind = kind, .state = state, .event = event };
	snprintf(c->name, sizeof(c->name), "%s / %s / %s", matrix_kinds[kind].name,
		 matrix_states[state], matrix_events[event]);
	if (pattern && !strstr(c->name, pattern))
		return;
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
	int word = 1;

	if (argc > 1 && !strcmp(argv[1], "--table")) {
		matrix_print_manual();
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "--defects")) {
		with_defects = true;
		word = 2;
	}
	return run_cells(argc > word ? argv[word] : NULL);
}
