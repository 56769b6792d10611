// SPDX-License-Identifier: GPL-2.0-only
/*
 * Standard error goes through a pipe that is read by the same thread: it must not wait for room in
 * it, so what is more than the pipe holds is lost, and said to be.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "human.h"
#include "screen/messages.h"

#define PIPE_BYTES (1 << 20)
#define KEPT_BYTES (64u << 10)

int messages_catch(struct messages *m)
{
	int fds[2], err;

	*m = (struct messages){ .saved = -1 };
	m->text = malloc(KEPT_BYTES);
	if (!m->text)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK)) {
		err = -errno;
		goto free_text;
	}
	/* Less will do, too. */
	fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES);
	fflush(stderr);
	m->saved = fcntl(2, F_DUPFD_CLOEXEC, 3);
	if (m->saved < 0 || dup2(fds[1], 2) < 0) {
		err = -errno;
		goto close_pipe;
	}
	close(fds[1]);
	m->pipe = fds[0];
	m->forward = !isatty(m->saved);
	return 0;

close_pipe:
	if (m->saved >= 0)
		close(m->saved);
	m->saved = -1;
	close(fds[0]);
	close(fds[1]);
free_text:
	free(m->text);
	m->text = NULL;
	return err;
}

static void keep(struct messages *m, const char *bytes, size_t n)
{
	size_t room = KEPT_BYTES - m->len;

	if (m->forward) {
		/* Who reads them may be gone: then nobody can be told so. */
		if (write(m->saved, bytes, n) < 0)
			m->dropped += n;
		return;
	}
	if (n > room || m->dropped) {
		m->dropped += n;
		return;
	}
	memcpy(m->text + m->len, bytes, n);
	m->len += n;
}

/* The last line that is whole is the one to show. */
static void find_lines(struct messages *m, const char *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (bytes[i] != '\n') {
			if (m->last_len < sizeof(m->partial))
				m->partial[m->last_len++] = bytes[i];
			continue;
		}
		if (!m->last_len)
			continue;
		human_clean(m->partial, m->last_len, m->last, sizeof(m->last));
		m->last_len = 0;
		m->n++;
	}
}

void messages_take(struct messages *m)
{
	char bytes[4096];
	ssize_t n;

	if (m->saved < 0)
		return;
	while ((n = read(m->pipe, bytes, sizeof(bytes))) > 0) {
		keep(m, bytes, n);
		find_lines(m, bytes, n);
	}
	/* The pipe was full. */
	if (ferror(stderr)) {
		clearerr(stderr);
		m->dropped++;
	}
}

void messages_release(struct messages *m)
{
	if (m->saved < 0)
		return;
	fflush(stderr);
	messages_take(m);
	dup2(m->saved, 2);
	fwrite(m->text, 1, m->len, stderr);
	if (m->dropped && !m->forward)
		fprintf(stderr, "uffdwp: there were more messages than could be kept, and the others are lost\n");
	close(m->saved);
	close(m->pipe);
	free(m->text);
	*m = (struct messages){ .saved = -1 };
}
