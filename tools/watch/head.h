/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCH_HEAD_H
#define TOOLS_WATCH_HEAD_H

#include "watch/live.h"

/* What is above the rows: what is watched, and all of it in sums. */
void head_layout(const struct live *live, const struct history *shown, struct page *page);

#endif /* TOOLS_WATCH_HEAD_H */
