// SPDX-License-Identifier: GPL-2.0-only
#include "matrix.h"

void matrix_print_manual(void)
{
}
