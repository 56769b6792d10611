// SPDX-License-Identifier: GPL-2.0-only
/*
 * What "uffdwp top" prints, and what it reads from /proc.
 */
#include "unit.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "crowd/cgroup.h"
#include "crowd/processes.h"
#include "crowd/refused.h"
#include "top/rows.h"

static const struct top_row rows[] = {
	{ .pid = 7, .user = "root", .name = "quiet", .tracked = 256, .all_written = 5,
	  .interval = 2 },
	{ .pid = 42, .user = "postgres", .name = "a\\033[2J very long name", .tracked = 1000,
	  .written = 500, .all_written = 900, .interval = 2, .set = { 400, 500, 900 } },
	{ .pid = 4194304, .user = "root", .name = "gone", .written = 3, .all_written = 3,
	  .interval = 0.5, .ended = true },
};

static struct top_report three(void)
{
	struct top_report r = { .number = 2, .elapsed = 4, .interval = 2, .all_written = 1000 };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(top_add(&r, &rows[i]), 0);
	r.refused[REFUSED_BUSY] = 1;
	r.refused[REFUSED_KERNEL] = 95;
	return r;
}

static char *table(const struct top_report *r, bool utf8)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	top_print_table(to, r, utf8);
	fclose(to);
	return text;
}

static void a_table(void **state)
{
	struct top_report r = three();
	char *text;

	(void)state;
	top_sort(&r, TOP_RATE, false);
	text = table(&r, false);
	assert_string_equal(text,
"    4.0 s  3 processes, 4.9 MiB tracked, 1.0 MiB/s written; not tracked: 1 of another tracker, 95 of the kernel\n"
"      pid user       name                  tracked   written    write rate    share                in 1 s    in 10 s    in 60 s\n"
"       42 postgres   ~2J very long name    3.9 MiB       500  1000.0 KiB/s   50.0 % #####         1.6 MiB    2.0 MiB    3.5 MiB\n"
"  4194304 root       gone                      0 B         3    24.0 KiB/s    0.0 %                   0 B        0 B        0 B  ended\n"
"        7 root       quiet                 1.0 MiB         0         0 B/s    0.0 %                   0 B        0 B        0 B\n"
"    total                                  4.9 MiB       503     1.0 MiB/s   40.0 % ####          1.6 MiB    2.0 MiB    3.5 MiB\n");
	free(text);
	top_cut(&r, 1);
	r.set_incomplete = true;
	r.row[0].lost = true;
	r.lost = true;
	text = table(&r, true);
	assert_non_null(strstr(text, "\u2588\u2588\u2588\u2588\u2588 "));
	assert_null(strstr(text, "quiet"));
	assert_non_null(strstr(text, "   2 more "));
	assert_non_null(strstr(text, "3 processes, "));
	assert_non_null(strstr(text, "events were lost"));
	assert_non_null(strstr(text, "the last three columns are too low"));
	free(text);
	top_free(&r);
}

static void no_processes(void **state)
{
	struct top_report r = { .number = 1, .interval = 1 };
	char *text;

	(void)state;
	top_sort(&r, TOP_PID, true);
	text = table(&r, false);
	assert_non_null(strstr(text, "0 processes, 0 B tracked, 0 B/s written\n"));
	free(text);
	top_free(&r);
}

static void assert_order(struct top_report *r, enum top_column column, bool reverse, pid_t first,
			 pid_t last)
{
	top_sort(r, column, reverse);
	assert_int_equal(r->row[0].pid, first);
	assert_int_equal(r->row[2].pid, last);
}

static void rows_have_an_order(void **state)
{
	struct top_report r = three(), copy = { 0 };

	(void)state;
	assert_order(&r, TOP_PID, false, 7, 4194304);
	assert_order(&r, TOP_PID, true, 4194304, 7);
	assert_order(&r, TOP_USER, false, 42, 4194304);
	assert_order(&r, TOP_NAME, false, 42, 7);
	assert_order(&r, TOP_TRACKED, false, 42, 4194304);
	assert_order(&r, TOP_WRITTEN, false, 42, 7);
	assert_order(&r, TOP_RATE, true, 7, 42);
	assert_order(&r, TOP_SHARE, false, 42, 4194304);
	assert_order(&r, TOP_SET_60, false, 42, 4194304);
	assert_int_equal(top_copy(&copy, &r), 0);
	/* In the name, the user, or the number; in small letters, too. */
	top_filter(&copy, "ROOT");
	assert_int_equal(copy.n, 2);
	assert_int_equal(copy.processes, 3);
	assert_int_equal(top_copy(&copy, &r), 0);
	top_filter(&copy, "42");
	assert_int_equal(copy.n, 1);
	assert_int_equal(copy.row[0].pid, 42);
	top_filter(&copy, "no such");
	assert_int_equal(copy.n, 0);
	top_free(&copy);
	top_free(&r);
}

static void json(void **state)
{
	struct top_report r = three();
	struct json_object *object, *value, *row;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	top_sort(&r, TOP_RATE, false);
	top_cut(&r, 1);
	assert_int_equal(top_print_json(to, &r), 0);
	fclose(to);
	assert_string_equal(text,
"{\"schema\":1,\"report\":2,\"elapsed\":4.0,\"interval\":2.0,\"processes\":["
"{\"pages_tracked\":1000,\"pages_written\":500,\"share\":0.5,\"bytes_per_second\":1024000.0,"
"\"pages_written_set\":{\"1\":400,\"10\":500,\"60\":900},\"pid\":42,\"user\":\"postgres\","
"\"name\":\"a\\\\033[2J very long name\",\"pages_written_all\":900,\"interval\":2.0}],"
"\"left_out\":2,\"total\":{\"pages_tracked\":1256,\"pages_written\":503,"
"\"share\":0.40047770700636942,\"bytes_per_second\":1048576.0,"
"\"pages_written_set\":{\"1\":400,\"10\":500,\"60\":900},\"pages_written_all\":1000,"
"\"processes\":3},\"not_tracked\":{\"other_tracker\":1,\"no_permission\":0,\"kernel\":95,"
"\"no_file_descriptor\":0,\"failed\":0}}\n");
	object = json_tokener_parse(text);
	assert_true(json_object_object_get_ex(object, "processes", &value));
	row = json_object_array_get_idx(value, 0);
	assert_true(json_object_object_get_ex(row, "name", &value));
	assert_string_equal(json_object_get_string(value), "a\\033[2J very long name");
	json_object_put(object);
	free(text);
	top_free(&r);
}

/* ---- /proc */

static void what_proc_tells(void **state)
{
	struct process_facts facts = { 0 };

	(void)state;
	/* A name may look like what comes after it. */
	assert_true(process_parse_stat("42 (a) R 1 (x) S 1 42 42 0 -1 4194560 1 0 0 0 2 3 0 0 20 0 1 0 555 10000 77 18446744073709551615",
				       &facts));
	assert_false(facts.kernel);
	assert_int_equal(facts.resident, 77 * 4096);
	assert_true(process_parse_stat("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0 0",
				       &facts));
	assert_true(facts.kernel);
	assert_false(process_parse_stat("", &facts));
	assert_false(process_parse_stat("42 (x) S 1", &facts));
	/* A name has no newline in it there. */
	assert_true(process_parse_status("Name:\tUid:\nState:\tS\nUid:\t1\t1000\t3\t4\n", &facts));
	assert_int_equal(facts.user, 1000);
	assert_false(process_parse_status("Name:\tx\n", &facts));
}

static void we_are_a_process(void **state)
{
	struct pid_list list = { 0 };
	struct process_facts facts;

	(void)state;
	assert_int_equal(processes_read(&list), 0);
	assert_int_equal(pid_list_add(&list, getpid()), 0);
	pid_list_sort(&list);
	assert_true(pid_list_has(&list, getpid()));
	assert_false(pid_list_has(&list, 0));
	assert_int_equal(process_read_facts(getpid(), &facts), 0);
	assert_int_equal(facts.user, geteuid());
	assert_false(facts.kernel);
	assert_true(facts.resident > 0);
	assert_int_equal(process_read_facts(99999999, &facts), -ESRCH);
	pid_list_free(&list);
	assert_false(pid_list_has(&list, 1));
}

static void each_once(void **state)
{
	static const pid_t pids[] = { 5, 3, 5, 1, 3 };
	struct pid_list list = { 0 };
	size_t i;

	(void)state;
	pid_list_sort(&list);
	for (i = 0; i < 5; i++)
		assert_int_equal(pid_list_add(&list, pids[i]), 0);
	pid_list_sort(&list);
	assert_int_equal(list.n, 3);
	assert_int_equal(list.pid[0], 1);
	assert_int_equal(list.pid[2], 5);
	pid_list_free(&list);
}

static void what_is_refused_is_not_tried_again_at_once(void **state)
{
	struct refused_list list = { 0 };
	struct pid_list wanted = { 0 };
	uint64_t counts[REFUSALS];

	(void)state;
	assert_false(refused_has(&list, 7));
	assert_int_equal(refused_add(&list, 7, REFUSED_BUSY), 0);
	assert_int_equal(refused_add(&list, 3, refused_reason(-EPERM)), 0);
	assert_int_equal(refused_add(&list, 5, REFUSALS), 0);
	assert_int_equal(refused_add(&list, 7, REFUSED_OTHER), 0);
	assert_true(refused_has(&list, 3));
	assert_true(refused_has(&list, 5));
	assert_true(refused_has(&list, 7));
	/* Once, for the last reason; and what nobody has asked for is no refusal. */
	refused_count(&list, counts);
	assert_int_equal(counts[REFUSED_BUSY], 0);
	assert_int_equal(counts[REFUSED_OTHER], 1);
	assert_int_equal(counts[REFUSED_RIGHTS], 1);
	refused_forget(&list, 3);
	refused_forget(&list, 4);
	assert_false(refused_has(&list, 3));
	assert_true(refused_has(&list, 7));
	assert_int_equal(pid_list_add(&wanted, 5), 0);
	refused_keep(&list, &wanted);
	assert_true(refused_has(&list, 5));
	assert_false(refused_has(&list, 7));
	pid_list_free(&wanted);
	refused_free(&list);
}

static void what_is_no_cgroup(void **state)
{
	(void)state;
	assert_int_equal(cgroup_open("/tmp"), -ENOTDIR);
	assert_int_equal(cgroup_open("/no/such/cgroup"), -ENOENT);
	assert_int_equal(cgroup_open("no/such/cgroup"), -ENOENT);
	assert_non_null(strstr(cgroup_explain(-ENOTDIR), "version 2"));
	assert_non_null(strstr(cgroup_explain(-ENOENT), "/proc/PID/cgroup"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table),
		cmocka_unit_test(no_processes),
		cmocka_unit_test(rows_have_an_order),
		cmocka_unit_test(json),
		cmocka_unit_test(what_proc_tells),
		cmocka_unit_test(we_are_a_process),
		cmocka_unit_test(each_once),
		cmocka_unit_test(what_is_refused_is_not_tried_again_at_once),
		cmocka_unit_test(what_is_no_cgroup),
	};

	return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
