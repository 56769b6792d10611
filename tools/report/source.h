/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_SOURCE_H
#define TOOLS_REPORT_SOURCE_H

#include "recording/recording.h"

/* Where intervals come from: a recording, or what a test makes up. */
struct source {
	void *arg;
	const struct recording_header *header;
	int (*next)(void *arg, struct recording_interval *interval);	/* as recording_next() */
	int (*rewind)(void *arg);					/* as recording_rewind() */
};

#endif /* TOOLS_REPORT_SOURCE_H */
