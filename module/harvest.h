/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_HARVEST_H
#define UFFDWP_HARVEST_H

struct uffdwp_unmapped;

void uffdwp_unmaps(struct uffdwp_unmapped *u);

#endif /* UFFDWP_HARVEST_H */
