# SPDX-License-Identifier: LGPL-2.1-or-later
# libuffdwp, shared and static. Symbols are hidden but for those in the map.

SOVERSION := 0
LIB_OBJECTS := $(patsubst lib/%.c,$(B)/lib/%.o,$(sort $(wildcard lib/*.c)))
LIB_SHARED := $(B)/lib/libuffdwp.so.$(VERSION)
LIB_STATIC := $(B)/lib/libuffdwp.a

lib: $(LIB_SHARED) $(LIB_STATIC) ## the library
.PHONY: lib

$(B)/lib/%.o: lib/%.c VERSION
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -c -o $@ $<

# The linker fails when the map names a symbol that does not exist; the other way round is tested.
$(LIB_SHARED): $(LIB_OBJECTS) lib/libuffdwp.map
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,-soname,libuffdwp.so.$(SOVERSION) \
		-Wl,--version-script=lib/libuffdwp.map -Wl,--no-undefined -Wl,--no-undefined-version \
		-o $@ $(LIB_OBJECTS)
	$(Q)ln -sf $(@F) $(B)/lib/libuffdwp.so.$(SOVERSION)
	$(Q)ln -sf $(@F) $(B)/lib/libuffdwp.so

$(LIB_STATIC): $(LIB_OBJECTS)
	$(say) AR $@
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

# What programs are linked against. A change of it is a line in CHANGELOG.md, and in the commit.
abi: $(LIB_SHARED) ## write down the library's ABI, which "make lint" compares
	abidw --no-corpus-path --no-comp-dir-path --no-show-locs --out-file lib/libuffdwp.abi \
		$(LIB_SHARED)
.PHONY: abi

-include $(LIB_OBJECTS:.o=.d)
