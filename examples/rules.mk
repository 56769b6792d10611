# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs to begin one's own with. They are compiled as a user of the library compiles his: without
# what is defined for the other programs of this tree.

EXAMPLES := $(patsubst examples/%.c,$(B)/examples/%,$(sort $(wildcard examples/*.c)))

examples: $(EXAMPLES) ## programs to begin your own with
.PHONY: examples

$(B)/examples/%: examples/%.c lib/uffdwp.h uapi/uffdwp-async.h $(LIB_STATIC)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(CFLAGS) $(WARNINGS) -Iuapi -Ilib $(LDFLAGS) -o $@ $< $(LIB_STATIC)
