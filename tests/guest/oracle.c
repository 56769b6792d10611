// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle: random sequences over every kind of memory, one operation after the other, in each
 * way to track a process. See oracle/oracle.h.
 *
 *	oracle [SEED [OPERATIONS [SECONDS [TEST]]]]
 *
 * Each test ends after that many operations or seconds, whichever comes first. The seed repeats the
 * sequence; with ORACLE_TRACE in the environment each operation is printed before it is done.
 */
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "oracle/oracle.h"
#include "stress.h"

#define PROGRESS_SECONDS 60

static struct stress stress = { .count = 100000, .seconds = 10 };

/* Handed in with WP_ASYNC, or without, where ordinary files cannot be registered? */
static bool is_async(enum mode mode)
{
	return mode == MODE_UFFD && world_has_disk && stress.seed % 2 && !kernel_is_before(6, 7);
}

static unsigned int kinds_present(enum mode mode)
{
	unsigned int present = OF_ANON;

	if (world_has_shmem)
		present |= OF_SHMEM;
	if (world_has_hugetlb)
		present |= OF_HUGETLB;
	if (world_has_disk && (mode != MODE_UFFD || is_async(mode)))
		present |= OF_DISK;
	return present;
}

static void attach(struct oracle *o)
{
	o->fd = dev_open();
	assert_true(o->fd >= 0);
	switch (o->mode) {
	case MODE_ZERO:
		assert_ok(dev_attach_self(o->fd));
		break;
	case MODE_MARKERS:
		assert_ok(dev_attach_markers(o->fd));
		break;
	case MODE_SPARSE:
		assert_ok(dev_attach(o->fd, 0, 0, 0, UFFDWP_UNPOP_SPARSE));
		break;
	case MODE_OTHER:
		assert_ok(dev_attach_pid(o->fd, o->actor.pid));
		break;
	case MODE_UFFD:
		o->uffd = new_uffd(is_async(o->mode) ? UFFD_WP_ASYNC : 0);
		assert_ok(dev_attach_uffd(o->fd, o->uffd));
		break;
	case MODE_GRANULE:
		assert_ok(dev_attach_granule(o->fd, 0, ORACLE_GRANULE));
		break;
	case MODE_WHOLE_HUGE:
		assert_ok(dev_attach_granule(o->fd, UFFDWP_ATTACH_WHOLE_HUGE, 0));
		break;
	}
}

static void register_everything(struct oracle *o)
{
	enum kind kind;
	size_t i;

	for (kind = 0; kind < KINDS; kind++) {
		const struct area *area = &o->scene->areas[kind];

		if (!(o->scene->present & BIT_OF(kind)))
			continue;
		assert_ok(dev_register(o->fd, area->start + area->low * PAGE,
				       (area->high - area->low) * PAGE));
		for (i = area->low; i < area->high; i++)
			o->areas[kind].pages[i].tracked = true;
	}
}

static void run_sequence(struct oracle *o)
{
	time_t end = time(NULL) + stress.seconds, progress = time(NULL) + PROGRESS_SECONDS;

	while (o->operation < stress.count && time(NULL) < end) {
		event_happen(o);
		if (time(NULL) < progress)
			continue;
		progress += PROGRESS_SECONDS;
		print_message("[   INFO   ] operation %u\n", o->operation);
	}
	harvest_all(o);
	compare(o);
}

static void sequence(enum mode mode)
{
	static struct oracle o;

	o = (struct oracle){ .seed = stress.seed, .mode = mode, .uffd = -1 };
	o.trace = getenv("ORACLE_TRACE");
	o.scene = mmap(NULL, sizeof(*o.scene), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	assert_ptr_not_equal(o.scene, MAP_FAILED);
	o.scene->present = kinds_present(mode);
	o.actor = actor_start(o.scene, mode == MODE_OTHER);
	model_start(&o);
	attach(&o);
	register_everything(&o);
	if (mode != MODE_SPARSE)
		ring_start(&o);
	run_sequence(&o);
	model_print_causes(&o);
	if (mode != MODE_SPARSE)
		ring_end(&o);
	model_end(&o);
	close(o.fd);
	if (o.uffd >= 0)
		close(o.uffd);
	actor_end(&o.actor, o.scene);
	munmap(o.scene, sizeof(*o.scene));
}

TEST(own_process)
{
	sequence(MODE_ZERO);
}

TEST(own_process_with_markers)
{
	needs_markers();
	sequence(MODE_MARKERS);
}

TEST(own_process_sparse)
{
	sequence(MODE_SPARSE);
}

TEST(another_process)
{
	sequence(MODE_OTHER);
}

TEST(handed_in_userfaultfd)
{
	sequence(MODE_UFFD);
}

TEST(with_a_granule)
{
	sequence(MODE_GRANULE);
}

TEST(with_huge_pages_that_stay_whole)
{
	sequence(MODE_WHOLE_HUGE);
}

static int start(void **state)
{
	(void)state;
	world_start();
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_end();
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_process),
		cmocka_unit_test(own_process_with_markers),
		cmocka_unit_test(own_process_sparse),
		cmocka_unit_test(another_process),
		cmocka_unit_test(handed_in_userfaultfd),
		cmocka_unit_test(with_a_granule),
		cmocka_unit_test(with_huge_pages_that_stay_whole),
	};

	stress_arguments(&stress, argc, argv);
	return cmocka_run_group_tests_name("oracle", tests, start, end);
}
