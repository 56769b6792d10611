/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_PNG_H
#define TOOLS_REPORT_PNG_H

#include "report/picture.h"

/**
 * png_load - the part that draws pixels
 * @why: out: why there is none, and what to do about it
 * @size: of @why
 *
 * Return: what to draw with, which stays, or NULL.
 */
const struct picture_ops *png_load(char *why, size_t size);

#endif /* TOOLS_REPORT_PNG_H */
