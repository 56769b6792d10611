// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp record, and what is in its files: as much as a program has written, whatever ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "recording/recording.h"
#include "support.h"
#include "unserved.h"

#define DATA "/tmp/data"
#define MESSAGES "/tmp/messages"
#define N 64ul

/* ---- this program is also what others execute */

static void execute(const char *what, const char *pages)
{
	execl("/proc/self/exe", "written", what, pages, (char *)NULL);
	_exit(98);
}

static void have_child(size_t pages)
{
	char text[16];
	int status;
	pid_t pid = fork();

	if (!pid) {
		snprintf(text, sizeof(text), "%zu", pages);
		execute("drop", text);
	}
	if (waitpid(pid, &status, 0) != pid || status != 3 << 8)
		_exit(97);
}

/* keep: write, and wait; drop: write, unmap and end; become: the same, as another program. */
static int be_program(char **argv)
{
	const size_t pages = strtoul(argv[2], NULL, 10);
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!strcmp(argv[1], "children")) {
		for (i = 1; i <= pages; i++)
			have_child(10 * i);
		return 4;
	}
	touch(map_at_place(N), pages, 1);
	if (!strcmp(argv[1], "become"))
		execute("drop", "20");
	if (!strcmp(argv[1], "drop")) {
		munmap(place, N * PAGE);
		return 3;
	}
	for (;;)
		pause();
}

static const char *myself(void)
{
	static char path[128];

	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	return path;
}

/* ---- recordings */

/* What a recording has come to. */
struct sums {
	int end;		/* of recording_next() */
	uint64_t intervals;
	uint64_t most;		/* pages at place, in an interval */
	uint64_t written;	/* pages at place */
	uint64_t page[N];	/* ... each of them, by cells of one page */
	uint64_t in_cells;	/* all pages, by cells */
	uint64_t in_lines;	/* and by lines */
	uint64_t gone;
	uint64_t ended;		/* processes that have, with status 3 */
	double seconds;
};

static void sum_cells(const struct recording_interval *in, struct sums *sums)
{
	size_t i;

	for (i = 0; i < in->cells; i++) {
		const struct recording_cell *cell = &in->cell[i];
		const uint64_t page = (cell->start - (uintptr_t)place) / PAGE;

		sums->in_cells += cell->written;
		if (cell->start >= (uintptr_t)place && page < N && cell->pages == 1)
			sums->page[page]++;
	}
}

static void sum_up(const struct recording_interval *in, struct sums *sums)
{
	uint64_t here = 0;
	size_t i;

	for (i = 0; i < in->lines; i++) {
		sums->in_lines += in->line[i].written;
		if (in->line[i].start == (uintptr_t)place)
			here += in->line[i].written;
	}
	sums->written += here;
	sums->most = here > sums->most ? here : sums->most;
	for (i = 0; i < in->processes; i++) {
		sums->gone += in->process[i].gone;
		sums->ended += in->process[i].ended && in->process[i].status == 3 << 8;
	}
	sum_cells(in, sums);
	/* They follow one another without a gap. */
	assert_true(in->time - in->length > sums->seconds - 1e-4);
	sums->seconds = in->time;
	sums->intervals++;
}

static struct sums sums_of(const char *path)
{
	struct sums sums = { .end = -ENOENT };
	struct recording_interval interval;
	struct recording_reader *reader;
	char why[128];

	if (recording_open(path, &reader, why, sizeof(why)))
		return sums;
	while ((sums.end = recording_next(reader, &interval)) == 1)
		sum_up(&interval, &sums);
	recording_close(reader);
	assert_int_equal(sums.in_cells, sums.in_lines);
	return sums;
}

static pid_t record_start(pid_t target, const char *path, const char *interval)
{
	char pid_text[16];
	pid_t record;

	unlink(path);
	snprintf(pid_text, sizeof(pid_text), "%d", (int)target);
	record = fork();
	if (!record) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open(MESSAGES, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		execl(UFFDWP, "uffdwp", "record", "-p", pid_text, "-i", interval, "-o", path,
		      "--cells", "4096", (char *)NULL);
		_exit(126);
	}
	return record;
}

static int record_end(pid_t record, int number)
{
	int status;

	kill(record, number);
	assert_int_equal(waitpid(record, &status, 0), record);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A process with memory at place that is all written, and that does as it is told. */
static struct peer peer_at_place(void)
{
	struct peer peer;

	assert_ptr_equal(map_at_place(N), place);
	madvise(place, N * PAGE, MADV_NOHUGEPAGE);
	peer = peer_start();
	munmap(place, N * PAGE);
	peer_do(&peer, PEER_WRITE, place, N * PAGE, 1);
	return peer;
}

/* Some intervals more, in which nothing may be written: pages are not held any more then. */
static void let_settle(const char *path)
{
	const uint64_t before = sums_of(path).intervals;

	wait_for(sums_of(path).intervals >= before + 3);
}

TEST(each_page_is_told_as_often_as_it_was_written)
{
	struct peer peer = peer_at_place();
	pid_t record = record_start(peer.pid, DATA, "0.2");
	struct sums before, sums;
	uint64_t i;

	wait_for(has_registered_memory(peer.pid));
	let_settle(DATA);
	before = sums_of(DATA);
	for (i = 1; i <= 4; i++) {
		peer_do(&peer, PEER_WRITE, place + 10 * i * PAGE, i * PAGE, i);
		wait_for(sums_of(DATA).page[10 * i + i - 1] == before.page[10 * i + i - 1] + 1);
		/* In the next interval, again. */
		peer_do(&peer, PEER_WRITE, place + 10 * i * PAGE, PAGE, i);
		wait_for(sums_of(DATA).page[10 * i] == before.page[10 * i] + 2);
	}
	assert_int_equal(record_end(record, SIGINT), 0);
	sums = sums_of(DATA);
	assert_int_equal(sums.end, 0);
	for (i = 0; i < N; i++) {
		const uint64_t step = i / 10, within = i % 10;
		const uint64_t times = step < 1 || step > 4 || within >= step ? 0 : 1 + !within;

		assert_int_equal(sums.page[i] - before.page[i], times);
	}
	assert_int_equal(sums.written - before.written, 1 + 2 + 3 + 4 + 4);
	assert_false(has_registered_memory(peer.pid));
	assert_int_equal(run("cat " MESSAGES), 0);
	assert_true(printed("uffdwp: recorded "));
	assert_true(printed(" in " DATA "; see 'uffdwp report " DATA "'"));
	peer_end(&peer);
}

/* What was written after the last whole interval is not lost. */
TEST(the_last_interval_may_be_shorter)
{
	struct peer peer = peer_at_place();
	pid_t record = record_start(peer.pid, DATA, "3600");
	struct sums sums;

	wait_for(has_registered_memory(peer.pid));
	/* What is written before all is armed does not count. */
	sleep(2);
	peer_do(&peer, PEER_WRITE, place, 7 * PAGE, 2);
	assert_int_equal(record_end(record, SIGTERM), 0);
	sums = sums_of(DATA);
	assert_int_equal(sums.end, 0);
	assert_int_equal(sums.intervals, 1);
	assert_in_range(sums.written, 7, N);
	assert_in_range(sums.seconds, 2, 100);
	assert_false(has_registered_memory(peer.pid));
	peer_end(&peer);
}

TEST(as_many_intervals_as_asked_for)
{
	struct peer peer = peer_at_place();
	char command[128];

	snprintf(command, sizeof(command), UFFDWP " record -p %d -i 0.2 -n 3 -o " DATA,
		 (int)peer.pid);
	assert_int_equal(run(command), 0);
	assert_true(printed(", 3 intervals, "));
	assert_int_equal(sums_of(DATA).intervals, 3);
	snprintf(command, sizeof(command), UFFDWP " record -q -p %d -i 0.2 -d 1 -o " DATA,
		 (int)peer.pid);
	assert_int_equal(run(command), 0);
	assert_string_equal(output, "");
	assert_in_range(sums_of(DATA).intervals, 1, 5);
	assert_in_range(sums_of(DATA).seconds * 10, 10, 300);
	assert_false(has_registered_memory(peer.pid));
	peer_end(&peer);
}

static void needs_events(void)
{
	if (!(dev_features() & UFFDWP_FEATURE_EVENTS))
		skip_because("this kernel has no events");
}

/* Of a command that is over before the first interval is, too. */
TEST(a_command_is_recorded_from_its_start)
{
	char command[256];
	struct sums sums;

	needs_events();
	snprintf(command, sizeof(command), UFFDWP " record -i 100 -o " DATA " -- %s drop 40",
		 myself());
	assert_int_equal(run(command), 3);
	sums = sums_of(DATA);
	assert_int_equal(sums.end, 0);
	assert_int_equal(sums.intervals, 1);
	assert_int_equal(sums.ended, 1);
	assert_in_range(sums.gone, 40, 4000);
}

TEST(what_it_executes_is_recorded)
{
	char command[256];
	struct sums sums;

	needs_events();
	snprintf(command, sizeof(command), UFFDWP " record -i 100 -o " DATA " -- %s become 30",
		 myself());
	assert_int_equal(run(command), 3);
	assert_true(printed("has called execve"));
	sums = sums_of(DATA);
	assert_int_equal(sums.ended, 1);
	assert_in_range(sums.gone, 30 + 20, 8000);
}

TEST(children_are_recorded)
{
	char command[256];
	struct sums sums;

	needs_events();
	snprintf(command, sizeof(command),
		 UFFDWP " record -c -i 0.5 -o " DATA " -- %s children 3", myself());
	assert_int_equal(run(command), 4);
	sums = sums_of(DATA);
	assert_int_equal(sums.end, 0);
	assert_int_equal(sums.ended, 3);
	assert_in_range(sums.gone + sums.written, 10 + 20 + 30, 20000);
}

/* ---- cgroups */

/* What is recorded of one process at place. */
struct of_process {
	uint64_t written;	/* pages */
	bool ended;
};

static struct of_process record_of(pid_t pid)
{
	struct of_process sum = { 0 };
	struct recording_interval in;
	struct recording_reader *reader;
	char why[128];
	size_t i;

	if (recording_open(DATA, &reader, why, sizeof(why)))
		return sum;
	while (recording_next(reader, &in) == 1) {
		for (i = 0; i < in.lines; i++)
			if (in.process[in.line[i].process].pid == pid &&
			    in.line[i].start == (uintptr_t)place)
				sum.written += in.line[i].written;
		for (i = 0; i < in.processes; i++)
			sum.ended = sum.ended || (in.process[i].pid == pid && in.process[i].ended);
	}
	recording_close(reader);
	return sum;
}

static pid_t record_group(const char *group)
{
	pid_t record;

	unlink(DATA);
	record = fork();
	if (!record) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open(MESSAGES, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		execl(UFFDWP, "uffdwp", "record", "--cgroup", group, "-i", "0.2", "-o", DATA,
		      "--cells", "4096", (char *)NULL);
		_exit(126);
	}
	return record;
}

/* It writes so many pages more, and just these are in the recording, also later. */
static void writes(struct peer *peer, uint64_t pages, int value)
{
	const uint64_t before = record_of(peer->pid).written;

	peer_do(peer, PEER_WRITE, place, pages * PAGE, value);
	wait_for(record_of(peer->pid).written >= before + pages);
	let_settle(DATA);
	assert_int_equal(record_of(peer->pid).written, before + pages);
}

/* Each by itself, those that come later, and those below; and not who is not in it. */
TEST(the_processes_of_a_cgroup_are_recorded)
{
	struct peer one = peer_at_place(), below = peer_at_place(), late = peer_at_place();
	uint64_t before;
	pid_t record;
	int status;

	groups_start();
	move(one.pid, "/a");
	move(below.pid, "/a/b");
	record = record_group(CGROUPS "/a");
	wait_for(has_registered_memory(one.pid) && has_registered_memory(below.pid));
	let_settle(DATA);
	writes(&one, 5, 2);
	writes(&below, 9, 2);
	assert_false(has_registered_memory(late.pid));
	move(late.pid, "/a/b");
	wait_for(has_registered_memory(late.pid));
	let_settle(DATA);
	writes(&late, 3, 2);
	writes(&one, 1, 3);

	/* Who has left is not protected, and not seen any more. */
	move(one.pid, "");
	wait_for(!has_registered_memory(one.pid));
	before = record_of(one.pid).written;
	peer_do(&one, PEER_WRITE, place, 20 * PAGE, 4);
	let_settle(DATA);
	assert_int_equal(record_of(one.pid).written, before);
	assert_false(record_of(one.pid).ended);

	peer_do(&below, PEER_EXIT, NULL, 0, 0);
	wait_for(!(dev_features() & UFFDWP_FEATURE_EVENTS) || record_of(below.pid).ended);
	peer_end(&below);
	peer_end(&late);
	/* When the cgroup is gone, nobody can come any more. */
	groups_remove();
	assert_int_equal(waitpid(record, &status, 0), record);
	assert_int_equal(status, 0);
	assert_int_equal(sums_of(DATA).end, 0);
	read_text(MESSAGES);
	assert_true(printed("uffdwp: recorded "));
	assert_int_equal(run(UFFDWP " report " DATA), 0);
	assert_true(printed("what      cgroup " CGROUPS "/a\n"));
	groups_end();
	peer_end(&one);
}

/* What is written in the last part of an interval is recorded, too. */
TEST(a_cgroup_has_a_last_interval)
{
	struct peer peer = peer_at_place();
	pid_t record;

	groups_start();
	move(peer.pid, "/a");
	unlink(DATA);
	record = fork();
	if (!record) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open(MESSAGES, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		execl(UFFDWP, "uffdwp", "record", "--cgroup", CGROUPS "/a", "-i", "3600", "-o",
		      DATA, (char *)NULL);
		_exit(126);
	}
	wait_for(has_registered_memory(peer.pid));
	sleep(2);
	peer_do(&peer, PEER_WRITE, place, 7 * PAGE, 2);
	assert_int_equal(record_end(record, SIGINT), 0);
	assert_int_equal(sums_of(DATA).intervals, 1);
	assert_in_range(record_of(peer.pid).written, 7, N);
	assert_false(has_registered_memory(peer.pid));
	peer_end(&peer);
	groups_remove();
	groups_end();
}

/* It is left to its tracker, and this is told and recorded; the others are recorded. */
TEST(who_of_a_cgroup_cannot_be_recorded_is_told)
{
	char *p = map_filled(N);
	pid_t taken = writer(p, 10), other = writer(p, 20);
	int fd = dev_open();

	groups_start();
	move(taken, "/a");
	move(other, "/a");
	assert_ok(dev_attach_pid(fd, taken));
	if (dev_follow(fd, NULL, 0, 0))
		assert_ok(dev_register(fd, p, N * PAGE));
	assert_ok(dev_arm(fd, p, N * PAGE));
	assert_int_equal(run(UFFDWP " record --cgroup " CGROUPS "/a -i 0.3 -d 1 -o " DATA), 0);
	assert_true(printed("uffdwp: 1 process of the cgroup cannot be recorded: of another tracker\n"));
	assert_int_equal(run(UFFDWP " report " DATA), 0);
	assert_true(printed("1 process that could not be followed"));
	assert_false(has_registered_memory(other));
	assert_in_range(sums_of(DATA).in_lines, 20, 1000);
	close(fd);
	end(taken);
	end(other);
	groups_remove();
	groups_end();
	munmap(p, N * PAGE);
}

TEST(what_is_no_cgroup_is_not_recorded)
{
	assert_int_equal(run("echo dear >/tmp/dear; " UFFDWP " record --cgroup /tmp -o /tmp/dear"),
			 1);
	assert_true(printed("/tmp: that is no cgroup of version 2"));
	assert_int_equal(run(UFFDWP " record --cgroup /no/such -o /tmp/dear"), 1);
	assert_true(printed("/no/such: there is none of that name"));
	assert_string_equal(read_text("/tmp/dear"), "dear\n");
	assert_ok(unlink("/tmp/dear"));
}

/* No end of it can be told, and what there is can be read. */
TEST(killed_it_leaves_a_file_and_the_target_clean)
{
	struct peer peer = peer_at_place();
	pid_t record = record_start(peer.pid, DATA, "0.1");
	struct sums sums;

	wait_for(sums_of(DATA).intervals >= 5);
	assert_int_equal(record_end(record, SIGKILL), 128 + SIGKILL);
	sums = sums_of(DATA);
	assert_true(!sums.end || sums.end == -EPIPE);
	assert_true(sums.intervals >= 5);
	wait_for(!has_registered_memory(peer.pid));
	/* It goes on as if nothing had been. */
	peer_do(&peer, PEER_WRITE, place, N * PAGE, 9);
	peer_end(&peer);
}

/*
 * A process that writes odd pages, others each time, so that it takes some room to say which: a
 * kilobyte or so in a tenth of a second, in which it writes half of them.
 */
static pid_t busy_process(void)
{
	const size_t pages = 8192;
	uint64_t state = 1;
	pid_t pid = fork();
	char *p;
	int i;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	p = map_filled(pages);
	for (;;) {
		for (i = 0; i < 500; i++)
			p[next_random(&state) % pages * PAGE]++;
		usleep(10000);
	}
}

TEST(a_full_disk_ends_it_in_good_order)
{
	pid_t pid = busy_process();
	char command[192];
	struct sums sums;
	struct stat st;

	mkdir("/tmp/small", 0700);
	assert_ok(mount("small", "/tmp/small", "tmpfs", 0, "size=64k"));
	snprintf(command, sizeof(command),
		 UFFDWP " record -p %d -i 0.1 --cells 8192 -d 300 -o /tmp/small/data", (int)pid);
	assert_int_equal(run(command), 1);
	assert_true(printed("uffdwp: cannot write to /tmp/small/data: No space left on device"));
	assert_true(printed("uffdwp: it has what was recorded until "));
	sums = sums_of("/tmp/small/data");
	assert_int_equal(sums.end, 0);
	assert_true(sums.intervals > 5);
	assert_false(has_registered_memory(pid));
	assert_ok(stat("/tmp/small/data", &st));
	assert_in_range(st.st_size, 32 << 10, 64 << 10);

	/* A second one does not fit at all, and the first is still there. */
	assert_int_equal(run("cat /dev/zero >/tmp/small/rest"), 1);
	assert_int_equal(run(command), 1);
	assert_true(printed("No space left on device"));
	assert_int_equal(sums_of("/tmp/small/data").intervals, sums.intervals);
	assert_int_equal(run("ls -A /tmp/small | grep -c ."), 0);
	assert_string_equal(output, "2\n");
	assert_false(has_registered_memory(pid));
	assert_ok(umount("/tmp/small"));
	end(pid);
}

/* A limit of its own, which comes with a signal that ends others. */
TEST(a_file_may_have_a_limit)
{
	pid_t pid = busy_process();
	char command[192];

	snprintf(command, sizeof(command),
		 "ulimit -f 16; " UFFDWP " record -p %d -i 0.1 --cells 8192 -d 300 -o " DATA,
		 (int)pid);
	assert_int_equal(run(command), 1);
	assert_true(printed("uffdwp: cannot write to " DATA ": File too large"));
	assert_int_equal(sums_of(DATA).end, 0);
	assert_true(sums_of(DATA).intervals > 0);
	assert_false(has_registered_memory(pid));
	end(pid);
}

TEST(the_file_is_its_owners)
{
	struct stat st;

	unlink(DATA);
	assert_int_equal(run("umask 0; " UFFDWP " record -i 0.2 -o " DATA " -- sleep 1"), 0);
	assert_ok(stat(DATA, &st));
	assert_int_equal(st.st_mode & 07777, 0600);
}

TEST(what_comes_to_nothing_replaces_nothing)
{
	pid_t pid = busy_process();
	char command[128];

	assert_int_equal(run("rm -rf /tmp/dear; mkdir /tmp/dear; echo dear >/tmp/dear/data"), 0);
	assert_int_equal(run(UFFDWP " record -p 999999 -o /tmp/dear/data"), 1);
	assert_true(printed("uffdwp: cannot record process 999999: there is no such process"));
	assert_int_equal(run(UFFDWP " record -o /tmp/dear/data -- /no/such/program"), 127);
	assert_true(printed("cannot start /no/such/program: No such file or directory"));
	assert_int_equal(run("cat /tmp/dear/*"), 0);
	assert_string_equal(output, "dear\n");
	snprintf(command, sizeof(command), UFFDWP " record -p %d -n 1 -o /tmp/dear/data",
		 (int)pid);
	assert_int_equal(run(command), 0);
	assert_int_equal(sums_of("/tmp/dear/data").intervals, 1);
	end(pid);
}

/* What is wrong with the file is known before a program is started. */
TEST(mistakes_are_explained)
{
	struct stat st;

	assert_int_equal(run(UFFDWP " record"), 2);
	assert_true(printed("uffdwp record: what shall be recorded?"));
	assert_true(printed("usage: uffdwp record -p PID"));
	assert_int_equal(run(UFFDWP " record -o - true"), 2);
	assert_int_equal(run(UFFDWP " record --help"), 0);
	assert_true(printed("Example: "));
	unlink("/tmp/started");
	assert_int_equal(run(UFFDWP " record -o /tmp -- touch /tmp/started"), 1);
	assert_string_equal(output, "uffdwp: cannot write to /tmp: Is a directory\n");
	assert_int_equal(run(UFFDWP " record -o /no/where -- touch /tmp/started"), 1);
	assert_true(printed("uffdwp: cannot write to /no/where: No such file or directory"));
	assert_int_equal(run(UFFDWP " record -o /dev/null -- touch /tmp/started"), 1);
	assert_string_equal(output, "uffdwp: cannot write to /dev/null: it is there, and is no ordinary file\n");
	assert_int_equal(run("ln -sf /etc/passwd /tmp/link; " UFFDWP
			     " record -o /tmp/link -- touch /tmp/started"), 1);
	assert_string_equal(output, "uffdwp: cannot write to /tmp/link: it is a symbolic link\n");
	assert_int_equal(stat("/tmp/started", &st), -1);
	assert_ok(stat("/dev/null", &st));
	assert_true(S_ISCHR(st.st_mode));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_page_is_told_as_often_as_it_was_written),
		cmocka_unit_test(the_last_interval_may_be_shorter),
		cmocka_unit_test(as_many_intervals_as_asked_for),
		cmocka_unit_test(a_command_is_recorded_from_its_start),
		cmocka_unit_test(what_it_executes_is_recorded),
		cmocka_unit_test(children_are_recorded),
		cmocka_unit_test(the_processes_of_a_cgroup_are_recorded),
		cmocka_unit_test(a_cgroup_has_a_last_interval),
		cmocka_unit_test(who_of_a_cgroup_cannot_be_recorded_is_told),
		cmocka_unit_test(what_is_no_cgroup_is_not_recorded),
		cmocka_unit_test(killed_it_leaves_a_file_and_the_target_clean),
		cmocka_unit_test(a_full_disk_ends_it_in_good_order),
		cmocka_unit_test(a_file_may_have_a_limit),
		cmocka_unit_test(the_file_is_its_owners),
		cmocka_unit_test(what_comes_to_nothing_replaces_nothing),
		cmocka_unit_test(mistakes_are_explained),
	};

	if (argc == 3)
		return be_program(argv);
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
