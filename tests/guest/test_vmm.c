// SPDX-License-Identifier: GPL-2.0-only
/*
 * examples/vmm.c, which is a virtual machine in the virtual machine.
 */
#include <string.h>

#include "kvm/vm.h"
#include "support.h"

TEST(what_a_guest_writes_is_printed)
{
	static const char wanted[] =
		"the guest has written 0x4000-0x7000.\n"
		"the guest has written 0x6000-0x7000 0xa000-0xc000.\n"
		"the guest has written.\n";
	const char *why = vm_unavailable();
	char output[1024];
	FILE *pipe;
	size_t n;
	int status;

	if (why)
		skip_because("%s", why);
	pipe = popen("vmm 2>&1", "r");
	assert_non_null(pipe);
	n = fread(output, 1, sizeof(output) - 1, pipe);
	output[n] = 0;
	status = pclose(pipe);
	if (status || strcmp(output, wanted))
		fail_msg("status %#x: %s", status, output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_guest_writes_is_printed),
	};

	return cmocka_run_group_tests_name("vmm", tests, NULL, NULL);
}
