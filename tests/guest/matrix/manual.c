// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table as a part of uffdwp-pages(7), in mdoc(7). What it prints stands there between two
 * comments; tests/unit/check-pages compares them.
 */
#include <assert.h>
#include <string.h>

#include "matrix.h"

#define MAX_REASONS 26

static const char *reasons[MAX_REASONS];

/* Reasons are named by letters, in the order in which the table needs them. */
static char letter_of(const char *why)
{
	int i;

	for (i = 0; i < MAX_REASONS && reasons[i]; i++)
		if (!strcmp(reasons[i], why))
			return 'a' + i;
	if (i == MAX_REASONS)
		return '?';
	reasons[i] = why;
	return 'a' + i;
}

/*
 * A table of all kinds is wider than a terminal of 80 columns, and groff(1) then tears its rows
 * apart: so there are two of each.
 */
static const struct half {
	const char *words;
	enum kind kinds[6];
} halves[] = {
	{ "Private anonymous memory:", { ANON, MARKERS, THP, HUGE_ZERO, STACK, HEAP } },
	{ "Memory of files, and hugetlb:",
	  { SHMEM, SHMEM_PRIVATE, DISK, DISK_PRIVATE, HUGETLB, HUGETLB_PRIVATE } },
};

#define HALVES (sizeof(halves) / sizeof(halves[0]))
#define KINDS_OF_HALF (sizeof(halves[0].kinds) / sizeof(halves[0].kinds[0]))

/* What is sparse reads as what is not, but for the one row that test_matrix.c has of it. */
static_assert(HALVES * KINDS_OF_HALF == KINDS - 1, "each kind is in one table");

/* The first column is as wide as the longest of these, or groff(1) breaks what does not fit. */
static const char *longest(const char *const *names, int n)
{
	const char *found = names[0];
	int i;

	for (i = 1; i < n; i++)
		if (strlen(names[i]) > strlen(found))
			found = names[i];
	return found;
}

static void begin_columns(const struct half *half, const char *first, const char *head)
{
	size_t i;

	printf(".Pp\n%s\n.Bl -column \"%s\"", half->words, first);
	for (i = 0; i < KINDS_OF_HALF; i++)
		printf(" \"PHZW\"");
	printf("\n.It %s", head);
	for (i = 0; i < KINDS_OF_HALF; i++)
		printf(" Ta %s", matrix_kinds[half->kinds[i]].column);
	printf("\n");
}

static void print_kinds(void)
{
	int kind;

	printf(".Ss Kinds of memory\n.Bl -tag -width Ds -compact\n");
	for (kind = 0; kind < SPARSE; kind++)
		printf(".It %s\n%s\n", matrix_kinds[kind].column, matrix_kinds[kind].words);
	printf(".El\n");
}

static void print_state(const struct state_row *row)
{
	if (!row) {
		printf(" Ta");
		return;
	}
	printf(" Ta %s%s%s%s%s%s", row->is & P ? "P" : "", row->is & S ? "S" : "",
	       row->is & F ? "F" : "", row->is & H ? "H" : "", row->is & Z ? "Z" : "",
	       row->is & W ? "W" : "");
	if (row->why)
		printf("%s%c", row->is & W ? "" : "\\-W", letter_of(row->why));
	else if (!row->is)
		printf("\\-");
}

static bool has_state(const struct half *half, int state)
{
	size_t i;

	for (i = 0; i < KINDS_OF_HALF; i++)
		if (matrix_state(half->kinds[i], state))
			return true;
	return false;
}

static void print_states_of(const struct half *half)
{
	int state;
	size_t i;

	begin_columns(half, longest(matrix_states, STATES), "state");
	for (state = 0; state < STATES; state++) {
		if (!has_state(half, state))
			continue;
		printf(".It %s", matrix_states[state]);
		for (i = 0; i < KINDS_OF_HALF; i++)
			print_state(matrix_state(half->kinds[i], state));
		printf("\n");
	}
	printf(".El\n");
}

static void print_states(void)
{
	const struct half *half;

	printf(".Ss How armed memory reads\n"
	       "P is PRESENT, S is SWAPPED, F is FILE, H is HUGE, Z is PFNZERO, W is WRITTEN,\n"
	       "\\-W is one or the other,\n"
	       "a small letter a reason for WRITTEN that is explained below.\n");
	for (half = halves; half < halves + HALVES; half++)
		print_states_of(half);
}

/* Neither W nor its contrary: it depends on what the kernel has chosen. */
static bool may_be_written(const struct event_row *row)
{
	return !((row->is | row->is_not) & W) && !(row->flags & (AS_STATE | ENDS));
}

/* What the states of one kind say of one event, together. */
static void print_event(enum kind kind, enum event event)
{
	bool written = false, clean = false, gone = false;
	char letters[MAX_REASONS + 1] = "";
	int state;

	for (state = 0; state < STATES; state++) {
		const struct event_row *row = matrix_event(kind, state, event);
		char letter[2] = "";

		if (!row)
			continue;
		gone |= row->flags & ENDS;
		written |= (row->is & W) || may_be_written(row);
		clean |= !(row->is & W) && !(row->flags & ENDS);
		if (row->why)
			letter[0] = letter_of(row->why);
		if (!strstr(letters, letter))
			strcat(letters, letter);
	}
	printf(gone || clean || written ? " Ta %s%s%s%s" : " Ta", gone ? "E" : "", clean ? "\\-" : "", written ? "W" : "", letters);
}

static bool has_event(const struct half *half, int event)
{
	size_t i;
	int state;

	for (i = 0; i < KINDS_OF_HALF; i++)
		for (state = 0; state < STATES; state++)
			if (matrix_event(half->kinds[i], state, event))
				return true;
	return false;
}

static void print_events_of(const struct half *half)
{
	int event;
	size_t i;

	begin_columns(half, longest(matrix_events, EVENTS), "event");
	for (event = 0; event < EVENTS; event++) {
		if (!has_event(half, event))
			continue;
		printf(".It %s", matrix_events[event]);
		for (i = 0; i < KINDS_OF_HALF; i++)
			print_event(half->kinds[i], event);
		printf("\n");
	}
	printf(".El\n");
}

static void print_events(void)
{
	const struct half *half;

	printf(".Ss What happens to armed memory\n"
	       "W: what it touches is WRITTEN; \\-: it stays as it was; \\-W: one or the other, as its\n"
	       "state was or the kernel has chosen; E: the scan fails with\n.Er ESRCH .\n"
	       "Neighbours stay as they were.\n"
	       "An empty place: it cannot happen to this kind, or is not tried.\n");
	for (half = halves; half < halves + HALVES; half++)
		print_events_of(half);
}

static void print_reasons(void)
{
	int i;

	printf(".Ss Written without a write\n"
	       "These are all the reasons, and two remarks: a write may store what was there before,\n"
	       "and a page that somebody holds stays written until it is let go.\n"
	       ".Bl -tag -width Ds -compact\n");
	for (i = 0; i < MAX_REASONS && reasons[i]; i++)
		printf(".It %c\n%s\n", 'a' + i, reasons[i]);
	printf(".El\n");
}

static void print_mistakes(void)
{
	int mistake;
	size_t i, cells;

	printf(".Ss Mistakes that kernels have made\n"
	       "Each has tests of its own, which are seen to fail when the mistake is made again.\n"
	       ".Bl -bullet -compact\n");
	for (mistake = NO_MISTAKE + 1; mistake < MISTAKES; mistake++) {
		const struct event_row *row;

		for (i = cells = 0; (row = matrix_event_row(i)); i++)
			cells += row->mistake == (enum mistake)mistake;
		if (cells)
			printf(".It\n%s\n", matrix_mistakes[mistake]);
	}
	printf(".El\n");
}

static void print_kernels(void)
{
	const struct forgets_row *forgets;
	const struct unserved *row;
	size_t i;

	printf(".Ss Kernels\n"
	       "What an older kernel cannot serve is refused, and what it forgets is written.\n"
	       ".Bl -tag -width Ds -compact\n");
	for (i = 0; (row = unserved_row(i)); i++)
		printf(".It %s\nsince Linux %u.%u; before, %s:\n%s\n", row->what, row->since[0],
		       row->since[1], row->answer, row->why);
	for (i = 0; (forgets = matrix_forgets_row(i)); i++)
		printf(".It before Linux %u.%u\n%s\n", forgets->since[0], forgets->since[1],
		       forgets->why);
	printf(".El\n");
}

void matrix_print_manual(void)
{
	print_kinds();
	print_states();
	print_events();
	print_reasons();
	print_mistakes();
	print_kernels();
}
