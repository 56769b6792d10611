/* SPDX-License-Identifier: GPL-2.0-only */
/* What every unit test includes. These run on the build machine and need no kernel. */
#ifndef UNIT_H
#define UNIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#endif /* UNIT_H */
