/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_SPANS_H
#define TOOLS_REPORT_SPANS_H

#include <stddef.h>
#include <stdint.h>

/* Memory that was written at some time, without what lies between. */
struct span {
	uint64_t process;	/* its number (alive.h) */
	uint64_t start;
	uint64_t end;
	uint64_t written;	/* page writes */
	char name[64];		/* of the mapping */
};

/* In ascending order of process and address; not more than SPANS_MOST. All 0 is empty. */
#define SPANS_MOST 8192

struct spans {
	struct span *span;
	size_t n;
	uint64_t join;		/* gaps up to so many bytes are not worth to be told */
	size_t last;		/* found last: the next is near it, as a rule */
};

/* Memory was written. Return: 0 or -ENOMEM. */
int spans_add(struct spans *spans, const struct span *span);

/* Make those one that have one name and are not more than @gap bytes apart. */
void spans_join(struct spans *spans, uint64_t gap);

void spans_free(struct spans *spans);

#endif /* TOOLS_REPORT_SPANS_H */
