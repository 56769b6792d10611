/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_VERB_H
#define TOOLS_REPORT_VERB_H

int report_main(int argc, char **argv);

#endif /* TOOLS_REPORT_VERB_H */
