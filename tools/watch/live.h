/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCH_LIVE_H
#define TOOLS_WATCH_LIVE_H

#include "screen/text.h"
#include "watch/columns.h"
#include "watch/detail.h"
#include "watch/history.h"
#include "watch/view.h"

enum live_mode {
	LIVE_LIST,
	LIVE_DETAIL,
	LIVE_HELP,
};

/* The live screen without a terminal: reports and keys come in, pages of text come out. */
struct live {
	char title[128];		/* what is watched */
	bool utf8;
	const struct written_set *set;
	double interval;		/* seconds, as it was chosen */
	bool quit;			/* somebody wants to leave */
	/* From here on it is its own: */
	struct history now;
	struct history held;		/* what is shown while it stands still */
	bool paused;
	struct view view;
	struct columns columns;
	unsigned int width;
	unsigned int rows;		/* that there is room for */
	enum live_mode mode;
	enum live_mode behind;		/* the help */
	struct row opened;		/* the one that all is shown of */
	bool opened_there;
	struct density density;
	bool typing;			/* a filter */
	char filter_before[64];
	char message[512];		/* to be shown until a key is pressed */
};

/* @live: all 0, but for the first four fields */
void live_begin(struct live *live);

/**
 * live_report - there is a new report
 * @live: live screen
 * @report: report that has sets
 *
 * Return: 0 or -ENOMEM.
 */
int live_report(struct live *live, struct report *report);

/* A key was pressed: 0 or -ENOMEM. */
int live_key(struct live *live, int key);

/**
 * live_layout - what is to be seen
 * @live: live screen
 * @page: page that has begun
 *
 * Return: the column of the cursor in the last line, or -1: there is none.
 */
int live_layout(struct live *live, struct page *page);

void live_free(struct live *live);

#endif /* TOOLS_WATCH_LIVE_H */
