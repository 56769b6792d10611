/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_REPORT_MADE_H
#define TESTS_REPORT_MADE_H

/*
 * Recordings that are made up, but written as "uffdwp record" writes them. What a process does is
 * told page by page; cells and written sets follow from that. The numbers are always the same.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recording/recording.h"

#define MADE_PAGE 4096ull
#define MADE_LINES 64
#define MADE_PROCESSES 8
#define MADE_PAGES 300000

struct made {
	struct recording_writer *writer;
	struct recording_header header;
	struct recording_interval interval;
	struct recording_process process[MADE_PROCESSES];
	struct recording_line line[MADE_LINES];
	struct recording_cell *cell;
	uint64_t *page;		/* written in the last line, by address */
	size_t pages;
	struct written_set set;
	uint64_t seed;
	int err;		/* the first */
};

static inline uint64_t made_random(struct made *made, uint64_t below)
{
	made->seed = made->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (made->seed >> 33) % below;
}

static inline void made_begin(struct made *made, const char *path, const char *what,
			      double interval)
{
	*made = (struct made){ .seed = 1 };
	made->header = (struct recording_header){
		.version = 1, .began = 1795996800000000000, .interval = interval, .most_cells = 512,
		.children = true, .tool = "uffdwp 0.1.0", .host = "example",
		.kernel = "6.1.0-49-amd64",
	};
	snprintf(made->header.what, sizeof(made->header.what), "%s", what);
	made->cell = calloc(MADE_PAGES, sizeof(*made->cell));
	made->page = calloc(MADE_PAGES, sizeof(*made->page));
	made->interval.process = made->process;
	made->interval.line = made->line;
	made->interval.cell = made->cell;
	made->err = made->cell && made->page ?
		    recording_create(path, &made->header, &made->writer) : -1;
}

/* The lines that follow are its. */
static inline struct recording_process *made_process(struct made *made, pid_t pid,
						     const char *name)
{
	struct recording_process *process = &made->process[made->interval.processes++];

	*process = (struct recording_process){ .pid = pid };
	snprintf(process->name, sizeof(process->name), "%s", name);
	return process;
}

static inline struct recording_line *made_line(struct made *made, const char *name, uint64_t start,
					       uint64_t pages)
{
	struct recording_line *line = &made->line[made->interval.lines++];

	*line = (struct recording_line){
		.process = made->interval.processes - 1, .start = start,
		.end = start + pages * MADE_PAGE, .name = name, .tracked = pages,
	};
	made->pages = 0;
	return line;
}

static inline void made_write(struct made *made, uint64_t page)
{
	const struct recording_line *line = &made->line[made->interval.lines - 1];

	if (made->pages < MADE_PAGES)
		made->page[made->pages++] = line->start + page * MADE_PAGE;
}

static int made_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static inline uint64_t made_cell_pages(const struct made *made, const struct recording_line *line)
{
	uint64_t pages = 1;

	while ((line->end - line->start) / MADE_PAGE / pages > made->header.most_cells)
		pages *= 2;
	return pages;
}

static inline void made_cell(struct made *made, size_t index, uint64_t page, uint64_t pages)
{
	const uint64_t start = page / (pages * MADE_PAGE) * (pages * MADE_PAGE);
	const size_t n = made->interval.cells;

	if (n && made->cell[n - 1].line == index && made->cell[n - 1].start == start) {
		made->cell[n - 1].written++;
		return;
	}
	made->cell[made->interval.cells++] = (struct recording_cell){
		.line = index, .start = start, .pages = pages, .written = 1,
	};
}

/* All of the last line is told. @time: of the interval's end */
static inline void made_line_end(struct made *made, double time)
{
	const size_t index = made->interval.lines - 1;
	struct recording_line *line = &made->line[index];
	const pid_t pid = made->process[line->process].pid;
	const uint64_t pages = made_cell_pages(made, line);
	size_t i;

	qsort(made->page, made->pages, sizeof(*made->page), made_order);
	for (i = 0; i < made->pages; i++) {
		if (i && made->page[i] == made->page[i - 1])
			continue;
		line->written++;
		made_cell(made, index, made->page[i], pages);
		if (!made->err)
			made->err = written_set_add(&made->set, pid, made->page[i],
						    made->page[i] + MADE_PAGE, time);
	}
	written_set_count(&made->set, pid, line->start, line->end, time, line->set);
	/* What nothing has happened to for a minute is not told. */
	if (!line->written && !line->added && !line->set[WRITTEN_SET_WINDOWS - 1])
		made->interval.lines--;
}

static inline void made_interval(struct made *made, double time, double length)
{
	made->interval.time = time;
	made->interval.length = length;
	if (!made->err)
		made->err = recording_write(made->writer, &made->interval);
	written_set_age(&made->set, time);
	made->interval.processes = made->interval.lines = made->interval.cells = 0;
	made->interval.lost = false;
	made->interval.not_followed = 0;
}

/* Return: 0, or the first error. */
static inline int made_end(struct made *made)
{
	const int err = made->writer ? recording_finish(made->writer) : 0;

	written_set_free(&made->set);
	free(made->cell);
	free(made->page);
	return made->err ? made->err : err;
}

/* ---- recordings */

/* A heap that grows, a ring that goes round, a cache written at random, a sweep now and then. */
static inline void made_server_lines(struct made *made, double time, unsigned int second)
{
	const uint64_t grown = 2000 + 40ull * (second < 80 ? second : 80);
	struct recording_line *line;
	uint64_t i;

	line = made_line(made, "/usr/sbin/serverd", 0x55d0c0a00000, 24);
	for (i = 0; i < 3; i++)
		made_write(made, 5 + i);
	made_line_end(made, time);
	line = made_line(made, "[heap]", 0x55d0c1000000, grown);
	line->added = second && second < 80 ? 40 : 0;
	for (i = 0; i < line->added; i++)
		made_write(made, grown - 1 - i);
	for (i = 0; i < 120; i++)
		made_write(made, made_random(made, 500));
	made_line_end(made, time);
	made_line(made, "[anon:cache]", 0x7f2a10000000, 65536);
	for (i = 0; second % 45 == 30 && i < 65536; i++)
		made_write(made, i);
	for (i = 0; i < 400; i++)
		made_write(made, made_random(made, 65536));
	made_line_end(made, time);
	made_line(made, "/memfd:ring (deleted)", 0x7f2a40000000, 256);
	for (i = 0; i < 24; i++)
		made_write(made, (second * 24 + i) % 256);
	made_line_end(made, time);
	made_line(made, "[stack]", 0x7ffd5a3d0000, 33);
	for (i = 0; i < 4; i++)
		made_write(made, 29 + i);
	made_line_end(made, time);
}

/* Two minutes of a server, in which the machine slept for a quarter of one. */
static inline int made_server(const char *path)
{
	struct made made;
	unsigned int second;
	double time = 0;

	made_begin(&made, path, "/usr/sbin/serverd --config /etc/serverd.conf", 1);
	made.interval.skipped_bytes = 3 << 20;
	for (second = 0; second < 120; second++) {
		const double length = 1 + 0.0004 * (second % 3);

		time += length + (second == 70 ? 15 : 0);
		made_process(&made, 1234, "serverd");
		made_server_lines(&made, time, second);
		made_interval(&made, time, length);
	}
	return made_end(&made);
}

/* A shell forks workers, which end, and executes another program in the end. */
static inline int made_family(const char *path)
{
	struct made made;
	unsigned int second;
	uint64_t i;

	made_begin(&made, path, "sh -c 'sort big | tail; exec python3 -m http.server'", 0.5);
	for (second = 0; second < 60; second++) {
		const double time = 0.5 * (second + 1);
		struct recording_process *process;
		const bool python = second >= 40;

		process = made_process(&made, 300, python ? "python3" : "sh");
		process->gone = second == 40 ? 57 : 0;
		made_line(&made, "[heap]", python ? 0xd51000 : 0x556b2c13a000, python ? 600 : 33);
		for (i = 0; i < (python ? 60 : 2); i++)
			made_write(&made, made_random(&made, python ? 600 : 33));
		made_line_end(&made, time);
		made_line(&made, "[stack]", python ? 0x7ffc11d00000 : 0x7ffe68100000, 33);
		made_write(&made, 31);
		made_line_end(&made, time);
		if (second >= 5 && second < 30) {
			process = made_process(&made, 301, "sort");
			process->presumed = second == 5 ? 90 : 0;
			process->ended = second == 29;
			process->gone = second == 29 ? 8000 : 0;
			made_line(&made, "anon", 0x7fb0e0000000, 16384);
			for (i = 0; i < 600 && second < 29; i++)
				made_write(&made, (second - 5) * 600 + i);
			made_line_end(&made, time);
		}
		made.interval.not_followed = second == 12 ? 2 : 0;
		made.interval.lost = second == 13;
		made_interval(&made, time, 0.5);
	}
	return made_end(&made);
}

/* Names that want to be markup, a formula, a program, a path out of the page. */
static inline int made_hostile(const char *path)
{
	struct made made;
	unsigned int second;

	made_begin(&made, path, "</script><script>alert('what')</script>\" & <b>", 1);
	for (second = 0; second < 4; second++) {
		made_process(&made, 666, "=cmd|' /C calc'!A0");
		made_line(&made, "/tmp/<img src=x onerror=alert(1)>\"&'", 0x10000, 16);
		made_write(&made, second);
		made_line_end(&made, second + 1.0);
		made_line(&made, "</script><!--\\033[2J", 0x7f0000000000, 16);
		made_write(&made, 15 - second);
		made_line_end(&made, second + 1.0);
		made_interval(&made, second + 1.0, 1);
	}
	return made_end(&made);
}

/* A server under load, for as long as is asked: what a recording of a day has to be read in. */
static inline int made_day(const char *path, unsigned int seconds)
{
	struct made made;
	unsigned int second;
	uint64_t i;

	made_begin(&made, path, "redis-server *:6379", 1);
	for (second = 0; second < seconds; second++) {
		const double time = second + 1;
		const unsigned int load = 100 + 1900 * (second / 3600 % 12) / 12;

		made_process(&made, 4321, "redis-server");
		made_line(&made, "anon", 0x7f0000000000, 131072);
		for (i = 0; i < load; i++)
			made_write(&made, made_random(&made, 131072));
		for (i = 0; i < 64; i++)
			made_write(&made, 1000 + i);
		made_line_end(&made, time);
		made_line(&made, "[stack]", 0x7ffd5a3d0000, 33);
		made_write(&made, 30);
		made_line_end(&made, time);
		made_interval(&made, time, 1);
	}
	return made_end(&made);
}

/* More processes and mappings than are kept apart. */
static inline int made_crowd(const char *path)
{
	struct made made;
	unsigned int second, i;

	made_begin(&made, path, "make -j 100", 1);
	for (second = 0; second < 1500; second++) {
		const double time = second + 1;

		for (i = 0; i < 4; i++) {
			struct recording_process *process;
			unsigned int line;

			process = made_process(&made, 1000 + (pid_t)(second * 4 + i), "cc1");
			process->ended = true;
			for (line = 0; line < 5; line++) {
				made_line(&made, "anon", 0x7f0000000000 + line * 0x100000000, 64);
				made_write(&made, line * 7);
				made_write(&made, second % 64);
				made_line_end(&made, time);
			}
		}
		made_interval(&made, time, 1);
	}
	return made_end(&made);
}

#endif /* TESTS_REPORT_MADE_H */
