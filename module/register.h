/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_REGISTER_H
#define UFFDWP_REGISTER_H

#include "../uapi/uffdwp-async.h"

struct uffdwp_tracker;

int uffdwp_register(struct uffdwp_tracker *t, const struct uffdwp_register_arg *arg,
		    struct uffdwp_register_arg __user *uarg);
int uffdwp_unregister(struct uffdwp_tracker *t, const struct uffdwp_unregister_arg *arg,
		      struct uffdwp_unregister_arg __user *uarg);

#endif /* UFFDWP_REGISTER_H */
