// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the static calls to functions that the kernel does not export. They are set once, before
 * anything else of the module runs, and never change after that.
 */
#include <linux/errno.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/string.h>

#include "symbols.h"

typedef unsigned long uffdwp_fn_kallsyms_lookup_name(const char *name);
DEFINE_STATIC_CALL_NULL(uffdwp_kallsyms_lookup_name, uffdwp_fn_kallsyms_lookup_name);

#define UFFDWP_DEFINE_FUNCTION(name, result, parameters) \
	DEFINE_STATIC_CALL_NULL(uffdwp_##name, uffdwp_fn_##name);
UFFDWP_FUNCTIONS(UFFDWP_DEFINE_FUNCTION)
UFFDWP_HOOKED_FUNCTIONS(UFFDWP_DEFINE_FUNCTION)
UFFDWP_OPTIONAL_FUNCTIONS(UFFDWP_DEFINE_FUNCTION)

#if UFFDWP_KERNEL_HAS_THP
const unsigned long *uffdwp_huge_zero_pfn;
#endif

/*
 * kallsyms_lookup_name() is not exported since 5.7. A kprobe may be placed on any function by name,
 * and knows its address once it is registered.
 */
static int find_kallsyms(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	int err;

	err = register_kprobe(&probe);
	if (err) {
		pr_err("a kprobe on kallsyms_lookup_name was refused (%d): this kernel needs CONFIG_KPROBES and CONFIG_KALLSYMS, and kernel.kprobes_all_disarmed=0\n",
		       err);
		return err;
	}
	static_call_update(uffdwp_kallsyms_lookup_name,
			   (uffdwp_fn_kallsyms_lookup_name *)probe.addr);
	unregister_kprobe(&probe);
	return 0;
}

/**
 * uffdwp_symbol_address - address of a symbol of the kernel
 * @name: symbol
 *
 * Return: the address, or 0.
 */
unsigned long uffdwp_symbol_address(const char *name)
{
	return static_call(uffdwp_kallsyms_lookup_name)(name);
}

/* The one whose name differs between kernels has a name of ours. */
static const char *hooked_symbol(const char *name)
{
	return strcmp(name, "uffdwp_zap") ? name : UFFDWP_ZAP_SYMBOL;
}

static unsigned long need_symbol(const char *name, int *err)
{
	unsigned long address = uffdwp_symbol_address(name);

	if (!address) {
		pr_err("this kernel has no symbol %s, which cannot be done without\n", name);
		*err = -ENOENT;
	}
	return address;
}

/**
 * uffdwp_symbols_find - look up all functions and data that are used by name
 *
 * Return: 0; -ENOENT when one is missing, each of which is named in the log; or the error of the
 * kprobe that finds them.
 */
int uffdwp_symbols_find(void)
{
	int err = find_kallsyms();

	if (err)
		return err;

#define UFFDWP_SET_FUNCTION(name, find)							\
	do {										\
		unsigned long address = (find);						\
											\
		if (address)								\
			static_call_update(uffdwp_##name, (uffdwp_fn_##name *)address);	\
	} while (0)
#define UFFDWP_NEED_FUNCTION(name, result, parameters)					\
	UFFDWP_SET_FUNCTION(name, need_symbol(#name, &err));
#define UFFDWP_FIND_FUNCTION(name, result, parameters)					\
	UFFDWP_SET_FUNCTION(name, uffdwp_symbol_address(hooked_symbol(#name)));
	UFFDWP_FUNCTIONS(UFFDWP_NEED_FUNCTION)
	UFFDWP_HOOKED_FUNCTIONS(UFFDWP_FIND_FUNCTION)
	UFFDWP_OPTIONAL_FUNCTIONS(UFFDWP_FIND_FUNCTION)

#if UFFDWP_KERNEL_HAS_THP
	uffdwp_huge_zero_pfn = (const unsigned long *)need_symbol("huge_zero_pfn", &err);
#endif
	return err;
}
