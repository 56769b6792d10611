// SPDX-License-Identifier: GPL-2.0-only
/*
 * This module, where memory without page tables is only remembered.
 */
#include "device.h"

static bool possible(void)
{
	return device_features() & UFFDWP_FEATURE_UNPOP_SPARSE;
}

static void attach(void)
{
	device_attach(UFFDWP_UNPOP_SPARSE);
}

const struct way way_sparse = {
	.name = "sparse",
	.title = "this module, sparse",
	.possible = possible,
	.attach = attach,
	.begin = device_begin,
	.scan = device_scan,
	.detach = device_detach,
};
