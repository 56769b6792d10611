// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events as the library hands them out. They are told by this program, which has open(), ioctl()
 * and read() of its own for the library that is linked into it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "unit.h"

#include "internal.h"

/* ---- the device */

#define FILES 64
#define MANY 1000

/* Of each open file, by its number: what is to be read, and what comes behind it. */
static struct queue {
	size_t nr, read;
	int end;		/* an error, or 0 for the end of the file */
	struct uffdwp_event events[MANY];
} queues[FILES];

static struct {
	int events, claim;		/* errors, 0 for success */
	struct uffdwp_events_arg asked;
	uint64_t claimed, follow_flags;
	unsigned int claims, reads;
} device;

static struct queue *queue_of(int fd)
{
	assert_true(fd > 0 && fd < FILES);
	return &queues[fd];
}

static int new_file(void)
{
	int fd = memfd_create("device", MFD_CLOEXEC);

	queue_of(fd)->nr = 0;
	queue_of(fd)->read = 0;
	queue_of(fd)->end = EAGAIN;
	return fd;
}

int open(const char *path, int flags, ...)
{
	(void)flags;
	assert_string_equal(path, UFFDWP_DEVICE);
	return new_file();
}

static int result(int err)
{
	if (!err)
		return 0;
	errno = err;
	return -1;
}

static int fake_claim(struct uffdwp_claim_arg *arg)
{
	device.claims++;
	if (device.claim)
		return result(device.claim);
	device.claimed = arg->id;
	arg->fd = new_file();
	return 0;
}

int ioctl(int fd, unsigned long cmd, ...)
{
	va_list arguments;
	void *arg;

	(void)fd;
	va_start(arguments, cmd);
	arg = va_arg(arguments, void *);
	va_end(arguments);
	switch (cmd) {
	case UFFDWP_IOC_HELLO:
		((struct uffdwp_hello_arg *)arg)->abi_version = UFFDWP_ABI_VERSION;
		((struct uffdwp_hello_arg *)arg)->kinds = UFFDWP_KIND_ANON_PRIVATE;
		return 0;
	case UFFDWP_IOC_EVENTS:
		device.asked = *(struct uffdwp_events_arg *)arg;
		return result(device.events);
	case UFFDWP_IOC_FOLLOW:
		device.follow_flags = ((struct uffdwp_follow_arg *)arg)->flags;
		return 0;
	case UFFDWP_IOC_CLAIM:
		return fake_claim(arg);
	default:
		return 0;
	}
}

/* As many as fit, as the device does. */
ssize_t read(int fd, void *to, size_t size)
{
	struct queue *queue = queue_of(fd);
	size_t n = size / sizeof(struct uffdwp_event);

	assert_true(n > 0);
	/* Or it would wait for an event. */
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	device.reads++;
	if (n > queue->nr - queue->read)
		n = queue->nr - queue->read;
	if (!n)
		return result(queue->end);
	/* Here another thread would read the same. */
	sched_yield();
	memcpy(to, queue->events + queue->read, n * sizeof(struct uffdwp_event));
	queue->read += n;
	return n * sizeof(struct uffdwp_event);
}

static void tell(struct uffdwp *tracker, uint32_t type, uint64_t id)
{
	struct queue *queue = queue_of(uffdwp_event_fd(tracker));

	queue->events[queue->nr++] = (struct uffdwp_event){ .type = type, .id = id };
}

static void tell_the_end(struct uffdwp *tracker, int err)
{
	queue_of(uffdwp_event_fd(tracker))->end = err;
}

/* ---- a tracker with events, and what it says */

static struct uffdwp *t;

static int set_up(void **state)
{
	(void)state;
	memset(&device, 0, sizeof(device));
	assert_int_equal(uffdwp_open(0, NULL, &t), 0);
	assert_int_equal(uffdwp_events_open(t, NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	uffdwp_close(t);
	return 0;
}

static void assert_next(struct uffdwp *tracker, uint32_t type)
{
	struct uffdwp_event event;
	struct uffdwp *child;

	assert_int_equal(uffdwp_event_next(tracker, &event, &child), 1);
	assert_int_equal(event.type, type);
	assert_null(child);
}

static void assert_no_next(struct uffdwp *tracker, int err)
{
	struct uffdwp *child = tracker;
	struct uffdwp_event event;

	assert_int_equal(uffdwp_event_next(tracker, &event, &child), -err);
	assert_null(child);
}

static void what_is_asked_for(void **state)
{
	UFFDWP_OPTS(uffdwp_events_opts, opts, .flags = UFFDWP_EVENTS_HARVEST_ALL, .capacity = 100);
	struct uffdwp *other;

	(void)state;
	assert_int_equal(device.asked.flags, 0);
	assert_int_equal(device.asked.capacity, 4096);
	assert_int_equal(device.asked.event_size, sizeof(struct uffdwp_event));
	assert_int_equal(uffdwp_open(0, NULL, &other), 0);
	assert_int_equal(uffdwp_events_open(other, &opts), 0);
	assert_int_equal(device.asked.flags, UFFDWP_EVENTS_HARVEST_ALL);
	assert_int_equal(device.asked.capacity, 100);
	uffdwp_close(other);
}

static void forks_and_execs_are_followed(void **state)
{
	UFFDWP_OPTS(uffdwp_follow_opts, opts, .flags = UFFDWP_FOLLOW_FORK | UFFDWP_FOLLOW_EXEC);

	(void)state;
	assert_int_equal(uffdwp_follow(t, &opts), 0);
	assert_int_equal(device.follow_flags, opts.flags);
	opts.flags |= 1ull << 40;
	assert_int_equal(uffdwp_follow(t, &opts), -EINVAL);
}

static void without_events(void **state)
{
	UFFDWP_OPTS(uffdwp_events_opts, opts, .reserved = 1);
	struct uffdwp *other;

	(void)state;
	assert_int_equal(uffdwp_open(0, NULL, &other), 0);
	assert_int_equal(uffdwp_events_open(other, &opts), -EINVAL);
	device.events = ENOTTY;
	assert_int_equal(uffdwp_events_open(other, NULL), -EOPNOTSUPP);
	device.events = EALREADY;
	assert_int_equal(uffdwp_events_open(other, NULL), -EALREADY);
	assert_string_equal(uffdwp_explain(-EALREADY), "this tracker has events");
	assert_no_next(other, EINVAL);
	assert_int_equal(uffdwp_event_fd(other), -EINVAL);
	assert_non_null(strstr(uffdwp_explain(-EINVAL), "uffdwp_events_open"));
	uffdwp_close(other);
}

/* In their order, many by one read(), to the last one; and that there is none now is no end. */
static void one_after_the_other(void **state)
{
	size_t i;

	(void)state;
	assert_no_next(t, 0);
	for (i = 0; i < MANY; i++)
		tell(t, UFFDWP_EVENT_MAPPED + i % 5, 0);
	device.reads = 0;
	for (i = 0; i < MANY; i++)
		assert_next(t, UFFDWP_EVENT_MAPPED + i % 5);
	assert_true(device.reads <= MANY / 10);
	assert_no_next(t, 0);
	tell_the_end(t, 0);
	assert_no_next(t, ENODATA);
	assert_no_next(t, ENODATA);
	assert_non_null(strstr(uffdwp_explain(-ENODATA), "last event"));
}

static void an_error_comes_behind_what_was_told(void **state)
{
	(void)state;
	tell(t, UFFDWP_EVENT_MAPPED, 0);
	tell_the_end(t, ENOTRECOVERABLE);
	assert_next(t, UFFDWP_EVENT_MAPPED);
	assert_no_next(t, ENOTRECOVERABLE);
}

/* One that this library does not know is for the caller to pass over, whatever it says. */
static void types_that_nobody_knows(void **state)
{
	(void)state;
	tell(t, 77, 77);
	assert_next(t, 77);
	assert_int_equal(device.claims, 0);
}

/* ---- trackers that events name */

static struct uffdwp *assert_next_names(struct uffdwp *tracker, uint32_t type, uint64_t id)
{
	struct uffdwp_event event;
	struct uffdwp *child;

	assert_int_equal(uffdwp_event_next(tracker, &event, &child), 1);
	assert_int_equal(event.type, type);
	assert_int_equal(event.id, id);
	assert_int_equal(device.claimed, id);
	assert_non_null(child);
	return child;
}

/* With events of its own, and children of its own. It outlives the one that has named it. */
static void a_named_tracker_is_handed_out(void **state)
{
	struct uffdwp *child, *next;

	(void)state;
	tell(t, UFFDWP_EVENT_FORKED, 5);
	tell(t, UFFDWP_EVENT_EXITED, 0);
	child = assert_next_names(t, UFFDWP_EVENT_FORKED, 5);
	assert_string_equal(uffdwp_backend_name(child), "module");
	assert_int_not_equal(uffdwp_event_fd(child), uffdwp_event_fd(t));
	assert_no_next(child, 0);
	tell(child, UFFDWP_EVENT_EXEC, 6);
	assert_next(t, UFFDWP_EVENT_EXITED);
	uffdwp_close(t);
	next = assert_next_names(child, UFFDWP_EVENT_EXEC, 6);
	assert_no_next(next, 0);
	uffdwp_close(child);
	t = next;
}

static void no_tracker_is_taken_unasked(void **state)
{
	struct uffdwp_event event;

	(void)state;
	tell(t, UFFDWP_EVENT_FORKED, 5);
	tell(t, UFFDWP_EVENT_FORKED, 0);
	assert_int_equal(uffdwp_event_next(t, &event, NULL), 1);
	assert_int_equal(event.id, 5);
	/* There is none. */
	assert_next(t, UFFDWP_EVENT_FORKED);
	assert_int_equal(device.claims, 0);
}

/* Of the same kind: what is told of sparse memory depends on it. */
static void a_named_tracker_is_like_the_first(void **state)
{
	UFFDWP_OPTS(uffdwp_open_opts, opts, .unpopulated = UFFDWP_UNPOP_SPARSE);
	struct uffdwp *child;

	(void)state;
	uffdwp_close(t);
	assert_int_equal(uffdwp_open(0, &opts, &t), 0);
	assert_int_equal(uffdwp_events_open(t, NULL), 0);
	tell(t, UFFDWP_EVENT_FORKED, 5);
	child = assert_next_names(t, UFFDWP_EVENT_FORKED, 5);
	assert_true(child->sparse);
	uffdwp_close(child);
}

static void an_event_waits_for_its_tracker(void **state)
{
	struct uffdwp_event event;

	(void)state;
	tell(t, UFFDWP_EVENT_FORKED, 5);
	tell(t, UFFDWP_EVENT_FORKED, 6);
	tell(t, UFFDWP_EVENT_FORKED, 7);
	tell(t, UFFDWP_EVENT_EXITED, 0);
	device.claim = EMFILE;
	assert_no_next(t, EMFILE);
	assert_no_next(t, EMFILE);
	assert_non_null(strstr(uffdwp_explain(-EMFILE), "not lost"));
	device.claim = 0;
	uffdwp_close(assert_next_names(t, UFFDWP_EVENT_FORKED, 5));
	/* Given up. */
	device.claim = EMFILE;
	assert_no_next(t, EMFILE);
	assert_int_equal(uffdwp_event_next(t, &event, NULL), 1);
	assert_int_equal(event.id, 6);
	/* Somebody else has it: here that process is not tracked. */
	device.claim = ENOENT;
	event.id = 7;
	assert_int_equal(uffdwp_event_next(t, &event, &(struct uffdwp *){ NULL }), 1);
	assert_int_equal(event.type, UFFDWP_EVENT_FORKED);
	assert_int_equal(event.id, 0);
	assert_next(t, UFFDWP_EVENT_EXITED);
}

/* ---- threads */

static pthread_barrier_t all_are_there;

static void *take_some(void *arg)
{
	unsigned int *seen = arg;
	struct uffdwp_event event;

	pthread_barrier_wait(&all_are_there);
	while (uffdwp_event_next(t, &event, NULL) == 1)
		seen[event.id]++;
	return NULL;
}

static void threads_take_each_event_once(void **state)
{
	static unsigned int seen[4][MANY];
	pthread_t threads[4];
	size_t i, id;

	(void)state;
	for (id = 0; id < MANY; id++)
		tell(t, UFFDWP_EVENT_FORKED, id);
	pthread_barrier_init(&all_are_there, NULL, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_some, seen[i]), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (id = 0; id < MANY; id++)
		assert_int_equal(seen[0][id] + seen[1][id] + seen[2][id] + seen[3][id], 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_asked_for),
		TEST(forks_and_execs_are_followed),
		TEST(without_events),
		TEST(one_after_the_other),
		TEST(an_error_comes_behind_what_was_told),
		TEST(types_that_nobody_knows),
		TEST(a_named_tracker_is_handed_out),
		TEST(no_tracker_is_taken_unasked),
		TEST(a_named_tracker_is_like_the_first),
		TEST(an_event_waits_for_its_tracker),
		TEST(threads_take_each_event_once),
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
