/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_LIFE_H
#define UFFDWP_LIFE_H

struct uffdwp_tracker;

struct uffdwp_tracker *uffdwp_tracker_new(void);
struct uffdwp_tracker *uffdwp_tracker_new_backport(void);
int uffdwp_tracker_begin(struct uffdwp_tracker *t);
void uffdwp_tracker_release(struct uffdwp_tracker *t);

#endif /* UFFDWP_LIFE_H */
