/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_HEALTH_H
#define UFFDWP_HEALTH_H

#include <linux/types.h>

struct uffdwp_tracker;

int uffdwp_health_init(void);
void uffdwp_health_exit(void);

void uffdwp_health_prepare(struct uffdwp_tracker *t);
void uffdwp_health_watch(struct uffdwp_tracker *t);
void uffdwp_health_unlist(struct uffdwp_tracker *t);
void uffdwp_health_forget(struct uffdwp_tracker *t);

int uffdwp_health_before(struct uffdwp_tracker *t);
int uffdwp_health_after(struct uffdwp_tracker *t);
void uffdwp_health_tell_all(void);
bool uffdwp_health_is_lost(struct uffdwp_tracker *t);
void uffdwp_health_wake(const struct uffdwp_tracker *t);

#endif /* UFFDWP_HEALTH_H */
