// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metrics for Prometheus: the text, and the file that it is in.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prometheus.h"

#define PAGE 4096

/* Every file of ours begins so. */
#define BEGINNING "# HELP uffdwp_"

/* ---- text */

static void print_head(FILE *to, const char *metric, const char *type, const char *help)
{
	fprintf(to, "# HELP uffdwp_%s %s\n# TYPE uffdwp_%s %s\n", metric, help, metric, type);
}

/* The value of a label: what the format reserves, with a backslash. */
static void print_label(FILE *to, const char *before, const char *value)
{
	fputs(before, to);
	fputs("=\"", to);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", to);
		else if (*value == '\\' || *value == '"')
			fprintf(to, "\\%c", *value);
		else
			putc(*value, to);
	}
	putc('"', to);
}

/* The labels, but for the brace that ends them. */
static void print_labels(FILE *to, const char *what, const char *metric,
			 const struct prometheus_sample *sample)
{
	fprintf(to, "uffdwp_%s_%s{pid=\"%d\"", what, metric, (int)sample->pid);
	print_label(to, ",process", sample->process);
	if (sample->name)
		print_label(to, ",name", sample->name);
}

/* Samples, and what their metrics are called after. */
struct samples {
	const char *what;	/* "process" */
	const struct prometheus_sample *sample;
	size_t n;
};

static void print_all(FILE *to, const struct samples *s, const char *metric, const char *type,
		      const char *help, double (*value)(const struct prometheus_sample *sample))
{
	char name[64];
	size_t i;

	snprintf(name, sizeof(name), "%s_%s", s->what, metric);
	print_head(to, name, type, help);
	for (i = 0; i < s->n; i++) {
		print_labels(to, s->what, metric, &s->sample[i]);
		fprintf(to, "} %.17g\n", value(&s->sample[i]));
	}
}

static void print_sets(FILE *to, const struct samples *s)
{
	char name[64];
	size_t i, window;

	snprintf(name, sizeof(name), "%s_written_set_bytes", s->what);
	print_head(to, name, "gauge",
		   "Memory that was written in the last seconds, each page once.");
	for (i = 0; i < s->n; i++) {
		for (window = 0; window < WRITTEN_SET_WINDOWS; window++) {
			print_labels(to, s->what, "written_set_bytes", &s->sample[i]);
			fprintf(to, ",window=\"%us\"} %" PRIu64 "\n", written_set_seconds[window],
				s->sample[i].set[window] * PAGE);
		}
	}
}

static double written_of(const struct prometheus_sample *sample)
{
	return sample->written;
}

static double rate_of(const struct prometheus_sample *sample)
{
	return sample->rate;
}

static double tracked_of(const struct prometheus_sample *sample)
{
	return (double)sample->tracked * PAGE;
}

static void print_samples(FILE *to, const struct samples *s)
{
	if (!s->n)
		return;
	print_all(to, s, "written_pages_total", "counter",
		  "Pages of 4096 bytes written since tracking began, once an interval each.",
		  written_of);
	print_all(to, s, "write_rate_bytes_per_second", "gauge",
		  "Bytes in pages written in the last interval, a second.", rate_of);
	print_all(to, s, "tracked_bytes", "gauge", "Memory in which writes are seen.", tracked_of);
	print_sets(to, s);
}

static size_t min(size_t one, size_t other)
{
	return one < other ? one : other;
}

static void print_states(FILE *to, const struct prometheus_metrics *m)
{
	size_t i;

	if (!m->n_states)
		return;
	print_head(to, "processes", "gauge", "Processes that are tracked, and that are not.");
	for (i = 0; i < m->n_states; i++) {
		fputs("uffdwp_processes{", to);
		print_label(to, "state", m->states[i].state);
		fprintf(to, "} %" PRIu64 "\n", m->states[i].processes);
	}
}

void prometheus_print(FILE *to, const struct prometheus_metrics *m)
{
	const struct samples processes = {
		"process", m->processes, min(m->n_processes, PROMETHEUS_PROCESSES_MAX),
	};
	const struct samples names = { "mapping", m->names, m->n_names };

	print_head(to, "last_report_timestamp_seconds", "gauge", "When this was measured.");
	fprintf(to, "uffdwp_last_report_timestamp_seconds %.3f\n", m->time);
	print_head(to, "written_pages_total", "counter",
		   "Pages written by all processes, also by those that have ended.");
	fprintf(to, "uffdwp_written_pages_total %" PRIu64 "\n", m->written);
	print_head(to, "processes_left_out", "gauge", "Processes without metrics of their own.");
	fprintf(to, "uffdwp_processes_left_out %" PRIu64 "\n",
		m->left_out + m->n_processes - processes.n);
	print_states(to, m);
	print_samples(to, &processes);
	print_samples(to, &names);
}

/* ---- file */

static int wrong(char *why, size_t size, const char *path, const char *what, int err)
{
	snprintf(why, size, "cannot write metrics to %s: %s", path, what);
	return err;
}

static bool is_ours(const char *path)
{
	char text[sizeof(BEGINNING)] = "";
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return false;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	return !n || !strcmp(text, BEGINNING);
}

/* Beside it, for as long as it is written: the collector reads files that are called *.prom. */
static int make_unfinished(const char *path, char **unfinished)
{
	int fd;

	if (asprintf(unfinished, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(*unfinished, O_CLOEXEC);
	if (fd >= 0)
		return fd;
	fd = -errno;
	free(*unfinished);
	return fd;
}

/* Can a file be made there? */
static int try_to_make(const char *path)
{
	char *unfinished;
	int fd = make_unfinished(path, &unfinished);

	if (fd < 0)
		return fd;
	close(fd);
	unlink(unfinished);
	free(unfinished);
	return 0;
}

static int check_what_is_there(const char *path, char *why, size_t size)
{
	struct stat stat;

	if (lstat(path, &stat))
		return errno == ENOENT ? 0 : wrong(why, size, path, strerror(errno), -errno);
	if (!S_ISREG(stat.st_mode))
		return wrong(why, size, path,
			     "it is no ordinary file, and would be replaced by one", -EEXIST);
	if (!is_ours(path))
		return wrong(why, size, path,
			     "it has something else in it, which would be lost: give another name",
			     -EEXIST);
	return 0;
}

int prometheus_check(const char *path, char *why, size_t size)
{
	int err = check_what_is_there(path, why, size);

	if (err)
		return err;
	err = try_to_make(path);
	return err ? wrong(why, size, path, strerror(-err), err) : 0;
}

/* Closes the file. */
static int print_and_close(int fd, const struct prometheus_metrics *metrics)
{
	FILE *to = fdopen(fd, "w");
	int err = 0;

	if (!to) {
		err = -errno;
		close(fd);
		return err;
	}
	prometheus_print(to, metrics);
	if (fflush(to) || ferror(to))
		err = errno ? -errno : -EIO;
	/* As a new file would be that anybody may read, whatever our umask. */
	if (!err && fchmod(fd, 0644))
		err = -errno;
	if (fclose(to) && !err)
		err = -errno;
	return err;
}

int prometheus_write(const char *path, const struct prometheus_metrics *metrics)
{
	char *unfinished;
	int fd = make_unfinished(path, &unfinished), err;

	if (fd < 0)
		return fd;
	errno = 0;
	err = print_and_close(fd, metrics);
	if (!err && rename(unfinished, path))
		err = -errno;
	if (err)
		unlink(unfinished);
	free(unfinished);
	return err;
}

int prometheus_update(struct prometheus_file *file, const struct prometheus_metrics *metrics)
{
	int err;

	if (!file->path)
		return 0;
	err = prometheus_write(file->path, metrics);
	if (err && !file->told)
		fprintf(stderr, "uffdwp: cannot write metrics to %s: %s%s\n", file->path,
			strerror(-err),
			file->written ? "; it stays as it was, and is tried again" : "");
	file->told = err;
	if (err)
		return file->written ? 0 : err;
	file->written = true;
	return 0;
}

void prometheus_end(struct prometheus_file *file)
{
	if (file->written)
		unlink(file->path);
	file->written = false;
}
