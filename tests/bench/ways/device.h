/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the ways of this module share: device.c.
 */
#ifndef WAY_DEVICE_H
#define WAY_DEVICE_H

#include "way.h"

/* The tracker */
extern int device;

/* UFFDWP_FEATURE_* of the module */
uint64_t device_features(void);
/* @unpopulated: UFFDWP_UNPOP_* */
void device_attach(uint32_t unpopulated);
void device_begin(void);
size_t device_scan(bool reset, bool all);
void device_detach(void);

#endif /* WAY_DEVICE_H */
