// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replayable races: events against commands, the event inside the command and around it, in a walk
 * through the interleavings of the two (interleave.h).
 *
 *	races [--steps N] [EVENT [inside|around [COMMAND [KIND [STEP]]]]]
 *
 * Each of these may be "any". Which events meet which commands, and in which kind of memory, is in
 * sets[].
 *
 * A miss is found by the mirror (races/commands.c): after the race a quiet scan reports, what it
 * reports is copied, and then mirror and memory must be equal. Besides:
 *
 *   - the memory has what was written last to each page;
 *   - what the event has made untracked is reported as that and as written;
 *   - no page is reported that was not written: each event touches only some pages;
 *   - a page that is written later is reported: nothing was left half armed;
 *   - a forked child sees the memory as it was at the fork, and what it writes;
 *   - a command on a process that exits gives the whole truth or -ESRCH;
 *   - of a process that is followed, what was written is reported, or told by an event before it is
 *     unmapped; and what is mapped in its place is tracked;
 *   - nothing hangs, and the log of the kernel stays clean (tests/vm/run looks at it).
 *
 * Each test walks over the length of the outer operation and fails if that has not given
 * WANTED different interleavings in which the two really overlapped; of some kinds a share of that.
 *
 * Two boots of the same program have given the same verdicts and nearly the same walks: lengths
 * that differ by some tens of instructions, and so other sums. A step that is run again meets its
 * interleaving within that much, and its neighbours with more --steps.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "races/races.h"
#include "unserved.h"

#define WANTED 200u
#define MAX_STEPS 4096u
#define MAX_VARIANTS 8u

/* Half of the memory lies below this address, half above, so it takes two page tables. */
#define BORDER ((char *)0x200040000000)

/* More than WANTED: while the outer task waits for an answer of the other processor it stands. */
static unsigned int steps = 288;
static int only_step = -1;

struct walk {
	uint64_t length[MAX_VARIANTS];	/* of the outer operation, in instructions */
	uint64_t met[MAX_STEPS];	/* offset and variant of each that overlapped */
	unsigned int overlapped;
	unsigned int gone;	/* commands that have met no address space any more */
};

/* Of the event, and of what is written before it. */
static unsigned int variants(const struct race *race)
{
	return (race->event->variants ?: 1) * (race->kind->alternates ? 2 : 1);
}

static void set_variant(struct round *r, unsigned int n)
{
	const unsigned int of_event = r->race->event->variants ?: 1;

	r->variant = n % of_event;
	r->both = !r->race->kind->upper_half || n / of_event;
}

/* The shortest of some: the first time everything is cold, and a tick may come in between. */
static void measure(struct round *r, struct walk *w)
{
	unsigned int n, i;

	for (n = 0; n < variants(r->race); n++) {
		set_variant(r, n);
		w->length[n] = UINT64_MAX;
		for (i = 0; i < 4; i++) {
			race_run(r, INTERLEAVE_AFTERWARDS);
			if (interleave_length(r->interleave) < w->length[n])
				w->length[n] = interleave_length(r->interleave);
		}
	}
}

static void walk_step(struct round *r, struct walk *w, unsigned int step)
{
	const unsigned int n = step / r->race->kind->every % variants(r->race);

	r->step = step;
	set_variant(r, n);
	race_run(r, w->length[n] * step / steps);
	if (!interleave_overlapped(r->interleave))
		return;
	w->met[w->overlapped++] = interleave_offset(r->interleave) * MAX_VARIANTS + n;
	w->gone += r->result != 0;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* How many are different, and a sum that tells whether another boot has met the same ones. */
static unsigned int different(struct walk *w, uint32_t *sum)
{
	unsigned int i, n = 0;

	*sum = 0;
	for (i = 0; i < w->overlapped; i++)
		*sum = *sum * 31 + (uint32_t)w->met[i];
	qsort(w->met, w->overlapped, sizeof(w->met[0]), compare);
	for (i = 0; i < w->overlapped; i++)
		n += !i || w->met[i] != w->met[i - 1];
	return n;
}

static void judge(const struct race *race, struct walk *w)
{
	const unsigned int every = race->kind->every;
	uint32_t sum;
	unsigned int n = different(w, &sum);

	print_message("[   WALK   ] %u of %u steps over %lu instructions overlapped, %u different (sum %08x)",
		      w->overlapped, steps / every, w->length[0], n, sum);
	if (race->event->process)
		print_message("; %u met no process", w->gone);
	print_message("\n");
	if (only_step < 0 && n < WANTED / every)
		fail_msg("%u different interleavings, fewer than %u", n, WANTED / every);
}

static void walk(void **state)
{
	const struct race *race = *state;
	const struct unserved *unserved = unserved_here(0, race->kind->features);
	static struct walk w;
	static struct round r;
	unsigned int step;

	if (unserved)
		skip_because("not here: %s", unserved->what);
	if (race->event->markers)
		needs_markers();
	w = (struct walk){ 0 };
	r = (struct round){ .race = race, .steps = steps, .memory = BORDER - RACE_LEN / 2 };
	race_begin(&r);
	measure(&r, &w);
	for (step = 0; step < steps; step += race->kind->every)
		if (only_step < 0 || only_step == (int)step)
			walk_step(&r, &w, step);
	race_end(&r);
	judge(race, &w);
}

/* ---- which of them */

#define MAX_RACES 256u

/* In lists of names each is between spaces. */
static const struct {
	const char *kind, *events, *commands;
} sets[] = {
	{ "small",
	  " write force fault fault-marker dontneed fork munmap unregister exit ", " scan arm " },
	{ "sparse", " write fault write-dontneed munmap mremap fork ", " scan arm " },
	{ "sparse", " write write-dontneed ", " disarm " },
	{ "ring", " write dontneed munmap ", " reset scan " },
	{ "ring", " write ", " disarm " },
	{ "huge", " write write-dontneed munmap fork ", " scan " },
	{ "huge", " mprotect ", " arm " },
	{ "huge", " write ", " part " },
	{ "granule", " write munmap ", " scan part " },
	{ "granule", " fork ", " scan " },
	{ "followed", " write munmap exit ", " scan " },
	{ "followed", " munmap ", " arm " },
	{ "ridden", " write munmap unregister ", " scan " },
	{ "ridden", " unregister ", " arm " },
};

static bool is_in(const char *list, const char *name)
{
	const char *found = strstr(list, name);

	while (found && !(found[-1] == ' ' && found[strlen(name)] == ' '))
		found = strstr(found + 1, name);
	return found;
}

static bool makes_sense(const struct race *race)
{
	size_t i;

	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (!strcmp(sets[i].kind, race->kind->name) &&
		    is_in(sets[i].events, race->event->name) &&
		    is_in(sets[i].commands, race->command->name))
			return true;
	return false;
}

static const char *where(bool around)
{
	return around ? "around" : "inside";
}

static bool chosen(const char *wanted, const char *name)
{
	return !wanted || !strcmp(wanted, "any") || !strcmp(wanted, name);
}

static struct race nth_race(size_t n)
{
	struct race race = { 0 };

	race.around = n % 2;
	n /= 2;
	race.command = &race_commands[n % race_commands_number];
	n /= race_commands_number;
	race.event = &race_events[n % race_events_number];
	n /= race_events_number;
	race.kind = &race_kinds[n];
	snprintf(race.name, sizeof(race.name), "%s %s %s %s", race.event->name, where(race.around),
		 race.command->name, race.kind->name);
	return race;
}

/* Those that args[] ask for: event, where, command, kind. */
static size_t choose(char *const *args, struct race *races, struct CMUnitTest *tests)
{
	size_t i, n = 0;

	for (i = 0; i < 2 * race_commands_number * race_events_number * race_kinds_number; i++) {
		struct race *race = &races[n];

		assert_true(n < MAX_RACES);
		*race = nth_race(i);
		if (!makes_sense(race) || !chosen(args[0], race->event->name) ||
		    !chosen(args[1], where(race->around)) ||
		    !chosen(args[2], race->command->name) || !chosen(args[3], race->kind->name))
			continue;
		tests[n++] = (struct CMUnitTest){
			.name = race->name, .test_func = walk, .initial_state = race,
		};
	}
	return n;
}

static int usage(void)
{
	fprintf(stderr, "usage: races [--steps N] [EVENT [inside|around [COMMAND [KIND [STEP]]]]]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct race races[MAX_RACES];
	static struct CMUnitTest tests[MAX_RACES];
	char *args[5] = { 0 };
	size_t n;
	int i = 1;

	if (argc > 2 && !strcmp(argv[1], "--steps")) {
		steps = strtoul(argv[2], NULL, 0);
		i = 3;
	}
	for (n = 0; n < 5 && i < argc; n++)
		args[n] = argv[i++];
	if (args[4])
		only_step = strtol(args[4], NULL, 0);
	n = choose(args, races, tests);
	if (!n || !steps || steps > MAX_STEPS || i < argc || only_step >= (int)steps)
		return usage();
	if (!interleave_works()) {
		fprintf(stderr, "races: needs \"tests/vm/run --icount --smp 2\"\n");
		return 2;
	}
	if (!race_set_up()) {
		fprintf(stderr, "races: no device\n");
		return 2;
	}
	return _cmocka_run_group_tests("races", tests, n, NULL, NULL);
}
