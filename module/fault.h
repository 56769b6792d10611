/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_FAULT_H
#define UFFDWP_FAULT_H

#include <linux/mm.h>

void uffdwp_fault_wp_page(struct vm_fault *vmf);
vm_fault_t uffdwp_fault_userfault(struct vm_fault *vmf);
vm_fault_t uffdwp_fault_marker(struct vm_fault *vmf);
void uffdwp_fault_read_in(struct vm_fault *vmf);
vm_fault_t uffdwp_fault_absent(struct vm_fault *vmf);

#endif /* UFFDWP_FAULT_H */
