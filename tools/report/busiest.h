/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_BUSIEST_H
#define TOOLS_REPORT_BUSIEST_H

#include "report/seen.h"

/*
 * The mappings that were written, most first. Return: an array of @n pointers into @seen, to be
 * freed, or NULL when there is no memory.
 */
const struct seen_mapping **busiest_mappings(const struct seen *seen, size_t *n);

#endif /* TOOLS_REPORT_BUSIEST_H */
