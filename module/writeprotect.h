/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_WRITEPROTECT_H
#define UFFDWP_WRITEPROTECT_H

#include "compat/hooked.h"

int uffdwp_writeprotect(UFFDWP_MWRITEPROTECT_PARAMETERS);

#endif /* UFFDWP_WRITEPROTECT_H */
