/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_RECORD_H
#define TOOLS_RECORD_H

int record_main(int argc, char **argv);

#endif /* TOOLS_RECORD_H */
