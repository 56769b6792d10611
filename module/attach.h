/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_ATTACH_H
#define UFFDWP_ATTACH_H

#include "../uapi/uffdwp-async.h"

struct uffdwp_device_tracker;

int uffdwp_attach(struct uffdwp_device_tracker *d, const struct uffdwp_attach_arg *arg);
void uffdwp_detach(struct uffdwp_device_tracker *d);

#endif /* UFFDWP_ATTACH_H */
