/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_TOOLS_PACE_H
#define UFFDWP_TOOLS_PACE_H

#include <stdint.h>

/*
 * When the next report is due: in step with the first, which was due @interval after @began; those
 * that we were too late for when we looked last, at @looked, are left out. All in seconds.
 */
static inline double pace_next(double began, double looked, double interval)
{
	const double passed = (looked - began) / interval;

	return began + ((uint64_t)(passed + 1e-6) + 1) * interval;
}

#endif /* UFFDWP_TOOLS_PACE_H */
