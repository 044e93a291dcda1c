# Targets of the tests, of installing and of the example instance. Results of all parts are added up in $(BUILD)/results.
DIALOGS = $(sort $(wildcard tests/dialog/*/*.talk))
SYSTEM_TESTS = $(sort $(wildcard tests/system/*_test.py tests/system/*_test.sh))
COUNT = mkdir -p $(BUILD) && tests/count -o $(BUILD)/results
TOTAL = awk '{ p += $$1; f += $$2 } END { print p+0 " passed, " f+0 " failed"; exit f > 0 }' $(BUILD)/results

setup-%:
	@tests/setup $(subst +, ,$*)

check: setup-build+run+check
	@$(MAKE) -s -j2 all units
	@$(MAKE) -s check-parts

check-units: units
	@$(COUNT) -j2 -t 300 $(UNITS)
check-dialogs: all
	@$(if $(DIALOGS),$(COUNT) -t 1200 "tests/talk -j4 -b $(BUILD)/bin tests/dialog")
# What the crash tests have in C: a tracer that breaks system calls, and deliberately broken recipes.
CRASH_TOOLS = $(addprefix $(BUILD)/tests/crash/,breaker shim.so memory.so held.so) $(BUILD)/twins/stafet-queue
$(BUILD)/tests/crash/breaker: tests/crash/breaker.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=c11 -g -O2 $(WARN) -o $@ $<
$(BUILD)/tests/crash/%.so: tests/crash/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=c11 -g -O2 $(WARN) -fPIC -shared -o $@ $<
crash-tools: $(CRASH_TOOLS)

check-system: all crash-tools
	@$(if $(SYSTEM_TESTS),STAFET_BIN=$(CURDIR)/$(BUILD)/bin $(COUNT) -t 600 $(SYSTEM_TESTS))
check-parts:
	@mkdir -p $(BUILD); rm -f $(BUILD)/results
	@$(MAKE) -s -k VARIANT=$(VARIANT) check-units check-dialogs check-system || :
	@$(TOTAL)

# All tests once more, with every program under AddressSanitizer and UBSan (which need memory and files of their own: no sandbox);
# 86 is no exit code of ours. The crash tests preload and trace, which a sanitizer's runtime does not bear: they run in check alone.
ASAN = VARIANT=-asan SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DSANDBOX_OFF -D_Fork=fork -include tests/sanitizer.h' HARDEN='-O1 -U_FORTIFY_SOURCE'
check-asan: export ASAN_OPTIONS = exitcode=86:detect_leaks=0:abort_on_error=0
check-asan: export UBSAN_OPTIONS = exitcode=86:print_stacktrace=1
check-asan: setup-build+run+check
	@$(MAKE) -s -j2 $(ASAN) all units
	@$(MAKE) -s $(ASAN) SYSTEM_TESTS='$(filter-out tests/system/crash_test.py,$(SYSTEM_TESTS))' check-parts

# Children write their counts only where they end by exit(), and no sandbox keeps them from the files, which lie there beforehand for
# those that run as another user.
COV = VARIANT=-cov SANITIZE='--coverage -DSANDBOX_OFF -DSANDBOX_PATHS_OFF -D_exit=exit -D_Fork=fork' HARDEN=-O0
coverage: setup-build+run+check
	@find build-cov -name '*.gcda' -delete 2>/dev/null || :
	@$(MAKE) -s -j2 $(COV) all units
	@find build-cov -name '*.gcno' | sed 's/gcno$$/gcda/' | xargs -I{} install -m 0666 /dev/null {}
	@$(MAKE) -s -k $(COV) check-units check-dialogs || :
	@find build-cov -name '*.gcda' -size 0 -delete
	@tests/coverage build-cov

lint: setup-build+lint
	@$(MAKE) -s -j2 all twins
	@mkdir -p $(BUILD); rm -f $(BUILD)/results
	@$(COUNT) -t 1200 "tests/lint $(BUILD)" || :
	@$(TOTAL)

# Fuzz targets are built by tests/fuzz-smoke, with clang (FUZZ: what they are linked with).
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(ROOM_ARCHIVES) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $(FUZZ) -o $@ $< -Wl,--start-group $(ROOM_ARCHIVES) $(LIB) -Wl,--end-group $(LDLIBS)
# imapd's and pop3d's own: two rooms may both have a slice_is() or a reply().
define FUZZ_RULE
$(BUILD)/tests/fuzz/fuzz_$(1)_%: $(BUILD)/tests/fuzz/fuzz_$(1)_%.o $(BUILD)/$(2)/room.a $(LIB)
	@mkdir -p $$(@D)
	$(CC) $(LDFLAGS) $(FUZZ) -o $$@ $$^ $(LDLIBS)
endef
$(eval $(call FUZZ_RULE,imap,imapd))
$(eval $(call FUZZ_RULE,pop3,pop3d))
fuzz-smoke: setup-build+lint
	@tests/fuzz-smoke
bench: setup-build+run+bench
	@$(MAKE) -s -j2 all
	@tests/bench/run
bench-imap: setup-build+run+bench
	@$(MAKE) -s -j2 all
	@tests/bench/imap
# Roundcube in headless chromium (unpacked once, 150 MB to fetch: not in check).
check-webmail: setup-build+run+check
	@$(MAKE) -s -j2 all
	@mkdir -p $(BUILD)/webmail
	@STAFET_BIN=$(CURDIR)/$(BUILD)/bin tests/webmail/browser_test.py $(BUILD)/webmail
crash: setup-build+run+check
	@$(MAKE) -s -j2 all crash-tools
	@tests/crash/run

# The example instance: built, made, started; `make stop` ends it.
run: setup-build+run
	@$(MAKE) -s -j2 all
	@service/stafet-example $(CURDIR)/run
stop:
	@if [ -d run ]; then run/bin/stafet-instance stop $(CURDIR)/run; else echo 'nothing to stop: there is no folder run/'; fi

MAN1 = $(wildcard $(ROOMS:%=%/*.1))
MAN5 = $(wildcard doc/*.5 $(ROOMS:%=%/*.5))
MAN8 = $(wildcard $(ROOMS:%=%/*.8))
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/stafet/service
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 0755 $(wildcard $(BUILD)/bin/*) $(DESTDIR)$(PREFIX)/bin
	for name in sendmail qmail-inject qmail-queue; do ln -sf stafet-inject $(DESTDIR)$(PREFIX)/bin/$$name; done
	for run in service/*/run; do \
	    folder=$(DESTDIR)$(PREFIX)/share/stafet/$$(dirname $$run) && install -d $$folder/log && \
	    install -m 0755 $$run $$folder/run && install -m 0755 $$(dirname $$run)/log/run $$folder/log/run || exit 1; \
	done
	install -m 0644 service/common service/log-common $(DESTDIR)$(PREFIX)/share/stafet/service
	$(if $(MAN1),install -m 0644 $(MAN1) $(DESTDIR)$(PREFIX)/share/man/man1)
	$(if $(MAN5),install -m 0644 $(MAN5) $(DESTDIR)$(PREFIX)/share/man/man5)
	$(if $(MAN8),install -m 0644 $(MAN8) $(DESTDIR)$(PREFIX)/share/man/man8)

.PHONY: check check-units check-dialogs check-system check-parts crash-tools twins check-asan coverage lint fuzz-smoke check-webmail bench bench-imap crash run stop install
