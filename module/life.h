/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_LIFE_H
#define UFFDWP_LIFE_H

struct uffdwp_tracker;

int uffdwp_tracker_init(struct uffdwp_tracker *t);
int uffdwp_tracker_begin(struct uffdwp_tracker *t);
void uffdwp_tracker_disarm_early(const struct uffdwp_tracker *t);
void uffdwp_tracker_end(struct uffdwp_tracker *t);
void uffdwp_tracker_free(struct uffdwp_tracker *t);

#endif /* UFFDWP_LIFE_H */
